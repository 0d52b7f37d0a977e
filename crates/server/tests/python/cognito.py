"""REST APIs that take tokens of Cognito's user pools. The server has the pool's keys from the file that
`cognito_key.py` made, which this script is told too: it has the private half beside."""

import base64
import hashlib
import sys

from given import *

POOL = f"{REGION}_Pitbird1"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"
with open(sys.argv[1]) as file:
    KEY = json.load(file)["keys"][0]
N, D = (int.from_bytes(base64.urlsafe_b64decode(KEY[name] + "=="), "big") for name in ("n", "d"))
ECHO = '''
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
'''


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(**claims):
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "app", "sub": "ada", "token_use": "id", "iat": now, "exp": now + 60,
              "cognito:groups": ["a", "b"]} | claims
    text = ".".join(coded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "k"}, claims))
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
    padded = b"\0\1" + b"\xff" * (253 - len(digest)) + b"\0" + digest
    return f"{text}.{coded(pow(int.from_bytes(padded, 'big'), D, N).to_bytes(256, 'big'))}"


def access(scope):
    return token(token_use="access", scope=scope, aud=None, client_id="app")


def told(answer):
    status, headers, body = answer
    return status, headers.get("x-amzn-errortype"), json.loads(body)


function("echo", ECHO, role("cognito"))
api, root = rest_api("cognito")
permit("echo", api)
other = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_Other"
ours = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{POOL}"


def guarded(name, scopes=(), kind="AWS_PROXY", **settings):
    made = gateway.create_authorizer(
        restApiId=api, name=name, type="COGNITO_USER_POOLS", providerARNs=[other, ours],
        identitySource="method.request.header.Authorization", **settings)["id"]
    resource = gateway.create_resource(restApiId=api, parentId=root, pathPart=name)["id"]
    ids = {"restApiId": api, "resourceId": resource, "httpMethod": "GET"}
    gateway.put_method(
        **ids, authorizationType="COGNITO_USER_POOLS", authorizerId=made, authorizationScopes=list(scopes))
    if kind == "MOCK":
        gateway.put_integration(**ids, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        gateway.put_method_response(**ids, statusCode="200")
        template = "$context.authorizer.claims.sub $context.authorizer.claims['cognito:groups']"
        gateway.put_integration_response(**ids, statusCode="200", responseTemplates={"application/json": template})
    else:
        gateway.put_integration(**ids, type=kind, integrationHttpMethod="POST", uri=proxy_uri("echo"))


guarded("open")
guarded("scoped", ["read", "other"])
guarded("audience", identityValidationExpression="app-.*")
guarded("mapped", kind="MOCK")
gateway.create_deployment(restApiId=api, stageName="prod")


def bring(path, text):
    return fetch(api, "prod", f"/{path}", {"Authorization": text})


def claims(answer):
    assert answer[0] == 200, answer
    return json.loads(answer[2])["requestContext"]["authorizer"]["claims"]


UNAUTHORIZED = (401, "UnauthorizedException", {"message": "Unauthorized"})
assert told(fetch(api, "prod", "/open")) == UNAUTHORIZED
for text in (token(), f"Bearer {token()}"):
    said = claims(bring("open", text))
    has(said, sub="ada", iss=ISSUER, aud="app", token_use="id")
    assert said["cognito:groups"] == "a,b" and " UTC " in said["exp"], said
for bad in (
    "nothing", "Bearer ", token()[:-8] + "AAAAAAAA", token(iss="https://elsewhere"), access("read"),
    token(iss=ISSUER.replace(POOL, "us-east-1_Third")), token(iat=int(time.time()) + 3600),
):
    assert told(bring("open", bad)) == UNAUTHORIZED, bad
expired = told(bring("open", token(exp=1)))
assert expired == (401, "UnauthorizedException", {"message": "The incoming token has expired"}), expired

assert claims(bring("scoped", access("x read")))["scope"] == "x read"
assert told(bring("scoped", token())) == UNAUTHORIZED, "an id token where scopes are asked for"
denied = told(bring("scoped", access("write")))
assert denied == (403, "AccessDeniedException", {"Message": "User is not authorized to access this resource"}), denied

assert told(bring("audience", token())) == UNAUTHORIZED
assert claims(bring("audience", token(aud="app-1")))["aud"] == "app-1"
mapped = bring("mapped", token())
assert (mapped[0], mapped[2]) == (200, b"ada a,b"), mapped

# Authorizers are tried out without a request.
ids = {item["name"]: item["id"] for item in gateway.get_authorizers(restApiId=api)["items"]}
tried = gateway.test_invoke_authorizer(restApiId=api, authorizerId=ids["open"], headers={"Authorization": token()})
assert tried["clientStatus"] == 0 and tried["claims"]["sub"] == "ada" and "policy" not in tried, tried
assert tried["log"].rstrip().endswith("Successfully completed authorizer execution"), tried
tried = gateway.test_invoke_authorizer(restApiId=api, authorizerId=ids["open"], headers={"Authorization": "nothing"})
assert tried["clientStatus"] == 401 and "claims" not in tried, tried
assert tried["log"].rstrip().endswith("Unauthorized"), tried
tried = gateway.test_invoke_authorizer(restApiId=api, authorizerId=ids["open"], headers={"Authorization": token(exp=1)})
assert tried["clientStatus"] == 401 and tried["log"].rstrip().endswith("The incoming token has expired"), tried

# Gateway responses take the API's own form.
gateway.put_gateway_response(restApiId=api, responseType="EXPIRED_TOKEN", statusCode="419")
gateway.create_deployment(restApiId=api, stageName="prod")
assert bring("open", token(exp=1))[0] == 419
