"""HTTP APIs: quick create, routes, both payload formats, CORS, stages that deploy themselves, throttling, authorizers, backends,
logs and metrics."""

import base64
import hashlib
import http.server
import random
import threading

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from given import *

apis = boto3.client("apigatewayv2", config=CONFIG)

CODE = '''
def handler(event, context):
    path = event.get("rawPath") or event.get("path")
    if path.endswith("/raise"):
        raise ValueError("as asked")
    if path.endswith("/bad"):
        return {"statusCode": 200, "body": {"no": "text"}}
    if path.endswith("/said"):
        return {"statusCode": 201, "headers": {"X-Said": "so", "Apigw-Requestid": "mine", "Access-Control-Allow-Origin": "evil"},
                "cookies": ["a=1", "b=2"], "body": "aGk=", "isBase64Encoded": True}
    if event["version"] == "1.0":
        import json
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
    return event
'''

AUTHORIZER = '''
import os
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if event["headers"].get("x-token") == "raise":
        raise ValueError("as asked")
    allowed = event["headers"].get("x-token") == "good"
    if event["version"] == "2.0":
        return {"isAuthorized": allowed, "context": {"calls": calls, "of": event["identitySource"], "arn": event["routeArn"]}}
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow" if allowed else "Deny", "Resource": event["methodArn"]}
    return {"principalId": "ada", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"calls": calls}}
'''


def arn(name, qualifier=None):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")


def permit_all(name, api, what="*/*", qualifier=None):
    qualified = {} if qualifier is None else {"Qualifier": qualifier}
    lambda_.add_permission(
        FunctionName=name, StatementId=f"api-{api}-{len(what)}", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/{what}", **qualified)


def ask(api, path="/", method="GET", headers=None, body=None):
    return exchange(method, f"/_aws/execute-api/{api}{path}", headers, body)


def event_of(answer):
    status, _, body = answer
    assert status == 200, answer
    return json.loads(body)


def message(answer):
    return answer[0], json.loads(answer[2])["message"]


def integration(api, name="web", version="2.0"):
    return apis.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn(name), PayloadFormatVersion=version)["IntegrationId"]


def route(api, key, target, **more):
    return apis.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{target}", **more)["RouteId"]


def fresh(*keys, version="2.0", **stage):
    """An API with a stage that deploys itself, and with these routes to the function: its id and its integration's."""
    api = apis.create_api(Name="pets", ProtocolType="HTTP")["ApiId"]
    permit_all("web", api)
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    target = integration(api, version=version)
    for key in keys:
        route(api, key, target)
    if stage:
        apis.update_stage(ApiId=api, StageName="$default", **stage)
    return api, target


def quick():
    api = apis.create_api(Name="quick", ProtocolType="HTTP", Target=arn("web"))["ApiId"]
    assert message(ask(api)) == (500, "Internal Server Error"), "no permission yet"
    permit_all("web", api, "*/$default")
    status, headers, body = ask(
        api, "/a%20b?q=1&q=2", "POST", {"Cookie": "c=1; d=2", "X-A": "1", "Content-Type": "text/plain"}, "words")
    assert status == 200 and headers["content-type"] == "application/json", (status, headers, body)
    seen = json.loads(body)
    has(seen, version="2.0", routeKey="$default", rawPath="/a b", rawQueryString="q=1&q=2", cookies=["c=1", "d=2"],
        queryStringParameters={"q": "1,2"}, body="words", isBase64Encoded=False)
    assert seen["headers"]["x-a"] == "1" and "cookie" not in seen["headers"] and "pathParameters" not in seen, seen
    assert seen["headers"]["content-length"] == "5", seen
    context = seen["requestContext"]
    has(context, accountId=ACCOUNT, apiId=api, domainPrefix=api, routeKey="$default", stage="$default")
    assert "authorizer" not in context and len(context["requestId"]) == 16, context
    assert headers["apigw-requestid"] == context["requestId"] and "x-amzn-requestid" not in headers, headers
    has(context["http"], method="POST", path="/a b", protocol="HTTP/1.1", sourceIp="127.0.0.1")
    status, headers, body = ask(api, "/said")
    assert (status, headers["x-said"], body) == (201, "so", b"hi"), (status, headers, body)
    assert len(headers["apigw-requestid"]) == 16, "the gateway's own, once"
    assert headers["content-type"] == "text/plain;charset=UTF-8", headers
    for path in ("/raise", "/bad"):
        assert message(ask(api, path)) == (500, "Internal Server Error"), path
    status, _, _ = exchange("GET", "/x", {"Host": f"{api}.execute-api.localhost"})
    assert status == 200, "by its host"
    assert message(ask(api, headers={"X-Long": "x" * 10_240}))[0] == 431
    apis.update_api(ApiId=api, DisableExecuteApiEndpoint=True)
    assert message(ask(api)) == (404, "Not Found")
    apis.delete_api(ApiId=api)
    assert ask(api)[0] == 403, "nobody's"


def routes_and_stages():
    api, target = fresh("GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /any/{proxy+}")
    for path, key, captured in [
        ("/pets/dog/1", "GET /pets/dog/1", None), ("/pets/dog/a%20b", "GET /pets/dog/{id}", {"id": "a b"}),
        ("/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}), ("/any/x", "ANY /any/{proxy+}", {"proxy": "x"}),
    ]:
        seen = event_of(ask(api, path))
        assert (seen["routeKey"], seen.get("pathParameters")) == (key, captured), seen
    assert message(ask(api, "/pets/dog/1", "POST")) == (404, "Not Found"), "never 405"
    assert message(ask(api, "/none")) == (404, "Not Found")
    # Another stage, by hand, with variables; what is deployed there stays as it was.
    apis.create_stage(ApiId=api, StageName="v1", StageVariables={"color": "red"})
    apis.create_deployment(ApiId=api, StageName="v1")
    seen = event_of(ask(api, "/v1/pets/dog/1"))
    has(seen, rawPath="/v1/pets/dog/1", stageVariables={"color": "red"})
    assert seen["requestContext"]["http"]["path"] == "/v1/pets/dog/1" and seen["requestContext"]["stage"] == "v1", seen
    before = apis.get_stage(ApiId=api, StageName="$default")["DeploymentId"]
    route(api, "GET /new", target)
    stage = apis.get_stage(ApiId=api, StageName="$default")
    assert stage["DeploymentId"] != before and stage["LastDeploymentStatusMessage"].startswith("Successfully deployed")
    assert event_of(ask(api, "/new"))["routeKey"] == "GET /new"
    assert message(ask(api, "/v1/new")) == (404, "Not Found")
    # Where the URL's form has room for a stage's name, the one at the root may be named too.
    route(api, "ANY /{proxy+}", target)
    for stage in ["/$default", "/%24default"]:
        seen = event_of(ask(api, f"{stage}/new"))
        has(seen, routeKey="GET /new", rawPath="/new")
        assert seen["requestContext"]["http"]["path"] == "/new", seen
    assert message(ask(api, "/$default")) == (404, "Not Found"), "the root has no route"


def the_first_format():
    api, _ = fresh("GET /pets/{id}", version="1.0")
    seen = event_of(ask(api, "/pets/7?q=1&q=2", headers={"X-A": "1"}))
    # Also where the client didn't say it.
    assert seen["headers"]["content-length"] == "0", seen
    has(seen, version="1.0", resource="/pets/{id}", path="/pets/7", httpMethod="GET", pathParameters={"id": "7"},
        multiValueQueryStringParameters={"q": ["1", "2"]}, body=None, stageVariables=None)
    has(seen["requestContext"], resourcePath="/pets/{id}", stage="$default", resourceId=None)


def browsers():
    api, _ = fresh("GET /{proxy+}")
    rules = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "AllowHeaders": ["x-a"], "MaxAge": 60}
    apis.update_api(ApiId=api, CorsConfiguration=rules)
    question = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    status, headers, body = ask(api, "/said", "OPTIONS", question)
    assert (status, body) == (204, b""), (status, body)
    has(headers, **{"access-control-allow-origin": "https://a.example", "access-control-allow-methods": "GET",
                    "access-control-allow-headers": "x-a", "access-control-max-age": "60"})
    _, headers, _ = ask(api, "/said", headers={"Origin": "https://a.example"})
    has(headers, **{"access-control-allow-origin": "https://a.example", "vary": "origin"})
    _, headers, _ = ask(api, "/said", headers={"Origin": "https://b.example"})
    assert "access-control-allow-origin" not in headers, headers
    apis.delete_cors_configuration(ApiId=api)
    assert ask(api, "/said", "OPTIONS", question)[0] == 404
    assert ask(api, "/said")[1]["access-control-allow-origin"] == "evil", "the function's own"


def throttled():
    api, _ = fresh("GET /slow", "GET /fast")
    apis.update_stage(
        ApiId=api, StageName="$default",
        RouteSettings={"GET /slow": {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 0.001}})
    statuses = [ask(api, "/slow")[0] for _ in range(4)]
    assert statuses == [200, 200, 429, 429], statuses
    assert message(ask(api, "/slow")) == (429, "Too Many Requests")
    assert ask(api, "/fast")[0] == 200


def prime(bits):
    while True:
        n = random.getrandbits(bits) | 3 << (bits - 2) | 1
        if all(n % small for small in (3, 5, 7, 11, 13, 17, 19, 23)) and all(
                pow(random.randrange(2, n - 1), n - 1, n) == 1 for _ in range(8)):
            return n


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Somebody who issues tokens, with a key of its own."""

    def __init__(self):
        while True:
            p, q = prime(1024), prime(1024)
            if (p - 1) * (q - 1) % 65537:
                break
        self.n, self.d = p * q, pow(65537, -1, (p - 1) * (q - 1))
        self.asked = []
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                key = {"kty": "RSA", "kid": "k", "n": coded(issuer.n.to_bytes(256, "big")), "e": "AQAB"}
                said = {"jwks_uri": f"{issuer.url}/keys"} if "openid" in self.path else {"keys": [key]}
                body = json.dumps(said).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def token(self, **claims):
        claims = {"iss": self.url, "aud": "app", "exp": int(time.time()) + 60, "scope": "read other", "list": ["a", "b"]} | claims
        text = ".".join(coded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "k"}, claims))
        digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
        padded = b"\0\1" + b"\xff" * (253 - len(digest)) + b"\0" + digest
        return f"{text}.{coded(pow(int.from_bytes(padded, 'big'), self.d, self.n).to_bytes(256, 'big'))}"


def tokens():
    issuer = Issuer()
    api, target = fresh()
    authorizer = apis.create_authorizer(
        ApiId=api, AuthorizerType="JWT", Name="tokens", IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer.url, "Audience": ["app"]})["AuthorizerId"]
    route(api, "GET /open", target, AuthorizationType="JWT", AuthorizerId=authorizer)
    route(api, "GET /read", target, AuthorizationType="JWT", AuthorizerId=authorizer, AuthorizationScopes=["read", "x"])
    route(api, "GET /write", target, AuthorizationType="JWT", AuthorizerId=authorizer, AuthorizationScopes=["write"])

    def bring(path, text):
        return ask(api, path, headers={"Authorization": text})

    answer = ask(api, "/open")
    assert message(answer) == (401, "Unauthorized") and answer[1]["www-authenticate"] == "Bearer", answer
    jwt = event_of(bring("/open", f"Bearer {issuer.token()}"))["requestContext"]["authorizer"]["jwt"]
    has(jwt["claims"], iss=issuer.url, aud="app", list="[a b]")
    assert jwt["scopes"] is None and jwt["claims"]["exp"].isdigit(), jwt
    assert event_of(bring("/read", issuer.token()))["requestContext"]["authorizer"]["jwt"]["scopes"] == ["read"]
    answer = bring("/write", issuer.token())
    assert message(answer) == (403, "Forbidden") and "insufficient_scope" in answer[1]["www-authenticate"], answer
    for token, words in [
        (issuer.token(aud="other"), "the token does not have a valid audience"), (issuer.token(exp=1), "expired"),
        (issuer.token(iss="x"), "issuer"), (issuer.token()[:-8] + "AAAAAAAA", "signature"), ("nothing", "malformed"),
    ]:
        answer = bring("/open", f"Bearer {token}")
        assert message(answer) == (401, "Unauthorized"), answer
        challenge = answer[1]["www-authenticate"]
        assert challenge.startswith('Bearer scope="" error="invalid_token"') and words in challenge, challenge
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"], "its keys are kept"
    nobody = apis.create_authorizer(
        ApiId=api, AuthorizerType="JWT", Name="nobody", IdentitySource=["$request.querystring.token"],
        JwtConfiguration={"Issuer": "http://127.0.0.1:1", "Audience": ["app"]})["AuthorizerId"]
    route(api, "GET /nobody", target, AuthorizationType="JWT", AuthorizerId=nobody)
    answer = ask(api, f"/nobody?token={issuer.token()}")
    assert message(answer) == (401, "Unauthorized") and "OIDC discovery" in answer[1]["www-authenticate"], answer
    issuer.server.shutdown()


def functions_that_decide():
    api, target = fresh()

    def guarded(key, version, **more):
        authorizer = apis.create_authorizer(
            ApiId=api, AuthorizerType="REQUEST", Name=key, AuthorizerUri=proxy_uri("judge"),
            AuthorizerPayloadFormatVersion=version, IdentitySource=["$request.header.X-Token"], **more)["AuthorizerId"]
        permit_all("judge", api, f"authorizers/{authorizer}" + "*" * len(key))
        route(api, key, target, AuthorizationType="CUSTOM", AuthorizerId=authorizer)

    def bring(path, token):
        return ask(api, path, headers={"X-Token": token})

    guarded("GET /simple/{id}", "2.0", EnableSimpleResponses=True, AuthorizerResultTtlInSeconds=300)
    guarded("GET /policy", "1.0")
    assert message(ask(api, "/policy")) == (401, "Unauthorized"), "no identity"
    said = [event_of(bring("/simple/7", "good"))["requestContext"]["authorizer"]["lambda"] for _ in range(2)]
    assert said[0] == said[1], "kept"
    has(said[0], of=["good"], arn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/$default/GET/simple/7")
    for path in ("/simple/7", "/policy"):
        assert message(bring(path, "bad")) == (403, "Forbidden"), path
        assert message(bring(path, "raise")) == (500, "Internal Server Error"), path
    one, two = [event_of(bring("/policy", "good"))["requestContext"]["authorizer"]["lambda"]["calls"] for _ in range(2)]
    assert two > one, "not kept"
    apis.reset_authorizers_cache(ApiId=api, StageName="$default")
    said = event_of(bring("//simple/%37/", "good"))["requestContext"]["authorizer"]["lambda"]
    assert said["calls"] > two, "asked again"
    assert said["arn"].endswith("/$default/GET/simple/7"), "however a path is written"


def signatures():
    api, target = fresh()
    route(api, "GET /signed", target, AuthorizationType="AWS_IAM")
    path = f"/_aws/execute-api/{api}/signed"
    assert message(exchange("GET", path)) == (403, "Forbidden")
    request = botocore.awsrequest.AWSRequest("GET", f"{ENDPOINT}{path}")
    botocore.auth.SigV4Auth(botocore.credentials.Credentials("test", "test"), "execute-api", REGION).add_auth(request)
    seen = event_of(exchange("GET", path, dict(request.headers)))
    has(seen["requestContext"]["authorizer"]["iam"], accessKey="test", accountId=ACCOUNT, cognitoIdentity=None)


def a_canary_by_weight():
    """An HTTP API has no canary of its own: a weighted alias behind it is one."""
    first = release("web2", "def handler(event, context): return 'one'")
    second = release("web2", "def handler(event, context): return 'two'")
    lambda_.create_alias(
        FunctionName="web2", Name="live", FunctionVersion=first, RoutingConfig={"AdditionalVersionWeights": {second: 0.5}})
    api = apis.create_api(Name="canary", ProtocolType="HTTP", Target=arn("web2", "live"))["ApiId"]
    permit_all("web2", api, qualifier="live")
    seen = {ask(api)[2] for _ in range(60)}
    assert seen == {b"one", b"two"}, seen


def backends():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            seen = {"path": self.path, "body": self.rfile.read(length).decode(), "headers": dict(self.headers)}
            body = json.dumps(seen).encode()
            self.send_response(202)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Gone", "1")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    api, _ = fresh()
    target = apis.create_integration(
        ApiId=api, IntegrationType="HTTP_PROXY", IntegrationUri=f"{url}/base/{{id}}", IntegrationMethod="ANY",
        RequestParameters={"append:header.x-who": "$context.routeKey", "overwrite:querystring.q": "$request.path.id"},
        ResponseParameters={"202": {"overwrite:statuscode": "200", "remove:header.x-gone": "''",
                                    "append:header.x-path": "$response.body.path"}})["IntegrationId"]
    route(api, "POST /pets/{id}", target)
    status, headers, body = ask(api, "/pets/7?q=1&r=2", "POST", body="words")
    seen = json.loads(body)
    assert (status, seen["path"], seen["body"]) == (200, "/base/7?r=2&q=7", "words"), (status, seen)
    assert seen["headers"]["x-who"] == "POST /pets/{id}" and "x-gone" not in headers, (seen, headers)
    assert headers["x-path"] == "/base/7?r=2&q=7", headers
    whole = apis.create_api(Name="whole", ProtocolType="HTTP", Target=f"{url}/base")["ApiId"]
    status, _, body = ask(whole, "/a/b?q=1")
    assert (status, json.loads(body)["path"]) == (202, "/base/a/b?q=1"), body
    server.shutdown()
    server.server_close()
    assert message(ask(whole)) == (503, "Service Unavailable")


def told():
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:http-access"
    logs.create_log_group(logGroupName="http-access")
    form = "$context.requestId $context.routeKey $context.status $context.integrationStatus $context.error.responseType " \
           "$context.authorizer.principalId $context.integrationErrorMessage"
    api, _ = fresh("GET /seen", "GET /raise", DefaultRouteSettings={"DetailedMetricsEnabled": True},
                   AccessLogSettings={"DestinationArn": group + ":*", "Format": form})
    request_id = ask(api, "/seen")[1]["apigw-requestid"]
    for path in ("/raise", "/none"):
        ask(api, path)

    def lines():
        found = log_messages("http-access")
        return found if len(found) == 3 else None

    first, second, third = wait_for("three lines", lines)
    assert first == f"{request_id} GET /seen 200 200 - - -", first
    assert " GET /raise 500 200 INTEGRATION_FAILURE - The Lambda function returned" in second, second
    assert third.endswith(" - 404 - NOT_FOUND - -"), third

    def sums(**dimensions):
        now = time.time()
        found = {}
        for name in ("Count", "4xx", "5xx", "DataProcessed"):
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/ApiGateway", MetricName=name, StartTime=now - 600, EndTime=now + 60, Period=60,
                Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()], Statistics=["Sum"])
            found[name] = sum(point["Sum"] for point in points["Datapoints"])
        return found if found["Count"] else None

    for dimensions, expected in [
        ({"ApiId": api}, (3, 1, 1)), ({"ApiId": api, "Stage": "$default"}, (3, 1, 1)),
        ({"ApiId": api, "Stage": "$default", "Route": "GET /raise"}, (1, 0, 1)),
    ]:
        found = wait_for(f"metrics of {dimensions}", lambda: sums(**dimensions))
        assert (found["Count"], found["4xx"], found["5xx"]) == expected and found["DataProcessed"] > 0, (dimensions, found)


ROLE = role("web")
function("web", CODE, ROLE)
function("web2", "def handler(event, context): return 'none'", ROLE)
function("judge", AUTHORIZER, ROLE)
quick()
routes_and_stages()
the_first_format()
browsers()
throttled()
tokens()
functions_that_decide()
signatures()
a_canary_by_weight()
backends()
told()
