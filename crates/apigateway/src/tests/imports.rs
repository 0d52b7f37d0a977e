//! APIs from documents and back, as SAM, Terraform, Chalice and the console send them.

use super::*;

const LAMBDA: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
                      arn:aws:lambda:us-east-1:000000000000:function:f/invocations";

/// In the manner of the service's own example API.
const PET_STORE: &str = r##"
swagger: "2.0"
info:
  description: "Your first API with Amazon API Gateway."
  title: "PetStore"
schemes:
- "https"
paths:
  /pets:
    get:
      tags: ["pets"]
      summary: "List all pets"
      produces: ["application/json"]
      parameters:
      - {name: "type", in: "query", description: "The type of pet", required: false, type: "string"}
      - {name: "page", in: "query", required: false, type: "string"}
      responses:
        "200":
          description: "Successful operation"
          schema: {$ref: "#/definitions/Pets"}
          headers:
            Access-Control-Allow-Origin: {type: "string"}
      x-amazon-apigateway-integration:
        responses:
          default:
            statusCode: "200"
            responseParameters:
              method.response.header.Access-Control-Allow-Origin: "'*'"
        requestParameters:
          integration.request.querystring.page: "method.request.querystring.page"
          integration.request.querystring.type: "method.request.querystring.type"
        uri: "http://petstore.execute-api.us-east-1.amazonaws.com/petstore/pets"
        passthroughBehavior: "when_no_match"
        httpMethod: "GET"
        type: "http"
    post:
      operationId: "CreatePet"
      consumes: ["application/json"]
      parameters:
      - {in: "body", name: "NewPet", required: true, schema: {$ref: "#/definitions/NewPet"}}
      responses: {"200": {description: "ok", schema: {$ref: "#/definitions/Pets"}}}
      x-amazon-apigateway-integration:
        responses: {default: {statusCode: 200}}
        uri: "http://petstore.execute-api.us-east-1.amazonaws.com/petstore/pets"
        httpMethod: POST
        type: http
    options:
      consumes: ["application/json"]
      responses:
        200:
          description: "cors"
          headers:
            Access-Control-Allow-Origin: {type: string}
            Access-Control-Allow-Methods: {type: string}
      x-amazon-apigateway-integration:
        responses:
          default:
            statusCode: "200"
            responseParameters:
              method.response.header.Access-Control-Allow-Methods: "'POST,GET,OPTIONS'"
              method.response.header.Access-Control-Allow-Origin: "'*'"
        requestTemplates: {application/json: "{\"statusCode\": 200}"}
        passthroughBehavior: "when_no_match"
        type: "mock"
  /pets/{petId}:
    get:
      parameters:
      - {name: "petId", in: "path", required: true, type: "string"}
      responses: {"200": {description: "ok", schema: {$ref: "#/definitions/Pet"}}}
      x-amazon-apigateway-integration:
        responses: {default: {statusCode: "200"}}
        requestParameters: {integration.request.path.petId: "method.request.path.petId"}
        uri: "http://petstore.execute-api.us-east-1.amazonaws.com/petstore/pets/{petId}"
        httpMethod: "GET"
        type: "http_proxy"
        tlsConfig: {insecureSkipVerification: true}
definitions:
  Pets: {type: array, items: {$ref: "#/definitions/Pet"}}
  Pet: {type: object, properties: {id: {type: integer}, type: {type: string}, price: {type: number}}}
  NewPet: {type: object, properties: {type: {type: string}}}
"##;

/// In the manner of what SAM makes of functions with events.
fn proxy_api(paths: &[&str]) -> Json {
    let operation = json!({"x-amazon-apigateway-integration":
        {"httpMethod": "POST", "type": "aws_proxy", "uri": LAMBDA}, "responses": {}});
    let item = json!({"x-amazon-apigateway-any-method": operation});
    let paths: serde_json::Map<String, Json> =
        paths.iter().map(|path| ((*path).to_owned(), item.clone())).collect();
    json!({"swagger": "2.0", "info": {"version": "1.0", "title": "sam-app"}, "paths": paths})
}

impl Bed {
    async fn import(&self, body: &str, more: Json) -> Result<Json, Refusal> {
        self.run("ImportRestApi", with(&json!({"body": body}), more)).await
    }

    async fn put_api(&self, api: &str, body: &Json, more: Json) -> Result<Json, Refusal> {
        self.run("PutRestApi", with(&json!({"restApiId": api, "body": body.to_string()}), more)).await
    }

    /// Resource ids by path, with the methods.
    async fn tree(&self, api: &str) -> std::collections::BTreeMap<String, (String, Vec<String>)> {
        let input = json!({"restApiId": api, "limit": 500});
        let resources = self.ok("GetResources", input).await;
        let items = resources["item"].as_array().expect("items").clone();
        let verbs = |it: &Json| {
            let methods = it["resourceMethods"].as_object();
            methods.map(|methods| methods.keys().cloned().collect()).unwrap_or_default()
        };
        items.iter().map(|it| (text(&it["path"]), (text(&it["id"]), verbs(it)))).collect()
    }
}

#[tokio::test]
async fn the_pet_store_is_imported() {
    let bed = Bed::new();
    let (status, api) = bed.told("ImportRestApi", json!({"body": PET_STORE})).await.expect("an API");
    assert_eq!((status, text(&api["name"])), (201, "PetStore".to_owned()));
    assert_eq!(api["description"], "Your first API with Amazon API Gateway.");
    assert_eq!(api["endpointConfiguration"]["types"], json!(["EDGE"]));
    assert_eq!(api["warnings"], json!(["Parse issue: attribute info.version is missing"]));
    let id = text(&api["id"]);
    let tree = bed.tree(&id).await;
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["/", "/pets", "/pets/{petId}"]);
    assert_eq!(tree["/"].0, text(&api["rootResourceId"]));
    let get = bed.ok("GetMethod", at(&id, &tree["/pets"].0, "GET")).await;
    assert_eq!(
        get["requestParameters"],
        json!({"method.request.querystring.page": false, "method.request.querystring.type": false})
    );
    assert_eq!(get["methodResponses"]["200"]["responseModels"], json!({"application/json": "Pets"}));
    let integration = &get["methodIntegration"];
    assert_eq!((&integration["type"], &integration["connectionType"]), (&json!("HTTP"), &json!("INTERNET")));
    assert_eq!(integration["timeoutInMillis"], 29_000);
    assert_eq!(integration["cacheNamespace"], json!(tree["/pets"].0));
    let post = bed.ok("GetMethod", at(&id, &tree["/pets"].0, "POST")).await;
    assert_eq!(post["requestModels"], json!({"application/json": "NewPet"}));
    assert_eq!(post["operationName"], "CreatePet");
    let model = bed.ok("GetModel", json!({"restApiId": id, "modelName": "Pets"})).await;
    let schema: Json = serde_json::from_str(model["schema"].as_str().expect("a schema")).expect("JSON");
    let link = format!("https://apigateway.amazonaws.com/restapis/{id}/models/Pet");
    assert_eq!(schema, json!({"type": "array", "items": {"$ref": link}}));
    bed.deploy(&id, json!({"stageName": "dev"})).await;
}

#[tokio::test]
async fn terraforms_way_of_overwriting_works() {
    let bed = Bed::new();
    let api = bed.ok("CreateRestApi", json!({"name": "tf"})).await;
    let id = text(&api["id"]);
    let overwrite = json!({"mode": "overwrite"});
    let (first, second) = (proxy_api(&["/a", "/b/{proxy+}"]), proxy_api(&["/a", "/c"]));
    let put = bed.put_api(&id, &first, overwrite.clone()).await.expect("put");
    assert_eq!((text(&put["id"]), text(&put["name"])), (id.clone(), "sam-app".to_owned()));
    let operations = json!([patch("replace", "/name", "tf"), patch("replace", "/description", "mine")]);
    bed.ok("UpdateRestApi", json!({"restApiId": id, "patchOperations": operations})).await;
    let before = bed.tree(&id).await;
    bed.deploy(&id, json!({"stageName": "dev"})).await;
    let served = bed.stage(&id, "dev").await;
    bed.put_api(&id, &second, overwrite.clone()).await.expect("put");
    let after = bed.tree(&id).await;
    assert_eq!(after.keys().collect::<Vec<_>>(), ["/", "/a", "/c"]);
    assert_eq!((&after["/a"], &after["/"]), (&before["/a"], &before["/"]));
    assert_eq!(bed.stage(&id, "dev").await, served, "stages stay as they are");
    let again = bed.put_api(&id, &second, overwrite).await.expect("put");
    assert_eq!(
        (again["warnings"].as_array(), bed.tree(&id).await),
        (None, after),
        "doing it twice is doing it once"
    );
    bed.put_api(&id, &first, json!({"mode": "merge"})).await.expect("put");
    assert_eq!(bed.tree(&id).await.len(), 5);
}

#[tokio::test]
async fn authorizers_validators_models_and_answers_are_made() {
    let bed = Bed::new();
    let tree = json!({
        "openapi": "3.0.1", "info": {"title": "guarded", "version": "1"},
        "servers": [{"url": "/v1", "x-amazon-apigateway-endpoint-configuration": {"disableExecuteApiEndpoint": true}}],
        "paths": {"/orders": {"post": {
            "security": [{"auth": []}, {"api_key": []}],
            "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["id"]}}}},
            "responses": {"201": {"description": "made"}},
            "x-amazon-apigateway-request-validator": "body",
            "x-amazon-apigateway-integration": {"type": "AWS_PROXY", "httpMethod": "POST", "uri": LAMBDA}}}},
        "components": {"securitySchemes": {
            "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            "auth": {"type": "apiKey", "name": "X-Token", "in": "header", "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": LAMBDA}}}},
        "x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": true, "validateRequestParameters": false}},
        "x-amazon-apigateway-gateway-responses": {"UNAUTHORIZED": {"statusCode": 401,
            "responseParameters": {"gatewayresponse.header.X": "'1'"}}},
        "x-amazon-apigateway-binary-media-types": ["image/png"],
    });
    let more = json!({"parameters": {"basepath": "prepend", "endpointConfigurationTypes": "REGIONAL"}});
    let api = bed.import(&tree.to_string(), more).await.expect("an API");
    let id = text(&api["id"]);
    assert_eq!(api["endpointConfiguration"]["types"], json!(["REGIONAL"]));
    assert!(api["disableExecuteApiEndpoint"] == true && api["binaryMediaTypes"] == json!(["image/png"]));
    let resources = bed.tree(&id).await;
    let method = bed.ok("GetMethod", at(&id, &resources["/v1/orders"].0, "POST")).await;
    let list = |operation: &'static str| bed.ok(operation, json!({"restApiId": id}));
    let (authorizers, validators) = (list("GetAuthorizers").await, list("GetRequestValidators").await);
    assert_eq!(authorizers["item"][0]["identitySource"], "method.request.header.X-Token");
    assert_eq!(authorizers["item"][0]["authorizerResultTtlInSeconds"], 300);
    assert_eq!(method["authorizerId"], authorizers["item"][0]["id"]);
    assert_eq!(method["requestValidatorId"], validators["item"][0]["id"]);
    assert!(method["authorizationType"] == "CUSTOM" && method["apiKeyRequired"] == true);
    assert!(text(&method["requestModels"]["application/json"]).starts_with("MODEL"));
    let answer = json!({"restApiId": id, "responseType": "UNAUTHORIZED"});
    let answer = bed.ok("GetGatewayResponse", answer).await;
    assert_eq!(answer["responseParameters"], json!({"gatewayresponse.header.X": "'1'"}));
}

#[tokio::test]
async fn what_breaks_rules_is_told_with_its_place_and_nothing_is_kept() {
    let bed = Bed::new();
    let integration = json!({"type": "http", "httpMethod": "GET", "uri": "https://example.com/{id}",
        "requestParameters": {"integration.request.path.id": "method.request.path.id"}});
    let tree = json!({"swagger": "2.0", "info": {"title": "bad"}, "definitions": {"A_B": {"type": "object"}},
        "paths": {"/a b": {}, "/x": {"get": {"x-amazon-apigateway-integration": integration,
            "x-amazon-apigateway-request-validator": "none"}, "put": {"x-amazon-apigateway-integration": {"type": "magic"}}}}});
    let refused = bed.import(&tree.to_string(), json!({})).await.expect_err("broken");
    let lines = [
        "Errors found during import:",
        "Unable to create model for 'A_B': Model name must be alphanumeric: A_B",
        "Unable to create resource at path '/a b': Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path \
         variable and curly braces at the beginning and the end.",
        "Unable to put method 'GET' for resource at path '/x': Invalid Request Validator identifier specified",
        "Unable to put integration on 'GET' for resource at path '/x': Invalid mapping expression specified: Validation \
         Result: warnings : [], errors : [Invalid mapping expression parameter specified: method.request.path.id]",
        "Unable to put integration on 'PUT' for resource at path '/x': Invalid integration type specified. Valid options \
         are HTTP,MOCK,AWS_PROXY,HTTP_PROXY,AWS",
        "Additionally, these warnings were found:",
        "Parse issue: attribute info.version is missing",
    ];
    assert_eq!(refused, bad(lines.join("\n\t")));
    assert_eq!(bed.ok("GetRestApis", json!({})).await["item"], json!([]));
    for (body, message) in [
        ("", "Invalid OpenAPI input."),
        ("just text", "Invalid OpenAPI input."),
        ("{\"openapi\": \"3.1.0\", \"info\": {\"title\": \"a\"}}", "Invalid OpenAPI input."),
        ("{\"swagger\": \"2.0\"}", "Name cannot be empty"),
        (
            "swagger: '2.0'\nswagger: '2.0'\n",
            "Invalid OpenAPI input: the document has the key 'swagger' twice in one mapping.",
        ),
        (
            "swagger: '2.0'\n---\nswagger: '2.0'\n",
            "Invalid OpenAPI input: there is another document behind the first one.",
        ),
    ] {
        assert_eq!(bed.import(body, json!({})).await.expect_err(body), bad(message));
    }
    let warned = bed.import(PET_STORE, json!({"failOnWarnings": true})).await.expect_err("warned");
    let message = "Warnings found during import:\n\tParse issue: attribute info.version is missing";
    assert_eq!(warned, bad(message));
    assert!(bed.import(PET_STORE, json!({"parameters": {"basepath": "x"}})).await.is_err());
    let unknown = bed.import(PET_STORE, json!({"parameters": {"x": "y"}})).await.expect_err("unknown");
    assert_eq!(unknown, unsupported("parameters.x"));
}

#[tokio::test]
async fn an_imported_responses_parameters_are_held_against_the_method() {
    let bed = Bed::new();
    let document = |parameters: Json| {
        let response = json!({"statusCode": "200", "responseParameters": parameters});
        let integration = json!({"type": "http", "httpMethod": "GET", "uri": "https://example.com",
                                 "responses": {"default": response}});
        let declared = json!({"200": {"description": "", "headers": {"X-A": {"type": "string"}}}});
        let operation = json!({"responses": declared, "x-amazon-apigateway-integration": integration});
        json!({"swagger": "2.0", "info": {"title": "a", "version": "1"}, "paths": {"/": {"get": operation}}})
    };
    for source in [
        "'fixed'",
        "integration.response.header.X-B",
        "integration.response.multivalueheader.X-B",
        "integration.response.body.a.b",
        "context.requestId",
        "stageVariables.v",
    ] {
        let parameters = json!({"method.response.header.X-A": source});
        let api = bed.import(&document(parameters.clone()).to_string(), json!({})).await.expect(source);
        let id = text(&api["id"]);
        let (root, _) = bed.tree(&id).await["/"].clone();
        let input = with(&at(&id, &root, "GET"), json!({"statusCode": "200"}));
        assert_eq!(bed.ok("GetIntegrationResponse", input).await["responseParameters"], parameters);
    }
    let wrong = |what: &str, text: &str| {
        bad(format!(
            "Errors found during import:\n\tUnable to put integration response on 'GET' for resource at path '/': Invalid \
             mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression {what} \
             {text}]"
        ))
    };
    for (target, source, refused) in [
        ("method.response.header.X-B", "'a'", wrong("parameter specified:", "method.response.header.X-B")),
        ("method.response.body.X-A", "'a'", wrong("specified:", "method.response.body.X-A")),
        ("X-A", "'a'", wrong("specified:", "X-A")),
        ("method.response.header.X-A", "a", wrong("specified:", "a")),
        (
            "method.response.header.X-A",
            "method.request.header.A",
            wrong("specified:", "method.request.header.A"),
        ),
        (
            "method.response.header.X-A",
            "integration.response.querystring.a",
            wrong("specified:", "integration.response.querystring.a"),
        ),
    ] {
        let refusal = bed.import(&document(json!({target: source})).to_string(), json!({})).await;
        assert_eq!(refusal.expect_err(source), refused, "{target} {source}");
    }
    assert_eq!(bed.ok("GetRestApis", json!({})).await["item"].as_array().map(Vec::len), Some(6));
}

#[tokio::test]
async fn what_cannot_be_obeyed_is_refused_by_name() {
    let bed = Bed::new();
    let with_integration = |more: Json| {
        let integration =
            with(&json!({"type": "http_proxy", "httpMethod": "GET", "uri": "https://example.com"}), more);
        let operation = json!({"x-amazon-apigateway-integration": integration});
        json!({"swagger": "2.0", "info": {"title": "a", "version": "1"}, "paths": {"/": {"get": operation}}})
    };
    for (more, name) in [
        (json!({"connectionType": "VPC_LINK", "connectionId": "x"}), "connectionType VPC_LINK"),
        (
            json!({"type": "mock", "tlsConfig": {"insecureSkipVerification": true}}),
            "tlsConfig.insecureSkipVerification true with type MOCK",
        ),
        (json!({"responseTransferMode": "LATER"}), "responseTransferMode LATER"),
        (json!({"payloadFormatVersion": "2.0"}), "payloadFormatVersion 2.0"),
        (json!({"credentials": "arn:aws:iam::*:user/*"}), "credentials arn:aws:iam::*:user/*"),
        (
            json!({"responseParameters": {"200": {"overwrite:header.a": "b"}}}),
            "responseParameters of an integration instead of its responses",
        ),
    ] {
        let refused = bed.import(&with_integration(more).to_string(), json!({})).await.expect_err(name);
        assert_eq!(refused, unsupported(name));
    }
}

#[tokio::test]
async fn a_stages_document_imports_as_the_same_api() {
    let bed = Bed::new();
    let id = text(&bed.import(PET_STORE, json!({})).await.expect("an API")["id"]);
    let pet = bed.tree(&id).await["/pets/{petId}"].0.clone();
    let pet = bed.ok("GetMethod", at(&id, &pet, "GET")).await;
    assert_eq!(pet["methodIntegration"]["tlsConfig"], json!({"insecureSkipVerification": true}));
    bed.deploy(&id, json!({"stageName": "dev"})).await;
    // What comes after the deployment isn't what the stage serves.
    bed.put_api(&id, &proxy_api(&["/later"]), json!({"mode": "merge"})).await.expect("put");
    for kind in ["swagger", "oas30"] {
        let parameters = json!({"extensions": "apigateway"});
        let input =
            json!({"restApiId": id, "stageName": "dev", "exportType": kind, "parameters": parameters});
        let exported = bed.ok("GetExport", input).await;
        let other = bed.import(&exported.to_string(), json!({})).await.expect(kind);
        assert_eq!(other["warnings"], Json::Null, "{kind}");
        let other = text(&other["id"]);
        let (one, two) = (bed.tree(&id).await, bed.tree(&other).await);
        assert_eq!(two.len(), 3);
        for (path, (resource, verbs)) in &two {
            assert_eq!(*verbs, one[path].1, "{path}");
            for verb in verbs {
                let told = |json: Json, id: &str| json.to_string().replace(id, "ID");
                let mine = bed.ok("GetMethod", at(&id, &one[path].0, verb)).await;
                let theirs = bed.ok("GetMethod", at(&other, resource, verb)).await;
                assert_eq!(told(mine, &one[path].0), told(theirs, resource), "{verb} {path}");
            }
        }
    }
    for (more, refused) in [
        (
            json!({"exportType": "raml"}),
            bad("Invalid export type specified: raml. Valid options are swagger,oas30"),
        ),
        (
            json!({"exportType": "oas30", "parameters": {"extensions": "postman"}}),
            unsupported("extensions postman"),
        ),
        (json!({"exportType": "oas30", "accepts": "text/html"}), unsupported("accepts text/html")),
        (json!({"exportType": "oas30", "stageName": "no"}), missing("Invalid stage identifier specified")),
    ] {
        let input = with(&json!({"restApiId": id, "stageName": "dev"}), more);
        assert_eq!(bed.run("GetExport", input).await, Err(refused));
    }
}

#[tokio::test]
async fn an_api_may_be_as_large_as_quotas_allow() {
    let bed = Bed::new();
    let paths: Vec<String> = (0..299).map(|at| format!("/r{at}")).collect();
    let names: Vec<&str> = paths.iter().map(String::as_str).collect();
    let started = std::time::Instant::now();
    let api = bed.import(&proxy_api(&names).to_string(), json!({})).await.expect("300 resources");
    eprintln!("299 operations in {:?}", started.elapsed());
    assert_eq!(bed.tree(&text(&api["id"])).await.len(), 300);
    let refused =
        bed.put_api(&text(&api["id"]), &proxy_api(&["/more"]), json!({})).await.expect_err("one more");
    assert_eq!(refused.message, "Maximum number of resources for this API has been reached (300).");
}
