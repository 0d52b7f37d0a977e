//! Releases on a server that we didn't write: moto, which knows aliases, their weights, metrics and alarms.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pitbird_testkit::{Tool, packages, python, wait_for};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pitbird-aws");
const MOTO: [&str; 1] = ["moto[server]==5.2.1"];

/// Ended with the test.
struct Moto(Child);

impl Drop for Moto {
    fn drop(&mut self) {
        let _it_has_ended = self.0.kill();
        let _it_has_ended = self.0.wait();
    }
}

#[test]
fn releases_on_moto_end_as_they_should() {
    let (Some(python), Some(moto)) = (python(), packages(Tool::Pip, "moto", &MOTO)) else { return };
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let serve = "import sys; from moto.server import main; main(sys.argv[1:])";
    let child = Command::new(&python.interpreter)
        .args(["-c", serve, "-H", "127.0.0.1", "-p", &port.to_string()])
        .env("PYTHONPATH", &moto)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("python starts");
    let _moto = Moto(child);
    wait_for("moto", Duration::from_secs(60), || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/releases.py");
    let journal = folder.path().to_str().expect("a path of text");
    let stories = ["bad_alias", "good_alias", "orders", "lost_journal"];
    let arguments: Vec<&str> = [PROGRAM, journal, "moto"].into_iter().chain(stories).collect();
    let output = python.run(&script, &format!("http://127.0.0.1:{port}"), &arguments);
    let words = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words}");
}
