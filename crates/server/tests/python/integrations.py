"""Integrations of every kind through the real data plane: HTTP, HTTP_PROXY, AWS, MOCK, with their mapping templates."""

import base64
import gzip
import http.server
import os.path
import ssl
import threading
import urllib.parse

from given import *

ECHO = '''
def handler(event, context):
    if event.get("fail"):
        raise ValueError("not found: " + event["fail"])
    return {"got": event, "text": "plain"}
'''
SEEN = []


class Endpoint(http.server.BaseHTTPRequestHandler):
    """An HTTP backend that answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        seen = {
            "method": self.command, "path": self.path, "body": body.decode("latin-1"),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }
        SEEN.append(seen)
        status = int(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("status", ["200"])[0])
        content, coding = json.dumps(seen).encode(), None
        if "zip" in self.path:
            content, coding = gzip.compress(content), "gzip"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Backend", "yes")
        self.send_header("Via", "1.1 backend")
        if coding:
            self.send_header("Content-Encoding", coding)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def log_message(self, *_):
        pass


backend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=backend.serve_forever, daemon=True).start()
BACKEND = f"http://127.0.0.1:{backend.server_address[1]}"


class Answer:
    def __init__(self, status, headers, content):
        self.status, self.headers, self.content = status, headers, content
        self.text = content.decode("utf-8", "replace")

    def header(self, name):
        return self.headers.get(name)

    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.text}"


class Api:
    """A REST API whose methods are put one by one."""

    def __init__(self, name, **settings):
        made = gateway.create_rest_api(name=name, **settings)
        self.id, self.resources = made["id"], {"/": made["rootResourceId"]}

    def resource(self, path):
        if path not in self.resources:
            parent, _, part = path.rpartition("/")
            parent = self.resource(parent or "/")
            made = gateway.create_resource(restApiId=self.id, parentId=parent, pathPart=part)
            self.resources[path] = made["id"]
        return self.resources[path]

    def put(self, path, verb, responses=None, parameters=None, declared=None, authorization="NONE", **integration):
        """A method; `responses` are by status: what put_integration_response takes."""
        at = dict(restApiId=self.id, resourceId=self.resource(path), httpMethod=verb)
        gateway.put_method(**at, authorizationType=authorization, requestParameters=declared or {})
        gateway.put_integration(**at, requestParameters=parameters or {}, **integration)
        for status, response in (responses or {}).items():
            shown = {name: True for name in response.get("responseParameters", {})}
            gateway.put_method_response(**at, statusCode=status, responseParameters=shown)
            gateway.put_integration_response(**at, statusCode=status, **response)

    def deploy(self, stage="prod", **settings):
        gateway.create_deployment(restApiId=self.id, stageName=stage, **settings)

    def ask(self, path, method="GET", stage="prod", headers=None, body=None):
        headers = dict(headers or {})
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        return Answer(*exchange(method, f"/_aws/execute-api/{self.id}/{stage}{path}", headers, body))


def http_proxy():
    api = Api("http-proxy")
    api.put(
        "/pets/{proxy+}", "ANY", declared={"method.request.path.proxy": True, "method.request.header.X-In": False},
        parameters={
            "integration.request.path.proxy": "method.request.path.proxy",
            "integration.request.header.X-Out": "method.request.header.X-In",
            "integration.request.header.X-Stage": "context.stage",
            "integration.request.querystring.added": "'one two'",
        },
        type="HTTP_PROXY", integrationHttpMethod="ANY", uri=BACKEND + "/${stageVariables.base}/{proxy}",
    )
    api.put(
        "/binary", "POST", type="HTTP_PROXY", integrationHttpMethod="POST", uri=BACKEND, contentHandling="CONVERT_TO_BINARY",
    )
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20261201/us-east-1/execute-api/aws4_request, "
                               "SignedHeaders=host, Signature=00"}
    api.put("/signed", "GET", authorization="AWS_IAM", type="HTTP_PROXY", integrationHttpMethod="GET", uri=BACKEND)
    api.put("/unsigned", "GET", type="HTTP_PROXY", integrationHttpMethod="GET", uri=BACKEND)
    api.put("/down", "GET", type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://127.0.0.1:9/")
    api.put("/bad", "GET", type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://${stageVariables.none}/")
    api.put(
        "/illegal", "GET", parameters={"integration.request.header.Content-Length": "'1'"},
        type="HTTP_PROXY", integrationHttpMethod="GET", uri=BACKEND,
    )
    api.deploy(variables={"base": "v1"})
    answer = api.ask(
        "/pets/a%20b/c%2Fd?q=1&q=2", "POST", body=b"\x00binary", headers={
            "X-In": "in", "Content-Type": "text/plain", "Max-Forwards": "3", "X-Forwarded-For": "9.9.9.9",
            "User-Agent": "mine", "Accept": "*/*",
        },
    )
    assert answer.status == 200, answer
    seen = answer.json()
    assert seen["path"] == "/v1/a%20b/c%2Fd?q=1&q=2&added=one%20two", seen
    assert (seen["method"], seen["body"]) == ("POST", "\x00binary"), seen
    headers = seen["headers"]
    has(headers, **{
        "x-out": "in", "x-in": "in", "x-stage": "prod", "content-type": "text/plain", "user-agent": "mine",
        "x-forwarded-for": "9.9.9.9, 127.0.0.1", "x-forwarded-proto": "http", "x-amzn-apigateway-api-id": api.id,
        "host": BACKEND.removeprefix("http://"),
    })
    assert "max-forwards" not in headers
    assert answer.header("x-backend") == "yes" and answer.header("via") is None
    assert answer.header("x-amzn-remapped-date") and answer.header("x-amzn-remapped-content-length")
    assert answer.header("x-amzn-requestid") and answer.header("x-amzn-trace-id") is None
    for status in (201, 404, 500):
        assert api.ask(f"/pets/x?status={status}").status == status
    zipped = api.ask("/pets/zip")
    assert zipped.header("content-encoding") is None and zipped.json()["path"].startswith("/v1/zip")
    assert api.ask("/binary", "POST", body=b"aGk=").json()["body"] == "hi"
    undecodable = api.ask("/binary", "POST", body=b"no base64")
    assert (undecodable.status, undecodable.json()) == (500, {"message": "Internal server error"}), undecodable
    assert "authorization" not in api.ask("/signed", headers=signed).json()["headers"], "what was read here is kept here"
    assert api.ask("/unsigned", headers=signed).json()["headers"]["authorization"] == signed["Authorization"]
    down = api.ask("/down")
    assert (down.status, down.json()) == (504, {"message": "Network error communicating with endpoint"}), down
    for path in ("/bad", "/illegal"):
        assert (api.ask(path).status, api.ask(path).json()) == (500, {"message": "Internal server error"}), path


def http_custom():
    api = Api("http-custom")
    api.put(
        "/orders/{id}", "POST", declared={"method.request.path.id": True, "method.request.querystring.lang": False},
        parameters={
            "integration.request.path.number": "method.request.path.id",
            "integration.request.querystring.l": "method.request.querystring.lang",
            "integration.request.header.X-Body": "method.request.body.name",
        },
        type="HTTP", integrationHttpMethod="PUT", uri=BACKEND + "/things/{number}",
        requestTemplates={"application/json": """#set($in = $input.path('$'))
{"name": "$in.name.toUpperCase()", "id": "$input.params('id')", "tags": [#foreach($t in $in.tags)"$t"#if($foreach.hasNext),#end#end],
 "stage": "$context.stage", "lang": "$stageVariables.lang"}
#set($context.requestOverride.header.X-Override = "yes")
#set($context.requestOverride.querystring.extra = "1")"""},
        passthroughBehavior="NEVER",
        responses={
            "200": {
                "responseParameters": {
                    "method.response.header.X-From": "integration.response.header.X-Backend",
                    "method.response.header.Date": "'never'", "method.response.header.X-Name": "integration.response.body.method",
                },
                "responseTemplates": {
                    "application/json": "{\"asked\": $input.json('$.path'), \"sent\": $input.path('$.body')}",
                    "text/csv": "path,$input.path('$.path')",
                },
            },
            "400": {"selectionPattern": "4\\d{2}", "responseTemplates": {"application/json": """{"error": true}
#set($context.responseOverride.status = 418)#set($context.responseOverride.header.X-Tea = "pot")"""}},
        },
    )
    api.deploy(variables={"lang": "de"})
    body = {"name": "rex", "tags": ["a", "b"]}
    answer = api.ask("/orders/7?lang=en", "POST", body=body)
    assert answer.status == 200, answer
    told = answer.json()
    path = urllib.parse.urlsplit(told["asked"])
    assert path.path == "/things/7" and urllib.parse.parse_qs(path.query) == {"l": ["en"], "extra": ["1"]}, told
    assert told["sent"] == {"name": "REX", "id": "7", "tags": ["a", "b"], "stage": "prod", "lang": "de"}, told
    headers = SEEN[-1]["headers"]
    has(headers, **{"x-body": "rex", "x-override": "yes", "user-agent": f"AmazonAPIGateway_{api.id}"})
    assert answer.header("x-from") == "yes" and answer.header("x-amzn-remapped-date") == "never"
    assert answer.header("x-name") == "PUT" and answer.header("x-amzn-trace-id")
    csv = api.ask("/orders/7", "POST", body=body, headers={"Accept": "text/csv"})
    assert (csv.header("content-type"), csv.text.split("?")[0]) == ("text/csv", "path,/things/7"), csv
    refused_type = api.ask("/orders/7", "POST", body=b"<a/>", headers={"Content-Type": "application/xml"})
    assert (refused_type.status, refused_type.json()) == (415, {"message": "Unsupported Media Type"})
    api.put(
        "/teapot", "GET", type="HTTP", integrationHttpMethod="GET", uri=BACKEND + "/?status=404",
        responses={"200": {}, "400": {"selectionPattern": "4\\d{2}", "responseTemplates": {"application/json": """{"error": true}
#set($context.responseOverride.status = 418)#set($context.responseOverride.header.X-Tea = "pot")"""}}},
    )
    api.put("/nothing", "GET", type="HTTP", integrationHttpMethod="GET", uri=BACKEND, responses={"200": {"selectionPattern": "5.."}})
    api.deploy()
    tea = api.ask("/teapot")
    assert (tea.status, tea.header("x-tea"), tea.json()) == (418, "pot", {"error": True}), tea
    assert api.ask("/nothing").status == 500, "no rule for 200"


def lambda_custom():
    function("custom", ECHO, role("integrations"))
    arn = lambda_.get_function(FunctionName="custom")["Configuration"]["FunctionArn"]
    lambda_.add_permission(
        FunctionName="custom", StatementId="any", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    api = Api("lambda-custom")
    template = """{"fail": "$input.params('fail')", "method": "$context.httpMethod", "canary": "$context.isCanaryRequest"}"""
    responses = {
        "200": {
            "responseTemplates": {"application/json": "$input.json('$.got')"},
            "responseParameters": {
                "method.response.header.X-Version": "integration.response.header.X-Amz-Executed-Version",
                "method.response.header.X-Id": "integration.response.header.x-amzn-RequestId",
            },
        },
        "404": {"selectionPattern": "not found.*", "responseTemplates": {"application/json": "{\"error\": \"$input.path('$.errorMessage')\"}"}},
    }
    api.put("/", "GET", type="AWS", integrationHttpMethod="POST", uri=uri, requestTemplates={"application/json": template}, responses=responses)
    api.put("/pass", "POST", type="AWS", integrationHttpMethod="POST", uri=uri, responses={"200": {}})
    api.put(
        "/later", "POST", type="AWS", integrationHttpMethod="POST", uri=uri, responses={"202": {}},
        parameters={"integration.request.header.X-Amz-Invocation-Type": "'Event'"},
    )
    api.deploy()
    answer = api.ask("/")
    assert (answer.status, answer.json()) == (200, {"fail": "", "method": "GET", "canary": ""}), answer
    assert (answer.headers["x-version"], len(answer.headers["x-id"])) == ("$LATEST", 36), answer
    missing = api.ask("/?fail=rex")
    assert (missing.status, missing.json()) == (404, {"error": "not found: rex"}), missing
    passed = api.ask("/pass", "POST", body={"a": [1, 2]})
    assert (passed.status, passed.json()["got"]) == (200, {"a": [1, 2]}), passed
    failed = api.ask("/pass", "POST", body={"fail": "x"})
    assert failed.status == 200 and failed.json()["errorMessage"] == "not found: x", "an error without a rule is the default's"
    later = api.ask("/later", "POST", body={"a": 1})
    assert (later.status, later.text) == (202, ""), later
    assert api.ask("/pass", "POST", body=b"no json").status == 500


def mocks():
    api = Api("mocks", binaryMediaTypes=["image/png"])
    api.put(
        "/", "POST", type="MOCK",
        requestTemplates={"application/json": """#if($input.path('$.ok'))
{"statusCode": 200}
#else
{"statusCode": 503}
#end"""},
        responses={
            "200": {"responseTemplates": {"application/json": '{"id": "$context.requestId", "path": "$context.resourcePath"}'}},
            "500": {"selectionPattern": "5\\d\\d", "responseTemplates": {"application/json": '{"sorry": true}'}},
        },
    )
    api.put(
        "/cors", "OPTIONS", type="MOCK", requestTemplates={"application/json": "{statusCode: 200}"},
        responses={"200": {"responseParameters": {
            "method.response.header.Access-Control-Allow-Origin": "'*'",
            "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
        }}},
    )
    api.put(
        "/image", "GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'},
        responses={"200": {
            "contentHandling": "CONVERT_TO_BINARY", "responseTemplates": {"image/png": base64.b64encode(b"\x89PNG").decode()},
            "responseParameters": {"method.response.header.Content-Type": "'image/png'"},
        }},
    )
    api.put("/broken", "GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": "$context.stage"}'}, responses={"200": {}})
    api.deploy()
    good = api.ask("/", "POST", body={"ok": True})
    assert (good.status, good.json()) == (200, {"id": good.header("x-amzn-requestid"), "path": "/"}), good
    bad = api.ask("/", "POST", body={"ok": False})
    assert (bad.status, bad.json()) == (500, {"sorry": True}), bad
    cors = api.ask("/cors", "OPTIONS")
    assert cors.status == 200 and cors.header("access-control-allow-methods") == "GET,OPTIONS", cors
    image = api.ask("/image", headers={"Accept": "image/png"})
    assert (image.content, image.header("content-type")) == (b"\x89PNG", "image/png"), image
    assert api.ask("/broken").status == 500


def services():
    """AWS services by path and by action, in the name of a role that may."""
    s3 = boto3.client("s3", config=CONFIG.merge(botocore.config.Config(s3={"addressing_style": "path"})))
    s3.create_bucket(Bucket="pages")
    s3.put_object(Bucket="pages", Key="a/index.html", Body=b"<h1>hello</h1>", ContentType="text/html")
    arn = iam.create_role(RoleName="gateway", AssumeRolePolicyDocument=trust("apigateway.amazonaws.com"))["Role"]["Arn"]
    api = Api("services")
    path = {"integration.request.path.key": "method.request.path.key"}
    shown = {"200": {"responseParameters": {"method.response.header.Content-Type": "integration.response.header.Content-Type"}},
             "404": {"selectionPattern": "404"}, "403": {"selectionPattern": "403"}}
    api.put(
        "/pages/{key+}", "GET", type="AWS", integrationHttpMethod="GET", credentials=arn, parameters=path,
        declared={"method.request.path.key": True}, uri=f"arn:aws:apigateway:{REGION}:s3:path/pages/{{key}}", responses=shown,
    )
    api.put(
        "/groups", "GET", type="AWS", integrationHttpMethod="POST", credentials=arn,
        uri=f"arn:aws:apigateway:{REGION}:logs:action/DescribeLogGroups", requestTemplates={"application/json": "{}"},
        responses={"200": {"responseTemplates": {"application/json": "$input.json('$.logGroups')"}}, "400": {"selectionPattern": "4.."}},
    )
    with refused("BadRequestException", "Role ARN must be specified for AWS integrations", 400):
        api.put("/nobody", "GET", type="AWS", integrationHttpMethod="GET", uri=f"arn:aws:apigateway:{REGION}:s3:path/pages/x")
    gateway.delete_resource(restApiId=api.id, resourceId=api.resources["/nobody"])
    fn = lambda_.get_function(FunctionName="custom")["Configuration"]["FunctionArn"]
    lambda_.remove_permission(FunctionName="custom", StatementId="any")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{fn}/invocations"
    api.put("/function", "POST", type="AWS", integrationHttpMethod="POST", credentials=arn, uri=uri, responses={"200": {}})
    api.deploy()
    assert api.ask("/pages/a/index.html").status == 403, "the role may nothing yet"
    assert api.ask("/function", "POST", body={}).status == 500
    statement = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::pages", "arn:aws:s3:::pages/*"]},
        {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"},
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": fn},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_role_policy(RoleName="gateway", PolicyName="may", PolicyDocument=policy)
    page = api.ask("/pages/a/index.html")
    assert (page.status, page.text, page.header("content-type")) == (200, "<h1>hello</h1>", "text/html"), page
    assert api.ask("/pages/none").status == 404
    groups = api.ask("/groups")
    assert groups.status == 200 and "/aws/lambda/custom" in [group["logGroupName"] for group in groups.json()], groups
    assert api.ask("/function", "POST", body={"a": 1}).json()["got"] == {"a": 1}

    # Trials go the same ways, and tell where they went.
    def told(path, verb="GET", **what):
        tried = gateway.test_invoke_method(restApiId=api.id, resourceId=api.resources[path], httpMethod=verb, **what)
        lines = [line.split(" : ", 1)[1].split(": ", 1) for line in tried["log"].splitlines()[1:]]
        return tried, {line[0]: line[-1] for line in lines}

    tried, lines = told("/pages/{key+}", pathWithQueryString="/pages/a/index.html")
    assert (tried["status"], tried["body"], tried["headers"]["Content-Type"]) == (200, "<h1>hello</h1>", "text/html"), tried
    assert lines["Endpoint request URI"] == f"https://s3.{REGION}.amazonaws.com/pages/a/index.html", lines
    assert lines["Endpoint response body before transformations"] == "<h1>hello</h1>", lines
    tried, lines = told("/groups")
    assert tried["status"] == 200, tried
    assert lines["Endpoint request URI"] == f"https://logs.{REGION}.amazonaws.com/?Action=DescribeLogGroups", lines


def signed_by_itself():
    # For localhost, until 2126.
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(os.path.join(os.path.dirname(__file__), "localhost.pem"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.socket = secure.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    uri = f"https://localhost:{server.server_address[1]}/"
    api = Api("signed-by-itself")
    said = {"insecureSkipVerification": True}
    api.put("/known", "GET", type="HTTP_PROXY", integrationHttpMethod="GET", uri=uri)
    api.put("/any", "GET", type="HTTP_PROXY", integrationHttpMethod="GET", uri=uri, tlsConfig=said)
    api.put("/mapped", "GET", type="HTTP", integrationHttpMethod="GET", uri=uri, tlsConfig=said, responses={"200": {}})
    api.deploy()
    assert api.ask("/known").status == 500
    assert api.ask("/any").status == 200 and api.ask("/mapped").status == 200
    at = dict(restApiId=api.id, resourceId=api.resources["/known"], httpMethod="GET")
    assert "tlsConfig" not in gateway.get_integration(**at)
    operation = dict(op="replace", path="/tlsConfig/insecureSkipVerification", value="true")
    assert gateway.update_integration(**at, patchOperations=[operation])["tlsConfig"] == said
    assert api.ask("/known").status == 500, "not deployed"
    api.deploy()
    assert api.ask("/known").status == 200


http_proxy()
http_custom()
signed_by_itself()
lambda_custom()
services()
mocks()
