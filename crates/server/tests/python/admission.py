"""What answers a request before its integration is asked: validation, gateway responses, keys and plans, authorizers, policies."""

from given import *

ECHO = '''
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
'''
AUTHORIZER = '''
import json
calls = 0
def handler(event, context):
    global calls
    calls += 1
    said = event.get("authorizationToken") or event["headers"]["X-Token"]
    if said == "unauthorized":
        raise Exception("Unauthorized")
    if said == "crash":
        raise Exception("as asked")
    if said == "nonsense":
        return {"principalId": "x"}
    arn = event["methodArn"]
    if said == "elsewhere":
        arn = arn.rsplit("/", 1)[0] + "/other"
    effect = "Deny" if said == "deny" else "Allow"
    answer = {
        "principalId": "ada",
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Action": "execute-api:Invoke", "Effect": effect, "Resource": arn}]},
        "context": {"calls": calls, "isBig": True, "text": "x", "event": json.dumps(event)},
    }
    if said.startswith("key-"):
        answer["usageIdentifierKey"] = said[4:]
    return answer
'''
ROLE = role("admission")
function("echo", ECHO, ROLE)
function("authorizer", AUTHORIZER, ROLE)


def told(answer):
    """Status, error type and body of a gateway's own answer."""
    status, headers, body = answer
    return status, headers.get("x-amzn-errortype"), json.loads(body)


def guarded(api, resource, method="GET", **settings):
    ids = {"restApiId": api, "resourceId": resource, "httpMethod": method}
    gateway.put_method(**ids, **({"authorizationType": "NONE"} | settings))
    gateway.put_integration(**ids, type="AWS_PROXY", integrationHttpMethod="POST", uri=proxy_uri("echo"))


def deploy(api, stage="prod"):
    return gateway.create_deployment(restApiId=api, stageName=stage)["id"]


def authorizer(api, **settings):
    made = gateway.create_authorizer(restApiId=api, authorizerUri=proxy_uri("authorizer"), **settings)["id"]
    lambda_.add_permission(
        FunctionName="authorizer", StatementId=f"{api}-{made}", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/authorizers/{made}",
    )
    return made


def validation():
    api, root = rest_api("validation")
    permit("echo", api)
    gateway.create_model(restApiId=api, name="Name", contentType="application/json", schema='{"type":"string","minLength":2}')
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": ["name"],
        "properties": {"name": {"$ref": f"https://apigateway.amazonaws.com/restapis/{api}/models/Name"}},
    }
    gateway.create_model(restApiId=api, name="Pet", contentType="application/json", schema=json.dumps(schema))
    validator = gateway.create_request_validator(
        restApiId=api, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    required = {"method.request.querystring.q": True, "method.request.header.X-B": True, "method.request.header.X-A": True}
    guarded(
        api, root, "POST", requestValidatorId=validator, requestParameters=required,
        requestModels={"application/json": "Pet"},
    )
    gateway.put_gateway_response(
        restApiId=api, responseType="BAD_REQUEST_BODY", statusCode="422",
        responseParameters={
            "gatewayresponse.header.X-Fixed": "'one'", "gatewayresponse.header.X-Query": "method.request.querystring.q",
            "gatewayresponse.header.X-Stage": "context.stage",
        },
        responseTemplates={"application/json": '{"why": "$context.error.validationErrorString", "m": $context.error.messageString}'},
    )
    deploy(api)

    def post(body, headers=None, query="?q=1"):
        return fetch(api, "prod", "/" + query, {"X-A": "1", "X-B": "2"} if headers is None else headers, "POST", body)

    assert post('{"name": "ada"}')[0] == 200
    missing = (400, "BadRequestException", {"message": "Missing required request parameters: [X-A, X-B, q]"})
    assert told(post("{}", {}, "")) == missing, told(post("{}", {}, ""))
    some = (400, "BadRequestException", {"message": "Missing required request parameters: [X-A, q]"})
    assert told(post("{}", {"x-a": "1", "X-B": "2"}, "?q=")) == some
    status, headers, body = post("")
    assert status == 422 and headers["x-fixed"] == "one" and headers["x-query"] == "1" and headers["x-stage"] == "prod"
    assert b'object has missing required properties (["name"])' in body and b'"m": "Invalid request body"' in body, body
    assert post('{"name": "a"}')[0] == 422 and post("{")[0] == 422
    # A default is for all that has no form of its own.
    gateway.put_gateway_response(
        restApiId=api, responseType="DEFAULT_4XX",
        responseTemplates={"application/json": '{"type": "$context.error.responseType"}'},
    )
    deploy(api)
    assert post("{}", {}, "")[2] == b'{"type": "BAD_REQUEST_PARAMETERS"}'
    status, headers, body = fetch(api, "prod", "/nowhere")
    assert (status, json.loads(body)) == (403, {"type": "MISSING_AUTHENTICATION_TOKEN"})
    assert post("")[0] == 422


def keys():
    api, root = rest_api("keys")
    permit("echo", api)
    guarded(api, root, apiKeyRequired=True)
    guarded(api, root, "POST")
    deploy(api)
    key = gateway.create_api_key(name="k", enabled=True, value="k" * 20 + "abcdef")
    gateway.create_api_key(name="lonely", enabled=True, value="l" * 20)
    forbidden = (403, "ForbiddenException", {"message": "Forbidden"})
    ask = lambda value, method="GET": fetch(api, "prod", "/", {"X-API-Key": value} if value else {}, method)
    for value in (None, "unknown" * 4, "l" * 20, key["value"]):
        assert told(ask(value)) == forbidden, value
    plan = gateway.create_usage_plan(
        name="p", apiStages=[{"apiId": api, "stage": "prod"}], quota={"limit": 3, "period": "MONTH"},
    )["id"]
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    status, _, body = ask(key["value"])
    identity = json.loads(body)["requestContext"]["identity"]
    assert status == 200 and (identity["apiKey"], identity["apiKeyId"]) == (key["value"], key["id"])
    identity = json.loads(ask(key["value"], "POST")[2])["requestContext"]["identity"]
    assert "apiKey" not in identity, identity
    gateway.update_api_key(apiKey=key["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}])
    assert told(ask(key["value"])) == forbidden
    gateway.update_api_key(apiKey=key["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": "true"}])
    assert [ask(key["value"])[0] for _ in range(3)] == [200, 200, 429]
    assert told(ask(key["value"])) == (429, "LimitExceededException", {"message": "Limit Exceeded"})
    days = {"startDate": time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)), "endDate": time.strftime("%Y-%m-%d", time.gmtime())}
    used = lambda: sum(day[0] for day in gateway.get_usage(usagePlanId=plan, **days)["items"].get(key["id"], []))
    wait_for("the usage", lambda: used() == 3)
    more = [{"op": "replace", "path": "/remaining", "value": "1"}]
    gateway.update_usage(usagePlanId=plan, keyId=key["id"], patchOperations=more)
    assert [ask(key["value"])[0] for _ in range(2)] == [200, 429]
    # Throttles: the plan's, and what it says of a method.
    gateway.update_usage_plan(usagePlanId=plan, patchOperations=[
        {"op": "remove", "path": "/quota"},
        {"op": "replace", "path": "/throttle/burstLimit", "value": "2"},
        {"op": "replace", "path": "/throttle/rateLimit", "value": "0.001"},
    ])
    assert [ask(key["value"])[0] for _ in range(3)] == [200, 200, 429]
    assert told(ask(key["value"])) == (429, "TooManyRequestsException", {"message": "Too Many Requests"})
    return api, plan, key


def stage_throttle():
    api, root = rest_api("throttled")
    permit("echo", api)
    guarded(api, root)
    guarded(api, root, "POST")
    deploy(api)
    set_ = lambda path, value: {"op": "replace", "path": path, "value": value}
    gateway.update_stage(restApiId=api, stageName="prod", patchOperations=[
        set_("/*/*/throttling/burstLimit", "1"), set_("/*/*/throttling/rateLimit", "0.001"),
        set_("/~1/POST/throttling/burstLimit", "2"), set_("/~1/POST/throttling/rateLimit", "0.001"),
    ])
    assert [fetch(api, "prod")[0] for _ in range(2)] == [200, 429]
    assert [fetch(api, "prod", method="POST")[0] for _ in range(3)] == [200, 200, 429]
    gateway.update_stage(restApiId=api, stageName="prod", patchOperations=[{"op": "remove", "path": "/*/*"}])
    assert fetch(api, "prod")[0] == 200


def token():
    api, root = rest_api("token")
    permit("echo", api)
    made = authorizer(
        api, name="t", type="TOKEN", identitySource="method.request.header.X-Token",
        identityValidationExpression="[a-z-]+",
    )
    guarded(api, root, authorizationType="CUSTOM", authorizerId=made)
    deploy(api)
    ask = lambda said: fetch(api, "prod", "/", {"X-Token": said} if said else {})
    unauthorized = (401, "UnauthorizedException", {"message": "Unauthorized"})
    for said in (None, "", "N0", "unauthorized"):
        assert told(ask(said)) == unauthorized, (said, told(ask(said)))
    for said in ("crash", "nonsense"):
        assert told(ask(said)) == (500, "AuthorizerConfigurationException", {"message": None}), said
    denied = "User is not authorized to access this resource"
    assert told(ask("elsewhere")) == (403, "AccessDeniedException", {"Message": denied})
    assert told(ask("deny")) == (403, "AccessDeniedException", {"Message": denied + " with an explicit deny"})
    status, _, body = ask("allow")
    said = json.loads(body)["requestContext"]["authorizer"]
    assert status == 200 and said["principalId"] == "ada" and said["isBig"] == "true" and said["text"] == "x", said
    assert isinstance(said["integrationLatency"], int), said
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/prod/GET/"
    assert json.loads(said["event"]) == {"type": "TOKEN", "methodArn": arn, "authorizationToken": "allow"}
    again = json.loads(ask("allow")[2])["requestContext"]["authorizer"]
    assert again["calls"] == said["calls"] and again["integrationLatency"] == 0, "kept"
    gateway.flush_stage_authorizers_cache(restApiId=api, stageName="prod")
    assert int(json.loads(ask("allow")[2])["requestContext"]["authorizer"]["calls"]) > int(said["calls"]), "flushed"


def request():
    api, root = rest_api("request")
    permit("echo", api)
    source = "method.request.header.X-Token, method.request.querystring.who"
    made = authorizer(api, name="r", type="REQUEST", identitySource=source)
    guarded(api, root, authorizationType="CUSTOM", authorizerId=made, apiKeyRequired=True)
    gateway.update_rest_api(
        restApiId=api, patchOperations=[{"op": "replace", "path": "/apiKeySource", "value": "AUTHORIZER"}]
    )
    deploy(api)
    ask = lambda said, query: fetch(api, "prod", "/" + query, {"X-Token": said} if said else {})
    for said, query in ((None, "?who=a"), ("allow", ""), ("allow", "?who=")):
        assert told(ask(said, query)) == (401, "UnauthorizedException", {"message": "Unauthorized"})
    assert told(ask("allow", "?who=a")) == (403, "ForbiddenException", {"message": "Forbidden"}), "it gave no key"
    key = gateway.create_api_key(name="r", enabled=True, value="r" * 30)
    plan = gateway.create_usage_plan(name="r", apiStages=[{"apiId": api, "stage": "prod"}])["id"]
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    status, _, body = ask("key-" + "r" * 30, "?who=a&who=b")
    assert status == 200, body
    event = json.loads(json.loads(body)["requestContext"]["authorizer"]["event"])
    has(event, type="REQUEST", httpMethod="GET", path="/", resource="/", pathParameters={}, stageVariables={})
    has(event, queryStringParameters={"who": "b"}, multiValueQueryStringParameters={"who": ["a", "b"]})
    assert "body" not in event and event["methodArn"].endswith("/prod/GET/") and event["requestContext"]["apiId"] == api


def policies():
    api, root = rest_api("policies")
    permit("echo", api)
    guarded(api, root)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}

    def put(*statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        gateway.update_rest_api(restApiId=api, patchOperations=[{"op": "replace", "path": "/policy", "value": document}])
        deploy(api)
        return told(fetch(api, "prod"))

    arn = f"arn:aws:execute-api:{REGION}:********0000:{api}/prod/GET/"
    words = f"User: anonymous is not authorized to perform: execute-api:Invoke on resource: {arn}"
    assert put(statement)[0] == 200
    elsewhere = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    assert put(statement | {"Condition": elsewhere}) == (403, "AccessDeniedException", {"Message": words})
    here = statement | {"Effect": "Deny", "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}
    assert put(statement, here) == (403, "AccessDeniedException", {"Message": words + " with an explicit deny"})


def told_in_logs(api, plan, key):
    logs.create_log_group(logGroupName="access")
    logger = iam.create_role(RoleName="gateway-logs", AssumeRolePolicyDocument=trust("apigateway.amazonaws.com"))
    gateway.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": logger["Role"]["Arn"]}])
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:access"
    gateway.update_stage(restApiId=api, stageName="prod", patchOperations=[
        {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": arn},
        {"op": "replace", "path": "/accessLogSettings/format",
         "value": "$context.requestId $context.status $context.identity.apiKeyId $context.error.responseType"},
        {"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"},
    ])
    gateway.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "remove", "path": "/throttle"}])
    assert fetch(api, "prod", "/", {"X-API-Key": key["value"]})[0] == 200
    assert fetch(api, "prod", "/", {"X-API-Key": "x" * 20})[0] == 403
    lines = wait_for("the access log", lambda: len(log_messages("access")) == 2 and log_messages("access"))
    assert sorted(line.split(" ", 1)[1] for line in lines) == [f"200 {key['id']} -", "403 - INVALID_API_KEY"], lines
    group = f"API-Gateway-Execution-Logs_{api}/prod"
    lines = wait_for("the execution log", lambda: "".join(log_messages(group)).count("Method completed") == 2 and log_messages(group))
    masked = "*" * 34 + "abcdef"
    assert any(f"API Key: {masked} API Stage: {api}/prod" in line for line in lines), lines
    assert not any(key["value"] in line for line in lines)


validation()
known = keys()
stage_throttle()
token()
request()
policies()
told_in_logs(*known)
