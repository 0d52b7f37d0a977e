/// What an invoke URL names: an API, a stage, and the path that the stage's deployment routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    pub api: &'a str,
    pub stage: &'a str,
    /// Below the stage: begins with one `/`, still percent-encoded.
    pub path: &'a str,
    /// Below the stage exactly as it came, maybe with doubled slashes or empty.
    pub raw_path: &'a str,
    /// The caller's own host name when it named the API, else `None`.
    pub domain: Option<&'a str>,
    /// Of a request to a custom domain: its whole path, and the base path that led here.
    pub mapped: Option<(&'a str, &'a str)>,
}

impl<'a> Target<'a> {
    /// Reads the forms of invoke URLs; `None` when a request isn't meant for an API:
    ///
    /// - host `{api}.execute-api.…`, path `/{stage}/…`
    /// - path `/_aws/execute-api/{api}/{stage}/…`; an HTTP API's stage at its root may be named (`$default`) or left out
    /// - path `/restapis/{api}/{stage}/_user_request_/…`
    pub fn parse(host: &'a str, path: &'a str) -> Option<Target<'a>> {
        let name = host.split(':').next().unwrap_or(host);
        if let Some(end) = memchr::memmem::find(name.as_bytes(), b".execute-api.") {
            let api = &name[..end];
            let (stage, raw_path) = part(path.strip_prefix('/')?);
            return Some(Target::new(api, stage, raw_path, Some(name)));
        }
        if let Some(rest) = path.strip_prefix("/_aws/execute-api/") {
            let (api, rest) = part(rest);
            let (stage, raw_path) = part(rest.strip_prefix('/').unwrap_or(rest));
            return Some(Target::new(api, stage, raw_path, None));
        }
        let (api, rest) = part(path.strip_prefix("/restapis/")?);
        let (stage, rest) = part(rest.strip_prefix('/')?);
        let raw_path = rest.strip_prefix("/_user_request_")?;
        (raw_path.is_empty() || raw_path.starts_with('/')).then(|| Target::new(api, stage, raw_path, None))
    }

    /// Is the stage at an API's root named, which no URL of AWS's own does?
    pub(crate) fn names_default(&self) -> bool {
        let is_own_form = self.domain.is_none() && self.mapped.is_none();
        is_own_form && matches!(self.stage, "$default" | "%24default")
    }

    pub(crate) fn new(
        api: &'a str,
        stage: &'a str,
        raw_path: &'a str,
        domain: Option<&'a str>,
    ) -> Target<'a> {
        let doubled = raw_path.bytes().take_while(|b| *b == b'/').count().saturating_sub(1);
        let path = if raw_path.is_empty() { "/" } else { &raw_path[doubled..] };
        Target { api, stage, path, raw_path, domain, mapped: None }
    }
}

/// What a function's URL names: the URL's id, and the path below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UrlTarget<'a> {
    pub id: &'a str,
    /// Begins with a `/`, still percent-encoded.
    pub path: &'a str,
    /// The caller's own host name when it named the URL, else `None`.
    pub domain: Option<&'a str>,
}

impl<'a> UrlTarget<'a> {
    /// Reads the forms of function URLs; `None` when a request isn't meant for one:
    ///
    /// - host `{id}.lambda-url.…`
    /// - path `/_aws/lambda-url/{id}/…`
    pub fn parse(host: &'a str, path: &'a str) -> Option<UrlTarget<'a>> {
        let name = host.split(':').next().unwrap_or(host);
        if let Some((id, _)) = name.split_once(".lambda-url.") {
            return Some(UrlTarget { id, path, domain: Some(name) });
        }
        let (id, path) = part(path.strip_prefix("/_aws/lambda-url/")?);
        Some(UrlTarget { id, path: if path.is_empty() { "/" } else { path }, domain: None })
    }
}

/// The text up to the first `/`, and the rest with it.
fn part(text: &str) -> (&str, &str) {
    text.split_at(text.find('/').unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_invoke_url_is_read() {
        for (host, path, api, stage, routed) in [
            ("abc.execute-api.localhost:4566", "/prod/pets/7", "abc", "prod", "/pets/7"),
            ("abc.execute-api.us-east-1.amazonaws.com", "/prod", "abc", "prod", "/"),
            ("abc.execute-api.localhost.localstack.cloud:4566", "/prod/", "abc", "prod", "/"),
            ("localhost:4566", "/_aws/execute-api/abc/prod/pets", "abc", "prod", "/pets"),
            ("localhost", "/restapis/abc/prod/_user_request_/pets", "abc", "prod", "/pets"),
            ("localhost", "/restapis/abc/prod/_user_request_", "abc", "prod", "/"),
            ("localhost", "/_aws/execute-api/abc/prod//pets", "abc", "prod", "/pets"),
            ("localhost", "/_aws/execute-api/abc/prod/a//b/", "abc", "prod", "/a//b/"),
            ("localhost", "/_aws/execute-api/abc", "abc", "", "/"),
        ] {
            let target = Target::parse(host, path).expect(path);
            assert_eq!((target.api, target.stage, target.path), (api, stage, routed), "{host}{path}");
        }
    }

    #[test]
    fn every_form_of_a_functions_url_is_read() {
        for (host, path, id, below) in [
            ("id.lambda-url.us-east-1.localhost:4566", "/a%20b", "id", "/a%20b"),
            ("id.lambda-url.us-east-1.on.aws", "/", "id", "/"),
            ("localhost:4566", "/_aws/lambda-url/id/a/", "id", "/a/"),
            ("localhost", "/_aws/lambda-url/id", "id", "/"),
        ] {
            let target = UrlTarget::parse(host, path).expect(path);
            assert_eq!((target.id, target.path), (id, below), "{host}{path}");
        }
        for path in ["/", "/_aws/execute-api/abc/prod", "/2021-10-31/functions/f/url"] {
            assert_eq!(UrlTarget::parse("localhost:4566", path), None, "{path}");
        }
    }

    #[test]
    fn calls_are_not_taken_for_requests() {
        for path in
            ["/", "/restapis/abc/stages/prod", "/restapis/abc", "/2015-03-31/functions/f", "/restapis//"]
        {
            assert_eq!(Target::parse("localhost:4566", path), None, "{path}");
        }
    }
}
