"""Function URLs: open and signed, through the function and an alias, with CORS, by host and by path."""

import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from given import *

CODE = '''
import json
def handler(event, context):
    if event["rawPath"] == "/raise":
        raise ValueError("as asked")
    if event["rawPath"] == "/plain":
        return "plain words"
    if event["rawPath"] == "/said":
        return {"statusCode": 201, "headers": {"X-Said": "so"}, "cookies": ["a=1", "b=2"], "body": "aGk=", "isBase64Encoded": True}
    return {"event": event, "version": context.function_version}
'''


def by_path(address, path="/", **arguments):
    """Without asking what the host's name stands for."""
    url_id = urllib.parse.urlparse(address).hostname.split(".")[0]
    return exchange(arguments.pop("method", "GET"), f"/_aws/lambda-url/{url_id}{path}", **arguments)


def allow(principal="*", qualifier=None, auth_type="NONE"):
    qualified = {} if qualifier is None else {"Qualifier": qualifier}
    lambda_.add_permission(
        FunctionName="web", StatementId="url", Action="lambda:InvokeFunctionUrl", Principal=principal,
        FunctionUrlAuthType=auth_type, **qualified)
    lambda_.add_permission(
        FunctionName="web", StatementId="call", Action="lambda:InvokeFunction", Principal=principal,
        InvokedViaFunctionUrl=True, **qualified)


def open_to_all():
    made = lambda_.create_function_url_config(FunctionName="web", AuthType="NONE")
    address = made["FunctionUrl"]
    parsed = urllib.parse.urlparse(address)
    assert parsed.port == urllib.parse.urlparse(ENDPOINT).port and len(parsed.hostname.split(".")[0]) == 32, address
    status, _, body = by_path(address)
    assert status == 403 and b"Forbidden. For troubleshooting Function URL" in body, "no permission yet"
    allow()
    status, headers, body = by_path(
        address, "/a%20b?q=1&q=2", method="POST", headers={"Cookie": "c=1; d=2", "Content-Type": "text/plain"}, body="words")
    assert status == 200 and headers["content-type"] == "application/json", (status, body)
    seen = json.loads(body)["event"]
    has(seen, version="2.0", routeKey="$default", rawPath="/a%20b", rawQueryString="q=1&q=2", cookies=["c=1", "d=2"],
        queryStringParameters={"q": "1,2"}, body="words", isBase64Encoded=False)
    has(seen["requestContext"], accountId="anonymous", apiId=parsed.hostname.split(".")[0], stage="$default")
    has(seen["requestContext"]["http"], method="POST", path="/a%20b", sourceIp="127.0.0.1")
    assert seen["requestContext"]["requestId"] == headers["x-amzn-requestid"]
    # By the host that the address names.
    status, _, body = exchange("GET", "/", {"Host": parsed.netloc})
    assert status == 200 and json.loads(body)["event"]["requestContext"]["domainName"] == parsed.hostname, body
    assert by_path(address, "/plain")[::2] == (200, b"plain words")
    status, _, body = by_path(address, method="POST", body="x" * 6_300_000)
    assert (status, json.loads(body)["Message"]) == (
        413, "Request must be smaller than 6291456 bytes for the InvokeFunction operation"), (status, body)
    status, headers, body = by_path(address, "/said")
    assert (status, headers["x-said"], body) == (201, "so", b"hi"), (status, headers, body)
    status, _, body = by_path(address, "/raise")
    assert (status, body) == (502, b"Internal Server Error")
    assert by_path(address.replace("http://", "http://x"))[0] == 403, "nobody's"
    with refused("ResourceConflictException", "Failed to create function url config", 409):
        lambda_.create_function_url_config(FunctionName="web", AuthType="NONE")
    # An API's permission is none for a URL, and the other way round.
    lambda_.remove_permission(FunctionName="web", StatementId="call")
    assert by_path(address)[0] == 403
    lambda_.delete_function_url_config(FunctionName="web")
    assert by_path(address)[0] == 403


def signed(path, *key):
    """A request that is signed, and what comes back."""
    request = botocore.awsrequest.AWSRequest("GET", f"{ENDPOINT}{path}", headers={"x-extra": "1"})
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(*key), "lambda", REGION).add_auth(request)
    return exchange("GET", path, dict(request.headers))


def signed_through_an_alias():
    lambda_.publish_version(FunctionName="web")
    lambda_.create_alias(FunctionName="web", Name="live", FunctionVersion="1")
    made = lambda_.create_function_url_config(FunctionName="web", Qualifier="live", AuthType="AWS_IAM")
    parsed = urllib.parse.urlparse(made["FunctionUrl"])
    path = f"/_aws/lambda-url/{parsed.hostname.split('.')[0]}/"
    assert exchange("GET", path)[0] == 403, "unsigned"
    status, _, body = signed(path, "000000000000", "any")
    assert status == 200, (status, body)
    answer = json.loads(body)
    assert answer["version"] == "1"
    signer = answer["event"]["requestContext"]["authorizer"]["iam"]
    has(signer, accessKey="000000000000", accountId=ACCOUNT, userArn=f"arn:aws:iam::{ACCOUNT}:root")
    lambda_.update_function_url_config(FunctionName="web", Qualifier="live", AuthType="NONE")
    allow(qualifier="live")
    assert exchange("GET", path)[0] == 200, "open now"


def signed_by_a_role():
    address = lambda_.create_function_url_config(FunctionName="web", AuthType="AWS_IAM")["FunctionUrl"]
    path = f"/_aws/lambda-url/{urllib.parse.urlparse(address).hostname.split('.')[0]}/"
    document = lambda *statements: json.dumps({"Version": "2012-10-17", "Statement": statements})
    ours = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    caller = iam.create_role(RoleName="caller", Path="/of/urls/", AssumeRolePolicyDocument=document(ours))["Role"]["Arn"]
    keys = sts.assume_role(RoleArn=caller, RoleSessionName="session")["Credentials"]
    key = keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    calls = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
    denied = {"Effect": "Deny", "Action": "lambda:InvokeFunctionUrl", "Resource": "*"}
    logs_only = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/caller/session"
    root = f"arn:aws:iam::{ACCOUNT}:root"
    for principal in [None, "*", ACCOUNT, root, caller, session]:
        for statement in ["url", "call"]:
            try:
                lambda_.remove_permission(FunctionName="web", StatementId=statement)
            except lambda_.exceptions.ResourceNotFoundException:
                pass
        if principal:
            allow(principal, auth_type="AWS_IAM")
        for statements, may in [
            ([calls], True),
            ([calls, denied], False),
            # An account that is named hands on by its roles' policies, and nothing without them.
            ([logs_only], principal in ["*", caller, session]),
        ]:
            iam.put_role_policy(RoleName="caller", PolicyName="calls", PolicyDocument=document(*statements))
            status, _, body = signed(path, *key)
            assert status == (200 if may else 403), (principal, statements, status, body)
    lambda_.delete_function_url_config(FunctionName="web")


def pages_of_other_origins():
    lambda_.update_function_url_config(
        FunctionName="web", Qualifier="live",
        Cors={"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "AllowHeaders": ["x-a"], "MaxAge": 60})
    (config,) = lambda_.list_function_url_configs(FunctionName="web")["FunctionUrlConfigs"]
    question = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    status, headers, body = by_path(config["FunctionUrl"], method="OPTIONS", headers=question)
    assert (status, body) == (200, b"")
    has(headers, **{"access-control-allow-origin": "https://a.example", "access-control-allow-methods": "GET",
                    "access-control-max-age": "60"})
    _, headers, _ = by_path(config["FunctionUrl"], headers={"Origin": "https://a.example"})
    assert headers["access-control-allow-origin"] == "https://a.example"
    _, headers, _ = by_path(config["FunctionUrl"], headers={"Origin": "https://b.example"})
    assert "access-control-allow-origin" not in headers


def measured():
    def count():
        dimensions = [{"Name": "FunctionName", "Value": "web"}, {"Name": "Resource", "Value": "web:live"}]
        now = time.time()
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="UrlRequestCount", Dimensions=dimensions, StartTime=now - 600,
            EndTime=now + 60, Period=60, Statistics=["Sum"])
        return sum(point["Sum"] for point in found["Datapoints"]) >= 6

    wait_for("the requests in CloudWatch", count)


function("web", CODE, role("web"))
open_to_all()
signed_through_an_alias()
signed_by_a_role()
pages_of_other_origins()
measured()
