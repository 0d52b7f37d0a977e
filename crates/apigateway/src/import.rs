//! APIs from OpenAPI documents: what a caller asks for, the API's records before and after, and their way back into the
//! store. `check` holds what a document makes against the rules that single calls are held against.

mod check;

use pitbird_names::short_id;
use pitbird_openapi::rest::{self, BasePath, Laid, Mode, Options, Picture};
use pitbird_openapi::{Document, read};
use pitbird_records::{Record, RestApi, Texts, prefix};
use pitbird_store::Transaction;

use crate::Error;
use crate::find::Records;
use crate::resource::RESOURCES_MAX;

/// How a document is to be taken.
#[derive(Debug)]
pub struct Asked {
    options: Options,
    fails_on_warnings: bool,
    endpoint_types: Option<Vec<String>>,
}

/// Reads what a caller asks for beside the document.
pub fn asked(mode: Mode, parameters: Option<Texts>, fails_on_warnings: Option<bool>) -> Result<Asked, Error> {
    let options = Options {
        mode,
        base_path: BasePath::Ignore,
        ignores_documentation: false,
        resources_max: RESOURCES_MAX,
    };
    let fails_on_warnings = fails_on_warnings.unwrap_or_default();
    let mut asked = Asked { options, fails_on_warnings, endpoint_types: None };
    for (name, value) in parameters.unwrap_or_default() {
        match (name.as_str(), value.as_str()) {
            ("basepath", "ignore") => asked.options.base_path = BasePath::Ignore,
            ("basepath", "prepend") => asked.options.base_path = BasePath::Prepend,
            ("basepath", "split") => asked.options.base_path = BasePath::Split,
            ("basepath", _) => {
                return Err(Error::ImportParameter {
                    name: "basepath",
                    value,
                    valid: "ignore,prepend,split",
                });
            }
            ("ignore", "documentation") => asked.options.ignores_documentation = true,
            ("ignore", _) => {
                return Err(Error::ImportParameter { name: "ignore", value, valid: "documentation" });
            }
            ("endpointConfigurationTypes", kinds) => {
                asked.endpoint_types = Some(kinds.split(',').map(str::to_owned).collect());
            }
            // The CLI and older tools say once more what the operation is.
            ("mode", "import") => {}
            _ => return Err(Error::unsupported(format!("parameters.{name}"))),
        }
    }
    Ok(asked)
}

/// Reads a document.
pub fn document(body: &[u8]) -> Result<Document, Error> {
    read::document(body).map_err(unfit)
}

/// Why a body is no document.
pub fn unfit(error: pitbird_openapi::Error) -> Error {
    use pitbird_openapi::Error::*;
    match error {
        Unreadable(_) | Version => Error::OpenApi,
        TooLong(_) | Twice(_) | Documents | TooDeep(_) | Expands(_) => {
            Error::OpenApiBounds(error.to_string())
        }
    }
}

/// All of an API that documents are about.
pub fn picture(records: &impl Records, api: RestApi) -> Result<Picture, Error> {
    let below = prefix(&api.scope, &[&api.id]);
    Ok(Picture {
        resources: records.list(&below)?,
        models: records.list(&below)?,
        validators: records.list(&below)?,
        authorizers: records.list(&below)?,
        gateway_responses: records.list(&below)?,
        documentation: records.list(&below)?,
        api,
    })
}

/// Lays a document over an API and keeps what comes out: the API as it is then, and what of the document was left out.
pub fn take(
    tx: &mut Transaction<'_>,
    document: &Document,
    over: Picture,
    asked: &Asked,
    entropy: fn() -> u128,
) -> Result<(RestApi, Vec<String>), Error> {
    let mut fresh_id = |letters| short_id(entropy(), letters);
    let Laid { picture, described, mut warnings, errors, unsupported, is_full } =
        rest::lay(document, over.clone(), &asked.options, &mut fresh_id);
    if let Some(name) = unsupported.into_iter().next() {
        return Err(Error::Unsupported(name));
    }
    if is_full {
        return Err(Error::TooMany { what: "resources for this API", limit: RESOURCES_MAX });
    }
    warnings.extend(check::schemas(&picture, &described)?);
    let types = asked.endpoint_types.as_ref().or(document.settings.endpoint_types.as_ref());
    let settled = check::settle(picture, types, document.settings.ip_address_type.as_ref(), errors);
    let settled = settled.map_err(|error| match error {
        Error::Import(mut lines) if !warnings.is_empty() => {
            lines.push("Additionally, these warnings were found:".to_owned());
            lines.extend(warnings.clone());
            Error::Import(lines)
        }
        error => error,
    })?;
    if asked.fails_on_warnings && !warnings.is_empty() {
        return Err(Error::ImportWarnings(warnings));
    }
    keep(tx, &over, &settled)?;
    Ok((settled.api, warnings))
}

fn keep(tx: &mut Transaction<'_>, before: &Picture, after: &Picture) -> Result<(), Error> {
    replace(tx, &before.resources, &after.resources)?;
    replace(tx, &before.models, &after.models)?;
    replace(tx, &before.validators, &after.validators)?;
    replace(tx, &before.authorizers, &after.authorizers)?;
    replace(tx, &before.gateway_responses, &after.gateway_responses)?;
    replace(tx, &before.documentation, &after.documentation)?;
    tx.put(&after.api)?;
    Ok(())
}

/// Writes what is new or changed, deletes what is no more.
fn replace<R: Record + PartialEq>(tx: &mut Transaction<'_>, before: &[R], after: &[R]) -> Result<(), Error> {
    let known: std::collections::HashMap<String, &R> = before.iter().map(|it| (it.key(), it)).collect();
    let kept: std::collections::HashSet<String> = after.iter().map(Record::key).collect();
    for record in after {
        if known.get(&record.key()).is_none_or(|before| *before != record) {
            tx.put(record)?;
        }
    }
    for key in known.keys().filter(|key| !kept.contains(*key)) {
        tx.delete::<R>(key)?;
    }
    Ok(())
}
