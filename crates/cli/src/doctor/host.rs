use std::net::SocketAddr;

use pitbird_sandbox::{Config, Launcher, Report, SpawnerCommand};

use super::{HostReport, Runtime};

/// Looks at this host. The sandbox's spawner is this very binary.
pub async fn examine(listen: SocketAddr, runtimes: Vec<Runtime>) -> HostReport {
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    // Port 0 always takes a free one. A listener in its last moments doesn't count: `serve` would get the port as well.
    let listen_fault = tokio::net::TcpListener::bind(listen).await.err().map(|error| error.to_string());
    HostReport { kernel, isolation: isolation().await, runtimes, listen, listen_fault }
}

/// Finds out by really starting a spawner.
async fn isolation() -> Result<Report, String> {
    let config = Config { spares: 0, cpu_shares: true, ..Config::new(SpawnerCommand::own_binary()) };
    let launcher = Launcher::start(config).await.map_err(|error| with_causes(&error))?;
    let report = launcher.report().clone();
    launcher.shutdown().await;
    Ok(report)
}

/// An error's words, and those of what caused it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::with_causes;

    #[test]
    fn what_caused_an_error_is_said_with_it() {
        let cause = std::io::Error::other("making the namespaces: Function not implemented");
        let error = pitbird_sandbox::Error::Spawner(cause);
        let words = "cannot start the spawner process: making the namespaces: Function not implemented";
        assert_eq!(with_causes(&error), words);
    }
}
