//! A network with nobody in it but the Runtime API.

use std::io::{Read as _, Write as _};

use crate::support::{Code, launcher, read_all, run, within};

#[tokio::test]
async fn the_listener_answers_what_the_guest_asks() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(spec) = code.python(
        "import os, urllib.request as u\n\
         for i in range(3): print(u.urlopen('http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/next').read().decode())",
    ) else {
        return;
    };
    let mut sandbox = within(launcher.launch(spec)).await.unwrap();
    assert_eq!(sandbox.runtime_api().to_string(), "127.0.0.1:9001");
    let listener = sandbox.take_listener();
    // Non-blocking, as promised: nothing may be there yet, but the call returns.
    if let Err(error) = listener.accept() {
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let serving = tokio::spawn(async move {
        for number in 0..3 {
            let (stream, _) = within(listener.accept()).await.unwrap();
            let mut stream = stream.into_std().unwrap();
            stream.set_nonblocking(false).unwrap();
            let mut head = [0; 512];
            let length = stream.read(&mut head).unwrap();
            assert!(head[..length].starts_with(b"GET /next HTTP/1.1\r\n"));
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n{number}")
                .unwrap();
        }
    });
    assert_eq!(read_all(sandbox.take_output()).await, "0\n1\n2\n");
    within(serving).await.unwrap();
    assert_eq!(within(sandbox.exited()).await.code, Some(0));
}

#[tokio::test]
async fn the_host_and_the_world_are_out_of_reach() {
    let Some(launcher) = launcher().await else { return };
    let host = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let port = host.local_addr().unwrap().port();
    let unix_name = format!("pitbird-test-{}", std::process::id());
    let address = <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(
        &unix_name,
    )
    .unwrap();
    let _abstract = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    let script = format!(
        r#"
import os, socket
def reach(family, address, kind=socket.SOCK_STREAM):
    s = socket.socket(family, kind); s.settimeout(2)
    try:
        s.connect(address)
        if kind == socket.SOCK_DGRAM: s.send(b"x")
        print("reached", address)
    except OSError as e: pass
reach(socket.AF_INET, ("127.0.0.1", {port}))
reach(socket.AF_INET, ("10.0.0.1", 80)); reach(socket.AF_INET, ("192.0.2.1", 80)); reach(socket.AF_INET, ("8.8.8.8", 53), socket.SOCK_DGRAM)
reach(socket.AF_INET6, ("2001:db8::1", 80))
reach(socket.AF_UNIX, "\0{unix_name}")
print([name for _, name in socket.if_nameindex()])
"#
    );
    let code = Code::new();
    let Some(spec) = code.python(&script) else { return };
    let (said, exit) = run(&launcher, spec).await;
    assert_eq!((said.as_str(), exit.code), ("['lo']\n", Some(0)));
}

#[tokio::test]
async fn two_sandboxes_do_not_share_a_network() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let script = "import socket, sys\ns = socket.socket(); s.bind(('127.0.0.1', 8080)); s.listen(); print('bound'); sys.stdout.flush()\nimport time; time.sleep(60)";
    let Some(spec) = code.python(script) else { return };
    let mut first = within(launcher.launch(spec.clone())).await.unwrap();
    let mut second = within(launcher.launch(spec)).await.unwrap();
    for sandbox in [&mut first, &mut second] {
        assert_eq!(crate::support::read_line(sandbox.take_output()).await.0, "bound");
    }
}
