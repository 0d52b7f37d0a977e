use crate::codec::{DEPTH_MAX, DecodeError};
use quick_xml::Reader;
use quick_xml::events::Event;

/// Elements of one document.
const ELEMENTS_MAX: usize = 1_000_000;

/// An element with all that is in it. Names are without prefix.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Element {
    pub name: String,
    /// Name (with prefix) and value.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Element>,
    pub text: String,
}

impl Element {
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }
}

fn malformed(error: impl std::fmt::Display) -> DecodeError {
    DecodeError::Malformed(format!("XML: {error}"))
}

fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

/// Reads a document. Entities other than XML's own five and characters by number are refused.
pub fn parse(body: &[u8]) -> Result<Element, DecodeError> {
    let text = std::str::from_utf8(body).map_err(malformed)?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    let mut elements = 0;
    loop {
        let event = reader.read_event().map_err(malformed)?;
        let top = open.last_mut().expect("the document itself is never closed");
        match event {
            Event::Start(start) => {
                elements += 1;
                if open.len() > DEPTH_MAX * 2 || elements > ELEMENTS_MAX {
                    return Err(DecodeError::Depth);
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => top.children.push(element(&start)?),
            Event::End(_) => {
                let closed = open.pop().expect("checked above");
                let parent = open.last_mut().ok_or_else(|| malformed("end without start"))?;
                parent.children.push(closed);
            }
            Event::Text(text) => top.text.push_str(&text),
            Event::CData(data) => top.text.push_str(&data),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().map_err(malformed)? {
                Some(character) => top.text.push(character),
                None => top.text.push(entity(&reference).ok_or_else(|| malformed("unknown entity"))?),
            },
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let (1, Some(mut document)) = (open.len(), open.pop()) else {
        return Err(malformed("an element is not closed"));
    };
    match document.children.len() {
        1 => Ok(document.children.swap_remove(0)),
        _ => Err(malformed("a document has one root")),
    }
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> Result<Element, DecodeError> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(malformed)?;
        let name = attribute.key.as_ref().to_owned();
        let value = quick_xml::escape::unescape(&attribute.value).map_err(malformed)?.into_owned();
        attributes.push((name, value));
    }
    Ok(Element { name: local(start.name().as_ref()), attributes, ..Element::default() })
}
