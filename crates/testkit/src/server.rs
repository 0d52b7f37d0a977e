use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::{Process, descendants};

/// How long a server may take to say that it is ready; it takes milliseconds, but the machine may be busy building.
const READY_DEADLINE: Duration = Duration::from_secs(60);

/// A server of the test's own on a free port, ended with the test.
pub struct Server {
    child: Option<Child>,
    pub endpoint: String,
    pub data_dir: PathBuf,
    /// Kept for its drop: removes the folder.
    _folder: Option<tempfile::TempDir>,
}

#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Further arguments of `serve`.
    pub arguments: Vec<String>,
    /// `None` is a fresh folder that goes with the server.
    pub data_dir: Option<PathBuf>,
}

/// How a server ended that never became ready.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stderr: String,
}

impl Server {
    /// Starts `binary serve` on a free port and waits until it is ready.
    ///
    /// # Panics
    /// When it ends instead, with what it said.
    pub fn start(binary: &str) -> Server {
        Server::start_with(binary, ServerOptions::default())
            .unwrap_or_else(|ended| panic!("no server: {ended:?}"))
    }

    /// Starts a server again on the folder of an earlier one.
    pub fn start_in(binary: &str, data_dir: &Path) -> Server {
        let options = ServerOptions { data_dir: Some(data_dir.to_owned()), ..ServerOptions::default() };
        Server::start_with(binary, options).unwrap_or_else(|ended| panic!("no server: {ended:?}"))
    }

    pub fn start_with(binary: &str, options: ServerOptions) -> Result<Server, Ended> {
        let folder = options.data_dir.is_none().then(|| tempfile::tempdir().expect("a temporary folder"));
        let data_dir = options.data_dir.or(folder.as_ref().map(|folder| folder.path().to_owned()));
        let data_dir = data_dir.expect("one of both is there");
        let mut command = Command::new(binary);
        command.args(["serve", "--data-dir"]).arg(&data_dir);
        if !options.arguments.iter().any(|argument| argument == "--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        command.args(&options.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server's binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let (lines, said) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| lines.send(line).is_ok()));
        let words = std::thread::spawn(move || {
            let mut kept = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                eprintln!("server: {line}");
                kept.push_str(&line);
                kept.push('\n');
            }
            kept
        });
        let mut endpoint = String::new();
        loop {
            match said.recv_timeout(READY_DEADLINE) {
                Ok(line) if line == "Ready." => break,
                Ok(line) => {
                    let url = line.split_whitespace().find(|word| word.starts_with("http://"));
                    if let Some(url) = url {
                        endpoint = url.to_owned();
                    }
                }
                Err(_) => {
                    let _already_ended = child.kill();
                    let status = child.wait().expect("a child of ours");
                    return Err(Ended { status, stderr: words.join().unwrap_or_default() });
                }
            }
        }
        std::thread::spawn(move || said.iter().count());
        Ok(Server { child: Some(child), endpoint, data_dir, _folder: folder })
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("running").id()
    }

    /// The URL under which a stage of an API is served.
    pub fn stage_url(&self, api: &str, stage: &str) -> String {
        format!("{}/_aws/execute-api/{api}/{stage}", self.endpoint)
    }

    /// All processes that it started and that still run.
    pub fn family(&self) -> Vec<Process> {
        descendants(self.pid())
    }

    /// `kill -9`, without a chance to tidy up.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _already_ended = child.kill();
            let _status = child.wait();
        }
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("running");
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "kill -TERM works on a child of ours");
        child.wait().expect("a child of ours")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
