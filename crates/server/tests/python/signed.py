"""A server that knows one key: calls signed with it are served, others refused in each protocol's words."""

from given import *

assert gateway.get_rest_apis()["items"] == []
assert logs.describe_log_groups()["logGroups"] == []
assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/test"
keys = {
    "unknown": {"aws_access_key_id": "AKIDUNKNOWN", "aws_secret_access_key": "test"},
    "wrong": {"aws_access_key_id": "test", "aws_secret_access_key": "wrong"},
}
for service, operation, unknown, wrong in (
    ("apigateway", "get_rest_apis", "UnrecognizedClientException", "InvalidSignatureException"),
    ("logs", "describe_log_groups", "UnrecognizedClientException", "InvalidSignatureException"),
    ("iam", "list_roles", "InvalidClientTokenId", "SignatureDoesNotMatch"),
):
    for which, code in (("unknown", unknown), ("wrong", wrong)):
        # Logs answers all faults of clients with 400.
        with refused(code, status=400 if (service, which) == ("logs", "unknown") else 403):
            getattr(boto3.client(service, config=CONFIG, **keys[which]), operation)()
# Borrowed credentials are verified too, until they expire.
ours = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
document = json.dumps({"Version": "2012-10-17", "Statement": [ours]})
iam.create_role(RoleName="borrowed", AssumeRolePolicyDocument=document)
session = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/borrowed", RoleSessionName="session")["Credentials"]
borrowed = {
    "aws_access_key_id": session["AccessKeyId"], "aws_secret_access_key": session["SecretAccessKey"],
    "aws_session_token": session["SessionToken"],
}
assert boto3.client("apigateway", config=CONFIG, **borrowed).get_rest_apis()["items"] == []
with refused("UnrecognizedClientException", status=403):
    changed = borrowed | {"aws_session_token": session["SessionToken"][:-4] + "AAAA"}
    boto3.client("apigateway", config=CONFIG, **changed).get_rest_apis()

# What Prometheus reads is read by who signs for CloudWatch, and may.
import botocore.auth
import botocore.awsrequest
import botocore.credentials


def metrics(access_key, secret_key, token=None):
    request = botocore.awsrequest.AWSRequest("GET", f"{ENDPOINT}/_pitbird/metrics")
    credentials = botocore.credentials.Credentials(access_key, secret_key, token)
    botocore.auth.SigV4Auth(credentials, "monitoring", REGION).add_auth(request)
    return exchange("GET", "/_pitbird/metrics", dict(request.headers.items()))


status, _, text = metrics("test", "test")
assert status == 200 and b"pitbird_build_info" in text, text
assert metrics("test", "wrong")[0] == 403
assert metrics(*borrowed.values())[0] == 403, "a role without policies"

# S3 says it in words of its own, and takes URLs that are signed.
import urllib.error
import urllib.request

V4 = CONFIG.merge(botocore.config.Config(signature_version="s3v4"))
s3 = boto3.client("s3", config=V4)
s3.create_bucket(Bucket="signed")
s3.put_object(Bucket="signed", Key="a b/é+", Body=b"signed")
assert s3.get_object(Bucket="signed", Key="a b/é+")["Body"].read() == b"signed"
for which, code in (("unknown", "InvalidAccessKeyId"), ("wrong", "SignatureDoesNotMatch")):
    with refused(code, status=403):
        boto3.client("s3", config=V4, **keys[which]).list_buckets()
with refused("AccessDenied", "Access Denied", 403):
    boto3.client("s3", config=CONFIG.merge(botocore.config.Config(signature_version=botocore.UNSIGNED))).list_objects_v2(Bucket="signed")


def answer(request):
    try:
        with urllib.request.urlopen(request) as found:
            return found.status, found.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


url = s3.generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": "a b/é+"})
assert answer(url) == (200, b"signed")
status, text = answer(url.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601"))
assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in text, text
status, text = answer(f"{ENDPOINT}/signed/a")
assert status == 403 and b"<Code>AccessDenied</Code>" in text, text

# Signed frames, as older SDKs stream: each signature covers the one before.
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import hashlib
import hmac


def framed(pieces, spoil=False):
    length = sum(map(len, pieces))
    headers = {
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(length),
    }
    request = botocore.awsrequest.AWSRequest("PUT", f"{ENDPOINT}/signed/framed", headers=headers)
    signer = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials("test", "test"), "s3", REGION)
    signer.payload = lambda _: headers["x-amz-content-sha256"]
    signer.add_auth(request)
    if request.headers["X-Amz-Content-SHA256"] != headers["x-amz-content-sha256"]:
        raise AssertionError(request.headers)
    before = request.headers["Authorization"].rsplit("Signature=")[1]
    stamp = request.context["timestamp"]
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    key = b"AWS4test"
    for step in (stamp[:8], REGION, "s3", "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    body = b""
    for piece in (*pieces, b""):
        text = "\n".join(
            ("AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, before, hashlib.sha256(b"").hexdigest(), hashlib.sha256(piece).hexdigest())
        )
        before = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        sent = b"x" + piece[1:] if spoil and piece else piece
        body += b"%x;chunk-signature=%s\r\n%s\r\n" % (len(piece), before.encode(), sent)
    status, _, text = exchange("PUT", "/signed/framed", dict(request.headers.items()), body)
    return status, text


assert framed([b"a" * 65_536, b"b" * 10]) == (200, b"")
assert s3.get_object(Bucket="signed", Key="framed")["Body"].read() == b"a" * 65_536 + b"b" * 10
status, text = framed([b"c" * 65_536], spoil=True)
assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in text, text


def signed_methods():
    """A method of AWS_IAM: whoever signs, and is allowed to by his own policies or by the API's."""
    import botocore.auth
    import botocore.awsrequest
    import botocore.credentials

    api, root = rest_api("signed")
    ids = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    mock(api, root)
    gateway.put_integration_response(
        **ids, statusCode="200", responseTemplates={"application/json": '{"caller": "$context.identity.caller"}'})
    gateway.update_method(**ids, patchOperations=[{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}])
    gateway.create_deployment(restApiId=api, stageName="prod")
    path = f"/_aws/execute-api/{api}/prod/"

    def ask(key, secret, token=None, service="execute-api", region=REGION):
        request = botocore.awsrequest.AWSRequest("GET", ENDPOINT + path)
        credentials = botocore.credentials.Credentials(key, secret, token)
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
        status, headers, body = exchange("GET", path, dict(request.headers))
        return status, headers.get("x-amzn-errortype"), body.decode()

    assert ask("test", "test")[0] == 200, ask("test", "test")
    status, headers, body = exchange("GET", path)
    assert (status, json.loads(body)) == (403, {"message": "Missing Authentication Token"})
    assert headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    status, kind, body = ask("test", "wrong")
    assert (status, kind) == (403, "InvalidSignatureException") and "The request signature we calculated" in body, body
    assert ask("unknown", "test")[:2] == (403, "UnrecognizedClientException")
    assert ask("test", "test", service="lambda")[:2] == (403, "InvalidSignatureException")
    status, kind, body = ask("test", "test", region="eu-west-1")
    assert (status, kind) == (403, "InvalidSignatureException") and "scoped to a valid region" in body, body
    # A role's session may what its policies say.
    ours = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    session_id = boto3.client(
        "sts", config=CONFIG, aws_access_key_id=ours[0], aws_secret_access_key=ours[1], aws_session_token=ours[2],
    ).get_caller_identity()["UserId"]
    assert session_id.startswith("AROA") and session_id.endswith(":session"), session_id
    principal = f"arn:aws:sts::{ACCOUNT}:assumed-role/borrowed/session"
    words = f"User: {principal} is not authorized to perform: execute-api:Invoke on resource: " \
            f"arn:aws:execute-api:{REGION}:********0000:{api}/prod/GET/"
    assert ask(*ours) == (403, "AccessDeniedException", json.dumps({"Message": words}, separators=(",", ":"))), ask(*ours)
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"arn:aws:execute-api:*:*:{api}/prod/GET/*"}
    policy = lambda effect: json.dumps({"Version": "2012-10-17", "Statement": [statement | {"Effect": effect}]})
    iam.put_role_policy(RoleName="borrowed", PolicyName="p", PolicyDocument=policy("Allow"))
    status, _, body = ask(*ours)
    assert (status, json.loads(body)["caller"]) == (200, session_id), body
    iam.put_role_policy(RoleName="borrowed", PolicyName="p", PolicyDocument=policy("Deny"))
    assert ask(*ours)[2].endswith('GET/ with an explicit deny"}'), ask(*ours)
    # The API's own policy may let in whom his policies don't mention, and keep out whom they let in.
    iam.delete_role_policy(RoleName="borrowed", PolicyName="p")
    for effect, expected in (("Allow", 200), ("Deny", 403)):
        document = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": effect, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/borrowed"},
             "Action": "execute-api:Invoke", "Resource": "execute-api:/prod/*"}]})
        gateway.update_rest_api(restApiId=api, patchOperations=[{"op": "replace", "path": "/policy", "value": document}])
        gateway.create_deployment(restApiId=api, stageName="prod")
        assert ask(*ours)[0] == expected, (effect, ask(*ours))
    assert ask("test", "test")[0] == 200


signed_methods()
