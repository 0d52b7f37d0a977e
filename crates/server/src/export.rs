//! What of telemetry goes to a collector.

use anyhow::{Result, bail};
use pitbird_cli::ServeOptions;
use pitbird_otlp::{Config, Signal};
use pitbird_trace::{Rate, Spans, Tracer};

/// What the command line and the environment say.
///
/// # Errors
/// When a setting can't be obeyed; or a rate is given for traces that go nowhere.
pub fn config(options: &ServeOptions) -> Result<Option<Config>> {
    read(options, |name| std::env::var(name).ok())
}

fn read(options: &ServeOptions, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Config>> {
    let mut config = Config::read(options.otlp_endpoint.as_deref(), variable)?;
    if let Some(rate) = options.trace_sample {
        match &mut config {
            Some(config) if config.exports(Signal::Traces) => {
                config.sampled = Rate::new(rate).unwrap_or(config.sampled);
            }
            _ => bail!(
                "--trace-sample says which traces are recorded, and there is nowhere for them to go\nhint: give --otlp-endpoint URL"
            ),
        }
    }
    Ok(config)
}

/// Where spans are recorded, and where they come out; off where no traces are exported.
pub fn tracer(config: Option<&Config>) -> (Tracer, Spans) {
    let exported = config.filter(|config| config.exports(Signal::Traces));
    let (tracer, spans) = Tracer::new(exported.map_or(Rate::NONE, |config| config.sampled));
    (if exported.is_some() { tracer } else { Tracer::off() }, spans)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use pitbird_cli::{Cli, Command};

    use super::*;

    fn options(arguments: &[&str]) -> ServeOptions {
        let all = ["pitbird", "serve"].iter().chain(arguments);
        match Cli::parse_from(all).command {
            Command::Serve(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn traces_are_recorded_only_where_they_go_somewhere() {
        let to = ["--otlp-endpoint", "http://c"];
        let is_on = |arguments: &[&str], variables: &[(&str, &str)]| {
            let find = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            let config = read(&options(arguments), find).map_err(|error| error.to_string())?;
            Ok::<_, String>(tracer(config.as_ref()).0.is_on())
        };
        assert_eq!(is_on(&[], &[]), Ok(false));
        assert_eq!(is_on(&to, &[]), Ok(true));
        assert_eq!(is_on(&to, &[("OTEL_TRACES_EXPORTER", "none")]), Ok(false));
        assert_eq!(is_on(&[&to[..], &["--trace-sample", "0.5"]].concat(), &[]), Ok(true));
        let refused = is_on(&["--trace-sample", "0.5"], &[]).unwrap_err();
        assert!(refused.starts_with("--trace-sample"), "{refused}");
        let refused = is_on(&to, &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err();
        assert!(refused.contains("OTEL_EXPORTER_OTLP_PROTOCOL grpc is not supported"), "{refused}");
    }

    #[test]
    fn the_command_line_sets_the_rate() {
        let given = options(&["--otlp-endpoint", "http://c", "--trace-sample", "0.25"]);
        let variable =
            |name: &str| (name == "OTEL_TRACES_SAMPLER").then(|| "parentbased_always_off".to_owned());
        assert_eq!(Some(read(&given, variable).unwrap().unwrap().sampled), Rate::new(0.25));
    }
}
