use super::Case;
use super::compare::{self, same};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use pitbird_wire::client::{self, ClientError};
use pitbird_wire::{Call, Fault, Kind, Model, Operation, Protocol, ShapeId, Value};
use serde_json::{Value as Json, json};

type Outcome = Result<(), String>;

/// A model of the case's one operation.
fn model(case: &Case) -> &'static Model {
    let mut given = case.case["given"].clone();
    let name = given["name"].as_str().unwrap().to_owned();
    let wrapped = case.suite["metadata"]["protocol"] == "query" && given.get("output").is_some();
    // As botocore does it for its own vectors.
    let has_members = || {
        let shape = given["output"]["shape"].as_str().unwrap();
        !case.suite["shapes"][shape]["members"].as_object().unwrap().is_empty()
    };
    if wrapped && has_members() {
        given["output"]["resultWrapper"] = format!("{name}Result").into();
    }
    // The vectors leave the namespace out of the metadata, not out of the answers.
    let mut metadata = case.suite["metadata"].clone();
    let body = case.case["response"]["body"].as_str().unwrap_or_default();
    if body.contains("Response xmlns=\"https://example.com/\"") {
        metadata["xmlNamespace"] = "https://example.com/".into();
    }
    let text = json!({
        "metadata": metadata,
        "operations": { name: given },
        "shapes": case.suite["shapes"],
    });
    let text: &'static str = Box::leak(text.to_string().into_boxed_str());
    Box::leak(Box::new(Model::parse("vector", text, None).unwrap()))
}

fn operation(model: &Model) -> (&Operation, Protocol) {
    (&model.operations()[0], model.metadata.protocols[0])
}

fn headers(json: &Json) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        let text = match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(&text).unwrap());
    }
    headers
}

fn body(protocol: Protocol, json: &Json) -> Bytes {
    use base64::Engine as _;
    let text = json.as_str().unwrap_or_default();
    match protocol {
        Protocol::Cbor => base64::engine::general_purpose::STANDARD.decode(text).unwrap().into(),
        _ => text.to_owned().into(),
    }
}

/// The path and query behind the path of the vector's endpoint.
fn uri(case: &Case) -> String {
    let uri = case.case["serialized"]["uri"].as_str().unwrap();
    let endpoint = case.suite["clientEndpoint"].as_str().unwrap_or_default();
    let mount = endpoint.trim_start_matches("https://").split_once('/').map_or("", |(_, path)| path);
    let rest = uri.trim_start_matches('/').strip_prefix(mount).filter(|_| !mount.is_empty());
    rest.map_or_else(|| uri.to_owned(), |rest| format!("/{}", rest.trim_start_matches('/')))
}

/// The parameters as a client sends them.
fn input(model: &Model, operation: &Operation, json: &Json) -> Value {
    let mut input = params(model, operation.input, json);
    client::fill_tokens(model, operation, &mut input, || "00000000-0000-4000-8000-000000000000".to_owned());
    input
}

fn params(model: &Model, shape: Option<ShapeId>, json: &Json) -> Value {
    shape.map_or(Value::empty_map(), |shape| compare::value(model, shape, json))
}

pub fn server_reads(case: &Case) -> Outcome {
    let model = model(case);
    let (operation, protocol) = operation(model);
    let serialized = &case.case["serialized"];
    let mut request = Request::new(body(protocol, &serialized["body"]));
    *request.method_mut() = serialized["method"].as_str().unwrap().parse().unwrap();
    *request.uri_mut() = uri(case).parse().map_err(|error| format!("uri: {error}"))?;
    *request.headers_mut() = headers(&serialized["headers"]);
    let (parts, body) = request.into_parts();
    // Some vectors leave out what names the operation.
    let bare = Call { model, operation, protocol, query_mode: false, labels: Vec::new() };
    let call = match Call::identify(model, &parts, &body) {
        Err(_) if !protocol.is_rest() => bare,
        other => other.map_err(|error| error.to_string())?,
    };
    let decoded = call.decode(&parts, body).map_err(|error| error.to_string())?;
    same(&decoded.input, &input(model, operation, &case.case["params"]))
}

pub fn client_writes(case: &Case) -> Outcome {
    let model = model(case);
    let (operation, protocol) = operation(model);
    let input = input(model, operation, &case.case["params"]);
    let request = client::encode(model, operation, protocol, input).map_err(|error| error.to_string())?;
    let serialized = &case.case["serialized"];
    compare::uris(request.uri(), &uri(case))?;
    compare::headers(request.headers(), &headers(&serialized["headers"]))?;
    for name in serialized["forbidHeaders"].as_array().into_iter().flatten() {
        if request.headers().contains_key(name.as_str().unwrap()) {
            return Err(format!("header {name} must not be"));
        }
    }
    if serialized.get("body").is_some() {
        let kind = compare::Body::of(protocol, operation.input.map(|shape| (model, shape)));
        compare::bodies(kind, request.body(), &body(protocol, &serialized["body"]))?;
    }
    Ok(())
}

fn answer(protocol: Protocol, response: &Json) -> Response<Bytes> {
    let mut answer = Response::new(body(protocol, &response["body"]));
    *answer.status_mut() =
        u16::try_from(response["status_code"].as_u64().unwrap()).unwrap().try_into().unwrap();
    *answer.headers_mut() = headers(&response["headers"]);
    answer
}

pub fn client_reads(case: &Case) -> Outcome {
    let model = model(case);
    let (operation, protocol) = operation(model);
    let answer = answer(protocol, &case.case["response"]);
    let found = client::decode(model, operation, protocol, answer);
    match (found, case.case.get("error")) {
        (Ok(found), None) => same(&found, &params(model, operation.output, &case.case["result"])),
        (Err(ClientError::Refused(refusal)), Some(error)) => {
            let code = case.case["errorCode"].as_str().unwrap_or_default();
            let message = case.case["errorMessage"].as_str().unwrap_or_default();
            if refusal.code != code || refusal.message != message {
                return Err(format!("{:?}: {:?}, not {code}: {message}", refusal.code, refusal.message));
            }
            let shape = error_shape(model, operation, code);
            same(&refusal.members, &params(model, shape, error))
        }
        (found, _) => Err(format!("{found:?}")),
    }
}

fn error_shape(model: &Model, operation: &Operation, code: &str) -> Option<ShapeId> {
    let shape = operation.errors.iter().copied();
    shape.into_iter().find(|id| {
        let shape = model.shape(*id);
        shape.name == code || shape.error.as_ref().is_some_and(|error| error.code == Some(code))
    })
}

pub fn server_writes(case: &Case) -> Outcome {
    let model = model(case);
    let (operation, protocol) = operation(model);
    let response = &case.case["response"];
    let expected = answer(protocol, response);
    let (answer, shape) = match case.case.get("error") {
        None => {
            let call = Call { model, operation, protocol, query_mode: true, labels: Vec::new() };
            let output = params(model, operation.output, &case.case["result"]);
            (call.encode(output, "foo-id").map_err(|error| error.to_string())?, operation.output)
        }
        Some(error) => {
            let code = case.case["errorCode"].as_str().unwrap_or_default().to_owned();
            let shape = error_shape(model, operation, &code);
            let message = case.case["errorMessage"].as_str().unwrap_or_default();
            let mut fault = Fault::new(code, message).with_status(expected.status().as_u16());
            if let Value::Map(members) = params(model, shape, error) {
                fault.members =
                    members.into_iter().filter(|(name, _)| !name.eq_ignore_ascii_case("message")).collect();
            }
            (fault.encode(Some(model), protocol, true, "foo-id"), shape)
        }
    };
    if answer.status() != expected.status() {
        return Err(format!("status {}, not {}", answer.status(), expected.status()));
    }
    if case.case.get("error").is_some() && protocol.is_json() {
        return compare::json_errors(&answer, &expected);
    }
    compare::headers(answer.headers(), expected.headers())?;
    let kind = compare::Body::of(protocol, shape.map(|shape| (model, shape)));
    compare::bodies(kind, answer.body(), expected.body())
}

/// The shape of the member that is the whole body.
pub fn payload(model: &Model, shape: ShapeId) -> Option<&Kind> {
    match &model.shape(shape).kind {
        Kind::Structure(structure) => {
            structure.payload.map(|at| &model.shape(structure.members[at].reference.shape).kind)
        }
        _ => None,
    }
}
