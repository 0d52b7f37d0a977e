use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn localhost_is_an_address_to_listen_on() {
    let listen =
        |address: &str| match parse(&format!("pitbird serve --listen {address}")).map(|cli| cli.command) {
            Ok(Command::Serve(options)) => Ok(options.listen.to_string()),
            Ok(_) => Err("another command".to_owned()),
            Err(error) => Err(error.to_string()),
        };
    assert_eq!(listen("localhost:4566").as_deref(), Ok("127.0.0.1:4566"));
    assert_eq!(listen("[::1]:0").as_deref(), Ok("[::1]:0"));
    for address in ["4566", ":4566", "elsewhere:4566", "localhost"] {
        assert!(listen(address).is_err_and(|words| words.contains("such as 127.0.0.1:4566")), "{address}");
    }
}

#[test]
fn an_accounts_throttle_is_two_numbers() {
    let given = |text: &str| {
        let Command::Serve(options) = parse(&format!("pitbird serve --account-throttle {text}"))?.command
        else {
            panic!("serve")
        };
        Ok::<_, clap::Error>(options.account_throttle)
    };
    assert_eq!(given("10000,5000").unwrap(), Some(AccountThrottle { rate: 10_000.0, burst: 5_000 }));
    assert_eq!(given("0.5,1").unwrap(), Some(AccountThrottle { rate: 0.5, burst: 1 }));
    for bad in ["10", "0,1", "1,0", "-1,1", "1,1.5", "inf,1", "NaN,1", "1,2,3", "1,4294967296"] {
        assert!(given(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_runtimes_program_has_a_name_and_a_path() {
    let given = |text: &str| {
        let Command::Serve(options) = parse(&format!("pitbird serve {text}"))?.command else {
            panic!("serve")
        };
        Ok::<_, clap::Error>(options.runtimes.runtimes)
    };
    let program =
        |name: &str, program: &str| RuntimeProgram { name: name.to_owned(), program: program.into() };
    let both = [program("python3.12", "/usr/bin/python3.11"), program("java21", "/opt/a=b/bin/java")];
    for line in [
        "--runtime python3.12=/usr/bin/python3.11 --runtime java21=/opt/a=b/bin/java",
        "--runtime python3.12=/usr/bin/python3.11,java21=/opt/a=b/bin/java",
    ] {
        assert_eq!(given(line).unwrap(), both, "{line}");
    }
    assert!(given("").unwrap().is_empty());
    for bad in ["python3.12", "python3.12=", "=/usr/bin/python3.11", "python3.12=python3.11", "a=/b,,c=/d"] {
        assert!(given(&format!("--runtime {bad}")).is_err(), "{bad}");
    }
}

#[test]
fn a_rollout_is_ordered_with_flags() {
    let line = "pitbird rollout start --rest-api a1 --stage prod --deployment d2 --variable alias=canary \
                --steps 10,50,100 --wait 60s --margin 0.5pp --alarm a --alarm b --max-error-rate 2% --max-latency p99=800ms --watch --output json";
    let cli = parse(line).unwrap();
    assert_eq!(cli.output, Output::Json);
    let Command::Client(ClientCommand::Rollout(RolloutCommand::Start(options))) = cli.command else {
        panic!("{:?}", cli.command)
    };
    assert_eq!(options.steps, [10.0, 50.0, 100.0]);
    assert_eq!(options.wait, [Duration::from_secs(60)]);
    assert_eq!(options.margin, Some(0.005));
    assert_eq!(options.variables, [("alias".to_owned(), "canary".to_owned())]);
    assert_eq!(options.alarms, ["a", "b"]);
    assert_eq!(options.max_error_rate, Some(0.02));
    assert_eq!(options.max_latency, [(0.99, Duration::from_millis(800))]);
    assert!(options.watch);
}

#[test]
fn a_version_is_a_functions_here() {
    let cli = parse("pitbird rollout start --function f --alias live --version 2").unwrap();
    let Command::Client(ClientCommand::Rollout(RolloutCommand::Start(options))) = cli.command else {
        panic!("{:?}", cli.command)
    };
    assert_eq!(options.version.as_deref(), Some("2"));
}

#[test]
fn wrong_use_is_refused() {
    for line in [
        "pitbird",
        "pitbird fly",
        "pitbird rollout",
        "pitbird rollout start --rest-api a",
        "pitbird rollout start --rest-api a --stage s --function f --alias l",
        "pitbird rollout start --rest-api a --stage s --version 2",
        "pitbird rollout start --function f --alias l --deployment d",
        "pitbird rollout start --steps ten",
        "pitbird rollout start --steps 101",
        "pitbird rollout start --wait 60",
        "pitbird rollout start --variable alias",
        "pitbird rollout promote r",
        "pitbird rollout watch",
        "pitbird rollout list --status lost",
        "pitbird logs tail",
        "pitbird logs query stats",
        "pitbird logs query --group g",
        "pitbird logs query stats --group g --limit 0",
        "pitbird metrics",
        "pitbird metrics show N",
        "pitbird metrics show N m --dimension d",
        "pitbird metrics show N m --period long",
        "pitbird logs tail g --since yesterday",
        "pitbird completions tcsh",
        "pitbird doctor --output yaml",
    ] {
        assert_eq!(parse(line).map(|_| ()).unwrap_err().exit_code(), 2, "{line}");
    }
}

/// The help that `arguments` get, as a person at a terminal of a hundred columns sees it.
fn help(arguments: &[&str]) -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    for name in arguments {
        command = command.find_subcommand(name).unwrap_or_else(|| panic!("no {name}")).clone();
    }
    command.term_width(100).render_long_help().to_string()
}

#[test]
fn help_says_what_there_is() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help");
    for arguments in [
        &[][..],
        &["rollout"],
        &["rollout", "start"],
        &["rollout", "plan"],
        &["rollout", "watch"],
        &["top"],
        &["logs", "tail"],
        &["logs", "query"],
        &["metrics", "list"],
        &["metrics", "show"],
        &["api"],
        &["doctor"],
        &["serve"],
        &["demo"],
    ] {
        let name = if arguments.is_empty() { "pitbird".to_owned() } else { arguments.join("-") };
        let path = format!("{folder}/{name}.txt");
        let text: String = help(arguments).lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        if std::env::var_os("PITBIRD_WRITE_HELP").is_some() {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, expected, "{path}; PITBIRD_WRITE_HELP=1 writes it anew");
    }
}
