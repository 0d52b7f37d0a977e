use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::{Map, Value as Json};

use super::Schema;
use super::node::{Additional, Dependency, Format, Items, Kind, Node};

/// How deep schemas may lead into each other while one body is looked at: JSON itself is no deeper than 128.
const DEPTH_MAX: usize = 256;
/// How many schemas may be looked at for one body.
const STEPS_MAX: usize = 1_000_000;
/// Faults that are told of one body.
const FAULTS_MAX: usize = 100;

impl Schema {
    /// What is wrong with a value, in the words of API Gateway's validator; nothing, and it fits.
    pub fn faults(&self, value: &Json) -> Vec<String> {
        let mut check = Check { schema: self, steps: 0, is_lost: false };
        let mut faults = Vec::new();
        check.node(0, value, 0, &mut faults);
        if check.is_lost {
            faults.push("the schema leads in circles".to_owned());
        }
        faults.truncate(FAULTS_MAX);
        faults
    }
}

struct Check<'s> {
    schema: &'s Schema,
    steps: usize,
    is_lost: bool,
}

impl<'s> Check<'s> {
    fn node(&mut self, at: usize, value: &Json, depth: usize, faults: &mut Vec<String>) {
        self.steps += 1;
        if depth > DEPTH_MAX || self.steps > STEPS_MAX {
            self.is_lost = true;
            return;
        }
        let node = &self.schema.nodes[at];
        if let Some(reference) = node.reference {
            return self.node(reference, value, depth + 1, faults);
        }
        if !is_of_kind(node, value) {
            let kind = Kind::of(value).as_str();
            let allowed: Vec<&str> = node.types.iter().map(|kind| kind.as_str()).collect();
            faults.push(format!(
                "instance type ({kind}) does not match any allowed primitive type (allowed: {})",
                listed(&allowed)
            ));
            return;
        }
        if let Some(values) = &node.values
            && !values.iter().any(|one| is_same(one, value))
        {
            let possible = Json::from(values.clone());
            faults.push(format!("instance value ({value}) not found in enum (possible values: {possible})"));
        }
        match value {
            Json::Number(number) => numbers(node, number, faults),
            Json::String(text) => strings(node, text, faults),
            Json::Array(items) => self.array(node, items, depth, faults),
            Json::Object(members) => self.object(node, value, members, depth, faults),
            Json::Null | Json::Bool(_) => {}
        }
        self.combined(node, value, depth, faults);
    }

    fn fits(&mut self, at: usize, value: &Json, depth: usize) -> bool {
        let mut faults = Vec::new();
        self.node(at, value, depth + 1, &mut faults);
        faults.is_empty() && !self.is_lost
    }

    fn combined(&mut self, node: &Node, value: &Json, depth: usize, faults: &mut Vec<String>) {
        let mut fitting = |of: &[usize]| of.iter().filter(|at| self.fits(**at, value, depth)).count();
        let (all, any, one) = (fitting(&node.all_of), fitting(&node.any_of), fitting(&node.one_of));
        let count = node.all_of.len();
        if all < count {
            faults.push(format!(
                "instance failed to match all required schemas (matched only {all} out of {count})"
            ));
        }
        let count = node.any_of.len();
        if count > 0 && any == 0 {
            faults.push(format!("instance failed to match at least one required schema among {count}"));
        }
        let count = node.one_of.len();
        if count > 0 && one != 1 {
            faults
                .push(format!("instance failed to match exactly one schema (matched {one} out of {count})"));
        }
        if node.not.is_some_and(|not| self.fits(not, value, depth)) {
            faults.push("instance matched a schema which it should not have".to_owned());
        }
    }

    fn array(&mut self, node: &Node, items: &[Json], depth: usize, faults: &mut Vec<String>) {
        let count = items.len() as u64;
        if let Some(min) = node.counts.min.filter(|min| count < *min) {
            faults.push(format!(
                "array is too short: must have at least {min} elements but instance has {count} elements"
            ));
        }
        if let Some(max) = node.counts.max.filter(|max| count > *max) {
            faults.push(format!(
                "array is too long: must have at most {max} elements but instance has {count} elements"
            ));
        }
        if node.are_unique && !are_unique(items) {
            faults.push("array must not contain duplicate elements".to_owned());
        }
        for (at, item) in items.iter().enumerate() {
            let schema = match &node.items {
                Items::Any => continue,
                Items::All(schema) => *schema,
                Items::Each(schemas) => match (schemas.get(at), node.additional_items) {
                    (Some(schema), _) => *schema,
                    (None, Additional::Like(schema)) => schema,
                    (None, Additional::Any) => break,
                    (None, Additional::None) => {
                        let most = schemas.len();
                        faults.push(format!(
                            "array has too many elements: instance has {count} elements but only {most} are allowed"
                        ));
                        break;
                    }
                },
            };
            self.node(schema, item, depth + 1, faults);
        }
    }

    fn object(
        &mut self,
        node: &Node,
        value: &Json,
        members: &Map<String, Json>,
        depth: usize,
        faults: &mut Vec<String>,
    ) {
        let count = members.len() as u64;
        if let Some(min) = node.members.min.filter(|min| count < *min) {
            faults.push(format!(
                "object has too few properties (found {count} but schema requires at least {min})"
            ));
        }
        if let Some(max) = node.members.max.filter(|max| count > *max) {
            faults.push(format!(
                "object has too many properties (found {count} but schema requires at most {max})"
            ));
        }
        let missing = missing(&node.required, members);
        if !missing.is_empty() {
            faults.push(format!("object has missing required properties ({})", listed(&missing)));
        }
        let mut unwanted = Vec::new();
        for (name, member) in members {
            self.member(node, (name, member), depth, &mut unwanted, faults);
        }
        if !unwanted.is_empty() {
            unwanted.sort_unstable();
            faults.push(format!(
                "object instance has properties which are not allowed by the schema: {}",
                listed(&unwanted)
            ));
        }
        for (name, dependency) in node.dependencies.iter().filter(|(name, _)| members.contains_key(name)) {
            match dependency {
                Dependency::Schema(schema) => self.node(*schema, value, depth + 1, faults),
                Dependency::Members(needed) => {
                    let absent = self::missing(needed, members);
                    if !absent.is_empty() {
                        let needed: Vec<&str> = needed.iter().map(String::as_str).collect();
                        faults.push(format!(
                            "property \"{name}\" of object has missing property dependencies (schema requires {}; missing: {})",
                            listed(&needed),
                            listed(&absent)
                        ));
                    }
                }
            }
        }
    }

    fn member<'v>(
        &mut self,
        node: &Node,
        (name, value): (&'v str, &Json),
        depth: usize,
        unwanted: &mut Vec<&'v str>,
        faults: &mut Vec<String>,
    ) {
        let mut is_spoken_of = false;
        if let Some((_, schema)) = node.properties.iter().find(|(property, _)| property == name) {
            is_spoken_of = true;
            self.node(*schema, value, depth + 1, faults);
        }
        for (_, schema) in node.patterns.iter().filter(|(pattern, _)| pattern.is_match(name)) {
            is_spoken_of = true;
            self.node(*schema, value, depth + 1, faults);
        }
        match node.additional {
            _ if is_spoken_of => {}
            Additional::Any => {}
            Additional::None => unwanted.push(name),
            Additional::Like(schema) => self.node(schema, value, depth + 1, faults),
        }
    }
}

fn is_of_kind(node: &Node, value: &Json) -> bool {
    let kind = Kind::of(value);
    let is = |wanted: &Kind| *wanted == kind || (*wanted == Kind::Number && kind == Kind::Integer);
    node.types.is_empty() || node.types.iter().any(is)
}

fn numbers(node: &Node, number: &serde_json::Number, faults: &mut Vec<String>) {
    let of = |number: &serde_json::Number| number.as_f64().unwrap_or(f64::NAN);
    let value = of(number);
    if let Some((limit, is_exclusive)) = &node.minimum {
        if value < of(limit) {
            faults.push(format!(
                "numeric instance is lower than the required minimum (minimum: {limit}, found: {number})"
            ));
        } else if *is_exclusive && value == of(limit) {
            faults
                .push(format!("numeric instance is not strictly greater than the required minimum {limit}"));
        }
    }
    if let Some((limit, is_exclusive)) = &node.maximum {
        if value > of(limit) {
            faults.push(format!(
                "numeric instance is greater than the required maximum (maximum: {limit}, found: {number})"
            ));
        } else if *is_exclusive && value == of(limit) {
            faults.push(format!("numeric instance is not strictly lower than the required maximum {limit}"));
        }
    }
    if let Some(divisor) = &node.multiple_of {
        let quotient = value / of(divisor);
        // Decimal fractions aren't exact: 0.3 is a multiple of 0.1.
        let is_whole = (quotient - quotient.round()).abs() <= 1e-9 * quotient.abs().max(1.0);
        if !is_whole {
            faults.push(format!("remainder of division is not zero ({number} / {divisor})"));
        }
    }
}

fn strings(node: &Node, text: &str, faults: &mut Vec<String>) {
    let quoted = Json::from(text);
    let length = text.chars().count() as u64;
    if let Some(min) = node.lengths.min.filter(|min| length < *min) {
        faults.push(format!("string {quoted} is too short (length: {length}, required minimum: {min})"));
    }
    if let Some(max) = node.lengths.max.filter(|max| length > *max) {
        faults.push(format!("string {quoted} is too long (length: {length}, maximum allowed: {max})"));
    }
    if let Some((pattern, regex)) = &node.pattern
        && !regex.is_match(text)
    {
        faults.push(format!("ECMA 262 regex \"{pattern}\" does not match input string {quoted}"));
    }
    let words = match node.format {
        Some(Format::DateTime) if !is_date_time(text) => {
            "is invalid against requested date format(s) [\"yyyy-MM-dd'T'HH:mm:ssZ\", \"yyyy-MM-dd'T'HH:mm:ss.SSSZ\"]"
        }
        Some(Format::Email) if !is_email(text) => "is not a valid email address",
        Some(Format::Ipv4) if text.parse::<Ipv4Addr>().is_err() => "is not a valid IPv4 address",
        Some(Format::Ipv6) if text.parse::<Ipv6Addr>().is_err() => "is not a valid IPv6 address",
        _ => return,
    };
    faults.push(format!("string {quoted} {words}"));
}

/// RFC 3339's shape; which days a month has isn't looked at.
fn is_date_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = b"0000-00-00T00:00:00";
    let Some((head, tail)) = bytes.split_at_checked(shape.len()) else { return false };
    let fits =
        |(byte, wanted): (&u8, &u8)| if *wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
    let offset = match tail.strip_prefix(b".") {
        Some(rest) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &rest[digits..]
        }
        None => tail,
    };
    let is_offset = match offset {
        b"Z" => true,
        [b'+' | b'-', hours @ ..] => match hours {
            [a, b, b':', c, d] | [a, b, c, d] => [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()),
            _ => false,
        },
        _ => false,
    };
    head.iter().zip(shape).all(fits) && is_offset
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}

fn missing<'n>(required: &'n [String], members: &Map<String, Json>) -> Vec<&'n str> {
    let mut missing: Vec<&str> =
        required.iter().map(String::as_str).filter(|name| !members.contains_key(*name)).collect();
    missing.sort_unstable();
    missing
}

fn is_same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Texts are compared once sorted, since items may be many.
fn are_unique(items: &[Json]) -> bool {
    let mut texts: Vec<String> = items.iter().map(Json::to_string).collect();
    texts.sort_unstable();
    texts.windows(2).all(|pair| pair[0] != pair[1])
}

/// `["a","b"]`.
fn listed(words: &[&str]) -> String {
    Json::from(words.to_vec()).to_string()
}
