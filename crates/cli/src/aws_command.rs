//! A call as the command line that does the same with AWS's own tool.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pitbird_wire::{Kind, Model, Operation};
use serde_json::Value as Json;

use crate::operation::{aws_service, find_operation, find_service, kebab};

/// Longer base64 is shown as a file.
const BLOB_CHARS_MAX: usize = 64;

/// `aws lambda publish-version --function-name app`: the call as one line for a POSIX shell. Top-level members become
/// flags, what is nested becomes JSON. Our own service is called with `pitbird api rollouts …`. Blobs are shown as
/// `fileb://` and a file's name, which is the member's unless the input says `fileb://…` itself. A service or an operation
/// that the models don't have is written as it came.
pub fn aws_command(service: &str, operation: &str, input: &Json) -> String {
    let Some(model) = find_service(service) else { return unknown(service, operation, input) };
    let Some(operation) = find_operation(model, operation) else { return unknown(service, operation, input) };
    if is_ours(model) {
        let mut line = format!("pitbird api {} {}", model.key, kebab(operation.name));
        if input.as_object().is_some_and(|members| !members.is_empty()) {
            line += &format!(" --input {}", quoted(&input.to_string()));
        }
        return line;
    }
    let mut line = format!("aws {} {}", aws_service(model.key), kebab(operation.name));
    for (name, value) in input.as_object().into_iter().flatten() {
        push_member(&mut line, model, operation, name, value);
    }
    if answers_with_blob(model, operation) {
        // These operations write the body to a file that must be named.
        line += " /dev/stdout";
    }
    line
}

/// Is this service ours rather than AWS's?
fn is_ours(model: &Model) -> bool {
    model.metadata.signing_name == "pitbird"
}

fn unknown(service: &str, operation: &str, input: &Json) -> String {
    let command = format!("aws {} {}", quoted(aws_service(service)), quoted(&kebab(operation)));
    match input.as_object() {
        Some(members) if !members.is_empty() => {
            format!("{command} --cli-input-json {}", quoted(&input.to_string()))
        }
        _ => command,
    }
}

fn push_member(line: &mut String, model: &Model, operation: &Operation, name: &str, value: &Json) {
    // The aws CLI takes a function's code apart: the zip is a flag of its own.
    if (model.key, operation.name, name) == ("lambda", "CreateFunction", "Code")
        && let Some(zip) = value.get("ZipFile")
    {
        line.push_str(" --zip-file ");
        line.push_str(&blob("zip-file", zip));
        let others: serde_json::Map<_, _> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "ZipFile")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if !others.is_empty() {
            line.push_str(&format!(" --code {}", quoted(&Json::Object(others).to_string())));
        }
        return;
    }
    let members = operation.input.map_or(&[][..], |shape| model.members(shape));
    let kind = members.iter().find(|member| member.name == name);
    let kind = kind.map(|member| &model.shape(member.reference.shape).kind);
    let flag = flag(model, operation, name);
    match (kind, value) {
        (_, Json::Null) => {}
        (_, Json::Bool(true)) => line.push_str(&format!(" --{flag}")),
        (_, Json::Bool(false)) => line.push_str(&format!(" --no-{flag}")),
        (Some(Kind::Blob { .. }), value) => {
            line.push_str(&format!(" --{flag} "));
            line.push_str(&blob(&flag, value));
        }
        (_, Json::String(text)) => line.push_str(&format!(" --{flag} {}", quoted(text))),
        (_, other) => line.push_str(&format!(" --{flag} {}", quoted(&other.to_string()))),
    }
}

/// The aws CLI renames what would collide with its own `--version`.
fn flag(model: &Model, operation: &Operation, name: &str) -> String {
    match (model.key, operation.name, name) {
        ("apigateway", "CreateRestApi", "version") => "api-version".to_owned(),
        ("apigatewayv2", "CreateApi" | "UpdateApi", "Version") => "api-version".to_owned(),
        _ => kebab(name),
    }
}

fn blob(flag: &str, value: &Json) -> String {
    match value {
        Json::String(text) if text.starts_with("fileb://") || text.starts_with("file://") => quoted(text),
        Json::String(text) if text.len() <= BLOB_CHARS_MAX => {
            match STANDARD.decode(text).map(String::from_utf8) {
                Ok(Ok(plain)) if plain.chars().all(|c| !c.is_control()) => raw(&plain),
                _ => format!("fileb://{flag}.bin"),
            }
        }
        Json::String(_) => format!("fileb://{flag}.{}", if flag == "zip-file" { "zip" } else { "bin" }),
        json => raw(&json.to_string()),
    }
}

/// Text in place of a blob; the aws CLI of version 2 wants to be told that it isn't base64.
fn raw(text: &str) -> String {
    format!("{} --cli-binary-format raw-in-base64-out", quoted(text))
}

/// Is the body of the answer the caller's bytes?
fn answers_with_blob(model: &Model, operation: &Operation) -> bool {
    let Some(Kind::Structure(output)) = operation.output.map(|shape| &model.shape(shape).kind) else {
        return false;
    };
    let payload = output.payload.map(|at| &model.shape(output.members[at].reference.shape).kind);
    matches!(payload, Some(Kind::Blob { .. }))
}

/// The text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
