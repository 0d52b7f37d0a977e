//! What a route may be.

use pitbird_paths::Template;
use pitbird_records::{HttpApi, HttpAuthorizerKind, HttpRoute};

use crate::find::{self, Records};
use crate::{Error, api};

/// Routes of one API, and scopes of one route. Source: API Gateway quotas.
pub const ROUTES_MAX: usize = 300;
const SCOPES_MAX: usize = 10;
/// The methods that a route can name; `ANY` stands for all of them.
pub const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// A route's key, characters. Source: API Gateway API reference.
const KEY_CHARS: usize = 512;

/// What creating and updating a route may set.
#[derive(Debug, Default)]
pub struct Settings {
    pub route_key: Option<String>,
    pub target: Option<String>,
    pub authorization_type: Option<String>,
    pub authorizer_id: Option<String>,
    pub authorization_scopes: Option<Vec<String>>,
    pub operation_name: Option<String>,
    pub api_key_required: Option<bool>,
}

/// A route that leads nowhere yet.
pub fn fresh(api: &HttpApi, id: String, route_key: String) -> HttpRoute {
    HttpRoute {
        scope: api.scope.clone(),
        api_id: api.id.clone(),
        id,
        route_key,
        integration_id: None,
        authorization_type: "NONE".to_owned(),
        authorizer_id: None,
        authorization_scopes: Vec::new(),
        operation_name: None,
        is_managed: false,
    }
}

/// A route key in its one form: `$default`, or a method in upper case, one space and a path.
pub fn check_key(key: &str) -> Result<String, Error> {
    if key == "$default" {
        return Ok(key.to_owned());
    }
    let refused = |why: &str| Error::RouteKey(why.to_owned());
    let form = "The format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"";
    let (method, path) = key.split_once(' ').ok_or_else(|| refused(form))?;
    if method != "ANY" && !METHODS.contains(&method) {
        return Err(refused(form));
    }
    if key.chars().count() > KEY_CHARS || path.contains(char::is_whitespace) {
        return Err(refused(form));
    }
    Template::parse(path).map_err(|error| refused(&error.to_string()))?;
    Ok(key.to_owned())
}

/// Do two keys take the same requests? Names of variables make no difference.
pub fn is_same(one: &str, other: &str) -> bool {
    let parsed = |key: &str| {
        let (method, path) = key.split_once(' ')?;
        let template = Template::parse(path).ok()?;
        let anonymous: Vec<String> = template
            .segments()
            .iter()
            .map(|segment| match segment {
                pitbird_paths::Segment::Static(text) => format!("={text}"),
                pitbird_paths::Segment::Param(_) => "{}".to_owned(),
                pitbird_paths::Segment::Greedy(_) => "{+}".to_owned(),
            })
            .collect();
        Some((method.to_owned(), anonymous, path.len() > 1 && path.ends_with('/')))
    };
    one == other || parsed(one).is_some_and(|one| parsed(other) == Some(one))
}

impl Settings {
    /// Changes a route, and checks it as a whole against what the API has.
    pub fn apply(self, records: &impl Records, api: &HttpApi, route: &mut HttpRoute) -> Result<(), Error> {
        if self.api_key_required == Some(true) {
            return Err(Error::unsupported("apiKeyRequired true"));
        }
        if let Some(key) = self.route_key {
            if route.is_managed && key != route.route_key {
                return Err(Error::ManagedRoute);
            }
            route.route_key = check_key(&key)?;
        }
        if let Some(target) = self.target {
            route.integration_id = target_of(records, api, target)?;
        }
        if let Some(name) = self.operation_name {
            api::length("operationName", &name, 0, 64)?;
            route.operation_name = Some(name).filter(|name| !name.is_empty());
        }
        if let Some(kind) = self.authorization_type {
            if kind == "NONE" || kind == "AWS_IAM" {
                route.authorizer_id = None;
                route.authorization_scopes.clear();
            }
            route.authorization_type = kind;
        }
        if let Some(id) = self.authorizer_id {
            route.authorizer_id = Some(id).filter(|id| !id.is_empty());
        }
        if let Some(scopes) = self.authorization_scopes {
            route.authorization_scopes = scopes;
        }
        check_authorization(records, api, route)?;
        let others = find::routes(records, api)?;
        match others.iter().any(|other| other.id != route.id && is_same(&other.route_key, &route.route_key)) {
            true => Err(Error::RouteExists(route.route_key.clone())),
            false => Ok(()),
        }
    }
}

fn target_of(records: &impl Records, api: &HttpApi, target: String) -> Result<Option<String>, Error> {
    if target.is_empty() {
        return Ok(None);
    }
    let Some(id) = target.strip_prefix("integrations/") else { return Err(Error::Target(target)) };
    match find::integration(records, api, id) {
        Ok(found) => Ok(Some(found.id)),
        Err(Error::UnknownIntegration(_)) => Err(Error::Target(target)),
        Err(other) => Err(other),
    }
}

fn check_authorization(records: &impl Records, api: &HttpApi, route: &HttpRoute) -> Result<(), Error> {
    let kind = route.authorization_type.as_str();
    if route.authorization_scopes.len() > SCOPES_MAX {
        return Err(Error::TooMany { what: "authorization scopes for this route", limit: SCOPES_MAX });
    }
    if kind != "JWT" && !route.authorization_scopes.is_empty() {
        return Err(Error::Scopes);
    }
    let wrong = || Error::RouteAuthorizer(kind.to_owned(), if kind == "JWT" { " JWT" } else { "" });
    let Some(id) = &route.authorizer_id else {
        return if kind == "JWT" || kind == "CUSTOM" { Err(wrong()) } else { Ok(()) };
    };
    let authorizer = match find::authorizer(records, api, id) {
        Err(Error::UnknownAuthorizer(_)) => return Err(wrong()),
        found => found?,
    };
    let fits = match authorizer.kind {
        HttpAuthorizerKind::Jwt { .. } => kind == "JWT",
        HttpAuthorizerKind::Request { .. } => kind == "CUSTOM",
    };
    if fits { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_method_and_a_path() {
        for key in ["$default", "GET /", "ANY /{proxy+}", "POST /pets/{id}", "DELETE /a/"] {
            assert_eq!(check_key(key).expect(key), key);
        }
        let long = format!("GET /{}", "a".repeat(512));
        for key in
            ["", "GET", "/pets", "get /", "TRACE /", "GET pets", "GET  /", "GET /a b", "GET /{a+}/b", &long]
        {
            assert!(check_key(key).is_err(), "{key}");
        }
    }

    #[test]
    fn names_of_variables_make_no_other_route() {
        assert!(is_same("GET /pets/{id}", "GET /pets/{name}") && is_same("$default", "$default"));
        for other in ["GET /pets/{id+}", "POST /pets/{id}", "GET /pets/{id}/", "GET /pets/id", "$default"] {
            assert!(!is_same("GET /pets/{id}", other), "{other}");
        }
    }
}
