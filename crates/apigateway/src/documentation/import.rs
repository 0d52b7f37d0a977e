//! Documentation parts in an OpenAPI definition: its member `x-amazon-apigateway-documentation`, in JSON.

use pitbird_records::DocumentationLocation;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Error;

/// Longest definition, bytes. Source: API Gateway quotas (6 MB).
const DEFINITION_BYTES: usize = 6 * 1024 * 1024;

/// A part's place and properties.
pub type Part = (DocumentationLocation, String);

#[derive(Deserialize)]
struct Definition {
    #[serde(rename = "x-amazon-apigateway-documentation")]
    documentation: Option<Documentation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Documentation {
    #[serde(default)]
    documentation_parts: Vec<Described>,
}

#[derive(Deserialize)]
struct Described {
    location: Location,
    properties: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(rename = "type")]
    kind: String,
    path: Option<String>,
    method: Option<String>,
    status_code: Option<String>,
    name: Option<String>,
}

/// The parts that a definition describes, as it gives them.
pub fn parse(definition: &[u8]) -> Result<Vec<Part>, Error> {
    if definition.len() > DEFINITION_BYTES {
        return Err(Error::DocumentationTooLong(DEFINITION_BYTES));
    }
    let definition: Definition =
        serde_json::from_slice(definition).map_err(|error| Error::DocumentationImport(error.to_string()))?;
    let described = definition.documentation.map(|it| it.documentation_parts).unwrap_or_default();
    let part = |described: Described| {
        let Location { kind, path, method, status_code, name } = described.location;
        let location = DocumentationLocation { kind, path, method, status_code, name };
        (location, described.properties.get().to_owned())
    };
    Ok(described.into_iter().map(part).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_in_their_member() {
        let definition = br#"{"openapi": "3.0.1", "x-amazon-apigateway-documentation": {"version": "1",
            "documentationParts": [{"location": {"type": "METHOD", "path": "/a", "method": "GET"},
            "properties": {"description": "d"}}]}}"#;
        let parts = parse(definition).expect("a definition");
        assert_eq!(parts.len(), 1);
        assert_eq!((parts[0].0.kind.as_str(), parts[0].1.as_str()), ("METHOD", "{\"description\": \"d\"}"));
        assert_eq!(parse(b"{}").expect("nothing").len(), 0);
        assert!(parse(b"openapi: 3.0.1").is_err() && parse(&vec![b' '; DEFINITION_BYTES + 1]).is_err());
    }
}
