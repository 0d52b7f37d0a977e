use thiserror::Error;

/// Why no description can be made of a document at all. What is wrong with parts of one is in
/// [`Document::errors`](crate::Document::errors) and [`Document::warnings`](crate::Document::warnings).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    #[error("the document has more than {0} bytes")]
    TooLong(usize),
    #[error("the document is neither JSON nor YAML: {0}")]
    Unreadable(String),
    #[error("the document has the key '{0}' twice in one mapping")]
    Twice(String),
    #[error("there is another document behind the first one")]
    Documents,
    #[error("the document nests deeper than {0} levels")]
    TooDeep(usize),
    /// Aliases or references that repeat too much: a bomb.
    #[error("the document's references repeat more than {0} bytes")]
    Expands(usize),
    /// Neither `swagger: "2.0"` nor `openapi: 3.0.x`.
    #[error("the document is no Swagger 2.0 or OpenAPI 3.0")]
    Version,
}
