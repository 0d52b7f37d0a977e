"""What the scripts start from: clients, packages, roles, functions, REST APIs, and waiting with a deadline.

Nothing here sleeps to wait for something: what is waited for is asked for until it is there.
"""

import contextlib
import http.client
import io
import json
import time
import urllib.parse
import zipfile

import boto3
import botocore.config
import botocore.exceptions

ACCOUNT = "000000000000"
REGION = "us-east-1"

# One try: a fault is to be seen, not to be papered over by a client that tries again.
CONFIG = botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=40, parameter_validation=True)
# For what the client itself would refuse to send.
UNCHECKED = CONFIG.merge(botocore.config.Config(parameter_validation=False))

lambda_ = boto3.client("lambda", config=CONFIG)
gateway = boto3.client("apigateway", config=CONFIG)
logs = boto3.client("logs", config=CONFIG)
cloudwatch = boto3.client("cloudwatch", config=CONFIG)
iam = boto3.client("iam", config=CONFIG)
sts = boto3.client("sts", config=CONFIG)
ENDPOINT = lambda_.meta.endpoint_url


def trust(service="lambda.amazonaws.com"):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def zipped(files):
    """A zip of these files, name to content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return buffer.getvalue()


def role(name):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())["Role"]["Arn"]


def function(name, code, role_arn, **settings):
    """A Python function that is ready to be called; `code` is its app.py."""
    settings = {"Runtime": "python3.11", "Handler": "app.handler", "Timeout": 10} | settings
    lambda_.create_function(
        FunctionName=name, Role=role_arn, Code={"ZipFile": zipped({"app.py": code})}, **settings
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def updated(name):
    """Waits until the newest change of a function is live."""
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def release(name, code):
    """Publishes `code` as a function's next version."""
    lambda_.update_function_code(FunctionName=name, ZipFile=zipped({"app.py": code}))
    updated(name)
    return lambda_.publish_version(FunctionName=name)["Version"]


def invoke(name, payload=None, **arguments):
    """The answer, with its payload read as JSON."""
    body = {} if payload is None else {"Payload": json.dumps(payload)}
    answer = lambda_.invoke(FunctionName=name, **body, **arguments)
    text = answer["Payload"].read()
    answer["Payload"] = json.loads(text) if text else None
    return answer


def proxy_uri(function_name):
    """The integration URI of a function, which may name a stage variable after a colon."""
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function_name}"
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"


def rest_api(name):
    """A new API: its id and its root resource's."""
    api = gateway.create_rest_api(name=name)
    return api["id"], api["rootResourceId"]


def mock(api, resource, status=200, method="GET"):
    """A method that answers with a fixed status."""
    ids = {"restApiId": api, "resourceId": resource, "httpMethod": method}
    gateway.put_method(**ids, authorizationType="NONE")
    template = {"application/json": json.dumps({"statusCode": status})}
    gateway.put_integration(**ids, type="MOCK", requestTemplates=template)
    gateway.put_method_response(**ids, statusCode=str(status))
    gateway.put_integration_response(**ids, statusCode=str(status))


def proxied(api, resource, function_name, method="GET"):
    """A method that hands its requests to a function."""
    ids = {"restApiId": api, "resourceId": resource, "httpMethod": method}
    gateway.put_method(**ids, authorizationType="NONE")
    gateway.put_integration(**ids, type="AWS_PROXY", integrationHttpMethod="POST", uri=proxy_uri(function_name))


def permit(function_name, api, qualifier=None):
    qualified = {} if qualifier is None else {"Qualifier": qualifier}
    lambda_.add_permission(
        FunctionName=function_name, StatementId=f"api-{api}", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*/*",
        **qualified,
    )


def exchange(method, path, headers=None, body=None):
    """One plain HTTP request: status, headers with lower-case names, and body."""
    parsed = urllib.parse.urlparse(ENDPOINT)
    connection = http.client.HTTPConnection(parsed.hostname, parsed.port, timeout=40)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text
    finally:
        connection.close()


def fetch(api, stage, path="/", headers=None, method="GET", body=None):
    return exchange(method, f"/_aws/execute-api/{api}/{stage}{path}", headers, body)


def log_messages(group, pattern=""):
    """The messages of a log group in the order of time; none as long as nothing has been written to it."""
    try:
        found = logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in found]


def wait_for(what, probe, deadline_s=30):
    """Asks `probe` until it gives something."""
    began = time.monotonic()
    while True:
        found = probe()
        if found:
            return found
        assert time.monotonic() - began < deadline_s, f"waited {deadline_s} s for {what}, last saw {found!r}"
        # Gives way between two questions; what ends the wait is the answer, never the time.
        time.sleep(0.02)


@contextlib.contextmanager
def refused(code, words=None, status=None):
    """What is within must be refused with AWS's error code, these words in its message, and this status."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        answer = error.response
        seen = (answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"])
        assert seen[0] == code, f"expected {code}: {seen}"
        assert words is None or words in seen[1], f"expected {words!r}: {seen}"
        assert status is None or seen[2] == status, f"expected {status}: {seen}"
        return
    raise AssertionError(f"accepted, expected {code} {words or ''}")


def has(seen, **expected):
    """Asserts some members of an answer."""
    for name, value in expected.items():
        assert seen.get(name) == value, f"{name} is {seen.get(name)!r}, expected {value!r}, in {seen!r}"
