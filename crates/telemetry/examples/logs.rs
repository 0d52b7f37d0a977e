//! What keeping and looking through logs costs, written to standard output: ten million events of a day, like Lambda's.
//!
//! `cargo run --release -p pitbird-telemetry --example logs [events]`; needs some 600 MB in the temporary folder.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pitbird_names::Scope;
use pitbird_telemetry::logs::{
    FilterQuery, Flow, GetQuery, NewEvent, Pattern, ReadFrom, ScanProgress, ScanQuery, ScannedEvent, Spread,
    StreamChoice, Visit,
};
use pitbird_telemetry::{Config, Telemetry};

type Failure = Box<dyn std::error::Error>;

const START: i64 = 1_763_856_000_000;
const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;
const GROUP: &str = "/aws/lambda/orders";
const STREAMS: u64 = 8;
const BATCH: usize = 5_000;

fn main() -> Result<(), Failure> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(10_000_000), |count| count.parse())?;
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let telemetry = Telemetry::open(dir.path(), &Config::default())?;
    runtime.block_on(measure(&telemetry, &dir.path().join("logs"), count))?;
    runtime.block_on(telemetry.close())?;
    Ok(())
}

fn say(text: &str) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

async fn measure(telemetry: &Telemetry, folder: &Path, count: u64) -> Result<(), Failure> {
    fill(telemetry, folder, count).await?;
    scans(telemetry, count).await?;
    pages(telemetry).await?;
    visible(telemetry).await?;
    telemetry.flush().await?;
    say(&format!("resident at most: {} MiB", peak_kib()? >> 10))
}

fn peak_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// A number that looks random, the same for the same input.
fn mix(number: u64) -> u64 {
    let mut value = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn request_id(number: u64) -> String {
    let (high, low) = (mix(number), mix(!number));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

/// One of the five lines of a request.
fn message(number: u64) -> String {
    let (request, line) = (number / 5, number % 5);
    let (id, draw) = (request_id(request), mix(request ^ 0x55));
    let ms = 3 + draw % 120;
    match line {
        0 => format!("START RequestId: {id} Version: 42\n"),
        1 | 2 => {
            let level = if draw % 50 == 0 { "WARN" } else { "INFO" };
            let second = draw / 1000 % 60;
            format!(
                "{{\"timestamp\":\"2025-11-23T{:02}:{:02}:{second:02}.{:03}Z\",\"level\":\"{level}\",\"requestId\":\"{id}\",\
                 \"message\":\"order {} by customer-{} {}\",\"latencyMs\":{ms},\"status\":{},\"path\":\"/orders/{}\"}}\n",
                draw % 24,
                draw / 24 % 60,
                draw % 1000,
                draw % 1_000_000,
                mix(draw) % 50_000,
                if line == 1 { "received" } else { "stored in table orders-eu" },
                if draw % 97 == 0 { 500 } else { 200 },
                mix(draw ^ 3) % 100_000,
            )
        }
        3 => format!("END RequestId: {id}\n"),
        _ => format!(
            "REPORT RequestId: {id}\tDuration: {ms}.{:02} ms\tBilled Duration: {} ms\tMemory Size: 128 MB\tMax Memory \
             Used: {} MB\t\n",
            draw % 100,
            ms + 1,
            40 + draw % 30
        ),
    }
}

async fn fill(telemetry: &Telemetry, folder: &Path, count: u64) -> Result<(), Failure> {
    let scope = Scope::default();
    for stream in 0..STREAMS {
        telemetry.create_stream(&scope, GROUP, &format!("2025/11/23/[42]{stream:032x}")).await?;
    }
    let (mut spent, mut text) = (Duration::ZERO, 0u64);
    let mut number = 0;
    let mut cpu = cpu_ms()?;
    let mut making = 0;
    while number < count {
        let before = cpu_ms()?;
        let stream = format!("2025/11/23/[42]{:032x}", number / BATCH as u64 % STREAMS);
        let events: Vec<NewEvent> = (number..count.min(number + BATCH as u64))
            .map(|number| NewEvent {
                at_ms: START + (number as f64 / count as f64 * DAY as f64) as i64,
                message: message(number),
            })
            .collect();
        number += events.len() as u64;
        text += events.iter().map(|event| event.message.len() as u64).sum::<u64>();
        making += cpu_ms()? - before;
        let start = Instant::now();
        telemetry.append(&scope, GROUP, &stream, &events).await?;
        spent += start.elapsed();
    }
    telemetry.flush().await?;
    cpu = cpu_ms()? - cpu - making;
    say(&format!(
        "PutLogEvents, durable, {BATCH} at a time: {:.0} events/s, {:.2} µs of CPU each, {} MB of text",
        count as f64 / spent.as_secs_f64(),
        cpu as f64 * 1e3 / count as f64,
        text / 1_000_000
    ))?;
    let disk = disk_bytes(folder)?;
    say(&format!("on disk: {:.1} % of the text ({} MB)", disk as f64 / text as f64 * 100.0, disk / 1_000_000))
}

fn disk_bytes(folder: &Path) -> Result<u64, Failure> {
    let files = std::fs::read_dir(folder)?;
    Ok(files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len())).sum())
}

/// CPU that the process has used, milliseconds.
fn cpu_ms() -> Result<u64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().ok_or("no fields")?.split_whitespace().collect();
    Ok((fields[11].parse::<u64>()? + fields[12].parse::<u64>()?) * 10)
}

/// Counts by bins of an hour.
#[derive(Default)]
struct Bins {
    bins: [u64; 25],
    text: u64,
}

impl Visit for Bins {
    fn event(&mut self, event: &ScannedEvent<'_>) -> Flow {
        let bin = ((event.at_ms - START) / HOUR).clamp(0, 24) as usize;
        self.bins[bin] += 1;
        self.text += event.message.len() as u64;
        Flow::Next
    }
}

async fn scans(telemetry: &Telemetry, count: u64) -> Result<(), Failure> {
    let id = request_id(count / 10);
    let terms = [
        ("a request's id", id.as_str()),
        ("half an id", &id[..13]),
        ("a word that isn't there", "TimeoutError"),
    ];
    for (what, needle) in [("stats by bin", "")].into_iter().chain(terms) {
        for (when, start_ms, end_ms) in
            [("the day", None, None), ("one hour", Some(START + 12 * HOUR), Some(START + 13 * HOUR))]
        {
            let query = ScanQuery {
                scope: Scope::default(),
                groups: vec![GROUP.to_owned()],
                streams: StreamChoice::All,
                start_ms,
                end_ms,
                needles: vec![needle.as_bytes().to_vec()],
                latest_first: false,
            };
            let (mut all, mut shown, cpu) = (Vec::new(), 0, cpu_ms()?);
            for _ in 0..3 {
                let start = Instant::now();
                let progress = Arc::new(ScanProgress::default());
                let found = telemetry.scan(query.clone(), progress, Bins::default).await?;
                all.push(format!("{:.0}", start.elapsed().as_secs_f64() * 1e3));
                shown = found.iter().flat_map(|visitor| visitor.bins).sum::<u64>();
            }
            let cpu = (cpu_ms()? - cpu) / 3;
            say(&format!(
                "scan, {what}, {when}: {} ms, {cpu} ms of CPU each, {shown} shown",
                all.join(" / ")
            ))?;
        }
    }
    Ok(())
}

async fn pages(telemetry: &Telemetry) -> Result<(), Failure> {
    for term in ["TimeoutError", "\"customer-123 received\""] {
        let start = Instant::now();
        let (mut token, mut found, mut pages) = (None, 0, 0);
        loop {
            let query = FilterQuery {
                scope: Scope::default(),
                group: GROUP.to_owned(),
                streams: StreamChoice::All,
                start_ms: None,
                end_ms: None,
                pattern: Pattern::parse(term)?,
                limit: 10_000,
                token,
            };
            let page = telemetry.filter(query).await?;
            (found, pages, token) = (found + page.events.len(), pages + 1, page.token);
            if token.is_none() {
                break;
            }
        }
        let spent = start.elapsed().as_secs_f64() * 1e3;
        say(&format!("FilterLogEvents, {term}, the day: {spent:.0} ms, {found} found in {pages} pages"))?;
    }
    let query = GetQuery {
        scope: Scope::default(),
        group: GROUP.to_owned(),
        stream: format!("2025/11/23/[42]{:032x}", 3),
        start_ms: None,
        end_ms: None,
        limit: 10_000,
        from: ReadFrom::Tail,
    };
    let start = Instant::now();
    let found = telemetry.events(query).await?.events.len();
    say(&format!("GetLogEvents, newest page: {:.1} ms, {found} events", start.elapsed().as_secs_f64() * 1e3))
}

/// From a line's being written to its being read, while lines come.
async fn visible(telemetry: &Telemetry) -> Result<(), Failure> {
    let stream = telemetry.log_stream(&Scope::default(), "/bench/visible", "s", Spread::One);
    let mut times = Vec::new();
    for number in 0..200i64 {
        let at_ms = START + number;
        stream.line(at_ms, "a line");
        let start = Instant::now();
        let query = GetQuery {
            scope: Scope::default(),
            group: "/bench/visible".to_owned(),
            stream: "s".to_owned(),
            start_ms: Some(at_ms),
            end_ms: None,
            limit: 10,
            from: ReadFrom::Head,
        };
        if telemetry.events(query).await?.events.is_empty() {
            return Err("a line that was written isn't read".into());
        }
        times.push(start.elapsed());
    }
    times.sort();
    say(&format!(
        "line written to line read: p50 {:.2} ms, p99 {:.2} ms",
        times[times.len() / 2].as_secs_f64() * 1e3,
        times[times.len() * 99 / 100].as_secs_f64() * 1e3
    ))
}
