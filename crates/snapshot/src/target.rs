use pitbird_names::{FunctionRef, Qualifier, Scope, arn};
use pitbird_records::Texts;
use thiserror::Error;

use crate::FunctionKey;

/// What an integration's URI names once a track's variables are put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Function(LambdaTarget),
    Http(HttpTarget),
    Service(ServiceTarget),
}

/// A function as a stage's track names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaTarget {
    pub function: FunctionKey,
    pub qualifier: Option<Qualifier>,
}

/// An HTTP endpoint; `{name}` in its URI still stands for the integration's path parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpTarget {
    pieces: Vec<Piece>,
}

/// An operation of an AWS service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTarget {
    pub region: String,
    /// `sqs`, `dynamodb` …
    pub service: String,
    /// What stands before the service: `bucket.s3`.
    pub subdomain: Option<String>,
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `path/…`: the request goes there.
    Path(HttpTarget),
    /// `action/Name` with the URI's further parameters: `Name&Version=…`.
    Name(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Parameter(String),
}

/// A URI that, with the track's variables put in, names nothing that can be called.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("integration URI doesn't name a function: {0}")]
pub struct Unrenderable(pub String);

impl HttpTarget {
    fn parse(uri: &str) -> HttpTarget {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = uri;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, tail)) = after.split_once('}') else { break };
            text.push_str(before);
            rest = tail;
            // `${…}` that is no stage variable is left alone.
            if before.ends_with('$') {
                text.extend(["{", name, "}"]);
                continue;
            }
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Parameter(name.trim_end_matches('+').to_owned()));
        }
        text.push_str(rest);
        pieces.push(Piece::Text(text));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        HttpTarget { pieces }
    }

    /// The URI as it is, where it has no parameters.
    pub fn fixed(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The URI with path parameters put in, as they are: whoever has them decoded encodes them first. One without a value is
    /// nothing.
    pub fn with<'a>(&self, parameter: impl Fn(&str) -> Option<&'a str>) -> String {
        let mut uri = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => uri.push_str(text),
                Piece::Parameter(name) => uri.push_str(parameter(name).unwrap_or_default()),
            }
        }
        uri
    }
}

/// An integration's URI and role, with their `${stageVariables.NAME}` still in place.
#[derive(Debug)]
pub(crate) struct TargetTemplate {
    pub uri: UriTemplate,
    /// The role in whose name AWS is called.
    pub role: Option<String>,
}

#[derive(Debug)]
pub(crate) enum UriTemplate {
    /// `arn:aws:apigateway:{region}:{service}:{path|action}/…`.
    Aws(String),
    Http(String),
}

impl TargetTemplate {
    pub fn render_role(&self, variables: &Texts) -> Option<String> {
        self.role.as_deref().map(|role| substitute(role, variables))
    }

    /// What is named with these variables. An undefined variable is an empty string. Of functions, only those of the API's own
    /// account may be named through a stage variable.
    pub fn render(&self, variables: &Texts, scope: &Scope) -> Result<Target, Unrenderable> {
        match &self.uri {
            UriTemplate::Http(uri) => Ok(Target::Http(HttpTarget::parse(&substitute(uri, variables)))),
            UriTemplate::Aws(uri) => {
                let uri = substitute(uri, variables);
                aws(&uri, scope).ok_or(Unrenderable(uri))
            }
        }
    }
}

fn aws(uri: &str, scope: &Scope) -> Option<Target> {
    let parts = arn::parse(uri).filter(|parts| parts.service == "apigateway")?;
    // In these ARNs the called service stands where others have the account.
    let (subdomain, service) = match parts.account.rsplit_once('.') {
        Some((subdomain, service)) => (Some(subdomain.to_owned()), service),
        None => (None, parts.account),
    };
    if service == "lambda"
        && let Some(path) = parts.resource.strip_prefix("path/")
        // API Gateway tolerates a doubled slash here.
        && let Some(rest) = path.trim_start_matches('/').strip_prefix("2015-03-31/functions/")
        && let Some(function) = rest.strip_suffix("/invocations")
    {
        let parsed = FunctionRef::parse(function).ok()?;
        let scope = parsed.scope(scope);
        let function = FunctionKey { scope, name: parsed.name };
        return Some(Target::Function(LambdaTarget { function, qualifier: parsed.qualifier }));
    }
    let action = match parts.resource.split_once('/')? {
        ("path", path) => Action::Path(HttpTarget::parse(&["/", path.trim_start_matches('/')].concat())),
        ("action", name) if !name.is_empty() => Action::Name(name.to_owned()),
        _ => return None,
    };
    let (region, service) = (parts.region.to_owned(), service.to_owned());
    Some(Target::Service(ServiceTarget { region, service, subdomain, action }))
}

/// Puts variables in for `${stageVariables.NAME}`; any other `${…}` stays.
pub(crate) fn substitute(text: &str, variables: &Texts) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) => {
                out.push_str(variables.get(name).map_or("", String::as_str));
                rest = tail;
            }
            None => {
                out.push_str("${stageVariables.");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aws_template(uri: &str) -> TargetTemplate {
        TargetTemplate { uri: UriTemplate::Aws(uri.to_owned()), role: None }
    }

    fn http_template(uri: &str) -> TargetTemplate {
        TargetTemplate { uri: UriTemplate::Http(uri.to_owned()), role: None }
    }

    fn variables() -> Texts {
        Texts::from([("alias".to_owned(), "live".to_owned()), ("host".to_owned(), "example.com".to_owned())])
    }

    #[test]
    fn variables_choose_the_alias() {
        let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                   arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.alias}/invocations";
        let template = aws_template(uri);
        let Ok(Target::Function(target)) = template.render(&variables(), &Scope::default()) else {
            panic!("a function")
        };
        assert_eq!(target.function.name, "f");
        assert_eq!(target.qualifier, Some(Qualifier::Alias("live".to_owned())));
        assert!(
            template.render(&Texts::new(), &Scope::default()).is_err(),
            "an empty qualifier names nothing"
        );
    }

    #[test]
    fn path_parameters_stand_where_the_uri_has_them() {
        let uri = "https://${stageVariables.host}/pets/{id}/{rest+}?x={id}&y=${other}";
        let Ok(Target::Http(target)) = http_template(uri).render(&variables(), &Scope::default()) else {
            panic!("an endpoint")
        };
        assert_eq!(target.fixed(), None);
        let value =
            |name: &str| [("id", "7"), ("rest", "a/b")].iter().find(|pair| pair.0 == name).map(|pair| pair.1);
        assert_eq!(target.with(value), "https://example.com/pets/7/a/b?x=7&y=${other}");
        let fixed = http_template("http://a/b").render(&variables(), &Scope::default());
        let Ok(Target::Http(fixed)) = fixed else { panic!("an endpoint") };
        assert_eq!(fixed.fixed(), Some("http://a/b"));
    }

    #[test]
    fn services_are_named_with_their_action() {
        for (uri, service, subdomain, action) in [
            (
                "sqs:path/000000000000/queue",
                "sqs",
                None,
                Action::Path(HttpTarget::parse("/000000000000/queue")),
            ),
            ("dynamodb:action/PutItem", "dynamodb", None, Action::Name("PutItem".to_owned())),
            ("b.s3:path/{key}", "s3", Some("b"), Action::Path(HttpTarget::parse("/{key}"))),
        ] {
            let template = aws_template(&format!("arn:aws:apigateway:eu-west-1:{uri}"));
            let Ok(Target::Service(target)) = template.render(&Texts::new(), &Scope::default()) else {
                panic!("{uri}")
            };
            assert_eq!((target.service.as_str(), target.subdomain.as_deref()), (service, subdomain));
            assert_eq!((target.region.as_str(), target.action), ("eu-west-1", action));
        }
        for uri in [
            "arn:aws:apigateway:us-east-1:sqs:queue",
            "arn:aws:sqs:us-east-1:0:q",
            "",
            "arn:aws:apigateway:us-east-1:sqs:action/",
        ] {
            let rendered = aws_template(uri).render(&Texts::new(), &Scope::default());
            assert!(rendered.is_err(), "{uri}");
        }
    }
}
