//! Reads a document's description from its tree.
//!
//! Nothing here fails on a document's parts: what is left out is a warning, what mustn't be left out an error, both kept
//! in the description with the words of API Gateway's importer where they are known, its parser's `Parse issue`s included.

mod authorizer;
mod integration;
mod member;
mod operation;
mod settings;

use serde_json::Value;

use crate::document::{Document, DocumentationPart, Form, Requirement};
use crate::{Error, text};
use member::Source;

/// Reads a document, JSON or YAML.
///
/// # Errors
/// When it is too long, unreadable, or neither Swagger 2.0 nor OpenAPI 3.0. What is wrong with its parts is in
/// [`Document::errors`].
pub fn document(bytes: &[u8]) -> Result<Document, Error> {
    read(bytes, true)
}

/// Reads a document for an HTTP API, which has no methods with parameters, bodies and responses: these are passed over
/// without a word, as is what is wrong with them.
///
/// # Errors
/// As [`document`].
pub fn http_api(bytes: &[u8]) -> Result<Document, Error> {
    read(bytes, false)
}

/// What is written about an API's parts in a document, and what of that was left out, in API Gateway's words.
///
/// # Errors
/// When the document is too long, unreadable, or neither Swagger 2.0 nor OpenAPI 3.0.
pub fn documentation(bytes: &[u8]) -> Result<(Vec<DocumentationPart>, Vec<String>), Error> {
    let tree = text::parse(bytes)?;
    let form = form(&tree).ok_or(Error::Version)?;
    let mut source = Source::new(&tree, form, false);
    Ok((settings::documentation(&mut source), source.warnings))
}

fn read(bytes: &[u8], describes_methods: bool) -> Result<Document, Error> {
    let tree = text::parse(bytes)?;
    let form = form(&tree).ok_or(Error::Version)?;
    let mut source = Source::new(&tree, form, describes_methods);
    let info = source.object(&tree, "", "info");
    let missing = |source: &mut Source<'_>, name: &str| source.parse_issue(&format!("{name} is missing"));
    match info {
        None if tree.get("info").is_none() => missing(&mut source, "info"),
        Some(info) if info.get("title").is_none() => missing(&mut source, "info.title"),
        Some(info) if info.get("version").is_none() => missing(&mut source, "info.version"),
        _ => {}
    }
    let text = |name: &str| info.and_then(|info| member::text(info, name));
    let schemes = authorizer::schemes(&mut source);
    let security = requirements(&tree);
    let paths = operation::paths(&mut source, security.as_deref().unwrap_or_default());
    let (settings, schemas) = (settings::read(&mut source), schemas(&mut source));
    if source.is_spent() {
        return Err(Error::Expands(member::REPEATED_BYTES_MAX));
    }
    Ok(Document {
        form,
        title: text("title"),
        description: text("description"),
        version: text("version"),
        base_path: settings::base_path(&tree, form),
        settings,
        schemas,
        paths,
        schemes,
        warnings: source.warnings,
        errors: source.errors,
    })
}

fn form(tree: &Value) -> Option<Form> {
    let version = |name: &str| member::text(tree, name).unwrap_or_default();
    if version("swagger") == "2.0" {
        return Some(Form::Swagger2);
    }
    let openapi = version("openapi");
    (openapi == "3.0" || openapi.starts_with("3.0.")).then_some(Form::OpenApi30)
}

fn schemas(source: &mut Source<'_>) -> Vec<(String, Value)> {
    let tree = source.tree;
    let schemas = match source.form {
        Form::Swagger2 => source.object(tree, "", "definitions"),
        Form::OpenApi30 => {
            source.object(tree, "", "components").and_then(|it| source.object(it, "components", "schemas"))
        }
    };
    // An HTTP API has no use for them.
    let schemas = schemas.filter(|_| source.describes_methods);
    let schemas = schemas.and_then(Value::as_object).into_iter().flatten();
    let named = schemas.filter(|(name, schema)| !name.starts_with("x-") && schema.is_object());
    named.map(|(name, schema)| (name.clone(), source.sound(schema))).collect()
}

/// A list of alternatives, each of which asks for some schemes together. API Gateway asks for all of them.
fn requirements(at: &Value) -> Option<Vec<Requirement>> {
    let alternatives = at.get("security")?.as_array()?;
    let schemes = alternatives.iter().filter_map(Value::as_object).flatten();
    Some(
        schemes
            .map(|(scheme, scopes)| Requirement { scheme: scheme.clone(), scopes: member::list(scopes) })
            .collect(),
    )
}

#[cfg(test)]
mod tests;
