use std::process::ExitCode;

use clap::CommandFactory;
use pitbird_names::Region;
use pitbird_prices::PriceList;

use crate::arguments::{
    Cli, ClientCommand, CompletionsOptions, LogsCommand, Output, RuntimeProgram, ServerOptions,
};
use crate::client::{Client, Credentials, Endpoint};
use crate::doctor::{self, Doctor, Runtime};
use crate::failure::Failure;
use crate::streams::Streams;
use crate::{api, environment, logs, metrics, print, rollout, top, usage};

/// Does the command: data to standard output, words to standard error. `runtimes` finds out for `doctor` what functions
/// could run with, where these programs were chosen for runtimes.
pub async fn run(
    command: ClientCommand,
    output: Output,
    server: &ServerOptions,
    runtimes: impl AsyncFnOnce(&[RuntimeProgram]) -> Vec<Runtime>,
) -> ExitCode {
    let mut streams = Streams::standard();
    let code = match done(command, output, server, runtimes, &mut streams).await {
        Ok(code) => code,
        Err(failure) => {
            if !failure.what.is_empty() {
                streams.words(&failure.to_string());
            }
            failure.code
        }
    };
    ExitCode::from(code)
}

/// The exit code.
async fn done(
    command: ClientCommand,
    output: Output,
    server: &ServerOptions,
    runtimes: impl AsyncFnOnce(&[RuntimeProgram]) -> Vec<Runtime>,
    streams: &mut Streams,
) -> Result<u8, Failure> {
    match command {
        ClientCommand::Rollout(command) if rollout::aws::is_meant(&command)? => {
            return rollout::aws::run(&command, output, server).await;
        }
        ClientCommand::Rollout(command) => {
            return rollout::run(&client(server)?, &command, output, streams).await;
        }
        ClientCommand::Logs(LogsCommand::Tail(options)) => {
            logs::tail(&client(server)?, &options, output, streams).await?;
        }
        ClientCommand::Logs(LogsCommand::Query(options)) => {
            logs::query(&client(server)?, &options, output, streams).await?;
        }
        ClientCommand::Metrics(command) => {
            metrics::run(&client(server)?, &command, output, streams).await?;
        }
        ClientCommand::Top(options) => top::run(&client(server)?, &options, output, streams).await?,
        ClientCommand::Usage(options) if options.print_prices => streams.data(PriceList::EMBEDDED)?,
        ClientCommand::Usage(options) => {
            let told = usage::run(&client(server)?, &options, output).await?;
            streams.data(&told)?;
        }
        ClientCommand::Api(options) => {
            let data = api::run(client(server)?, &options).await?;
            streams.data(&print::rendered(&data, output))?;
        }
        ClientCommand::Doctor(options) => {
            let runtimes = runtimes(&options.runtimes.runtimes).await;
            let doctor = Doctor::new(&doctor::examine(options.listen, runtimes).await);
            streams.data(&doctor.rendered(output))?;
            return Ok(u8::from(!doctor.can_serve()));
        }
        ClientCommand::Completions(options) => streams.data(&completions(&options))?,
    }
    Ok(0)
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

#[cfg(test)]
mod tests;
