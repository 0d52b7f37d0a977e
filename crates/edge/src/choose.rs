//! Which of a stage's two tracks a request takes.

use http::{HeaderMap, HeaderValue, header};
use pitbird_snapshot::{Carrier, Choice, Stage, Sticky, Track};
use sha2::{Digest, Sha256};

use crate::arrival::Arrival;

/// A request's track, and how it came to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen<'s> {
    pub track: &'s Track,
    /// Whether chance chose, or what keeps a client where it is: only then does the exchange say something about the canary. One
    /// that asked for its track may be anybody's test.
    pub is_evidence: bool,
    /// Whether the canary shall get the request as well.
    pub is_mirrored: bool,
    pub by: By,
}

/// What chose a request's track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// There is only one.
    Nothing,
    Chance,
    /// What keeps a client where it is, by a hash of it.
    Client(u64),
    /// The request asked for it.
    Request,
    /// It is a copy of one that went to the base.
    Mirror,
    /// Nobody sent it: a rollout tries both.
    Probe,
}

impl By {
    /// As traces tell it.
    pub fn word(self) -> Option<&'static str> {
        match self {
            By::Nothing => None,
            By::Chance => Some("draw"),
            By::Client(_) => Some("sticky"),
            By::Request => Some("forced"),
            By::Mirror => Some("mirror"),
            By::Probe => Some("probe"),
        }
    }
}

/// Chooses by what the request asks for, by what it brings again and again, or by chance. A stage without a canary has one
/// track, whatever is asked for.
pub(crate) fn choose<'s>(stage: &'s Stage, arrival: &Arrival<'_>, draw: f64) -> Chosen<'s> {
    let drawn = |track, by| Chosen { track, is_evidence: true, is_mirrored: false, by };
    let Some((percent, canary)) = &stage.canary else { return drawn(&stage.base, By::Nothing) };
    let Choice { force, sticky, mirror } = &stage.choice;
    if let Some(carrier) = force {
        let track = match carried(carrier, arrival.headers()) {
            Some(b"canary") => Some(canary),
            Some(b"base") => Some(&stage.base),
            _ => None,
        };
        if let Some(track) = track {
            return Chosen { track, is_evidence: false, is_mirrored: false, by: By::Request };
        }
    }
    let client = sticky.as_ref().and_then(|sticky| client(sticky, stage, canary, arrival));
    let by = client.map_or(By::Chance, By::Client);
    let draw = client.map_or(draw, steady_draw);
    let chosen = drawn(if percent.takes(draw) { canary } else { &stage.base }, by);
    if chosen.track.is_canary || mirror.get() == 0.0 {
        return chosen;
    }
    Chosen { is_mirrored: mirror.takes(fastrand::f64()), ..chosen }
}

/// The hash that this client always has for this canary; `None` for one that doesn't bring what would keep it. The next
/// canary is another hash, so that not the same clients go first each time.
fn client(sticky: &Sticky, stage: &Stage, canary: &Track, arrival: &Arrival<'_>) -> Option<u64> {
    let word = match sticky {
        Sticky::Carried(carrier) => carried(carrier, arrival.headers())?,
        Sticky::SourceAddress => arrival.peer.source.as_bytes(),
    };
    let mut hash = Sha256::new();
    let of_canary = [&stage.api_id, &stage.record.name, &canary.deployment.id].map(|part| part.as_bytes());
    for part in of_canary.into_iter().chain([word]) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    Some(u64::from_le_bytes(first))
}

/// The draw in [0, 1) that a client always has: as many bits as such a float holds exactly.
fn steady_draw(client: u64) -> f64 {
    (client >> 11) as f64 / (1_u64 << 53) as f64
}

/// What a request carries there, if it isn't empty. It needn't be text, and its neighbours needn't either: one cookie in another
/// alphabet must not cost a client its place.
fn carried<'a>(carrier: &Carrier, headers: &'a HeaderMap) -> Option<&'a [u8]> {
    let found = match carrier {
        Carrier::Header(name) => headers.get(name)?.as_bytes().trim_ascii(),
        Carrier::Cookie(name) => {
            let lines = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
            let mut values = lines.flat_map(|line| line.split(|byte| *byte == b';')).filter_map(|cookie| {
                let (known, value) =
                    cookie.split_at_checked(cookie.iter().position(|byte| *byte == b'=')?)?;
                (known.trim_ascii() == name.as_bytes()).then(|| value[1..].trim_ascii())
            });
            values.next()?
        }
    };
    Some(found).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_headers_and_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert("x-user", HeaderValue::from_static(" u1 "));
        headers.insert("x-empty", HeaderValue::from_static(""));
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; session=s=2"));
        headers.append(header::COOKIE, HeaderValue::from_static("Release=canary"));
        let of_header =
            |name: &'static str| carried(&Carrier::Header(http::HeaderName::from_static(name)), &headers);
        assert_eq!(
            (of_header("x-user"), of_header("x-empty"), of_header("x-no")),
            (Some(&b"u1"[..]), None, None)
        );
        let of_cookie = |name: &str| carried(&Carrier::Cookie(name.to_owned()), &headers);
        assert_eq!((of_cookie("session"), of_cookie("Release")), (Some(&b"s=2"[..]), Some(&b"canary"[..])));
        assert_eq!((of_cookie("release"), of_cookie("b")), (None, None));
        let bytes = |bytes| HeaderValue::from_bytes(bytes).expect("a value");
        headers.insert("x-user", bytes("Jörg".as_bytes()));
        headers.insert(header::COOKIE, bytes(b"name=J\xf6rg; Release=canary; own=\xfc"));
        let of_header = carried(&Carrier::Header(http::HeaderName::from_static("x-user")), &headers);
        assert_eq!(of_header, Some("Jörg".as_bytes()));
        let of_cookie = |name: &str| carried(&Carrier::Cookie(name.to_owned()), &headers);
        assert_eq!((of_cookie("Release"), of_cookie("own")), (Some(&b"canary"[..]), Some(&b"\xfc"[..])));
    }
}
