"""Lambda's life cycle: create, invoke in every way, publish, alias, permit, update, delete."""

import base64
import hashlib
import re

from given import *

ONE = '''
import json, os, sys
def handler(event, context):
    print("seen", json.dumps(event))
    if isinstance(event, dict) and event.get("raise"):
        raise ValueError("as asked")
    return {"event": event, "release": "one", "version": context.function_version,
            "arn": context.invoked_function_arn, "id": context.aws_request_id,
            "name": os.environ["AWS_LAMBDA_FUNCTION_NAME"], "memory": context.memory_limit_in_mb,
            "color": os.environ.get("COLOR"), "left": context.get_remaining_time_in_millis()}
'''
TWO = ONE.replace('"one"', '"two"')
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:life"


def create():
    package = zipped({"app.py": ONE})
    created = lambda_.create_function(
        FunctionName="life", Runtime="python3.11", Handler="app.handler", Role=role("life"),
        Code={"ZipFile": package}, Timeout=7, MemorySize=256, Environment={"Variables": {"COLOR": "blue"}},
        Description="a life", Tags={"team": "birds"},
    )
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    has(
        created, FunctionName="life", FunctionArn=ARN, Runtime="python3.11", Handler="app.handler", Timeout=7,
        MemorySize=256, Description="a life", Version="$LATEST", PackageType="Zip", CodeSize=len(package),
        Architectures=["x86_64"], EphemeralStorage={"Size": 512}, TracingConfig={"Mode": "PassThrough"},
        CodeSha256=base64.b64encode(hashlib.sha256(package).digest()).decode(),
        LoggingConfig={"LogFormat": "Text", "LogGroup": "/aws/lambda/life"},
        SnapStart={"ApplyOn": "None", "OptimizationStatus": "Off"}, Environment={"Variables": {"COLOR": "blue"}},
    )
    assert created["State"] in ("Pending", "Active"), created
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", created["LastModified"]), created
    lambda_.get_waiter("function_active_v2").wait(FunctionName="life", WaiterConfig={"Delay": 0.05})
    found = lambda_.get_function(FunctionName="life")
    has(found["Configuration"], State="Active", LastUpdateStatus="Successful")
    assert "StateReason" not in found["Configuration"]
    assert found["Code"]["RepositoryType"] == "S3"
    assert found["Tags"] == {"team": "birds"}
    # The package can be had back from where the answer says.
    location = urllib.parse.urlparse(found["Code"]["Location"])
    status, _, body = exchange("GET", f"{location.path}?{location.query}")
    assert (status, body) == (200, package), status
    fields = urllib.parse.parse_qs(location.query)
    assert fields["X-Amz-Expires"] == ["600"] and len(fields["X-Amz-Signature"][0]) == 64, fields
    # Nobody else's to be had, and not for longer.
    status, _, body = exchange("GET", location.path)
    assert status == 403 and b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message>" in body, body
    status, _, body = exchange("GET", f"{location.path}?{location.query.replace('Expires=600', 'Expires=900')}")
    assert status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body, body
    listed = lambda_.list_functions()["Functions"]
    assert [entry["FunctionName"] for entry in listed] == ["life"]
    assert "State" not in listed[0] and "LastUpdateStatus" not in listed[0]
    with refused("ResourceConflictException", "Function already exist: life", 409):
        lambda_.create_function(
            FunctionName="life", Runtime="python3.11", Handler="app.handler", Role=created["Role"],
            Code={"ZipFile": package},
        )


def invocations():
    answer = invoke("life", {"a": [1, "ü"]}, LogType="Tail")
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST"
    seen = answer["Payload"]
    has(
        seen, event={"a": [1, "ü"]}, release="one", version="$LATEST", arn=ARN, name="life", memory="256",
        color="blue", id=answer["ResponseMetadata"]["RequestId"],
    )
    assert 0 < seen["left"] <= 7000, seen
    tail = base64.b64decode(answer["LogResult"]).decode()
    request = seen["id"]
    for line in (f"START RequestId: {request} Version: $LATEST\n", "seen ", f"END RequestId: {request}\n",
                 f"REPORT RequestId: {request}\tDuration: "):
        assert line in tail, (line, tail)
    assert "Memory Size: 256 MB\tMax Memory Used: " in tail and "Init Duration: " in tail, tail
    # Warm: no init.
    again = invoke("life", LogType="Tail")
    assert again["Payload"]["event"] == {}
    assert "Init Duration" not in base64.b64decode(again["LogResult"]).decode()
    dry = invoke("life", InvocationType="DryRun")
    assert dry["StatusCode"] == 204 and dry["Payload"] is None and "ExecutedVersion" not in dry
    event = invoke("life", {"marker": "event-1"}, InvocationType="Event")
    assert event["StatusCode"] == 202 and event["Payload"] is None and "ExecutedVersion" not in event
    waited = wait_for("the event's log line", lambda: log_messages("/aws/lambda/life", '"event-1"'))
    assert "seen" in waited[0]
    failed = invoke("life", {"raise": True})
    assert failed["StatusCode"] == 200 and failed["FunctionError"] == "Unhandled"
    has(failed["Payload"], errorMessage="as asked", errorType="ValueError")
    assert "stackTrace" in failed["Payload"]


def versions():
    first = lambda_.publish_version(FunctionName="life", Description="first")
    has(first, Version="1", Description="first", FunctionArn=f"{ARN}:1")
    again = lambda_.publish_version(FunctionName="life")
    assert again["Version"] == "1", "publishing what hasn't changed gives the version that is there"
    revision = lambda_.get_function_configuration(FunctionName="life")["RevisionId"]
    lambda_.update_function_code(FunctionName="life", ZipFile=zipped({"app.py": TWO}), RevisionId=revision)
    updated("life")
    assert invoke("life")["Payload"]["release"] == "two"
    assert invoke("life", Qualifier="1")["Payload"]["release"] == "one"
    with refused("PreconditionFailedException", "The Revision Id provided does not match", 412):
        lambda_.publish_version(FunctionName="life", RevisionId=revision)
    assert lambda_.publish_version(FunctionName="life")["Version"] == "2"
    lambda_.update_function_configuration(FunctionName="life", Environment={"Variables": {"COLOR": "red"}})
    updated("life")
    assert lambda_.publish_version(FunctionName="life")["Version"] == "3"
    assert invoke("life:3")["Payload"]["color"] == "red"
    seen = invoke("life", Qualifier="2")["Payload"]
    has(seen, color="blue", version="2", arn=f"{ARN}:2", release="two")
    listed = lambda_.list_versions_by_function(FunctionName="life")["Versions"]
    assert [entry["Version"] for entry in listed] == ["$LATEST", "1", "2", "3"]
    pages = lambda_.get_paginator("list_versions_by_function").paginate(
        FunctionName="life", PaginationConfig={"PageSize": 3}
    )
    assert [entry["Version"] for page in pages for entry in page["Versions"]] == ["$LATEST", "1", "2", "3"]


def aliases():
    live = lambda_.create_alias(FunctionName="life", Name="live", FunctionVersion="1", Description="d")
    has(live, AliasArn=f"{ARN}:live", FunctionVersion="1", Name="live", Description="d")
    assert "RoutingConfig" not in live
    with refused("ResourceConflictException", f"Alias already exists: {ARN}:live", 409):
        lambda_.create_alias(FunctionName="life", Name="live", FunctionVersion="1")
    weighted = lambda_.update_alias(
        FunctionName="life", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
        RevisionId=live["RevisionId"],
    )
    assert weighted["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.5}}
    with refused("PreconditionFailedException", status=412):
        lambda_.update_alias(FunctionName="life", Name="live", FunctionVersion="2", RevisionId=live["RevisionId"])
    executed = {}
    for _ in range(60):
        answer = invoke("life", Qualifier="live")
        seen = answer["Payload"]
        assert seen["arn"] == f"{ARN}:live" and seen["version"] == answer["ExecutedVersion"], (answer, seen)
        assert seen["release"] == {"1": "one", "2": "two"}[seen["version"]]
        executed[seen["version"]] = executed.get(seen["version"], 0) + 1
    # Two to the minus sixty is the chance of one of them missing.
    assert set(executed) == {"1", "2"}, executed
    cleared = lambda_.update_alias(FunctionName="life", Name="live", FunctionVersion="2", RoutingConfig={})
    assert "RoutingConfig" not in cleared and cleared["FunctionVersion"] == "2"
    lambda_.create_alias(FunctionName="life", Name="old", FunctionVersion="1")
    listed = lambda_.list_aliases(FunctionName="life")["Aliases"]
    assert [alias["Name"] for alias in listed] == ["live", "old"], listed
    listed = lambda_.list_aliases(FunctionName="life", FunctionVersion="1")["Aliases"]
    assert [alias["Name"] for alias in listed] == ["old"], listed
    with refused("ResourceConflictException", status=409):
        lambda_.delete_function(FunctionName="life", Qualifier="2")
    lambda_.delete_alias(FunctionName="life", Name="old")
    with refused("ResourceNotFoundException", f"Cannot find alias arn: {ARN}:old", 404):
        lambda_.get_alias(FunctionName="life", Name="old")


def permissions():
    def grant(sid, **arguments):
        return lambda_.add_permission(
            FunctionName="life", StatementId=sid, Action="lambda:InvokeFunction", **arguments
        )

    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc/*"
    statement = json.loads(
        grant("one", Principal="apigateway.amazonaws.com", SourceArn=source, Qualifier="live")["Statement"]
    )
    assert list(statement) == ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"], statement
    assert statement == {
        "Sid": "one", "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": f"{ARN}:live",
        "Condition": {"ArnLike": {"AWS:SourceArn": source}},
    }
    with refused("ResourceConflictException", "The statement id (one) provided already exists.", 409):
        grant("one", Principal="apigateway.amazonaws.com", Qualifier="live")
    grant("two", Principal="123456789012")
    policy = json.loads(lambda_.get_policy(FunctionName="life")["Policy"])
    assert policy["Version"] == "2012-10-17" and policy["Id"] == "default"
    assert policy["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}, policy
    with refused("ResourceNotFoundException", "Statement three is not found in resource policy.", 404):
        lambda_.remove_permission(FunctionName="life", StatementId="three")
    lambda_.remove_permission(FunctionName="life", StatementId="two")
    with refused("ResourceNotFoundException", "The resource you requested does not exist.", 404):
        lambda_.get_policy(FunctionName="life")
    with refused("InvalidParameterValueException", "We currently do not support adding policies for $LATEST.", 400):
        grant("four", Principal="apigateway.amazonaws.com", Qualifier="$LATEST")


def other_runtimes():
    """A custom runtime, and Node; each says what it runs on."""
    bootstrap = '''#!/bin/sh
# The Runtime API with nothing but the shell and curl is what custom runtimes start from.
exec python3 - <<'PY'
import http.client, os
api = os.environ["AWS_LAMBDA_RUNTIME_API"]
while True:
    connection = http.client.HTTPConnection(api)
    connection.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = connection.getresponse()
    answer.read()
    request = answer.headers["Lambda-Runtime-Aws-Request-Id"]
    connection.request("POST", f"/2018-06-01/runtime/invocation/{request}/response", body='{"from":"bootstrap"}')
    assert connection.getresponse().status == 202
PY
'''
    info = zipfile.ZipInfo("bootstrap")
    info.external_attr = 0o755 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr(info, bootstrap)
    arn = iam.get_role(RoleName="life")["Role"]["Arn"]
    lambda_.create_function(
        FunctionName="custom", Runtime="provided.al2023", Handler="any", Role=arn,
        Code={"ZipFile": buffer.getvalue()}, Timeout=10,
    )
    node = "exports.handler = async (event, context) => ({ from: 'node', version: context.functionVersion, event });"
    lambda_.create_function(
        FunctionName="node", Runtime="nodejs20.x", Handler="index.handler", Role=arn,
        Code={"ZipFile": zipped({"index.js": node})}, Timeout=10,
    )
    for name, expected in (
        ("custom", {"from": "bootstrap"}), ("node", {"from": "node", "version": "$LATEST", "event": {"x": 1}})
    ):
        lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        answer = invoke(name, {"x": 1}, LogType="Tail")
        assert answer["Payload"] == expected, (answer, base64.b64decode(answer["LogResult"]).decode())


def events():
    """Rules for asynchronous invocations, and who is told of their end."""
    role_arn = lambda_.get_function_configuration(FunctionName="life")["Role"]
    function("told", "def handler(event, context):\n    print('told', __import__('json').dumps(event))\n", role_arn)
    told = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:told"
    with refused("ResourceNotFoundException", f"The function {ARN}:live doesn't have an EventInvokeConfig", 404):
        lambda_.get_function_event_invoke_config(FunctionName="life", Qualifier="live")
    put = lambda_.put_function_event_invoke_config(
        FunctionName="life", Qualifier="live", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60,
        DestinationConfig={"OnFailure": {"Destination": told}},
    )
    has(put, FunctionArn=f"{ARN}:live", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60)
    assert put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {"Destination": told}}
    lambda_.update_function_event_invoke_config(
        FunctionName="life", Qualifier="live", DestinationConfig={"OnSuccess": {"Destination": told}})
    ids = {}
    for event, condition in (({"raise": True}, "RetriesExhausted"), ({"number": 7}, "Success")):
        answer = invoke("life:live", event, InvocationType="Event")
        assert answer["StatusCode"] == 202
        ids[answer["ResponseMetadata"]["RequestId"]] = (event, condition)
    for request, (event, condition) in ids.items():
        (line,) = wait_for("the record", lambda: log_messages("/aws/lambda/told", f'"{request}"'))
        record = json.loads(line.removeprefix("told "))
        has(record["requestContext"], functionArn=f"{ARN}:live", condition=condition, approximateInvokeCount=1)
        assert record["requestPayload"] == event, record
        has(record["responseContext"], statusCode=200)
        assert ("functionError" in record["responseContext"]) == (condition != "Success"), record
    listed = lambda_.list_function_event_invoke_configs(FunctionName="life")["FunctionEventInvokeConfigs"]
    assert [config["FunctionArn"] for config in listed] == [f"{ARN}:live"]
    lambda_.delete_function_event_invoke_config(FunctionName="life", Qualifier="live")
    assert lambda_.list_function_event_invoke_configs(FunctionName="life")["FunctionEventInvokeConfigs"] == []


def layers():
    """Published, laid over each other under /opt in the function's order, and kept after they are deleted."""
    first = lambda_.publish_layer_version(
        LayerName="tools", Content={"ZipFile": zipped({"python/tool.py": "name = 'one'\n", "data/only": "first"})},
        CompatibleRuntimes=["python3.11"], Description="tools",
    )
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:tools"
    has(first, LayerArn=arn, LayerVersionArn=f"{arn}:1", Version=1, CompatibleRuntimes=["python3.11"])
    second = lambda_.publish_layer_version(
        LayerName="more", Content={"ZipFile": zipped({"python/tool.py": "name = 'two'\n"})})
    # The content can be had back from where the answer says.
    location = urllib.parse.urlparse(lambda_.get_layer_version_by_arn(Arn=f"{arn}:1")["Content"]["Location"])
    content = f"{location.path}?{location.query}"
    status, _, body = exchange("GET", content)
    assert status == 200 and zipfile.ZipFile(io.BytesIO(body)).read("data/only") == b"first"
    code = "import tool\ndef handler(event, context):\n    return [tool.name, open('/opt/data/only').read()]\n"
    lambda_.create_function(
        FunctionName="layered", Runtime="python3.11", Handler="app.handler",
        Role=lambda_.get_function_configuration(FunctionName="life")["Role"],
        Code={"ZipFile": zipped({"app.py": code})}, Layers=[f"{arn}:1"],
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName="layered", WaiterConfig={"Delay": 0.05})
    assert invoke("layered")["Payload"] == ["one", "first"]
    lambda_.update_function_configuration(FunctionName="layered", Layers=[f"{arn}:1", second["LayerVersionArn"]])
    updated("layered")
    assert invoke("layered")["Payload"] == ["two", "first"]
    lambda_.delete_layer_version(LayerName="tools", VersionNumber=1)
    status, _, body = exchange("GET", content)
    assert status == 404 and b"<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>" in body, body
    with refused("ResourceNotFoundException", "The resource you requested does not exist.", 404):
        lambda_.get_layer_version(LayerName="tools", VersionNumber=1)
    lambda_.update_function_configuration(FunctionName="layered", Environment={"Variables": {"COLOR": "red"}})
    updated("layered")
    assert invoke("layered")["Payload"] == ["two", "first"], "a function keeps what it has"
    with refused("InvalidParameterValueException", f"Layer version {arn}:1 does not exist.", 400):
        lambda_.update_function_configuration(FunctionName="layered", Layers=[f"{arn}:1"])
    assert [layer["LayerName"] for layer in lambda_.list_layers()["Layers"]] == ["more"]
    lambda_.delete_function(FunctionName="layered")


def provisioned():
    """Environments of an alias are there before anybody calls, as many as asked for, divided by weight."""
    code = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
    lambda_.create_function(
        FunctionName="ready", Runtime="python3.11", Handler="app.handler",
        Role=lambda_.get_function_configuration(FunctionName="life")["Role"],
        Code={"ZipFile": zipped({"app.py": code})}, Publish=True,
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName="ready", WaiterConfig={"Delay": 0.05})
    lambda_.get_waiter("published_version_active").wait(
        FunctionName="ready", Qualifier="1", WaiterConfig={"Delay": 0.05})
    lambda_.create_alias(FunctionName="ready", Name="live", FunctionVersion="1")
    put = lambda_.put_provisioned_concurrency_config(
        FunctionName="ready", Qualifier="live", ProvisionedConcurrentExecutions=2)
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 202
    has(put, Status="IN_PROGRESS", RequestedProvisionedConcurrentExecutions=2)

    def state():
        found = lambda_.get_provisioned_concurrency_config(FunctionName="ready", Qualifier="live")
        return found if found["Status"] == "READY" else None

    has(wait_for("readiness", state), AllocatedProvisionedConcurrentExecutions=2)
    assert invoke("ready", Qualifier="live")["Payload"] == "provisioned-concurrency"
    assert invoke("ready")["Payload"] == "on-demand"
    (listed,) = lambda_.list_provisioned_concurrency_configs(FunctionName="ready")["ProvisionedConcurrencyConfigs"]
    has(listed, FunctionArn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:ready:live", Status="READY")
    with refused("ResourceConflictException", "Version is pointed by a Provisioned Concurrency alias", 409):
        lambda_.put_provisioned_concurrency_config(
            FunctionName="ready", Qualifier="1", ProvisionedConcurrentExecutions=1)
    lambda_.delete_provisioned_concurrency_config(FunctionName="ready", Qualifier="live")
    with refused("ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found", 404):
        lambda_.get_provisioned_concurrency_config(FunctionName="ready", Qualifier="live")
    lambda_.delete_function(FunctionName="ready")


def json_logs():
    """Logs in JSON, with levels of the platform's lines and of the function's own."""
    code = """
import logging
def handler(event, context):
    logging.getLogger().info("not wanted")
    logging.getLogger().warning("seen", extra={"kind": "wren"})
"""
    function("structured", code, lambda_.get_function_configuration(FunctionName="life")["Role"])
    changed = lambda_.update_function_configuration(
        FunctionName="structured", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "WARN"})
    has(changed["LoggingConfig"], LogFormat="JSON", ApplicationLogLevel="WARN", SystemLogLevel="INFO")
    updated("structured")
    request = invoke("structured")["ResponseMetadata"]["RequestId"]
    wait_for("the report", lambda: log_messages("/aws/lambda/structured", '"platform.report"'))
    (line,) = log_messages("/aws/lambda/structured", '"wren"')
    has(json.loads(line), level="WARNING", message="seen", requestId=request, logger="root")
    assert log_messages("/aws/lambda/structured", '"not wanted"') == []
    lambda_.delete_function(FunctionName="structured")


def delete():
    with refused("InvalidParameterValueException", "$LATEST version cannot be deleted", 400):
        lambda_.delete_function(FunctionName="life", Qualifier="$LATEST")
    lambda_.delete_function(FunctionName="life", Qualifier="3")
    lambda_.update_function_configuration(FunctionName="life", Description="another")
    updated("life")
    assert lambda_.publish_version(FunctionName="life")["Version"] == "4", "numbers are never used again"
    gone = lambda_.delete_function(FunctionName="life")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("ResourceNotFoundException", f"Function not found: {ARN}", 404):
        lambda_.get_function(FunctionName="life")
    with refused("ResourceNotFoundException", f"Function not found: {ARN}", 404):
        lambda_.invoke(FunctionName="life")


create()
invocations()
versions()
aliases()
permissions()
other_runtimes()
events()
layers()
provisioned()
json_logs()
delete()
