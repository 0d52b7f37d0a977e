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
