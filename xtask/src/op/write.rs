use super::name;
use pitbird_wire::{Kind, Member, Model, Operation, ShapeId};
use std::fmt::Write as _;

/// The text of an operation's file.
pub fn file(model: &Model, operation: &Operation) -> String {
    let mut structures = Structures { model, text: String::new(), given: Vec::new(), uses_maps: false };
    let input = structures.root("Input", "Deserialize", operation.input);
    let output = structures.root("Output", "Serialize", operation.output);
    let serde = match (input, output) {
        (true, true) => "use serde::{Deserialize, Serialize};\n",
        (true, false) => "use serde::Deserialize;\n",
        (false, true) => "use serde::Serialize;\n",
        (false, false) => "",
    };
    let collections = if structures.uses_maps { "use std::collections::BTreeMap;\n" } else { "" };
    let name = operation.name;
    format!(
        "{collections}use std::sync::Arc;

use pitbird_service::{{Call, Fault}};
{serde}
use crate::State;
{}
/// `{} {}`
pub async fn run(_state: Arc<State>, call: Call<{}>) -> Result<{}, Fault> {{
    let Call {{ input: _, .. }} = call;
    Err(Fault::unsupported(\"{name}\"))
}}
",
        structures.text,
        operation.method,
        operation.path,
        if input { "Input" } else { "pitbird_wire::Value" },
        if output { "Output" } else { "()" },
    )
}

/// Writes structures, each once.
struct Structures<'m> {
    model: &'m Model,
    text: String,
    /// Shapes that the input is made of.
    given: Vec<ShapeId>,
    uses_maps: bool,
}

impl Structures<'_> {
    /// Writes the input or output and all below it; whether there is any.
    fn root(&mut self, name: &str, derive: &'static str, shape: Option<ShapeId>) -> bool {
        let Some(shape) = shape else { return false };
        let mut open = vec![(name.to_owned(), shape)];
        let mut at = 0;
        while let Some((name, shape)) = open.get(at).cloned() {
            self.structure(&name, derive, shape, at == 0);
            self.below(shape, derive, &mut open);
            at += 1;
        }
        true
    }

    /// Adds the structures that a structure's members are made of.
    fn below(&mut self, shape: ShapeId, derive: &'static str, open: &mut Vec<(String, ShapeId)>) {
        for member in self.model.members(shape) {
            let mut inner = member.reference.shape;
            loop {
                match &self.model.shape(inner).kind {
                    Kind::List { member, .. } => inner = member.shape,
                    Kind::Map { value, .. } => inner = value.shape,
                    Kind::Structure(_) => {
                        let name = self.type_name(inner, derive);
                        if !open.iter().any(|(_, held)| *held == inner) {
                            open.push((name, inner));
                        }
                        break;
                    }
                    _ => break,
                }
            }
        }
    }

    /// A shape that both sides use gets a name for each; one with a name that the file has already gets another.
    fn type_name(&self, shape: ShapeId, derive: &'static str) -> String {
        let name = name::pascal(&name::snake(self.model.shape(shape).name));
        let is_taken =
            ["Arc", "BTreeMap", "Call", "Fault", "Input", "Output", "State"].contains(&name.as_str());
        match derive {
            "Serialize" if self.given.contains(&shape) => format!("{name}Output"),
            _ if is_taken => format!("{name}Shape"),
            _ => name,
        }
    }

    /// Whether a structure contains another one without a list or map between.
    fn contains(&self, outer: ShapeId, inner: ShapeId, seen: &mut Vec<ShapeId>) -> bool {
        if outer == inner {
            return true;
        }
        if seen.contains(&outer) {
            return false;
        }
        seen.push(outer);
        self.model.members(outer).iter().any(|member| self.contains(member.reference.shape, inner, seen))
    }

    fn structure(&mut self, name: &str, derive: &'static str, shape: ShapeId, is_root: bool) {
        if derive == "Deserialize" {
            self.given.push(shape);
        }
        let members = self.model.members(shape);
        let fields: Vec<(String, &Member)> =
            members.iter().map(|member| (name::field(member.name), member)).collect();
        let all = |case: fn(&str) -> String| fields.iter().all(|(field, member)| case(field) == member.name);
        let some = |case: fn(&str) -> String| {
            fields.iter().filter(|(field, member)| case(field) == member.name).count()
        };
        let (rename_all, case) = if some(name::camel) > some(name::pascal) {
            ("camelCase", name::camel as fn(&str) -> String)
        } else {
            ("PascalCase", name::pascal as fn(&str) -> String)
        };
        let _ = write!(self.text, "\n#[derive(Debug, {derive})]\n");
        if !fields.is_empty() && !all(|field| field.trim_start_matches("r#").to_owned()) {
            let _ = writeln!(self.text, "#[serde(rename_all = \"{rename_all}\")]");
        }
        let visibility = if is_root { "pub " } else { "" };
        let _ = writeln!(self.text, "{visibility}struct {name} {{");
        let plain = all(|field| field.trim_start_matches("r#").to_owned());
        for (field, member) in &fields {
            if !plain && case(field) != member.name {
                let _ = writeln!(self.text, "    #[serde(rename = \"{}\")]", member.name);
            }
            let kind = self.kind(member.reference.shape, derive, Some(shape));
            let kind =
                if member.required && derive == "Deserialize" { kind } else { format!("Option<{kind}>") };
            let _ = writeln!(self.text, "    {field}: {kind},");
        }
        self.text.push_str("}\n");
    }

    fn kind(&mut self, shape: ShapeId, derive: &'static str, around: Option<ShapeId>) -> String {
        match &self.model.shape(shape).kind {
            Kind::Structure(_) => {
                let name = self.type_name(shape, derive);
                let is_endless = around.is_some_and(|around| self.contains(shape, around, &mut Vec::new()));
                if is_endless { format!("Box<{name}>") } else { name }
            }
            Kind::List { member, .. } => format!("Vec<{}>", self.kind(member.shape, derive, None)),
            Kind::Map { value, .. } => {
                self.uses_maps = true;
                format!("BTreeMap<String, {}>", self.kind(value.shape, derive, None))
            }
            Kind::String => "String".into(),
            Kind::Boolean => "bool".into(),
            Kind::Integer => "i32".into(),
            Kind::Long => "i64".into(),
            Kind::Float | Kind::Double | Kind::Timestamp(_) => "f64".into(),
            Kind::Blob { .. } => "pitbird_wire::Blob".into(),
            Kind::Document => "pitbird_wire::Value".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pitbird_wire::Catalog;

    #[test]
    fn a_file_has_all_members_of_the_model() {
        let model = Catalog::embedded().model("lambda").expect("lambda has a model");
        let operation = model.operation("GetAccountSettings").expect("lambda has the operation");
        let text = file(model, operation);
        for line in [
            "use serde::{Deserialize, Serialize};",
            "pub struct Output {",
            "    account_limit: Option<AccountLimit>,",
            "struct AccountUsage {",
            "    function_count: Option<i64>,",
            "/// `GET /2016-08-19/account-settings`",
            "pub async fn run(_state: Arc<State>, call: Call<Input>) -> Result<Output, Fault> {",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }

    #[test]
    fn every_operation_has_a_file() {
        for service in Catalog::embedded().services() {
            for operation in service.model().operations() {
                assert!(file(service.model(), operation).contains(operation.name));
            }
        }
    }
}
