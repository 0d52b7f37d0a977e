"""What happens to a request, told line by line: in a stage's execution log, and by TestInvokeMethod and TestInvokeAuthorizer,
which run what isn't deployed."""

import http.server
import re
import threading

from given import *

ECHO = '''
import json
def handler(event, context):
    if event.get("body") == "fail":
        raise ValueError("no luck")
    if event.get("body") == "bad":
        return "hello"
    return {"statusCode": 201, "headers": {"X-Own": "yes"}, "body": json.dumps(event)}
'''
CUSTOM = '''
def handler(event, context):
    return {"got": event}
'''
AUTHORIZER = '''
def handler(event, context):
    token = event.get("authorizationToken") or event["headers"].get("Who")
    if token == "nobody":
        raise Exception("Unauthorized")
    if token == "broken":
        return {"principalId": "x"}
    effect = "Deny" if token == "denied" else "Allow"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": "user-of-" + token, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"type": event["type"]}}
'''


class Endpoint(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        content = json.dumps({"path": self.path, "body": body.decode()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Backend", "yes")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


backend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=backend.serve_forever, daemon=True).start()
BACKEND = f"http://127.0.0.1:{backend.server_address[1]}"

role_arn = role("trials")
for name, code in (("echo", ECHO), ("custom", CUSTOM), ("judge", AUTHORIZER), ("closed", ECHO)):
    function(name, code, role_arn)
api, root = rest_api("trials")
for name in ("echo", "custom"):
    permit(name, api)


def resource(part, parent=root):
    return gateway.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]


pets = resource("pets")
ids = {
    "pet": resource("{id}", pets), "custom": resource("custom"), "http": resource("http"), "passed": resource("passed"),
    "mock": resource("mock"), "closed": resource("closed"), "checked": resource("checked"),
}
proxied(api, ids["pet"], "echo", "ANY")
proxied(api, ids["closed"], "closed")
mock(api, ids["mock"])


def mapped(name, **settings):
    at = {"restApiId": api, "resourceId": ids[name], "httpMethod": "POST"}
    gateway.put_method(**at, authorizationType="NONE")
    gateway.put_integration(**at, integrationHttpMethod="POST", **settings)
    if "PROXY" not in settings["type"]:
        gateway.put_method_response(**at, statusCode="200", responseParameters={"method.response.header.X-Fixed": True})
        gateway.put_integration_response(
            **at, statusCode="200", responseParameters={"method.response.header.X-Fixed": "'one'"})


mapped("custom", type="AWS", uri=proxy_uri("custom"), requestTemplates={"application/json": '{"who": $input.json("$.name")}'})
mapped("http", type="HTTP", uri=f"{BACKEND}/base")
mapped("passed", type="HTTP_PROXY", uri=f"{BACKEND}/through")

# A method that checks what it is asked, and that nobody may call but by key and authorizer: trials ask for neither.
validator = gateway.create_request_validator(
    restApiId=api, name="all", validateRequestBody=True, validateRequestParameters=True)["id"]
gateway.create_model(
    restApiId=api, name="Pet", contentType="application/json", schema='{"type": "object", "required": ["name"]}')
mapped("checked", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
at = {"restApiId": api, "resourceId": ids["checked"], "httpMethod": "POST"}
gateway.update_method(**at, patchOperations=[
    {"op": "replace", "path": "/requestValidatorId", "value": validator},
    {"op": "replace", "path": "/apiKeyRequired", "value": "true"},
    {"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"},
    {"op": "add", "path": "/requestModels/application~1json", "value": "Pet"},
    {"op": "add", "path": "/requestParameters/method.request.querystring.page", "value": "true"},
])


def trial(name, verb="GET", **what):
    return gateway.test_invoke_method(restApiId=api, resourceId=ids[name], httpMethod=verb, **what)


def told(answer):
    """The log's lines without their dates."""
    first, *lines = answer["log"].rstrip("\n").split("\n")
    assert re.fullmatch(r"Execution log for request [0-9a-f-]{36}", first), first
    for line in lines:
        assert re.match(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4} : ", line), line
    return [line.split(" : ", 1)[1] for line in lines]


def kinds(lines):
    """What the lines are about: the words up to their first value."""
    return [re.split(r": |\. Status|(?<=Sending request to) ", line)[0].rstrip(":") for line in lines]


START = ["Starting execution for request", "HTTP Method", "Method request path", "Method request query string",
         "Method request headers", "Method request body before transformations"]
ASKED = ["Endpoint request URI", "Endpoint request headers", "Endpoint request body after transformations",
         "Sending request to", "Received response", "Endpoint response headers",
         "Endpoint response body before transformations"]
END = ["Method response body after transformations", "Method response headers", "Successfully completed execution",
       "Method completed with status"]


def one(lines, start):
    found = [line for line in lines if line.startswith(start)]
    assert len(found) == 1, (start, lines)
    return found[0][len(start):]


def trials():
    answer = trial("pet", "POST", pathWithQueryString="/pets/7?a=1&a=2", headers={"X-One": "1", "Authorization": "secret-key"},
                   multiValueHeaders={"X-Two": ["2", "3"]}, body="héllo", stageVariables={"colour": "blue"})
    assert answer["status"] == 201 and answer["latency"] >= 0, answer
    assert answer["headers"]["X-Own"] == "yes" and answer["multiValueHeaders"]["X-Own"] == ["yes"], answer
    assert answer["headers"]["X-Amzn-Trace-Id"].startswith("Root=1-"), answer
    event = json.loads(answer["body"])
    has(event, resource="/pets/{id}", path="/pets/7", httpMethod="POST", pathParameters={"id": "7"}, body="héllo",
        queryStringParameters={"a": "2"}, multiValueQueryStringParameters={"a": ["1", "2"]},
        stageVariables={"colour": "blue"}, headers={"X-One": "1", "Authorization": "secret-key", "X-Two": "3"})
    has(event["multiValueHeaders"], **{"X-Two": ["2", "3"]})
    has(event["requestContext"], stage="test-invoke-stage", path="/pets/7", domainPrefix="testPrefix",
        domainName="testPrefix.testDomainName", resourceId=ids["pet"], apiId=api, accountId=ACCOUNT)
    has(event["requestContext"]["identity"], sourceIp="test-invoke-source-ip", apiKey="test-invoke-api-key",
        apiKeyId="test-invoke-api-key-id", userArn=f"arn:aws:iam::{ACCOUNT}:root")
    lines = told(answer)
    assert kinds(lines) == START + ASKED + END, lines
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:echo"
    uri = f"https://lambda.{REGION}.amazonaws.com/2015-03-31/functions/{arn}/invocations"
    request = event["requestContext"]["requestId"]
    assert lines[:6] == [
        f"Starting execution for request: {request}", "HTTP Method: POST, Resource Path: /pets/7",
        "Method request path: {id=7}", "Method request query string: {a=2}",
        "Method request headers: {Authorization=****et-key, X-One=1, X-Two=2,3}",
        "Method request body before transformations: héllo"], lines
    assert one(lines, "Endpoint request URI: ") == one(lines, "Sending request to ") == uri
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/test-invoke-stage/POST/pets/{{id}}"
    assert f"X-Amz-Source-Arn={source}" in one(lines, "Endpoint request headers: "), lines
    long = one(lines, "Endpoint request body after transformations: ")
    assert long.startswith('{"resource":"/pets/{id}"') and long.endswith(" [TRUNCATED]"), long
    assert len("Endpoint request body after transformations: " + long) == 1024 + len(" [TRUNCATED]")
    assert re.match(r"200, Integration latency: \d+ ms$", one(lines, "Received response. Status: ")), lines
    assert one(lines, "Method response headers: ").startswith("{X-Own=yes, "), lines
    assert lines[-2:] == ["Successfully completed execution", "Method completed with status: 201"]

    # Without a path the resource's own template is taken; without headers there are none.
    answer = trial("pet", "GET")
    event = json.loads(answer["body"])
    has(event, path="/pets/{id}", headers=None, multiValueHeaders=None, queryStringParameters=None, body=None)

    answer = trial("mock")
    assert (answer["status"], answer["headers"]) == (200, {"Content-Type": "application/json"}), answer
    assert kinds(told(answer)) == START + END, answer["log"]

    answer = trial("custom", "POST", body='{"name": "Ada"}')
    assert (answer["status"], json.loads(answer["body"])) == (200, {"got": {"who": "Ada"}}), answer
    assert answer["headers"]["X-Fixed"] == "one", answer
    lines = told(answer)
    assert kinds(lines) == START + ASKED + END, lines
    assert one(lines, "Endpoint request body after transformations: ") == '{"who": "Ada"}'

    for name, path in (("http", "/base"), ("passed", "/through")):
        answer = trial(name, "POST", body="text", pathWithQueryString=f"/{name}?q=1")
        lines = told(answer)
        assert answer["status"] == 200 and kinds(lines) == START + ASKED + END, lines
        uri = BACKEND + path + ("?q=1" if name == "passed" else "")
        assert one(lines, "Endpoint request URI: ") == one(lines, "Sending request to ") == uri, lines
        assert one(lines, "Endpoint request body after transformations: ") == "text", lines
        assert "X-Backend=yes" in one(lines, "Endpoint response headers: "), lines


def failures():
    answer = trial("pet", "POST", pathWithQueryString="/pets/7", body="fail")
    assert (answer["status"], json.loads(answer["body"])) == (502, {"message": "Internal server error"}), answer
    lines = told(answer)
    assert kinds(lines)[:-2] == START + ASKED, lines
    assert "X-Amz-Function-Error=Unhandled" in one(lines, "Endpoint response headers: "), lines
    why = "Lambda execution failed with status 200 due to customer function error: no luck. Lambda request id: "
    assert lines[-2].startswith(why) and lines[-1] == "Method completed with status: 502", lines

    lines = told(trial("pet", "POST", pathWithQueryString="/pets/7", body="bad"))
    assert lines[-2:] == [
        "Execution failed due to configuration error: Malformed Lambda proxy response", "Method completed with status: 502"]

    answer = trial("closed")
    lines = told(answer)
    assert answer["status"] == 500 and kinds(lines)[6:10] == ASKED[:4], lines
    assert lines[-2:] == [
        "Execution failed due to configuration error: Invalid permissions on Lambda function",
        "Method completed with status: 500"], lines
    lambda_.add_permission(
        FunctionName="closed", StatementId="trial", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/test-invoke-stage/GET/closed")
    assert trial("closed")["status"] == 201

    # Keys and signatures aren't asked for; what the request itself must be is, in the API's own form.
    answer = trial("checked", "POST", body='{"name": 1}')
    assert (answer["status"], answer["headers"]["x-amzn-ErrorType"]) == (400, "BadRequestException"), answer
    assert json.loads(answer["body"]) == {"message": "Missing required request parameters: [page]"}, answer
    answer = trial("checked", "POST", pathWithQueryString="/checked?page=1", body="{}")
    lines = told(answer)
    assert lines[-2].startswith("Request body does not match model schema for content type application/json: ["), lines
    assert lines[-1] == "Method completed with status: 400" and answer["status"] == 400, lines
    gateway.put_gateway_response(
        restApiId=api, responseType="BAD_REQUEST_BODY", statusCode="422",
        responseTemplates={"application/json": '{"why": $context.error.messageString, "stage": "$context.stage"}'})
    answer = trial("checked", "POST", pathWithQueryString="/checked?page=1", body="{}")
    assert (answer["status"], json.loads(answer["body"])) == (
        422, {"why": "Invalid request body", "stage": "test-invoke-stage"}), answer
    assert trial("checked", "POST", pathWithQueryString="/checked?page=1", body='{"name": 1}')["status"] == 200

    with refused("BadRequestException", "Request Header Fields Too Large", 400):
        trial("mock", headers={f"X-{count}": "x" for count in range(40000)})
    with refused("NotFoundException", "Invalid Resource identifier specified", 404):
        gateway.test_invoke_method(restApiId=api, resourceId="nothing", httpMethod="GET")
    with refused("NotFoundException", "Invalid Method identifier specified", 404):
        trial("mock", "DELETE")
    with refused("NotFoundException", "Invalid API identifier specified", 404):
        gateway.test_invoke_method(restApiId="nothing", resourceId=root, httpMethod="GET")
    with refused("NotFoundException", "Invalid Client Certificate identifier specified", 404):
        trial("mock", clientCertificateId="nothing")


def authorizers():
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/authorizers/*"
    lambda_.add_permission(
        FunctionName="judge", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
        SourceArn=arn)
    by_token = gateway.create_authorizer(
        restApiId=api, name="token", type="TOKEN", authorizerUri=proxy_uri("judge"),
        identitySource="method.request.header.Who", identityValidationExpression="[a-z]+")["id"]
    by_request = gateway.create_authorizer(
        restApiId=api, name="request", type="REQUEST", authorizerUri=proxy_uri("judge"),
        identitySource="method.request.header.Who, method.request.querystring.q")["id"]

    def judged(authorizer, **what):
        return gateway.test_invoke_authorizer(restApiId=api, authorizerId=authorizer, **what)

    asked = ["Endpoint request URI", "Endpoint request headers", "Endpoint request body after transformations",
             "Sending request to", "Authorizer result body before parsing"]
    answer = judged(by_token, headers={"Who": "ada"})
    assert answer["clientStatus"] == 0 and answer["latency"] >= 0 and answer["principalId"] == "user-of-ada", answer
    policy = json.loads(answer["policy"])
    assert policy["Statement"][0]["Resource"] == (
        f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/ESTestInvoke-stage/GET/"), policy
    assert "claims" not in answer, answer
    lines = told(answer)
    assert kinds(lines) == [
        "Starting authorizer", "Incoming identity", *asked, "Using valid authorizer policy for principal",
        "Successfully completed authorizer execution"], lines
    assert lines[0].startswith(f"Starting authorizer: {by_token} for request: "), lines
    assert lines[-2] == "Using valid authorizer policy for principal: *****of-ada", lines

    # What a policy says isn't asked here.
    assert judged(by_token, headers={"Who": "denied"})["clientStatus"] == 0
    for headers in ({"Who": "nobody"}, {"Who": "NO"}, {}):
        answer = judged(by_token, headers=headers)
        lines = told(answer)
        assert answer["clientStatus"] == 401 and "policy" not in answer, answer
        assert lines[-2].startswith("Unauthorized request: ") and lines[-1] == "Unauthorized", lines
    answer = judged(by_token, headers={"Who": "broken"})
    lines = told(answer)
    assert answer["clientStatus"] == 500 and lines[-1] == "AuthorizerConfigurationException", answer

    answer = judged(by_request, headers={"Who": "abcdefghij"}, pathWithQueryString="/a?q=1", stageVariables={"v": "1"},
                    additionalContext={"key": "value"})
    assert (answer["clientStatus"], answer["principalId"]) == (0, "user-of-abcdefghij"), answer
    lines = told(answer)
    assert one(lines, "Incoming identity: ") == (
        "{method.request.header.Who=****efghij, method.request.querystring.q=*}"), lines
    assert '"type":"REQUEST"' in one(lines, "Endpoint request body after transformations: "), lines
    with refused("NotFoundException", "Invalid Authorizer identifier specified", 404):
        judged("nothing")


def execution_log():
    """The same lines in the stage's log, as far as its level and its data trace go."""
    gateway.create_deployment(restApiId=api, stageName="prod")
    logger = iam.create_role(RoleName="gateway-logs", AssumeRolePolicyDocument=trust("apigateway.amazonaws.com"))
    gateway.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": logger["Role"]["Arn"]}])
    group = f"API-Gateway-Execution-Logs_{api}/prod"

    def replace(*pairs):
        operations = [{"op": "replace", "path": path, "value": value} for path, value in zip(pairs[::2], pairs[1::2])]
        gateway.update_stage(restApiId=api, stageName="prod", patchOperations=operations)

    def sent(body, path="/pets/7", method="POST", name=group):
        headers = {"X-Api-Key": "k" * 20 + "abcdef"}
        request = fetch(api, "prod", path, headers, method, body)[1]["x-amzn-requestid"]
        own = lambda: [line[39:] for line in log_messages(name) if line.startswith(f"({request}) ")]
        return wait_for("the log", lambda: any("Method completed" in line for line in own()) and own())

    before = ["Extended Request Id", "Verifying Usage Plan for request", "API Key  authorized", "Usage Plan check succeeded"]
    shape = lambda lines: [re.split(r" because| for API", line)[0] for line in kinds(lines)]
    after = ["AWS Integration Endpoint RequestId "]
    replace("/*/*/logging/loglevel", "INFO")
    lines = sent("quiet")
    assert shape(lines) == [
        *before, "Starting execution for request", "HTTP Method", "Sending request to", "Received response",
        "Successfully completed execution", "Method completed with status", *after], lines
    assert not any("quiet" in line for line in lines), lines
    assert f"API Key  authorized because method 'ANY /pets/{{id}}' does not require API Key" in lines[2], lines

    replace("/*/*/logging/dataTrace", "true")
    lines = sent("loud")
    assert shape(lines) == before + START + ASKED + END + after, lines
    assert one(lines, "Method request body before transformations: ") == "loud", lines
    masked = "*" * 34 + "abcdef"
    assert f"X-Api-Key={masked}" in one(lines, "Method request headers: "), lines
    assert not any("k" * 20 in line for line in lines[:11]), lines
    assert shape(sent("x", "/mock", "GET")) == before + START + END

    replace("/*/*/logging/loglevel", "ERROR")
    lines = sent("fail")
    assert shape(lines) == ["Lambda execution failed with status 200 due to customer function error",
                            "Method completed with status"], lines
    replace("/*/*/logging/loglevel", "OFF", "/~1mock/GET/logging/loglevel", "INFO", "/~1mock/GET/logging/dataTrace", "true")
    count = len(log_messages(group))
    fetch(api, "prod", "/pets/7", {}, "POST", "fail")
    assert shape(sent("x", "/mock", "GET")) == before + START + END
    assert len(log_messages(group)) == count + len(before + START + END), "a log that is off says nothing"

    gateway.create_deployment(restApiId=api, stageName="prod", canarySettings={"percentTraffic": 100.0})
    assert shape(sent("x", "/mock", "GET", name=f"{group}/Canary")) == before + START + END


trials()
failures()
authorizers()
execution_log()
backend.shutdown()
