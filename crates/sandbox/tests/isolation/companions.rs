//! Programs beside the program: started first, held by the same, told apart when they end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use pitbird_sandbox::{Companions, Sandbox, Spec};

use crate::support::{Code, launcher, read_all, read_line, skip, within};

/// A program and companions, each from the text of its script.
fn spec(code: &Code, program: &str, companions: &[&str]) -> Spec {
    let mut programs = Vec::new();
    for (number, script) in companions.iter().enumerate() {
        let path = code.path().join(format!("companion{number}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
        programs.push(format!("/var/task/companion{number}"));
    }
    let env_without = vec!["SECRET".to_owned()];
    let mut spec = Spec { companions: Companions { programs, env_without }, ..code.shell(program) };
    spec.env.push(("SECRET".to_owned(), "x".to_owned()));
    spec
}

async fn launch(spec: Spec) -> Option<Sandbox> {
    let launcher = launcher().await?;
    // The launcher ends with its last handle, and its sandboxes with it.
    let sandbox = within(launcher.launch(spec)).await.expect("a sandbox");
    std::mem::forget(launcher);
    Some(sandbox)
}

#[tokio::test]
async fn the_program_waits_for_its_order_and_each_end_is_told() {
    let code = Code::new();
    let spec = spec(&code, "echo program; exit 3", &["echo companion; exit 4", "exec sleep 60"]);
    let Some(mut sandbox) = launch(spec).await else { return };
    let (line, companions) = read_line(sandbox.take_companions_output().unwrap()).await;
    assert_eq!(line, "companion");
    let end = within(sandbox.program_ended(0)).await;
    assert_eq!((end.program, end.how.unwrap().code), (1, Some(4)));
    sandbox.start_program();
    let end = within(sandbox.program_ended(1)).await;
    assert_eq!((end.program, end.how.unwrap().code), (0, Some(3)));
    assert_eq!(read_all(sandbox.take_output()).await, "program\n");
    sandbox.kill();
    assert_eq!(within(sandbox.exited()).await.signal, Some(9));
    assert_eq!(read_all(companions).await, "");
}

#[tokio::test]
async fn the_sandbox_ends_with_the_last() {
    let code = Code::new();
    let Some(sandbox) = launch(spec(&code, "exit 3", &["read -r line < /var/task/none; exit 0"])).await
    else {
        return;
    };
    sandbox.start_program();
    assert_eq!(within(sandbox.exited()).await.code, Some(3), "the program's own end counts");
}

#[tokio::test]
async fn the_program_alone_is_asked_to_end_or_killed() {
    let code = Code::new();
    let stubborn = "trap 'echo asked' TERM; echo ready; while :; do sleep 60 & wait; done";
    let Some(mut sandbox) = launch(spec(&code, stubborn, &["exec sleep 60"])).await else { return };
    sandbox.start_program();
    let (line, output) = read_line(sandbox.take_output()).await;
    assert_eq!(line, "ready");
    sandbox.terminate_program();
    let (line, _output) = read_line(output).await;
    assert_eq!(line, "asked");
    sandbox.kill_program();
    let end = within(sandbox.program_ended(0)).await;
    assert_eq!((end.program, end.how.unwrap().signal), (0, Some(9)));
}

#[tokio::test]
async fn what_cannot_be_executed_is_named() {
    let code = Code::new();
    let mut spec = spec(&code, "exit 0", &["exec sleep 60"]);
    std::fs::write(code.path().join("text"), "no program").expect("written");
    spec.companions.programs.push("/var/task/text".to_owned());
    spec.program = "/var/task/none".to_owned();
    let Some(sandbox) = launch(spec).await else { return };
    let end = within(sandbox.program_ended(0)).await;
    let words = end.how.unwrap_err().to_string();
    assert!(end.program == 2 && words.starts_with("Permission denied"), "{words}");
    sandbox.start_program();
    let end = within(sandbox.program_ended(1)).await;
    let words = end.how.unwrap_err().to_string();
    assert!(end.program == 0 && words.starts_with("No such file"), "{words}");
}

#[tokio::test]
async fn companions_may_do_no_more_than_the_program() {
    let code = Code::new();
    let status =
        "grep -E '^(Uid|Gid|Cap|NoNewPrivs|Seccomp)' /proc/self/status; ls /proc/self/fd | wc -l; ulimit -a";
    let Some(mut sandbox) = launch(spec(&code, status, &[&format!("{status}; exit 0")])).await else {
        return;
    };
    sandbox.start_program();
    within(sandbox.exited()).await;
    let companion = read_all(sandbox.take_companions_output().unwrap()).await;
    assert!(companion.contains("NoNewPrivs:\t1"), "{companion}");
    assert_eq!(companion, read_all(sandbox.take_output()).await);
}

#[tokio::test]
async fn companions_are_not_given_every_variable() {
    let code = Code::new();
    let show = "echo \"[$SECRET] ${AWS_LAMBDA_RUNTIME_API%:*} $PWD\"";
    let Some(mut sandbox) = launch(spec(&code, show, &[show])).await else { return };
    sandbox.start_program();
    within(sandbox.exited()).await;
    assert_eq!(read_all(sandbox.take_companions_output().unwrap()).await, "[] 127.0.0.1 /\n");
    assert!(read_all(sandbox.take_output()).await.starts_with("[x] 127.0.0.1 /"));
}

#[tokio::test]
async fn the_daemon_connects_into_the_sandboxs_network() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(mut spec) = code.python(
        r#"
import socket
listener = socket.create_server(("sandbox.localdomain", 8080))
print("ready", flush=True)
for _ in range(3):
    connection, _ = listener.accept()
    print(connection.recv(100).decode(), flush=True)
    connection.close()
"#,
    ) else {
        return;
    };
    spec.connectors = 1;
    let mut sandbox = within(launcher.launch(spec)).await.expect("a sandbox");
    let connectors = sandbox.take_connectors();
    let [connector] = connectors.as_slice() else { return skip("no network of its own") };
    let (line, mut output) = read_line(sandbox.take_output()).await;
    assert_eq!(line, "ready");
    for number in 0..3 {
        let socket = tokio::net::TcpSocket::from_std_stream(connector.socket().unwrap());
        let stream = within(socket.connect(SocketAddr::from(([127, 0, 0, 1], 8080)))).await.unwrap();
        let mut stream = stream.into_std().unwrap();
        stream.write_all(number.to_string().as_bytes()).unwrap();
        let (line, rest) = read_line(output).await;
        assert_eq!(line, number.to_string());
        output = rest;
    }
    assert_eq!(within(sandbox.exited()).await.code, Some(0));
}
