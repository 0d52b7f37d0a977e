//! The console with a thousand functions and ten releases on their way: how soon it is there, how soon it knows, and what it costs
//! whoever sends requests meanwhile. And with a hundred releases at once, as many as may run: whether it stays smooth.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pitbird_testkit::{Python, Server, python, send, wait_for};
use serde_json::{Value, json};

use super::load::rate;
use super::platform::{api, base64, call, create_role, deploy, put_mock, serve, zipped};
use super::{Figure, Options, median};

const FUNCTIONS: usize = 1000;
const RELEASES: usize = 10;
const CONSOLES: usize = 10;
/// As many as may run at a time.
const MANY: usize = 100;
const MANY_SECONDS: u32 = 20;

pub fn figures(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let server = serve(root);
    functions(&server)?;
    let names = (0..RELEASES).map(|at| release(&server, at)).collect::<Result<Vec<_>>>()?;
    let mut figures = pages(root, &server, &names)?;
    figures.push(throughput(&server, options)?);
    drop(server);
    figures.extend(many(root)?);
    Ok(figures)
}

fn functions(server: &Server) -> Result<()> {
    let role = create_role(server, "console", "lambda")?;
    let code = base64(&zipped(&[("bootstrap", b"#!/bin/sh\n")])?);
    for at in 0..FUNCTIONS {
        let function = json!({
            "FunctionName": format!("function-{at:04}"), "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": role,
            "Code": { "ZipFile": code },
        });
        call(server, "POST", "/2015-03-31/functions", &function)?;
    }
    Ok(())
}

/// A release that goes on for as long as anybody measures; its name.
fn release(server: &Server, at: usize) -> Result<String> {
    let (id, resource) = api(server)?;
    put_mock(server, &id, &resource)?;
    deploy(server, &id, &json!({ "stageName": "prod" }))?;
    let canary = deploy(server, &id, &json!({}))?;
    let name = format!("release-{at}");
    let input = json!({
        "Name": name, "Target": { "RestStage": { "RestApiId": id, "StageName": "prod" } }, "Canary": { "DeploymentId": canary["id"] },
        "Steps": [{ "Percent": 10, "WaitMs": 3_600_000 }],
    });
    let headers = [
        ("x-amz-target", "PitbirdRollouts_20261101.StartRollout"),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    let answer = send("POST", &format!("{}/", server.endpoint), &headers, input.to_string().as_bytes());
    ensure!(answer.status == 200, "StartRollout: {}", answer.text());
    Ok(name)
}

/// A browser and what drives it; without them there are no such rows.
fn browser() -> Result<Option<(String, Python)>> {
    let find = Command::new("sh").args(["-c", "command -v chromium || command -v google-chrome"]).output()?;
    let chromium = String::from_utf8_lossy(&find.stdout).trim().to_owned();
    let (false, Some(python)) = (chromium.is_empty(), python()) else {
        eprintln!("SKIPPED: no Chromium or no Python, so no page was measured");
        return Ok(None);
    };
    Ok(Some((chromium, python)))
}

fn pages(root: &Path, server: &Server, names: &[String]) -> Result<Vec<Figure>> {
    let Some((chromium, python)) = browser()? else { return Ok(Vec::new()) };
    let output = Command::new(python.interpreter)
        .arg(root.join("bench/console/page.py"))
        .arg(root.join("crates/server/tests/python"))
        .args([&chromium, &server.endpoint])
        .args(names)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let ms = |name: &str| found[name].as_f64().with_context(|| format!("{name} in {found}"));
    let with = format!("{FUNCTIONS} functions and {RELEASES} running rollouts");
    let figure = |what: &str, goal: &'static str, measured: String| {
        Figure::new(format!("console, {with}: {what}"), goal, measured)
    };
    Ok(vec![
        figure("first paint after the HTML", "< 300 ms", format!("{:.0} ms", ms("paint_ms")?)),
        figure("all releases shown after the HTML", "", format!("{:.0} ms", ms("releases_ms")?)),
        figure("all functions listed after the HTML", "", format!("{:.0} ms", ms("functions_ms")?)),
        figure(
            "an order's effect on the page after its answer",
            "< 500 ms",
            format!("{:.0} ms, at most {:.0} ms", ms("update_ms")?, ms("update_ms_max")?),
        ),
    ])
}

/// Long tasks, frames and delays in a browser while many releases run under traffic, and what the server spends on telling it.
fn many(root: &Path) -> Result<Vec<Figure>> {
    let Some((chromium, python)) = browser()? else { return Ok(Vec::new()) };
    let server = serve(root);
    functions(&server)?;
    let driver = root.join("crates/server/tests/python").display().to_string();
    let [process, releases, seconds] = [server.pid().to_string(), MANY.to_string(), MANY_SECONDS.to_string()];
    let arguments = [&*driver, &chromium, &process, &releases, &seconds];
    let output = python.run(&root.join("bench/console/many.py"), &server.endpoint, &arguments);
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout)?;
    let number = |value: &Value| value.as_f64().with_context(|| format!("a number in {found}"));
    let with = format!("console, {FUNCTIONS} functions and {MANY} running rollouts under traffic");
    let mut figures = Vec::new();
    for (page, what) in
        [("releases", "all releases"), ("release", "one release"), ("functions", "all functions")]
    {
        let seen = &found[page];
        let measured = format!(
            "{} long tasks; {:.0} ms, at most {:.0} ms; longest task while it loads {:.0} ms; server {:.0} % of a core, {:.0} % without a page",
            seen["long"],
            number(&seen["frame_ms_p99"])?,
            number(&seen["frame_ms_max"])?,
            number(&seen["loading_ms_max"])?,
            number(&seen["cpu"])?,
            number(&found["alone"])?,
        );
        let what = format!("{with}: {what}, scrolled for {MANY_SECONDS} s; p99 between frames");
        figures.push(Figure::new(what, "no task ≥ 50 ms; ≤ 33 ms", measured));
    }
    let measured =
        format!("{:.0} ms, at most {:.0} ms", number(&found["update_ms"])?, number(&found["update_ms_max"])?);
    let what = format!("{with}: an order's effect on the page after its answer");
    figures.push(Figure::new(what, "< 500 ms", measured));
    Ok(figures)
}

/// Requests to a mock with and without pages that listen, in alternation. The pages are streams that are read to no purpose: what a browser
/// does with them is the affair of another machine.
fn throughput(server: &Server, options: &Options) -> Result<Figure> {
    let (id, resource) = api(server)?;
    put_mock(server, &id, &resource)?;
    deploy(server, &id, &json!({ "stageName": "prod" }))?;
    let url = format!("{}/", server.stage_url(&id, "prod"));
    rate(&url, 1)?;
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let listening = || -> Result<f64> {
            let _pages = (0..CONSOLES).map(|_| Page::open(server)).collect::<Result<Vec<_>>>()?;
            rate(&url, options.seconds)
        };
        // Whoever comes second has the warmer machine.
        let (ours, alone) = match round % 2 {
            0 => (listening()?, rate(&url, options.seconds)?),
            _ => {
                let alone = rate(&url, options.seconds)?;
                (listening()?, alone)
            }
        };
        with.push(ours);
        without.push(alone);
        ratios.push(ours / alone);
    }
    Ok(Figure::new(
        format!(
            "MOCK with {CONSOLES} consoles open and {RELEASES} running rollouts, against the same without"
        ),
        "≥ 0.97 ×",
        format!("{:.3} ({:.0}/s against {:.0}/s)", median(&ratios), median(&with), median(&without)),
    ))
}

/// A stream that is read until this goes.
struct Page {
    connection: TcpStream,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Page {
    fn open(server: &Server) -> Result<Page> {
        let host = server.endpoint.trim_start_matches("http://");
        let mut connection = TcpStream::connect(host)?;
        write!(connection, "GET /_pitbird/live/releases HTTP/1.1\r\nHost: {host}\r\n\r\n")?;
        let (mut reading, heard) = (connection.try_clone()?, Arc::new(AtomicU64::new(0)));
        let counting = heard.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            while let Ok(read) = reading.read(&mut buffer)
                && read > 0
            {
                counting.fetch_add(read as u64, Ordering::Relaxed);
            }
        });
        wait_for("the first releases", Duration::from_secs(10), || {
            (heard.load(Ordering::Relaxed) > 1000).then_some(())
        });
        Ok(Page { connection, reader: Some(reader) })
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _gone = self.connection.shutdown(std::net::Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ended = reader.join();
        }
    }
}
