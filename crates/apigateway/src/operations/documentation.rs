//! What an API's owner writes about its parts.

mod create_documentation_part;
mod create_documentation_version;
mod delete_documentation_part;
mod delete_documentation_version;
mod get_documentation_part;
mod get_documentation_parts;
mod get_documentation_version;
mod get_documentation_versions;
mod import_documentation_parts;
mod update_documentation_part;
mod update_documentation_version;

use pitbird_service::Builder;

use crate::State;

/// Hangs the family in.
pub fn hang(builder: Builder<State>) -> Builder<State> {
    builder
        .operation("CreateDocumentationPart", &[], create_documentation_part::run)
        .operation("CreateDocumentationVersion", &[], create_documentation_version::run)
        .operation("DeleteDocumentationPart", &[], delete_documentation_part::run)
        .operation("DeleteDocumentationVersion", &[], delete_documentation_version::run)
        .operation("GetDocumentationPart", &[], get_documentation_part::run)
        .operation("GetDocumentationParts", &[], get_documentation_parts::run)
        .operation("GetDocumentationVersion", &[], get_documentation_version::run)
        .operation("GetDocumentationVersions", &[], get_documentation_versions::run)
        .operation("ImportDocumentationParts", &[], import_documentation_parts::run)
        .operation("UpdateDocumentationPart", &[], update_documentation_part::run)
        .operation("UpdateDocumentationVersion", &[], update_documentation_version::run)
}
