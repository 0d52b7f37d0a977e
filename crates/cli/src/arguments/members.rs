//! Who gives an operation's members as flags, as the aws CLI takes them, is told how they are given here.

use std::ffi::OsString;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;
use crate::operation::{find_operation, find_service, kebab};

/// Reads a command line, the program's name first.
pub fn parsed(words: &[OsString]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(words).map_err(|mut error| {
        if let Some(tip) = tip(&error, words) {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        }
        error
    })
}

/// What to say instead of clap's own guess about a flag that `api` doesn't have.
fn tip(error: &clap::Error, words: &[OsString]) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = flag.strip_prefix("--")?;
    let mut words =
        words.iter().map(|word| word.to_str().unwrap_or_default()).skip_while(|word| *word != "api");
    let service = words.nth(1)?;
    let model = find_service(service)?;
    let operation = find_operation(model, words.next()?)?;
    let members = operation.input.map_or(&[][..], |shape| model.members(shape));
    Some(match members.iter().find(|member| kebab(member.name) == kebab(flag)) {
        Some(member) => format!("members are given as JSON: --input '{{\"{}\": …}}'", member.name),
        None => {
            let name = kebab(operation.name);
            format!("{name} has no such member; `pitbird api {service}` lists those it has, for --input")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> String {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        parsed(&words).unwrap_err().to_string()
    }

    #[test]
    fn members_as_flags_are_told_as_json() {
        let tip = "tip: members are given as JSON: --input '{\"FunctionName\": …}'";
        for line in [
            "pitbird api lambda get-function --function-name app",
            "pitbird api lambda GetFunction --function-name=app --output json",
            "pitbird --output json api lambda get-function --FunctionName app",
        ] {
            let said = said(line);
            assert!(said.contains("unexpected argument '--") && said.contains(tip), "{said}");
            assert_eq!(said.matches("tip:").count(), 1, "{said}");
        }
        let told = said("pitbird api apigateway get-rest-apis --function-name app");
        assert!(
            told.contains("tip: get-rest-apis has no such member; `pitbird api apigateway` lists"),
            "{told}"
        );
    }

    #[test]
    fn elsewhere_a_flag_is_a_flag() {
        for line in ["pitbird serve --function-name app", "pitbird api none get-function --function-name app"]
        {
            let said = said(line);
            assert!(!said.contains("--input '"), "{said}");
        }
        let words = ["pitbird", "api", "lambda", "get-function"].map(OsString::from);
        assert!(parsed(&words).is_ok());
    }
}
