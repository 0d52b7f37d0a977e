//! Our runtime clients for Python and Node beside others, each as the one process behind the bare front end.

use std::path::Path;

use anyhow::{Context, Result};
use pitbird_testkit::{Tool, packages, python};

use super::load::{CONNECTIONS, alternate};
use super::peers::{self, Program};
use super::{Figure, Options};

/// AWS's own client, as PyPI has it.
const AWSLAMBDARIC: &str = "awslambdaric==4.2.2";

const PYTHON: &str = "def handler(event, context):\n    return {\"statusCode\": 200, \"body\": \"hello\"}\n";
const NODE: &str = "exports.handler = async () => ({ statusCode: 200, body: \"hello\" });\n";

pub fn figures(root: &Path, options: &Options) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("app.py"), PYTHON)?;
    std::fs::write(folder.path().join("app.js"), NODE)?;
    let task = folder.path();
    // Without it there is no row; why has been said.
    let mut figures: Vec<Figure> = python_against_awslambdaric(root, task, options)?.into_iter().collect();
    figures.push(node_against_http(root, task, options)?);
    Ok(figures)
}

fn python_against_awslambdaric(root: &Path, task: &Path, options: &Options) -> Result<Option<Figure>> {
    let Some(modules) = packages(Tool::Pip, "awslambdaric", &[AWSLAMBDARIC]) else { return Ok(None) };
    let interpreter = python().context("packages were installed with it")?.interpreter;
    let ours = Program::new(&interpreter)
        .in_folder(task)
        .arguments(["-S", "-s", "-B", "-X", "utf8"])
        .argument(root.join("crates/invoke/runtimes/python/bootstrap.py"));
    let theirs = Program::new(&interpreter)
        .in_folder(task)
        .arguments(["-m", "awslambdaric", "app.handler"])
        .variable("PYTHONPATH", modules);
    let what = format!("Python hello, one process, {CONNECTIONS} connections, against {AWSLAMBDARIC}");
    compare(root, &ours, &theirs, what, "≥ 1.5 ×", options).map(Some)
}

fn node_against_http(root: &Path, task: &Path, options: &Options) -> Result<Figure> {
    let node = |file: &str| Program::new("node").in_folder(task).argument(root.join(file));
    let ours = node("crates/invoke/runtimes/node/bootstrap.cjs");
    let theirs = node("bench/node-http/bootstrap.cjs");
    let what = format!("Node hello, one process, {CONNECTIONS} connections, against a client on node:http");
    compare(root, &ours, &theirs, what, "≥ 2 ×", options)
}

fn compare(
    root: &Path,
    ours: &Program,
    theirs: &Program,
    what: String,
    goal: &'static str,
    options: &Options,
) -> Result<Figure> {
    let (ours, theirs) = (peers::front_end(root, 1, ours)?, peers::front_end(root, 1, theirs)?);
    let (of_ours, of_theirs, ratio) = alternate(&ours.url, &theirs.url, options)?;
    let measured = format!("{ratio:.2} ({of_ours:.0}/s against {of_theirs:.0}/s)");
    Ok(Figure::new(format!("{what}, on the bare front end"), goal, measured))
}
