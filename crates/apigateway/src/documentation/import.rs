//! Documentation parts in an OpenAPI document: its member `x-amazon-apigateway-documentation`.

use pitbird_openapi::read;
use pitbird_records::DocumentationLocation;

use crate::{Error, import};

/// A part's place and properties.
pub type Part = (DocumentationLocation, String);

/// The parts that a document describes, as it gives them, and what is wrong with the others.
pub fn parse(document: &[u8]) -> Result<(Vec<Part>, Vec<String>), Error> {
    let (described, warnings) = read::documentation(document).map_err(import::unfit)?;
    let parts = described.into_iter().map(|part| {
        let pitbird_openapi::document::DocumentationPart { kind, path, method, status_code, name, .. } = part;
        (DocumentationLocation { kind, path, method, status_code, name }, part.properties.to_string())
    });
    Ok((parts.collect(), warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_in_their_member() {
        let document = br#"{"openapi": "3.0.1", "x-amazon-apigateway-documentation": {"version": "1",
            "documentationParts": [{"location": {"type": "METHOD", "path": "/a", "method": "GET"},
            "properties": {"description": "d"}}, {"location": {}}]}}"#;
        let (parts, warnings) = parse(document).expect("a document");
        assert_eq!((parts.len(), warnings.len()), (1, 1));
        assert_eq!((parts[0].0.kind.as_str(), parts[0].1.as_str()), ("METHOD", "{\"description\":\"d\"}"));
        assert_eq!(parse(b"openapi: 3.0.1").expect("YAML"), (vec![], vec![]));
        for body in [&b"{}"[..], b"[]", b"{", b""] {
            assert_eq!(parse(body).expect_err("no document").to_string(), "Invalid OpenAPI input.");
        }
    }
}
