"""Writes vectors.json: requests signed by botocore, the oracle that this crate answers to.

Run with any Python that has botocore: python3 vectors.py > vectors.json
Times, keys and tokens are fixed, so the output only changes with botocore or this file.
"""

import datetime
import json
import sys
from unittest import mock
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 11, 23, 2, 37, 29, tzinfo=datetime.timezone.utc)
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjE//+token/with=odd+letters=="
LOCAL = "http://localhost:4566"

HEADER = {"s3": botocore.auth.S3SigV4Auth}
QUERY = {"s3": botocore.auth.S3SigV4QueryAuth}


def vector(name, service, url, method="GET", headers=(), body=b"", token=None, region="us-east-1", expires=None, unsigned=False):
    request = AWSRequest(method=method, url=url, data=body)
    request.context["payload_signing_enabled"] = not unsigned
    for key, value in headers:
        request.headers[key] = value
    given = urlsplit(url)
    credentials = Credentials(ACCESS_KEY, SECRET_KEY, token)
    if expires is None:
        signer = HEADER.get(service, botocore.auth.SigV4Auth)(credentials, service, region)
    else:
        signer = QUERY.get(service, botocore.auth.SigV4QueryAuth)(credentials, service, region, expires=expires)
    with mock.patch("botocore.auth.get_current_datetime", lambda: NOW):
        signer.add_auth(request)
    sent = urlsplit(request.url)
    return {
        "name": name,
        "service": service,
        "region": region,
        "access_key_id": ACCESS_KEY,
        "secret_access_key": SECRET_KEY,
        "session_token": token,
        "now_epoch_s": int(NOW.timestamp()),
        "expires_s": expires,
        "method": method,
        "path": sent.path,
        "query_before": given.query,
        "query": sent.query,
        "headers_before": [["Host", given.netloc], *([k, v] for k, v in headers)],
        "headers": [["Host", given.netloc], *([k, v] for k, v in request.headers.items())],
        "body_hex": body.hex(),
    }


JSON = [("Content-Type", "application/x-amz-json-1.1")]
FORM = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
LAMBDA = f"{LOCAL}/2015-03-31/functions"
ARN = "arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Frestapis%2Fabc"

VECTORS = [
    # Paths.
    vector("root", "iam", f"{LOCAL}/"),
    vector("no-path", "iam", LOCAL),
    vector("plain-path", "lambda", f"{LAMBDA}/f"),
    vector("trailing-slash", "lambda", f"{LOCAL}/2015-03-31/event-source-mappings/"),
    vector("encoded-colon", "lambda", f"{LAMBDA}/f%3Alive/invocations", "POST", body=b"{}"),
    vector("raw-colon", "lambda", f"{LAMBDA}/f:live/invocations", "POST", body=b"{}"),
    vector("encoded-arn", "apigateway", f"{LOCAL}/tags/{ARN}"),
    vector("encoded-space", "apigateway", f"{LOCAL}/restapis/a%20b"),
    vector("encoded-percent", "apigateway", f"{LOCAL}/restapis/100%25"),
    vector("encoded-utf8", "apigateway", f"{LOCAL}/restapis/caf%C3%A9"),
    vector("unreserved", "apigateway", f"{LOCAL}/a-b_c.d~e"),
    vector("reserved-raw", "execute-api", f"{LOCAL}/prod/a!b$c&d'e(f)*g+h,i;j=k@l"),
    vector("dot-segments", "execute-api", f"{LOCAL}/prod/./a/../b"),
    vector("double-slashes", "execute-api", f"{LOCAL}/prod//a///b/"),
    # Query strings.
    vector("query", "apigateway", f"{LOCAL}/restapis?limit=25&position=abc"),
    vector("query-unsorted", "apigateway", f"{LOCAL}/restapis?b=2&a=1&B=3&A=4"),
    vector("query-same-name", "execute-api", f"{LOCAL}/p?a=2&a=1&a=10"),
    vector("query-without-value", "apigateway", f"{LOCAL}/restapis?mode&failonwarnings"),
    vector("query-empty-value", "apigateway", f"{LOCAL}/restapis?mode=&x=1"),
    vector("query-encoded", "lambda", f"{LAMBDA}/f?Qualifier=%24LATEST&x=a%20b%2Bc%2Fd%3De"),
    vector("query-utf8", "execute-api", f"{LOCAL}/p?%C3%A9=%E2%82%AC&e=1"),
    vector("query-prefix-names", "execute-api", f"{LOCAL}/p?ab=1&a=2&a-b=3&a.b=4&a_b=5"),
    vector("query-tags", "lambda", f"{LOCAL}/2017-03-31/tags/x?tagKeys=b&tagKeys=a"),
    # Headers.
    vector("json-target", "logs", f"{LOCAL}/", "POST", [*JSON, ("X-Amz-Target", "Logs_20140328.PutLogEvents")], b"{}"),
    vector("form", "sts", f"{LOCAL}/", "POST", FORM, b"Action=GetCallerIdentity&Version=2011-06-15"),
    vector("header-spaces", "lambda", f"{LAMBDA}/f", headers=[("My-Header1", "  a   b   c  "), ("My-Header2", 'x  "y  z"')]),
    vector("header-empty", "lambda", f"{LAMBDA}/f", headers=[("My-Header", "")]),
    vector("header-case", "lambda", f"{LAMBDA}/f", headers=[("ZOO", "1"), ("zebra", "2"), ("Apple", "3")]),
    vector("header-unsigned", "lambda", f"{LAMBDA}/f", headers=[("User-Agent", "aws-cli/2"), ("Expect", "100-continue")]),
    vector("header-date", "iam", f"{LOCAL}/", headers=[("Date", "to be replaced")]),
    # Bodies, keys, regions.
    vector("body-binary", "lambda", f"{LAMBDA}/f/invocations", "POST", body=bytes(range(256))),
    vector("body-empty-post", "lambda", f"{LAMBDA}/f/invocations", "POST"),
    vector("delete", "apigateway", f"{LOCAL}/restapis/abc", "DELETE"),
    vector("patch", "apigateway", f"{LOCAL}/restapis/abc", "PATCH", [("Accept", "application/json")], b'{"patchOperations":[]}'),
    vector("session-token", "codedeploy", f"{LOCAL}/", "POST", [*JSON, ("X-Amz-Target", "CodeDeploy_20141006.GetDeployment")], b"{}", TOKEN),
    vector("other-region", "monitoring", f"{LOCAL}/", "POST", FORM, b"Action=ListMetrics", region="eu-central-1"),
    # S3.
    vector("s3-get", "s3", f"{LOCAL}/bucket/key"),
    vector("s3-put", "s3", f"{LOCAL}/bucket/dir/a%20b%2Bc", "PUT", body=b"data"),
    vector("s3-dots-and-slashes", "s3", f"{LOCAL}/bucket//a/../b/./c"),
    vector("s3-subresource", "s3", f"{LOCAL}/bucket?list-type=2&prefix=a%2Fb&delimiter=%2F"),
    vector("s3-unsigned-payload", "s3", "https://localhost/bucket/key", "PUT", [("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")], b"data", unsigned=True),
    vector("s3-session-token", "s3", f"{LOCAL}/bucket", token=TOKEN),
    # Presigned.
    vector("presigned", "sts", f"{LOCAL}/?Action=GetCallerIdentity&Version=2011-06-15", expires=60),
    vector("presigned-token", "sts", f"{LOCAL}/?Action=GetCallerIdentity", token=TOKEN, expires=900),
    vector("presigned-header", "sts", f"{LOCAL}/?Action=GetCallerIdentity", headers=[("x-k8s-aws-id", "cluster")], expires=60),
    vector("presigned-path", "lambda", f"{LAMBDA}/f%3Alive", expires=3600),
    vector("presigned-s3", "s3", f"{LOCAL}/bucket/a%20b?versionId=1", expires=604800),
    vector("presigned-s3-put", "s3", f"{LOCAL}/bucket/key", "PUT", expires=60, token=TOKEN),
]

if __name__ == "__main__":
    json.dump(VECTORS, sys.stdout, indent=1, ensure_ascii=True)
    print()
