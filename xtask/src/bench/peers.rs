//! The peers: nginx, and the bare front end.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use pitbird_testkit::wait_for;

use super::platform::{BODY, bench_binary};

/// A process that ends with its owner.
pub struct Peer {
    child: Child,
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Peer {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _status = self.child.wait();
    }
}

/// nginx in the foreground: `/` answers with the mock's body, `/proxy` passes on to `upstream`; nothing is
/// logged. As many workers as pitbird has threads.
pub fn nginx(upstream: Option<SocketAddr>) -> Result<Peer> {
    let proxy = upstream.map_or(String::new(), |upstream| {
        format!(
            "location /proxy {{ proxy_pass http://up/; proxy_http_version 1.1;
             proxy_set_header Connection \"\"; }} }} upstream up {{ server {upstream}; keepalive 64; "
        )
    });
    let mut peer = started(tempfile::tempdir()?, "", &proxy)?;
    peer.url = format!("http://{}", peer.url);
    Ok(peer)
}

/// nginx that speaks HTTP/2 with prior knowledge.
pub fn nginx_http2() -> Result<Peer> {
    let mut peer = started(tempfile::tempdir()?, "http2", "")?;
    peer.url = format!("http://{}/", peer.url);
    Ok(peer)
}

/// nginx with TLS 1.3, a key of the kind that pitbird's own certificates have, and tickets.
pub fn nginx_tls() -> Result<Peer> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().display();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    std::fs::write(folder.path().join("certificate.pem"), made.cert.pem())?;
    std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())?;
    let further = format!(
        "ssl_protocols TLSv1.3; ssl_session_tickets on;
         ssl_certificate {path}/certificate.pem; ssl_certificate_key {path}/key.pem;"
    );
    let mut peer = started(folder, "ssl", &further)?;
    peer.url = format!("https://{}/", peer.url);
    Ok(peer)
}

/// nginx whose `/` answers with the mock's body, with further words for its port and its server. Its URL is a port of an address yet.
fn started(folder: tempfile::TempDir, of_port: &str, of_server: &str) -> Result<Peer> {
    let port = free_port()?;
    let path = folder.path().display();
    let configuration = format!(
        "worker_processes auto; daemon off; master_process on; pid {path}/pid; error_log {path}/error.log crit;
         events {{ worker_connections 1024; }}
         http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {path}; proxy_temp_path {path};
                 fastcgi_temp_path {path}; uwsgi_temp_path {path}; scgi_temp_path {path};
         server {{ listen 127.0.0.1:{port} {of_port}; location / {{ default_type application/json; return 200 '{BODY}'; }}
                   {of_server} }} }}"
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, configuration)?;
    let child = Command::new("nginx").arg("-c").arg(&file).stderr(Stdio::null()).spawn().context("nginx")?;
    wait_for("nginx", Duration::from_secs(10), || TcpStream::connect(("127.0.0.1", port)).ok());
    Ok(Peer { child, url: format!("127.0.0.1:{port}"), _folder: Some(folder) })
}

/// What the bare front end runs in each environment.
pub struct Program {
    words: Vec<OsString>,
    folder: Option<PathBuf>,
    variables: Vec<(OsString, OsString)>,
}

impl Program {
    pub fn new(program: impl Into<OsString>) -> Program {
        Program { words: vec![program.into()], folder: None, variables: Vec::new() }
    }

    /// The folder has a module `app` whose `handler` is the function.
    pub fn in_folder(mut self, folder: &Path) -> Program {
        self.folder = Some(folder.to_owned());
        self.variable("LAMBDA_TASK_ROOT", folder).variable("_HANDLER", "app.handler")
    }

    pub fn argument(mut self, argument: impl Into<OsString>) -> Program {
        self.words.push(argument.into());
        self
    }

    pub fn arguments<const N: usize>(self, arguments: [&str; N]) -> Program {
        arguments.into_iter().fold(self, Program::argument)
    }

    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Program {
        self.variables.push((name.into(), value.into()));
        self
    }
}

/// The bare front end with as many environments of a program.
pub fn front_end(root: &Path, environments: usize, program: &Program) -> Result<Peer> {
    let port = free_port()?;
    let mut command = Command::new(bench_binary(root, "bench-frontend"));
    command.arg(format!("127.0.0.1:{port}")).arg(environments.to_string()).args(&program.words);
    command.envs(program.variables.iter().cloned());
    if let Some(folder) = &program.folder {
        command.current_dir(folder);
    }
    let mut child = command.stdout(Stdio::piped()).spawn().context("bench-frontend")?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("piped")?).read_line(&mut line)?;
    Ok(Peer { child, url: format!("http://127.0.0.1:{port}"), _folder: None })
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
