use std::process::ExitCode;

use clap::CommandFactory;
use pitbird_names::Region;

use crate::arguments::{Cli, ClientCommand, CompletionsOptions, LogsCommand, Output, ServerOptions};
use crate::client::{Client, Credentials, Endpoint};
use crate::doctor::{self, Doctor, Runtime};
use crate::failure::Failure;
use crate::{api, environment, logs, print, rollout};

/// Does the command: data to standard output, words to standard error. `runtimes` finds out for `doctor` what functions
/// could run with.
pub async fn run(
    command: ClientCommand,
    output: Output,
    server: &ServerOptions,
    runtimes: impl AsyncFnOnce() -> Vec<Runtime>,
) -> ExitCode {
    let done = match command {
        ClientCommand::Rollout(command) => match client(server) {
            Ok(client) => rollout::run(&client, &command, output).await,
            Err(failure) => Err(failure),
        },
        ClientCommand::Logs(LogsCommand::Tail(options)) => match client(server) {
            Ok(client) => logs::tail(&client, &options, output).await.map(|()| ExitCode::SUCCESS),
            Err(failure) => Err(failure),
        },
        ClientCommand::Api(options) => match client(server) {
            Ok(client) => match api::run(client, &options).await {
                Ok(data) => printed(&print::rendered(&data, output)),
                Err(failure) => Err(failure),
            },
            Err(failure) => Err(failure),
        },
        ClientCommand::Doctor(options) => {
            let doctor = Doctor::new(&doctor::examine(options.listen, runtimes().await).await);
            let code = if doctor.can_serve() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            printed(&doctor.rendered(output)).map(|_| code)
        }
        ClientCommand::Completions(options) => printed(&completions(&options)),
    };
    done.unwrap_or_else(|failure| {
        if !failure.what.is_empty() {
            eprintln!("{failure}");
        }
        failure.exit_code()
    })
}

fn printed(text: &str) -> Result<ExitCode, Failure> {
    print::to_stdout(text)?;
    Ok(ExitCode::SUCCESS)
}

/// The server that the arguments and the environment name. Nothing is connected yet.
fn client(server: &ServerOptions) -> Result<Client, Failure> {
    let endpoint: Endpoint = server.endpoint_url.parse().map_err(|error| {
        Failure::usage(format!("--endpoint-url: {error}")).hint("the default is http://127.0.0.1:4566")
    })?;
    let region = server.region.clone().or_else(|| environment::text(environment::REGION));
    let region = region.unwrap_or_else(|| Region::DEFAULT.to_owned());
    let region = Region::parse(&region).ok_or_else(|| Failure::usage(format!("{region:?} is no region")))?;
    Ok(Client::new(endpoint, region.as_str(), Credentials::from_environment(environment::text)))
}

fn completions(options: &CompletionsOptions) -> String {
    let mut written = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "pitbird", &mut written);
    String::from_utf8_lossy(&written).into_owned()
}
