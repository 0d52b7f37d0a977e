use std::borrow::Cow;
use std::fmt;

/// A trace's 128 bits, never all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

/// A span's 64 bits, never all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

impl TraceId {
    /// As X-Ray makes them: 32 bits of the time, seconds since 1970, then 96 bits of chance, of which `entropy`'s lowest are taken.
    pub fn new(epoch_s: u32, entropy: u128) -> TraceId {
        let unique = entropy & ((1 << 96) - 1);
        TraceId(u128::from(epoch_s) << 96 | unique.max(1))
    }

    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl SpanId {
    pub fn new(entropy: u64) -> SpanId {
        SpanId(entropy.max(1))
    }

    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// 16 lower-case hexadecimal digits.
impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a request says of its trace, or is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    pub trace: TraceId,
    /// The span that it was sent from.
    pub parent: Option<SpanId>,
    /// Whether the trace is recorded; `None` where nobody has decided.
    pub is_sampled: Option<bool>,
}

/// Longest trace header that is read, bytes. More of them than either form has: both leave room for what comes later.
const HEADER_BYTES_MAX: usize = 512;

impl Context {
    /// Reads `X-Amzn-Trace-Id`: `Root=1-{8 hex}-{24 hex}`, perhaps with `Parent={16 hex}` and `Sampled={0, 1 or ?}`, in any order and
    /// with other fields among them. `None` without a root. Source: AWS X-Ray developer guide, "Tracing header".
    pub fn parse_xray(header: &[u8]) -> Option<Context> {
        if header.len() > HEADER_BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(header).ok()?;
        let (mut trace, mut parent, mut is_sampled) = (None, None, None);
        for (name, value) in text.split(';').filter_map(|field| field.trim().split_once('=')) {
            if name.eq_ignore_ascii_case("root") && trace.is_none() {
                trace = root(value);
            } else if name.eq_ignore_ascii_case("parent") && parent.is_none() {
                parent = hex(value, 16).and_then(|id| u64::try_from(id).ok()).map(SpanId);
            } else if name.eq_ignore_ascii_case("sampled") && is_sampled.is_none() {
                is_sampled = match value {
                    "1" => Some(true),
                    "0" => Some(false),
                    _ => None,
                };
            }
        }
        Some(Context { trace: trace?, parent, is_sampled })
    }

    /// Reads `traceparent`: `{version}-{32 hex}-{16 hex}-{flags}`, all lower-case. Of a later version only these fields are read.
    /// Source: W3C Trace Context, "traceparent Header".
    pub fn parse_w3c(header: &[u8]) -> Option<Context> {
        if header.len() > HEADER_BYTES_MAX || header.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        let text = std::str::from_utf8(header).ok()?;
        let mut fields = text.split('-');
        let version = hex(fields.next()?, 2)?;
        let trace = hex_or_zero(fields.next()?, 32)?;
        let parent = u64::try_from(hex(fields.next()?, 16)?).ok()?;
        let flags = hex_or_zero(fields.next()?, 2)?;
        let is_more = fields.next().is_some();
        if version == 0xff || trace == 0 || (version == 0 && is_more) {
            return None;
        }
        Some(Context {
            trace: TraceId(trace),
            parent: Some(SpanId(parent)),
            is_sampled: Some(flags & 1 == 1),
        })
    }

    /// What a request with these headers says. Where they tell of two traces, AWS's counts, but for a bare root: whoever put that
    /// there recorded nothing.
    pub fn carried(xray: Option<&[u8]>, w3c: Option<&[u8]>) -> Option<Context> {
        let w3c = w3c.and_then(Context::parse_w3c);
        let Some(xray) = xray.and_then(Context::parse_xray) else { return w3c };
        let Some(w3c) = w3c else { return Some(xray) };
        if xray.trace == w3c.trace {
            let is_sampled = xray.is_sampled.or(w3c.is_sampled);
            return Some(Context { parent: xray.parent.or(w3c.parent), is_sampled, ..xray });
        }
        let is_bare = xray.parent.is_none() && xray.is_sampled.is_none();
        Some(if is_bare { w3c } else { xray })
    }

    /// The value of `X-Amzn-Trace-Id`.
    pub fn to_xray(&self) -> String {
        let mut text = String::with_capacity(77);
        push_root(&mut text, self.trace);
        if let Some(SpanId(parent)) = self.parent {
            text.push_str(";Parent=");
            push_hex(&mut text, &parent.to_be_bytes());
        }
        if let Some(is_sampled) = self.is_sampled {
            text.push_str(if is_sampled { ";Sampled=1" } else { ";Sampled=0" });
        }
        text
    }

    /// The value of `traceparent`; `None` without a parent, which W3C's header must have.
    pub fn to_w3c(&self) -> Option<String> {
        let SpanId(parent) = self.parent?;
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        push_hex(&mut text, &self.trace.to_bytes());
        text.push('-');
        push_hex(&mut text, &parent.to_be_bytes());
        text.push_str(if self.is_sampled == Some(true) { "-01" } else { "-00" });
        Some(text)
    }

    /// `1-{8 hex}-{24 hex}`, as X-Ray names a trace.
    pub fn root(&self) -> String {
        let mut text = String::with_capacity(40);
        push_root(&mut text, self.trace);
        text.split_off("Root=".len())
    }
}

/// The `X-Amzn-Trace-Id` of a request that nobody here records: the client's own if it names a root, or what its `traceparent` says in
/// AWS's words, else a new root. The caller brings time and entropy.
pub fn header<'h>(xray: Option<&'h [u8]>, w3c: Option<&[u8]>, new: impl FnOnce() -> TraceId) -> Cow<'h, str> {
    told(xray, w3c).unwrap_or_else(|| {
        let mut text = String::with_capacity(40);
        push_root(&mut text, new());
        Cow::Owned(text)
    })
}

/// The same, where a request that names no trace has none yet.
pub fn told<'h>(xray: Option<&'h [u8]>, w3c: Option<&[u8]>) -> Option<Cow<'h, str>> {
    let context = Context::carried(xray, w3c)?;
    let own = xray.filter(|given| Context::parse_xray(given).is_some_and(|own| own.trace == context.trace));
    let own = own.and_then(|given| std::str::from_utf8(given).ok());
    Some(own.map_or_else(|| Cow::Owned(context.to_xray()), Cow::Borrowed))
}

fn root(value: &str) -> Option<TraceId> {
    let mut pieces = value.split('-');
    let version = pieces.next()?;
    let (seconds, unique) = (hex_or_zero(pieces.next()?, 8)?, hex_or_zero(pieces.next()?, 24)?);
    let id = seconds << 96 | unique;
    (version == "1" && pieces.next().is_none() && id != 0).then_some(TraceId(id))
}

/// Exactly so many hexadecimal digits, not all of them zero unless they are two.
fn hex(text: &str, digits: usize) -> Option<u128> {
    hex_or_zero(text, digits).filter(|number| *number != 0 || digits == 2)
}

fn hex_or_zero(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u128::from_str_radix(text, 16).ok() } else { None }
}

fn push_root(text: &mut String, trace: TraceId) {
    let bytes = trace.to_bytes();
    text.push_str("Root=1-");
    push_hex(text, &bytes[..4]);
    text.push('-');
    push_hex(text, &bytes[4..]);
}

/// Lower-case digits of at most 16 bytes. Made for every request, so neither by way of a formatter nor one by one.
fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [b'0'; 32];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    text.push_str(std::str::from_utf8(&digits[..2 * bytes.len()]).expect("digits are text"));
}

#[cfg(test)]
mod tests;
