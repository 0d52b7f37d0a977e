//! What an environment writes, on its way to its log stream: cut into lines, bounded in rate, between the platform's
//! own lines in the order in which both came.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use pitbird_telemetry::logs::{LINE_BYTES, LogStream};
use serde::Deserialize;
use tokio::net::unix::pipe::Receiver;

use crate::lines::{Form, Level, Line};
use crate::telemetry_api::Relay;
use crate::telemetry_api::subscription::Kind;

/// What Invoke's log tail has at most, bytes. Source: Lambda, `X-Amz-Log-Result`.
const TAIL_BYTES: usize = 4096;
/// Stands before a line break that doesn't end an event. It is a frame's type of AWS's own protocol between runtimes and
/// platform, and no text: what our clients for Python and Node log in one call is one event by it.
const WITHIN: &[u8] = b"\xa5\x5a\x00\x03\n";
/// Stands where an event ends whose text ends with no line break.
const LAST: &[u8] = b"\xa5\x5a\x00\x02\n";
/// Read at one go. A pipe holds no more unless somebody makes it larger, so that this empties one that was full.
const DRAIN_BYTES: usize = 1 << 20;

/// An environment's log.
#[derive(Debug)]
pub(crate) struct Output {
    stream: Arc<LogStream>,
    form: Form,
    function: Source,
    /// Only where extensions have processes of their own.
    extensions: Option<Box<Source>>,
    rate: Rate,
    /// What the invocation that runs has logged, while somebody wants to know.
    tail: Option<Vec<u8>>,
    /// Only where there are external extensions, which may subscribe.
    pub relay: Option<Box<Relay>>,
}

/// Where lines come from.
#[derive(Debug)]
struct Source {
    origin: Origin,
    /// What standard output and error end in; `None` before the process starts and after it has ended.
    pipe: Option<Arc<Receiver>>,
    /// The beginning of a line whose end hasn't come.
    partial: Vec<u8>,
}

impl Source {
    fn new(origin: Origin) -> Source {
        Source { origin, pipe: None, partial: Vec::new() }
    }

    /// Taken out while it is read, and to be put back.
    fn take(&mut self) -> Source {
        std::mem::replace(self, Source::new(self.origin))
    }

    fn connect(&mut self, pipe: OwnedFd) -> io::Result<Arc<Receiver>> {
        let pipe = Arc::new(Receiver::from_owned_fd(pipe)?);
        self.pipe = Some(pipe.clone());
        Ok(pipe)
    }
}

/// Whose lines they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Function,
    Extension,
}

impl Origin {
    fn kind(self) -> Kind {
        match self {
            Origin::Function => Kind::Function,
            Origin::Extension => Kind::Extension,
        }
    }
}

/// The pipes of the function and of its extensions, to be asked whether there is something to read.
pub(crate) type Pipes = (Arc<Receiver>, Option<Arc<Receiver>>);

/// Bytes per second of the clock.
#[derive(Debug)]
struct Rate {
    limit_bytes: u64,
    second: i64,
    used_bytes: u64,
    dropped_bytes: u64,
    dropped_lines: u64,
}

/// What reading a pipe came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// There is no more for now.
    Empty,
    /// There may be more.
    Bounded,
    /// Nobody can write any more.
    Ended,
}

impl Output {
    /// The name of the log stream.
    pub fn stream(&self) -> &str {
        self.stream.name()
    }

    pub fn new(stream: Arc<LogStream>, form: Form, limit_bytes_per_s: u64) -> Output {
        let rate = Rate {
            limit_bytes: limit_bytes_per_s,
            second: 0,
            used_bytes: 0,
            dropped_bytes: 0,
            dropped_lines: 0,
        };
        Output {
            stream,
            form,
            function: Source::new(Origin::Function),
            extensions: None,
            rate,
            tail: None,
            relay: None,
        }
    }

    /// A process has started that writes to this pipe, and maybe extensions that write to another. What comes back tells when there
    /// is something to read; it is read here alone.
    pub fn connect(&mut self, function: OwnedFd, extensions: Option<OwnedFd>) -> io::Result<Pipes> {
        let function = self.function.connect(function)?;
        let Some(pipe) = extensions else { return Ok((function, None)) };
        let extensions = self.extensions.get_or_insert_with(|| Box::new(Source::new(Origin::Extension)));
        Ok((function, Some(extensions.connect(pipe)?)))
    }

    /// Reads what is known to be there to read, and logs the lines that are complete. Where nothing is known this costs no
    /// system call.
    ///
    /// What a process wrote before it answered is known when the answer is: the runtime hears of both by one epoll, which tells
    /// in the order in which they came (`fs/eventpoll.c`).
    pub fn drain(&mut self, now_ms: i64) -> Drained {
        let mut function = self.function.take();
        let drained = self.drain_source(&mut function, now_ms);
        self.function = function;
        drained
    }

    /// As [`Output::drain`], of the extensions.
    pub fn drain_extensions(&mut self, now_ms: i64) -> Drained {
        let Some(mut extensions) = self.extensions.take() else { return Drained::Ended };
        let drained = self.drain_source(&mut extensions, now_ms);
        self.extensions = Some(extensions);
        drained
    }

    fn drain_source(&mut self, source: &mut Source, now_ms: i64) -> Drained {
        let Some(pipe) = source.pipe.take() else { return Drained::Ended };
        let drained = self.read_all(source, now_ms, |buffer| pipe.try_read(buffer));
        if drained != Drained::Ended {
            source.pipe = Some(pipe);
        }
        drained
    }

    /// Reads what is left, known or not, once nobody writes any more.
    pub fn drain_last(&mut self, now_ms: i64) {
        if let Some(mut extensions) = self.extensions.take() {
            self.drain_last_of(&mut extensions, now_ms);
        }
        let mut function = self.function.take();
        self.drain_last_of(&mut function, now_ms);
        self.function = function;
        self.say_dropped(now_ms);
    }

    /// The function's program has ended, and others beside it haven't: logs what it wrote until then before they write more.
    pub fn drain_function(&mut self, now_ms: i64) {
        let mut function = self.function.take();
        self.drain_unknown(&mut function, now_ms);
        self.function = function;
    }

    fn drain_last_of(&mut self, source: &mut Source, now_ms: i64) {
        self.drain_unknown(source, now_ms);
        source.pipe = None;
    }

    /// Reads and logs what is there to read, known or not.
    fn drain_unknown(&mut self, source: &mut Source, now_ms: i64) {
        let pipe = source.pipe.as_ref().and_then(|pipe| pipe.as_fd().try_clone_to_owned().ok());
        if let Some(mut pipe) = pipe.map(File::from) {
            self.read_all(source, now_ms, |buffer| pipe.read(buffer));
        }
        self.flush(source, now_ms);
    }

    fn read_all(
        &mut self,
        source: &mut Source,
        now_ms: i64,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> Drained {
        // Most often there is little or nothing to read, and a large buffer would cost more than that.
        let mut little = [0; 256];
        let mut total = 0;
        while total < little.len() {
            match self.read_once(source, now_ms, &mut little, &mut read) {
                Ok(count) => total += count,
                Err(drained) => return drained,
            }
        }
        let mut much = [0; 8 * 1024];
        while total < DRAIN_BYTES {
            match self.read_once(source, now_ms, &mut much, &mut read) {
                Ok(count) => total += count,
                Err(drained) => return drained,
            }
        }
        Drained::Bounded
    }

    /// How much came; an error is why no more will.
    fn read_once(
        &mut self,
        source: &mut Source,
        now_ms: i64,
        buffer: &mut [u8],
        read: &mut impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> Result<usize, Drained> {
        match read(buffer) {
            Ok(0) => Err(Drained::Ended),
            Ok(count) => {
                self.take(source, &buffer[..count], now_ms);
                Ok(count)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Drained::Empty),
            Err(_) => Err(Drained::Ended),
        }
    }

    /// Logs everything that the function has written until now.
    pub fn catch_up(&mut self, now_ms: i64) {
        if let Some(mut extensions) = self.extensions.take() {
            self.drain_source(&mut extensions, now_ms);
            self.extensions = Some(extensions);
        }
        let mut function = self.function.take();
        self.drain_source(&mut function, now_ms);
        self.flush(&mut function, now_ms);
        self.function = function;
        self.say_dropped(now_ms);
    }

    /// Logs a line of the platform's, and tells those that have subscribed.
    pub fn say(&mut self, now_ms: i64, line: &Line<'_>) {
        self.relay(now_ms, line);
        self.log(now_ms, line);
    }

    /// Tells only those that have subscribed.
    pub fn relay(&mut self, now_ms: i64, line: &Line<'_>) {
        if let Some(relay) = &mut self.relay
            && relay.is_wanted(Kind::Platform)
        {
            match line {
                Line::Words { words, .. } => relay.fault(now_ms, words),
                line => relay.platform(&line.event(now_ms).1),
            }
        }
    }

    /// Logs a line of the platform's, written straight into the log unless a tail wants it, too.
    pub fn log(&mut self, now_ms: i64, line: &Line<'_>) {
        match self.form {
            Form::Text if self.tail.is_none() => self.stream.write(now_ms, |text| line.write(text)),
            Form::Text => self.emit(now_ms, line.text().as_bytes()),
            Form::Json { system, .. } => {
                line.json(now_ms, system).into_iter().for_each(|line| self.emit(now_ms, line.as_bytes()));
            }
        }
    }

    /// Remembers what is logged from here on for [`Output::end_tail`].
    pub fn begin_tail(&mut self) {
        self.tail = Some(Vec::new());
    }

    pub fn end_tail(&mut self) -> Option<Bytes> {
        let mut tail = self.tail.take()?;
        tail.drain(..tail.len().saturating_sub(TAIL_BYTES));
        Some(tail.into())
    }

    fn take(&mut self, source: &mut Source, mut bytes: &[u8], now_ms: i64) {
        while !bytes.is_empty() {
            let room = LINE_BYTES - source.partial.len();
            let end = bytes.iter().take(room).position(|byte| *byte == b'\n').map(|at| at + 1);
            let is_whole = end.is_some() || bytes.len() >= room;
            let (piece, rest) = bytes.split_at(end.unwrap_or(room.min(bytes.len())));
            bytes = rest;
            if source.partial.is_empty() && is_whole && !is_marked(piece) {
                self.write(source.origin, now_ms, piece);
                continue;
            }
            source.partial.extend_from_slice(piece);
            if source.partial.ends_with(WITHIN) {
                source.partial.truncate(source.partial.len() - WITHIN.len());
                source.partial.push(b'\n');
            } else if is_whole {
                self.flush(source, now_ms);
            }
        }
    }

    fn flush(&mut self, source: &mut Source, now_ms: i64) {
        if source.partial.ends_with(LAST) {
            source.partial.truncate(source.partial.len() - LAST.len());
        }
        if !source.partial.is_empty() {
            self.write(source.origin, now_ms, &source.partial);
            source.partial.clear();
        }
    }

    /// Logs a line of the function's if it matters enough, or of an extension's, and they still may say something this second.
    fn write(&mut self, origin: Origin, now_ms: i64, line: &[u8]) {
        if origin == Origin::Function
            && matches!(self.form, Form::Json { application, .. } if level(line) < application)
        {
            return;
        }
        let second = now_ms / 1000;
        if second != self.rate.second {
            self.say_dropped(now_ms);
            self.rate.second = second;
            self.rate.used_bytes = 0;
        }
        let bytes = line.len() as u64;
        if self.rate.used_bytes + bytes > self.rate.limit_bytes {
            self.rate.dropped_bytes += bytes;
            self.rate.dropped_lines += 1;
            return;
        }
        self.rate.used_bytes += bytes;
        if let Some(relay) = &mut self.relay {
            let is_json = matches!(self.form, Form::Json { .. });
            relay.line(origin.kind(), now_ms, line, is_json);
        }
        self.emit(now_ms, line);
    }

    fn say_dropped(&mut self, now_ms: i64) {
        let bytes = std::mem::take(&mut self.rate.dropped_bytes);
        let lines = std::mem::take(&mut self.rate.dropped_lines);
        if lines > 0 {
            self.say(now_ms, &Line::Dropped { bytes, lines, limit_bytes: self.rate.limit_bytes });
        }
    }

    fn emit(&mut self, now_ms: i64, line: &[u8]) {
        if let Some(tail) = &mut self.tail {
            // Twice as much as is wanted, so that little is moved and none too often.
            if tail.len() >= 2 * TAIL_BYTES {
                tail.drain(..tail.len() - TAIL_BYTES);
            }
            tail.extend_from_slice(&line[line.len().saturating_sub(TAIL_BYTES)..]);
        }
        self.stream.bytes(now_ms, line);
    }
}

fn is_marked(piece: &[u8]) -> bool {
    piece.ends_with(WITHIN) || piece.ends_with(LAST)
}

/// The level that a line of the function's says it has: a JSON object's own, else that of any line. Source: Lambda developer
/// guide, "Log-level filtering".
fn level(line: &[u8]) -> Level {
    #[derive(Deserialize)]
    struct Said<'l> {
        #[serde(borrow)]
        level: Cow<'l, str>,
    }
    let said = line.starts_with(b"{").then(|| serde_json::from_slice::<Said<'_>>(line).ok()).flatten();
    said.and_then(|said| Level::parse(&said.level)).unwrap_or(Level::Info)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use pitbird_names::Scope;
    use pitbird_telemetry::logs::{GetQuery, ReadFrom, Spread};
    use pitbird_telemetry::{Config, Telemetry};

    use super::*;

    struct Bench {
        telemetry: Arc<Telemetry>,
        output: Output,
        pipe: Arc<Receiver>,
        writer: std::io::PipeWriter,
        _data: tempfile::TempDir,
    }

    fn bench(limit_bytes_per_s: u64) -> Bench {
        bench_with(Form::Text, limit_bytes_per_s)
    }

    fn bench_with(form: Form, limit_bytes_per_s: u64) -> Bench {
        let data = tempfile::tempdir().unwrap();
        let telemetry = Telemetry::open(data.path(), &Config::default()).unwrap();
        let stream = telemetry.log_stream(&Scope::default(), "g", "s", Spread::One);
        let mut output = Output::new(stream, form, limit_bytes_per_s);
        let (reader, writer) = std::io::pipe().unwrap();
        let (pipe, _) = output.connect(OwnedFd::from(reader), None).unwrap();
        Bench { telemetry, output, pipe, writer, _data: data }
    }

    impl Bench {
        /// Says something as the platform does.
        fn platform(&mut self, now_ms: i64, words: &str) {
            self.output.catch_up(now_ms);
            self.output.say(now_ms, &Line::Words { request_id: "id", words });
        }

        /// Writes as the function does, until it is known.
        async fn write(&mut self, bytes: &[u8]) {
            self.writer.write_all(bytes).unwrap();
            self.pipe.readable().await.unwrap();
        }
    }

    async fn logged(bench: &Bench) -> Vec<String> {
        let query = GetQuery {
            scope: Scope::default(),
            group: "g".to_owned(),
            stream: "s".to_owned(),
            start_ms: None,
            end_ms: None,
            limit: 1000,
            from: ReadFrom::Head,
        };
        let page = bench.telemetry.events(query).await.unwrap();
        page.events.into_iter().map(|event| event.message).collect()
    }

    #[tokio::test]
    async fn lines_come_in_order_and_whole() {
        let mut bench = bench(1 << 20);
        bench.write(b"one\ntwo\nthr").await;
        assert_eq!(bench.output.drain(1), Drained::Empty);
        bench.write(b"ee\nno end \xff").await;
        bench.platform(2, "END\n");
        bench.write(b"late\n").await;
        bench.platform(3, "REPORT\n");
        let lines = ["one\n", "two\n", "three\n", "no end \u{fffd}", "END\n", "late\n", "REPORT\n"];
        assert_eq!(logged(&bench).await, lines);
    }

    #[tokio::test]
    async fn what_an_ended_program_wrote_is_logged_before_it_is_known() {
        let mut bench = bench(1 << 20);
        bench.writer.write_all(b"asked to end\nno end").unwrap();
        bench.output.drain_function(1);
        bench.platform(1, "the others are told\n");
        bench.write(b"of a child\n").await;
        bench.platform(2, "all have ended\n");
        let lines = ["asked to end\n", "no end", "the others are told\n", "of a child\n", "all have ended\n"];
        assert_eq!(logged(&bench).await, lines);
    }

    #[tokio::test]
    async fn json_logs_have_what_matters() {
        let form = Form::Json { system: Level::Warn, application: Level::Warn };
        let mut bench = bench_with(form, 1 << 20);
        let lines = [
            r#"{"level": "ERROR", "message": "kept"}"#,
            r#"{"message": "kept, too", "level": "warning"}"#,
            r#"{"level": "info", "message": "not wanted"}"#,
            r#"{"message": "says no level, so it has that of most"}"#,
            "plain words",
        ];
        bench.write((lines.join("\n") + "\n").as_bytes()).await;
        let start = Line::Start { request_id: "id", version: pitbird_names::VersionId::Latest, trace: None };
        bench.output.catch_up(1);
        bench.output.say(1, &start);
        bench.platform(2, "failed\n");
        let logged = logged(&bench).await;
        assert_eq!(logged.len(), 3, "{logged:?}");
        assert_eq!(logged[..2], [format!("{}\n", lines[0]), format!("{}\n", lines[1])]);
        assert!(logged[2].contains(r#""message":"failed""#), "{logged:?}");
    }

    #[tokio::test]
    async fn a_flood_is_cut_and_says_so() {
        let mut bench = bench(100);
        let line = [b'x'; 49].iter().chain(b"\n").copied().collect::<Vec<u8>>();
        for _ in 0..5 {
            bench.write(&line).await;
        }
        bench.output.drain(1000);
        bench.write(b"next\n").await;
        bench.output.drain(2000);
        let logged = logged(&bench).await;
        assert_eq!(logged.len(), 4, "{logged:?}");
        assert!(logged[2].starts_with("LOGS_DROPPED 150 bytes"), "{logged:?}");
        assert_eq!(logged[3], "next\n");
    }

    #[tokio::test]
    async fn an_event_may_have_several_lines() {
        let mut bench = bench(1 << 20);
        let event =
            [b"one", WITHIN, b"two", WITHIN, b"three\nnext\nlast", WITHIN, b"of all", LAST, b"more\n"]
                .concat();
        // However it is cut.
        for cut in 0..event.len() {
            for piece in [&event[..cut], &event[cut..]].into_iter().filter(|piece| !piece.is_empty()) {
                bench.write(piece).await;
                bench.output.drain(1);
            }
        }
        let logged = logged(&bench).await;
        assert_eq!(logged.len(), 4 * event.len());
        for events in logged.chunks(4) {
            assert_eq!(events, ["one\ntwo\nthree\n", "next\n", "last\nof all", "more\n"]);
        }
    }

    #[tokio::test]
    async fn an_event_without_end_is_cut_and_ends_with_the_invocation() {
        let mut bench = bench(10 << 20);
        let line = [&[b'x'; 1019][..], WITHIN].concat();
        for _ in 0..300 {
            bench.write(&line).await;
            bench.output.drain(1);
        }
        bench.platform(2, "END\n");
        let lengths: Vec<usize> = logged(&bench).await.iter().map(String::len).collect();
        assert_eq!(lengths.iter().sum::<usize>(), 300 * 1020 + 4);
        assert!(lengths.len() == 3 && lengths[0] <= LINE_BYTES && lengths[2] == 4, "{lengths:?}");
    }

    #[tokio::test]
    async fn an_endless_line_is_cut_into_several() {
        let mut bench = bench(10 << 20);
        let chunk = vec![b'x'; 65_536];
        for _ in 0..5 {
            bench.write(&chunk).await;
            bench.output.drain(1);
        }
        bench.platform(2, "END\n");
        let lengths: Vec<usize> = logged(&bench).await.iter().map(String::len).collect();
        assert_eq!(lengths, [LINE_BYTES, 5 * 65_536 - LINE_BYTES, 4]);
    }

    #[tokio::test]
    async fn the_tail_is_the_last_of_it() {
        let mut bench = bench(10 << 20);
        bench.platform(1, "before\n");
        bench.output.begin_tail();
        for number in 0..5000 {
            bench.platform(1, &format!("{number}\n"));
        }
        let tail = bench.output.end_tail().unwrap();
        assert_eq!(tail.len(), TAIL_BYTES);
        assert!(tail.ends_with(b"4998\n4999\n"));
        bench.output.begin_tail();
        bench.platform(1, "short\n");
        assert_eq!(bench.output.end_tail().unwrap(), "short\n");
        assert_eq!(bench.output.end_tail(), None);
    }
}
