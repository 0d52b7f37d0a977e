use pitbird_records as records;

use crate::schema::{BadSchema, Models, Schema};

/// What of a method's requests is checked before its integration is asked.
#[derive(Debug)]
pub struct Validation {
    /// In the order in which those that are missing are told.
    pub required: Vec<RequiredParameter>,
    /// By media type; empty where bodies aren't checked.
    pub(crate) bodies: Vec<(String, Result<Schema, BadSchema>)>,
}

/// A parameter that has to be there, and not be empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequiredParameter {
    pub place: ParameterPlace,
    pub name: String,
}

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParameterPlace {
    Header,
    Path,
    Query,
}

impl ParameterPlace {
    /// Reads `header.X`, `path.X` and `querystring.X`.
    pub fn parse(text: &str) -> Option<(ParameterPlace, &str)> {
        let (place, name) = text.split_once('.')?;
        let place = match place {
            "header" => ParameterPlace::Header,
            "path" => ParameterPlace::Path,
            "querystring" => ParameterPlace::Query,
            _ => return None,
        };
        Some((place, name))
    }
}

impl Validation {
    /// `None` where nothing is checked.
    pub(crate) fn compile(
        method: &records::Method,
        validators: &[records::RequestValidator],
        models: &[records::Model],
        parsed: &Models,
    ) -> Option<Validation> {
        let id = method.request_validator_id.as_deref()?;
        let validator = validators.iter().find(|validator| validator.id == id)?;
        let mut required = Vec::new();
        if validator.validate_request_parameters {
            let named = method.request_parameters.iter().filter(|(_, is_required)| **is_required);
            required.extend(named.filter_map(|(name, _)| {
                let (place, name) = ParameterPlace::parse(name.strip_prefix("method.request.")?)?;
                Some(RequiredParameter { place, name: name.to_owned() })
            }));
            required.sort();
        }
        let mut bodies = Vec::new();
        if validator.validate_request_body {
            bodies.extend(method.request_models.iter().filter_map(|(media, name)| {
                // `Empty` and `Error` are there from an API's beginning, and may be deleted.
                let model = models.iter().find(|model| model.name == *name)?;
                let schema = model.schema.as_deref().filter(|schema| !schema.trim().is_empty())?;
                Some((media.clone(), Schema::compile(schema, parsed)))
            }));
        }
        (!required.is_empty() || !bodies.is_empty()).then_some(Validation { required, bodies })
    }

    /// What is wrong with a body: nothing where no model speaks of its media type. An empty body counts as `{}`.
    ///
    /// # Errors
    /// The faults, as `$context.error.validationErrorString` shows them.
    pub fn check_body(&self, content_type: Option<&str>, body: &[u8]) -> Result<(), String> {
        if self.bodies.is_empty() {
            return Ok(());
        }
        let media = content_type.map_or("application/json", |text| text.split(';').next().unwrap_or(text));
        let media = media.trim();
        let named = |wanted: &str| {
            self.bodies.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, schema)| schema)
        };
        let Some(schema) = named(media).or_else(|| named("$default")) else { return Ok(()) };
        let schema = schema.as_ref().map_err(|fault| format!("[{fault}]"))?;
        let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
        let value = serde_json::from_slice(body).map_err(|_| "[the body is no JSON]".to_owned())?;
        let faults = schema.faults(&value);
        if faults.is_empty() { Ok(()) } else { Err(format!("[{}]", faults.join(", "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(media: &str, schema: &str) -> Validation {
        let model = records::Model {
            scope: Default::default(),
            api_id: "abc".into(),
            id: "m".into(),
            name: "Pet".into(),
            description: None,
            schema: Some(schema.into()),
            content_type: "application/json".into(),
        };
        let validator = records::RequestValidator {
            scope: Default::default(),
            api_id: "abc".into(),
            id: "v".into(),
            name: None,
            validate_request_body: true,
            validate_request_parameters: true,
        };
        let required = |name: &str, is_required| (format!("method.request.{name}"), is_required);
        let method = records::Method {
            request_validator_id: Some("v".into()),
            request_parameters: [
                required("querystring.a", true),
                required("header.z", true),
                required("header.b", true),
                required("header.c", false),
                required("path.p", true),
            ]
            .into(),
            request_models: [(media.to_owned(), "Pet".to_owned())].into(),
            ..Default::default()
        };
        Validation::compile(&method, &[validator], &[model], &Models::default()).unwrap()
    }

    #[test]
    fn parameters_are_in_the_order_of_the_message() {
        let names: Vec<String> =
            compiled("application/json", "{}").required.into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["b", "z", "p", "a"]);
    }

    #[test]
    fn a_body_is_held_against_its_media_types_model() {
        let validation = compiled("application/json", r#"{"type":"object","required":["id"]}"#);
        for (media, body, expected) in [
            (None, &br#"{"id":1}"#[..], Ok(())),
            (
                Some("Application/JSON; charset=utf-8"),
                b"",
                Err(r#"[object has missing required properties (["id"])]"#),
            ),
            (None, b"{", Err("[the body is no JSON]")),
            (Some("text/plain"), b"{", Ok(())),
        ] {
            assert_eq!(validation.check_body(media, body), expected.map_err(str::to_owned), "{media:?}");
        }
        let all = compiled("$default", r#"{"type":"object"}"#);
        assert!(all.check_body(Some("text/plain"), b"1").is_err());
        let bad = compiled("application/json", r#"{"type":"thing"}"#);
        assert_eq!(bad.check_body(None, b"{}"), Err("[type has a value that it can't have]".to_owned()));
    }
}
