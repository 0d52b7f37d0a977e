use crate::check::Pattern;
use std::sync::OnceLock;

/// Index of a shape in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShapeId(pub(crate) u32);

/// A type of a model.
#[derive(Debug)]
pub struct Shape {
    pub name: &'static str,
    pub kind: Kind,
    pub constraints: Constraints,
    /// Present if the shape is an error.
    pub error: Option<ErrorTrait>,
    /// Whether messages must not show the value.
    pub sensitive: bool,
    pub xml_namespace: Option<XmlNamespace>,
    /// The element's name if the shape is an XML root.
    pub wire_name: Option<&'static str>,
}

/// What sort of value a shape takes.
#[derive(Debug)]
pub enum Kind {
    Structure(Structure),
    List {
        member: Reference,
        flattened: bool,
    },
    Map {
        key: Reference,
        value: Reference,
        flattened: bool,
    },
    String,
    Boolean,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Long,
    /// 32 bits; kept as 64.
    Float,
    Double,
    Timestamp(Option<TimestampFormat>),
    Blob {
        streaming: bool,
    },
    /// Any JSON.
    Document,
}

#[derive(Debug, Default)]
pub struct Structure {
    /// In the model's order.
    pub members: Vec<Member>,
    /// Index of the member that is the whole body.
    pub payload: Option<usize>,
    pub union: bool,
    /// Whether the only body member is an XML document's root, with nothing around it.
    pub unwrapped: bool,
    /// Whether the structure's members are events of a stream.
    pub event_stream: bool,
    /// Wire names of the members that travel in the body, sorted, with their indices.
    pub(super) by_wire_name: Vec<(&'static str, u32)>,
}

impl Structure {
    /// The body member with this wire name.
    pub fn by_wire_name(&self, name: &str) -> Option<&Member> {
        let at = self.by_wire_name.binary_search_by(|(held, _)| (*held).cmp(name)).ok()?;
        Some(&self.members[self.by_wire_name[at].1 as usize])
    }

    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// A member of a structure.
#[derive(Debug)]
pub struct Member {
    pub name: &'static str,
    pub reference: Reference,
    pub location: Location,
    pub required: bool,
    /// Whether clients fill the member with a fresh UUID if the caller gives none.
    pub idempotency_token: bool,
    /// Whether the member is part of the host name.
    pub host_label: bool,
    /// Header value is base64 of JSON.
    pub json_value: bool,
    /// Whether the member is all of an event's payload.
    pub is_event_payload: bool,
}

impl Member {
    /// The member's name in bodies, headers, queries and paths.
    pub fn wire_name(&self) -> &'static str {
        self.reference.wire_name.unwrap_or(self.name)
    }
}

/// A use of a shape, with what the place adds to it.
#[derive(Debug, Clone)]
pub struct Reference {
    pub shape: ShapeId,
    pub wire_name: Option<&'static str>,
    pub flattened: bool,
    pub timestamp_format: Option<TimestampFormat>,
    pub xml_attribute: bool,
    pub xml_namespace: Option<XmlNamespace>,
}

impl Reference {
    /// A use of a shape where nothing is added.
    pub fn to(shape: ShapeId) -> Reference {
        Reference {
            shape,
            wire_name: None,
            flattened: false,
            timestamp_format: None,
            xml_attribute: false,
            xml_namespace: None,
        }
    }
}

/// Namespace of an element, with a prefix if it isn't the default one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XmlNamespace {
    pub uri: &'static str,
    pub prefix: Option<&'static str>,
}

/// Where in an HTTP message a member travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    Body,
    /// A label of the path.
    Uri,
    Query,
    Header,
    /// All headers with the wire name as prefix.
    Headers,
    StatusCode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampFormat {
    /// Seconds since 1970, as a number.
    Epoch,
    /// `2015-01-01T00:00:00Z`.
    Iso8601,
    /// `Thu, 01 Jan 2015 00:00:00 GMT`.
    HttpDate,
}

/// What values a shape allows.
#[derive(Debug, Default)]
pub struct Constraints {
    /// Length or value.
    pub min: Option<f64>,
    /// Length or value.
    pub max: Option<f64>,
    pub pattern: Option<&'static str>,
    /// All that is said of a text longer than `max`, whatever else is wrong. From patches.
    pub too_long: Option<&'static str>,
    /// Empty if any text is allowed.
    pub choices: Vec<&'static str>,
    pub(crate) compiled: OnceLock<Pattern>,
}

/// What an error shape says of its answer.
#[derive(Debug, Clone, Default)]
pub struct ErrorTrait {
    pub status: Option<u16>,
    /// The code if it isn't the shape's name.
    pub code: Option<&'static str>,
    /// Whether the server is to blame.
    pub server_fault: bool,
}
