use std::path::PathBuf;

use clap::Args;

/// Which programs serve which runtimes.
#[derive(Debug, Clone, Default, Args)]
pub struct RuntimeOptions {
    /// Program that serves a runtime, as in `python3.12=/usr/bin/python3.11`, in place of what is found on PATH; it is tried in a
    /// sandbox first. May be given several times
    #[arg(
        long = "runtime",
        value_name = "NAME=PROGRAM",
        value_delimiter = ',',
        value_parser = RuntimeProgram::parse,
        env = "PITBIRD_RUNTIMES",
        hide_env_values = true
    )]
    pub runtimes: Vec<RuntimeProgram>,
}

/// A runtime's name and the program that is to serve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeProgram {
    pub name: String,
    pub program: PathBuf,
}

impl RuntimeProgram {
    /// Reads `NAME=PROGRAM`.
    fn parse(text: &str) -> Result<RuntimeProgram, String> {
        let wanted = "a runtime and a program's absolute path as in python3.12=/usr/bin/python3.11";
        let (name, program) = text.split_once('=').ok_or(wanted)?;
        let (name, program) = (name.trim(), program.trim());
        let is_whole = !name.is_empty() && program.starts_with('/');
        let parsed = is_whole.then(|| RuntimeProgram { name: name.to_owned(), program: program.into() });
        parsed.ok_or_else(|| wanted.to_owned())
    }
}
