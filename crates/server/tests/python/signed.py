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
