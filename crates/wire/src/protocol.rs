/// How calls and answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Paths, headers and JSON bodies.
    RestJson,
    /// Paths, headers and XML bodies.
    RestXml,
    /// `X-Amz-Target` and JSON bodies, `application/x-amz-json-1.0`.
    Json10,
    /// `X-Amz-Target` and JSON bodies, `application/x-amz-json-1.1`.
    Json11,
    /// Forms in, XML out.
    Query,
    /// Smithy RPC v2 with CBOR bodies.
    Cbor,
}

impl Protocol {
    /// Whether operations are told apart by method and path.
    pub fn is_rest(self) -> bool {
        matches!(self, Protocol::RestJson | Protocol::RestXml)
    }

    pub fn is_json(self) -> bool {
        matches!(self, Protocol::RestJson | Protocol::Json10 | Protocol::Json11)
    }

    /// The content type of bodies that are documents.
    pub fn content_type(self) -> &'static str {
        match self {
            Protocol::RestJson => "application/json",
            Protocol::RestXml => "application/xml",
            Protocol::Json10 => "application/x-amz-json-1.0",
            Protocol::Json11 => "application/x-amz-json-1.1",
            Protocol::Query => "text/xml",
            Protocol::Cbor => "application/cbor",
        }
    }
}
