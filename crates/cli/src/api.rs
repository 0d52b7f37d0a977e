//! Any operation of any service, from the models.

use std::io::Read;

use pitbird_wire::{Catalog, Model};
use serde_json::{Value as Json, json};

use crate::arguments::ApiOptions;
use crate::client::{Client, Error};
use crate::failure::Failure;
use crate::json::Files;
use crate::operation::{aws_service, find_service, kebab};

/// Longest input from standard input or a file, bytes: a function's zip in base64 and something around it.
const INPUT_BYTES_MAX: u64 = 128 << 20;

/// What a call answers, or what there is to call.
pub async fn run(client: Client, options: &ApiOptions) -> Result<Json, Failure> {
    let Some(service) = &options.service else { return Ok(services()) };
    let Some(operation) = &options.operation else {
        let model = find_service(service).ok_or_else(|| Failure::from(Error::unknown_service(service)))?;
        return Ok(operations(model));
    };
    let input = input(&options.input)?;
    let client = client.with_deadline(options.timeout);
    Ok(client.call_with(service, operation, &input, Files::Read).await?)
}

fn input(text: &str) -> Result<Json, Failure> {
    let text = match text.strip_prefix('@') {
        Some(file) => {
            let opened = std::fs::File::open(file);
            let read = opened.and_then(read_all);
            read.map_err(|error| Failure::usage(format!("can't read the input from {file}: {error}")))?
        }
        None if text == "-" => read_all(std::io::stdin())
            .map_err(|error| Failure::usage(format!("can't read the input from standard input: {error}")))?,
        None => text.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("the input is no JSON: {error}"))
            .hint("give an object with the operation's members, as in --input '{\"FunctionName\":\"app\"}'")
    })
}

fn read_all(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(INPUT_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > INPUT_BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {INPUT_BYTES_MAX} bytes")));
    }
    Ok(text)
}

fn services() -> Json {
    let rows: Vec<Json> = Catalog::embedded()
        .services()
        .iter()
        .map(|service| {
            let count = service.model().operations().len();
            json!({"Service": service.key(), "Id": service.metadata.service_id, "Operations": count})
        })
        .collect();
    json!({"Services": rows})
}

fn operations(model: &Model) -> Json {
    let rows: Vec<Json> = model
        .operations()
        .iter()
        .map(|operation| {
            let members = operation.input.map_or(&[][..], |shape| model.members(shape)).iter();
            let (required, optional): (Vec<_>, Vec<_>) = members.partition(|member| member.required);
            let names = |members: Vec<&pitbird_wire::Member>| -> Vec<&str> {
                members.iter().map(|member| member.name).collect()
            };
            json!({"Operation": kebab(operation.name), "Required": names(required), "Optional": names(optional)})
        })
        .collect();
    json!({"Service": aws_service(model.key), "Operations": rows})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_json_or_comes_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("input.json");
        std::fs::write(&file, r#"{"a":1}"#).unwrap();
        assert_eq!(input(&format!("@{}", file.display())), Ok(json!({"a": 1})));
        assert_eq!(input("{}"), Ok(json!({})));
        for text in ["{", "@/nowhere/at/all", "a=b"] {
            assert_eq!(input(text).unwrap_err().code, 2, "{text}");
        }
    }

    #[test]
    fn services_and_operations_are_listed() {
        assert!(services().to_string().contains(r#""Service":"lambda""#));
        let listed = operations(find_service("deploy").unwrap());
        assert_eq!(listed["Service"], "deploy");
        assert!(listed.to_string().contains(r#"{"Operation":"get-deployment","Required":["deploymentId"]"#));
    }
}
