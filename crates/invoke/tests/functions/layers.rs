//! Layers under `/opt`, for each runtime where Lambda's users expect them.

use crate::bench::{Draft, bash_loop, bench, has, node, python, text};

fn file(path: &'static str, content: &str, mode: u32) -> (&'static str, String, u32) {
    (path, content.to_owned(), mode)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_layer_lies_over_the_earlier() {
    let bench = bench().await;
    let body = r#"respond "$(cat /opt/same /opt/first /opt/second) $(tool)""#;
    let layers = vec![
        vec![file("same", "first", 0o644), file("first", "one", 0o644), file("bin/tool", "", 0o644)],
        vec![
            file("same", "second", 0o644),
            file("second", "two", 0o644),
            file("bin/tool", "#!/bin/sh\necho ran", 0o755),
        ],
    ];
    let function = bench.create(Draft { layers: layers.clone(), ..bash_loop("f", body) }).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), "secondonetwo ran");
    let reversed = layers.into_iter().rev().collect();
    let function =
        bench.create(Draft { layers: reversed, ..bash_loop("g", "respond \"$(cat /opt/same)\"") }).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), "first", "the order counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_may_bring_the_runtime() {
    let bench = bench().await;
    let runtime = bash_loop("f", "respond \"$(cat /var/task/words)\"");
    let files = vec![file("words", "from the code", 0o644)];
    let function = bench.create(Draft { layers: vec![runtime.files.clone()], files, ..runtime }).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), "from the code");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_finds_its_modules_in_layers() {
    let bench = bench().await;
    if !has(&bench, "python3.11").await {
        return;
    }
    let code = "import plain, deep\ndef handler(event, context):\n    return [plain.name, deep.name]\n";
    let layers = vec![
        vec![file("python/plain.py", "name = 'plain'\n", 0o644)],
        vec![file("python/lib/python3.11/site-packages/deep.py", "name = 'deep'\n", 0o644)],
    ];
    let function = bench.create(Draft { layers, ..python("f", code) }).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), r#"["plain", "deep"]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn node_finds_its_modules_in_layers() {
    let bench = bench().await;
    if !has(&bench, "nodejs20.x").await {
        return;
    }
    let code = "exports.handler = async () => [require('plain'), require('exact')];";
    let layers = vec![
        vec![file("nodejs/node_modules/plain/index.js", "module.exports = 'plain'", 0o644)],
        vec![file("nodejs/node20/node_modules/exact/index.js", "module.exports = 'exact'", 0o644)],
    ];
    let function = bench.create(Draft { layers, ..node("f", code) }).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), r#"["plain","exact"]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_are_read_only() {
    let bench = bench().await;
    let body = r#"respond "$({ echo more >>/opt/file; } 2>/dev/null || echo refused) $(cat /opt/file)""#;
    let layers = vec![vec![file("file", "as it was", 0o666)]];
    let function = bench.create(Draft { layers, ..bash_loop("f", body) }).await;
    assert_eq!(text(&bench.invoke(&function, "{}").await), "refused as it was");
}
