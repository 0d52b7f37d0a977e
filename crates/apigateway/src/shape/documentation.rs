use pitbird_records as records;
use serde::Serialize;

use super::seconds;

#[derive(Debug, Serialize)]
pub struct DocumentationPart {
    id: String,
    location: DocumentationLocation,
    properties: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DocumentationLocation {
    #[serde(rename = "type")]
    kind: String,
    path: Option<String>,
    method: Option<String>,
    status_code: Option<String>,
    name: Option<String>,
}

impl From<records::DocumentationPart> for DocumentationPart {
    fn from(part: records::DocumentationPart) -> DocumentationPart {
        let records::DocumentationLocation { kind, path, method, status_code, name } = part.location;
        let location = DocumentationLocation { kind, path, method, status_code, name };
        DocumentationPart { id: part.id, location, properties: part.properties }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentationVersion {
    version: String,
    created_date: f64,
    description: Option<String>,
}

impl From<records::DocumentationVersion> for DocumentationVersion {
    fn from(version: records::DocumentationVersion) -> DocumentationVersion {
        DocumentationVersion {
            version: version.version,
            created_date: seconds(version.created_ms),
            description: version.description,
        }
    }
}
