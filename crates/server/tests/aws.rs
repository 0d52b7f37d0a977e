//! Releases driven by `pitbird-aws`: on this server, as it would drive them on AWS, by the public endpoint and nothing else; and on
//! moto, which we didn't write and which knows aliases, their weights, metrics and alarms.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pitbird_testkit::{Server, Tool, packages, python, wait_for};

const BINARY: &str = env!("CARGO_BIN_EXE_pitbird");
const MOTO: [&str; 1] = ["moto[server]==5.2.1"];
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../aws/tests/python/releases.py");

/// The program beside the server; `None`, said loudly, where only the server was built.
fn program() -> Option<PathBuf> {
    let program = Path::new(BINARY).with_file_name("pitbird-aws");
    if !program.is_file() {
        eprintln!("SKIPPED: pitbird-aws isn't built; `cargo build -p pitbird-aws` does it");
        return None;
    }
    Some(program)
}

fn arguments<'a>(program: &'a Path, journal: &'a Path, place: &'a str, stories: &[&'a str]) -> Vec<&'a str> {
    let text = |path: &'a Path| path.to_str().expect("a path of text");
    [text(program), text(journal), place].into_iter().chain(stories.iter().copied()).collect()
}

#[test]
fn releases_by_aws_own_apis_end_as_they_should() {
    let (Some(python), Some(program)) = (python(), program()) else { return };
    let journal = tempfile::tempdir().expect("a folder");
    let stories = [
        "bad_alias",
        "good_alias",
        "bad_stage",
        "good_stage",
        "hooks",
        "notices",
        "bad_together",
        "good_together",
    ];
    let arguments = arguments(&program, journal.path(), "pitbird", &stories);
    python.check(&Server::start(BINARY), Path::new(SCRIPT), &arguments);
}

/// Ended with the test.
struct Moto(Child);

impl Drop for Moto {
    fn drop(&mut self) {
        let _it_has_ended = self.0.kill();
        let _it_has_ended = self.0.wait();
    }
}

#[test]
fn releases_on_a_server_of_others_end_as_they_should() {
    let (Some(python), Some(program)) = (python(), program()) else { return };
    let Some(moto) = packages(Tool::Pip, "moto", &MOTO) else { return };
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let serve = "import sys; from moto.server import main; main(sys.argv[1:])";
    let child = Command::new(&python.interpreter)
        .args(["-c", serve, "-H", "127.0.0.1", "-p", &port.to_string()])
        .env("PYTHONPATH", &moto)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("python starts");
    let _moto = Moto(child);
    wait_for("moto", Duration::from_secs(60), || TcpStream::connect(("127.0.0.1", port)).ok());
    let journal = tempfile::tempdir().expect("a folder");
    let stories = [
        "bad_alias",
        "good_alias",
        "orders",
        "alarm",
        "lost_journal",
        "notices",
        "bad_together",
        "good_together",
        "lost_together",
        "strange_together",
    ];
    let arguments = arguments(&program, journal.path(), "moto", &stories);
    let output = python.run(Path::new(SCRIPT), &format!("http://127.0.0.1:{port}"), &arguments);
    let words =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words}");
}
