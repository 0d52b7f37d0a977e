//! A call as the command line that does the same with AWS's own tool, or with this one where the service is ours.

mod ours;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pitbird_wire::{Kind, Model, Operation};
use serde_json::{Map, Value as Json};

use crate::operation::{aws_service, find_operation, find_service, kebab};

/// `aws lambda publish-version --function-name app`: the call as one line for a POSIX shell. Top-level members become
/// flags, what is nested becomes JSON. Calls of our own service are shown as `pitbird rollout …` where its flags can say
/// them, else as `pitbird api rollouts …`. A blob is shown as `fileb://` and a file's name, which is the member's unless the
/// input says `fileb://…` itself; one that is JSON is piped in. A service or an operation that the models don't have is
/// written as it came.
pub fn aws_command(service: &str, operation: &str, input: &Json) -> String {
    let Some(model) = find_service(service) else { return unknown(service, operation, input) };
    let Some(operation) = find_operation(model, operation) else { return unknown(service, operation, input) };
    if model.metadata.signing_name == "pitbird" {
        return shell_line(&ours::words(model, operation, input));
    }
    let mut line = Line::default();
    line.words.extend(["aws", aws_service(model.key)].map(str::to_owned));
    line.words.push(kebab(operation.name));
    for (name, value) in input.as_object().into_iter().flatten() {
        line.member(model, operation, name, value);
    }
    if answers_with_blob(model, operation) {
        // These operations write the body to a file that must be named.
        line.words.push("/dev/stdout".to_owned());
    }
    match line.piped {
        Some(text) => format!("printf %s {} | {}", quoted(&text), shell_line(&line.words)),
        None => shell_line(&line.words),
    }
}

fn unknown(service: &str, operation: &str, input: &Json) -> String {
    let mut words = vec!["aws".to_owned(), aws_service(service).to_owned(), kebab(operation)];
    if input.as_object().is_some_and(|members| !members.is_empty()) {
        words.extend(["--cli-input-json".to_owned(), input.to_string()]);
    }
    shell_line(&words)
}

/// A command of the aws CLI under way.
#[derive(Default)]
struct Line {
    words: Vec<String>,
    /// What goes to its standard input: the only place where both of the CLI's major versions take bytes as they are.
    piped: Option<String>,
}

impl Line {
    fn member(&mut self, model: &Model, operation: &Operation, name: &str, value: &Json) {
        // The aws CLI takes a function's code apart: the zip is a flag of its own.
        if (model.key, operation.name, name) == ("lambda", "CreateFunction", "Code")
            && let Some(zip) = value.get("ZipFile")
        {
            let mut others: Map<String, Json> = value.as_object().cloned().unwrap_or_default();
            others.shift_remove("ZipFile");
            self.blob("zip-file", zip);
            if !others.is_empty() {
                self.flag("code", Json::Object(others).to_string());
            }
            return;
        }
        let members = operation.input.map_or(&[][..], |shape| model.members(shape));
        let member = members.iter().find(|member| member.name == name);
        let kind = member.map(|member| &model.shape(member.reference.shape).kind);
        let flag = flag_name(model, operation, name);
        match (kind, value) {
            (_, Json::Null) => {}
            (_, Json::Bool(true)) => self.words.push(format!("--{flag}")),
            (_, Json::Bool(false)) => self.words.push(format!("--no-{flag}")),
            (Some(Kind::Blob { .. }), value) => self.blob(&flag, value),
            (_, Json::String(text)) => self.flag(&flag, text.clone()),
            (_, other) => self.flag(&flag, other.to_string()),
        }
    }

    fn flag(&mut self, flag: &str, text: String) {
        // Text that looks like a flag stays with its own.
        if text.starts_with('-') {
            self.words.push(format!("--{flag}={text}"));
        } else {
            self.words.extend([format!("--{flag}"), text]);
        }
    }

    fn blob(&mut self, flag: &str, value: &Json) {
        let extension = if flag == "zip-file" { "zip" } else { "bin" };
        let file = format!("fileb://{flag}.{extension}");
        let shown = match value {
            Json::String(text) if text.starts_with("fileb://") => text.clone(),
            Json::String(text) if self.piped.is_none() => match json_within(text) {
                Some(json) => self.pipe(json),
                None => file,
            },
            Json::Object(_) | Json::Array(_) if self.piped.is_none() => self.pipe(value.to_string()),
            _ => file,
        };
        self.flag(flag, shown);
    }

    fn pipe(&mut self, text: String) -> String {
        self.piped = Some(text);
        "fileb:///dev/stdin".to_owned()
    }
}

/// The JSON that base64 text holds.
fn json_within(base64: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(base64).ok()?).ok()?;
    serde_json::from_str::<Json>(&text).is_ok().then_some(text)
}

/// The aws CLI renames what would collide with its own `--version`.
fn flag_name(model: &Model, operation: &Operation, name: &str) -> String {
    match (model.key, operation.name, name) {
        ("apigateway", "CreateRestApi", "version")
        | ("apigatewayv2", "CreateApi" | "UpdateApi", "Version") => "api-version".to_owned(),
        _ => kebab(name),
    }
}

/// Is the body of the answer the caller's bytes?
fn answers_with_blob(model: &Model, operation: &Operation) -> bool {
    let Some(Kind::Structure(output)) = operation.output.map(|shape| &model.shape(shape).kind) else {
        return false;
    };
    let payload = output.payload.map(|at| &model.shape(output.members[at].reference.shape).kind);
    matches!(payload, Some(Kind::Blob { .. }))
}

fn shell_line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<String>>().join(" ")
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

#[cfg(test)]
mod tests;
