/// An access-log format, parsed once per stage; `V` is what stands for a variable.
#[derive(Debug)]
pub(crate) struct Format<V> {
    pieces: Vec<Piece<V>>,
}

#[derive(Debug)]
enum Piece<V> {
    Text(String),
    Variable(V),
}

impl<V> Format<V> {
    /// Reads a format; text without `$context.` stays as it is, what follows it is `named`. Line breaks become spaces: an exchange is
    /// one line.
    pub fn parse(format: &str, named: impl Fn(&str) -> V) -> Format<V> {
        const START: &str = "$context.";
        let mut pieces = Vec::new();
        let mut rest = format;
        while let Some(at) = rest.find(START) {
            pieces.push(Piece::Text(rest[..at].replace(['\r', '\n'], " ")));
            rest = &rest[at + START.len()..];
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'));
            let name = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            pieces.push(Piece::Variable(named(name)));
            rest = &rest[name.len()..];
        }
        pieces.push(Piece::Text(rest.replace(['\r', '\n'], " ")));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Format { pieces }
    }

    /// Appends the line for one exchange, whose variables `value` appends. One without a value is `-`.
    pub fn write(&self, line: &mut String, value: impl Fn(&mut String, &V)) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => line.push_str(text),
                Piece::Variable(variable) => {
                    let before = line.len();
                    value(line, variable);
                    if line.len() == before {
                        line.push('-');
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};
    use pitbird_names::Scope;

    use super::*;
    use crate::GatewayError;
    use crate::admitted::Admitted;
    use crate::context::{Place, Variable};
    use crate::story::{EndpointId, IntegrationStory, Story};

    const BROKEN: IntegrationStory = IntegrationStory {
        latency_us: 11_000,
        status: None,
        service_status: Some(200),
        error: None,
        endpoint_id: EndpointId::Own,
        streamed: None,
    };

    const NOBODY: Admitted = Admitted {
        signer: None,
        authorizer: None,
        api_key: None,
        authenticate: None,
        authorize: None,
        may_renew: false,
    };

    fn story(headers: &HeaderMap) -> Story<'_> {
        Story {
            method: "GET",
            path: ["/", "prod", "/pets/7"],
            protocol: "HTTP/1.1",
            domain_name: ["abc", ".execute-api.localhost"],
            domain_prefix: "abc",
            base_path: "",
            request_id: "r-1",
            extended_request_id: "x=",
            trace_id: None,
            source_ip: "127.0.0.1",
            headers,
            at_ms: 1_428_582_896_000,
            resource: Some(("res", "/pets/{id}")),
            deployment_id: "d2",
            is_canary: Some(true),
            status: 502,
            response_bytes: 36,
            latency_us: 12_900,
            integration: Some(&BROKEN),
            error: Some(&GatewayError::BadIntegrationAnswer),
            admitted: &NOBODY,
        }
    }

    #[test]
    fn a_line_has_the_values_and_dashes_for_the_rest() {
        let scope = Scope::default();
        let headers = HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_static("curl/8"))]);
        let place = Place { scope: &scope, api_id: "abc", stage: "prod" };
        for (format, line) in [
            ("$context.requestId", "r-1"),
            ("{\"id\":\"$context.requestId\",\"s\":$context.status}", "{\"id\":\"r-1\",\"s\":502}"),
            ("$context.identity.sourceIp - $context.identity.user", "127.0.0.1 - -"),
            ("\"$context.identity.userAgent\"", "\"curl/8\""),
            ("$context.isCanaryRequest $context.deploymentId", "true d2"),
            ("$context.responseLatency.", "12."),
            ("$context.error.messageString $context.integrationStatus", "\"Internal server error\" 200"),
            ("a\nb $context.unknown $stageVariables.x", "a b - $stageVariables.x"),
            ("$context.requestTime $context.requestTimeEpoch", "09/Apr/2015:12:34:56 +0000 1428582896000"),
            ("$context.domainName$context.path", "abc.execute-api.localhost/prod/pets/7"),
            ("$context.integration.latency $context.integrationLatency", "11 11"),
            ("$context.integration.requestId $context.awsEndpointRequestId", "r-1 r-1"),
        ] {
            let mut written = String::new();
            let told = story(&headers);
            Format::parse(format, Variable::named)
                .write(&mut written, |line, variable| variable.append(line, place, &told));
            assert_eq!(written, line, "{format}");
        }
    }
}
