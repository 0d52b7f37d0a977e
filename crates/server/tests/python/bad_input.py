"""Bad input through the wire: AWS's error comes back, the server goes on, and nothing that is kept has changed."""

import os
import pathlib
import socket
import sqlite3
import struct
import zlib

import cbor
from given import *

CODE = "def handler(event, context):\n    return event\n"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON_11 = {"Content-Type": "application/x-amz-json-1.1"}
RPC = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Accept": "application/cbor"}


def kept():
    """Everything that the server keeps durably, as it lies on disk."""
    path = pathlib.Path(os.environ["PITBIRD_DATA"]) / "pitbird.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT tbl, key, rev, value FROM records ORDER BY tbl, key").fetchall()
    return rows


@contextlib.contextmanager
def unchanged():
    before = kept()
    yield
    after = kept()
    assert after == before, [row for row in after if row not in before] + [row for row in before if row not in after]


def raw(method, path, expected, code=None, words=None, headers=None, body=b""):
    """A request that no SDK would send, and what must come back."""
    status, answered, text = exchange(method, path, headers or {}, body)
    shown = (method, path, body[:80], status, answered, text[:400])
    assert status == expected, shown
    if code is not None:
        assert code in answered.get("x-amzn-errortype", "") or code.encode() in text, shown
    assert words is None or words.encode() in text, shown
    return text


def malformed_bodies():
    for body in (b"{", b"[]", b'"x"', b"\xff\xfe", b'{"name":', b'{"name":"a"} trailing', b"[" * 100_000, b"nul"):
        raw("POST", "/restapis", 400, "SerializationException", body=body)
        raw("POST", "/2015-03-31/functions", 400, body=body)
        raw("POST", "/", 400, "SerializationException", headers=JSON_11 | {"X-Amz-Target": "Logs_20140328.CreateLogGroup"}, body=body)
    for members in (b'{"logGroupName": 5}', b'{"logGroupName": ["a"]}', b'{"logGroupName": {"a": 1}}'):
        raw("POST", "/", 400, "SerializationException", headers=JSON_11 | {"X-Amz-Target": "Logs_20140328.CreateLogGroup"}, body=members)
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm"
    for body in (
        b"\xff", b"\xbf", b"\xa1", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x81" * 100_000, cbor.encode("text"), cbor.encode([]), cbor.encode({"AlarmName": 5}), cbor.encode({"AlarmName": b"x"}),
        b"\xa1\x00\x00", cbor.encode({"AlarmName": "x", "Threshold": "high"}),
    ):
        raw("POST", path, 400, headers=RPC, body=body)
    raw("POST", path, 400, headers=RPC | {"Content-Encoding": "gzip"}, body=b"no gzip")
    # What unpacks to a gigabyte is not unpacked.
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join([bomb.compress(bytes(1 << 20)) for _ in range(1024)] + [bomb.flush()])
    status, _, _ = exchange("POST", path, RPC | {"Content-Encoding": "gzip"}, packed)
    assert status in (400, 413), status
    for body in (
        b"Action", b"Action=CreateRole", b"Action=CreateRole&Version=2010-05-08", b"Action=Nothing&Version=2010-05-08",
        b"Action=CreateRole&Version=1999-01-01&RoleName=a", b"%%%=%zz&Action=CreateRole&Version=2010-05-08&RoleName=%ff",
        b"Action=PutMetricData&Version=2010-08-01&Namespace=N&MetricData.member.99999999.MetricName=a",
        b"Action=PutMetricData&Version=2010-08-01&Namespace=N&MetricData.member.1.Value=five&MetricData.member.1.MetricName=a",
        b"Action=PutMetricAlarm&Version=2010-08-01" + b"&Dimensions.member.1.Name.x.y.z=1" * 10,
    ):
        status, _, text = exchange("POST", "/", FORM, body)
        assert 400 <= status < 500, (body, status, text)


def unknown_things():
    raw("POST", "/", 404, "UnknownOperationException", headers=JSON_11 | {"X-Amz-Target": "Logs_20140328.Nothing"}, body=b"{}")
    raw("POST", "/", 404, headers=JSON_11 | {"X-Amz-Target": "Nothing_1.Nothing"}, body=b"{}")
    status, _, text = exchange("POST", "/2015-03-31/nothing", {}, b"{}")
    assert 400 <= status < 500, (status, text)
    # Settings that can't be obeyed are refused by name.
    role_arn = iam.get_role(RoleName="bad")["Role"]["Arn"]
    sane = {
        "FunctionName": "new", "Runtime": "python3.11", "Handler": "app.handler", "Role": role_arn,
        "Code": {"ZipFile": zipped({"app.py": CODE})},
    }
    for setting, named in (
        ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, "VpcConfig"),
        ({"Code": {"S3Bucket": "bucket", "S3Key": "key"}}, "S3 Error Code: NoSuchBucket"),
        ({"PackageType": "Image", "Code": {"ImageUri": "x"}}, "Image"),
        ({"KMSKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"}, "KMS"),
        ({"FileSystemConfigs": [{"Arn": f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point/fsap-12345678901234567", "LocalMountPath": "/mnt/x"}]}, "FileSystem"),
    ):
        try:
            boto3.client("lambda", config=UNCHECKED).create_function(**(sane | setting))
        except botocore.exceptions.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            assert 400 <= status < 502 and named in error.response["Error"]["Message"], (setting, error.response)
        else:
            raise AssertionError(f"accepted {setting}")


def packages():
    role_arn = iam.get_role(RoleName="bad")["Role"]["Arn"]

    def create(package, **settings):
        settings = {"Runtime": "python3.11", "Handler": "app.handler"} | settings
        return lambda_.create_function(FunctionName="new", Role=role_arn, Code={"ZipFile": package}, **settings)

    def entry(name, content=b"x", mode=0o100644, **info):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as package:
            made = zipfile.ZipInfo(name)
            made.external_attr = mode << 16
            package.writestr(made, content)
        return buffer.getvalue()

    good = zipped({"app.py": CODE})
    bad = {
        "empty": b"", "no zip": b"no zip at all", "cut": good[: len(good) // 2], "no directory": good[:-30],
        "damaged": good[:40] + bytes(8) + good[48:], "slip": entry("../../etc/slipped"), "absolute": entry("/etc/slipped"),
        "slip inside": entry("a/../../slipped"), "link out": entry("link", b"/etc/passwd", 0o120777),
    }
    for what, package in bad.items():
        try:
            create(package)
        except botocore.exceptions.ClientError as error:
            seen = error.response
            assert seen["Error"]["Code"] in ("InvalidParameterValueException", "ValidationException"), (what, seen)
            assert seen["ResponseMetadata"]["HTTPStatusCode"] == 400, (what, seen)
        else:
            raise AssertionError(f"accepted: {what}")
    # What unpacks to more than 250 MiB is refused without unpacking it whole.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        with package.open("zeros", "w") as zeros:
            for _ in range(260):
                zeros.write(bytes(1 << 20))
    with refused("InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes", 400):
        create(buffer.getvalue())
    # A size that the directory lies about.
    lying = bytearray(buffer.getvalue())
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = lying.find(signature)
        lying[at + offset:at + offset + 4] = struct.pack("<I", 10)
    with refused("InvalidParameterValueException", status=400):
        create(bytes(lying))
    with refused("RequestEntityTooLargeException", status=413):
        create(os.urandom(1 << 20) * 51)
    for settings, words in (
        ({"Runtime": "cobol1.0"}, "Value cobol1.0 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set"),
        ({"Timeout": 901}, "900"), ({"MemorySize": 64}, "128"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "Reserved keys used in this request: AWS_REGION"),
        ({"Environment": {"Variables": {"LONG": "x" * 5000}}}, "exceeded the 4KB limit"),
    ):
        try:
            boto3.client("lambda", config=UNCHECKED).create_function(
                FunctionName="new", Role=role_arn, Code={"ZipFile": good},
                **({"Runtime": "python3.11", "Handler": "app.handler"} | settings),
            )
        except botocore.exceptions.ClientError as error:
            assert words in error.response["Error"]["Message"], error.response
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        else:
            raise AssertionError(f"accepted {settings}")


def functions():
    unchecked = boto3.client("lambda", config=UNCHECKED)
    with refused("InvalidRequestContentException", "Could not parse request body into json", 400):
        lambda_.invoke(FunctionName="bad", Payload=b"{no json")
    with refused("RequestTooLargeException", "Request must be smaller than", 413):
        lambda_.invoke(FunctionName="bad", Payload=json.dumps("x" * (7 << 20)))
    with refused("RequestTooLargeException", status=413):
        lambda_.invoke(FunctionName="bad", InvocationType="Event", Payload=json.dumps("x" * (1 << 20)))
    with refused("ResourceNotFoundException", f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:none", 404):
        lambda_.invoke(FunctionName="none")
    with refused("ResourceNotFoundException", "Function not found", 404):
        lambda_.invoke(FunctionName="bad", Qualifier="77")
    with refused("InvalidParameterValueException", "The derived qualifier from the function name does not match", 400):
        lambda_.invoke(FunctionName="bad:live", Qualifier="1")
    weights = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}}
    for routing, words in (
        ({"2": 1.5}, "Member must have value less than or equal to 1.0"), ({"2": -0.1}, "greater than or equal to 0.0"),
        ({"1": 0.5}, "Invalid function version 1. Function version 1 is already included in routing configuration."),
        ({"2": 0.1, "1": 0.1}, "Number of items in AdditionalVersionWeights cannot be greater than 1"),
        ({"$LATEST": 0.1}, "[0-9]+"),
    ):
        try:
            unchecked.update_alias(
                FunctionName="bad", Name="live", RoutingConfig={"AdditionalVersionWeights": routing}
            )
        except botocore.exceptions.ClientError as error:
            assert words in error.response["Error"]["Message"], (routing, error.response)
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        else:
            raise AssertionError(f"accepted {routing}")
    with refused("ResourceNotFoundException", "Function not found", 404):
        lambda_.update_alias(FunctionName="bad", Name="live", RoutingConfig={"AdditionalVersionWeights": {"10": 0.1}})
    with refused("InvalidParameterValueException", "$LATEST is not supported for an alias pointing to more than 1 version", 400):
        lambda_.create_alias(FunctionName="bad", Name="new", FunctionVersion="$LATEST", **weights)
    raw(
        "PUT", "/2015-03-31/functions/bad/aliases/live", 400, body=b'{"RoutingConfig":{"AdditionalVersionWeights":{"2":"half"}}}'
    )
    with refused("ValidationException", status=400):
        lambda_.create_alias(FunctionName="bad", Name="5", FunctionVersion="1")
    for call in (
        lambda: lambda_.update_alias(FunctionName="bad", Name="live", FunctionVersion="2", RevisionId="stale"),
        lambda: lambda_.update_function_code(FunctionName="bad", ZipFile=zipped({"app.py": "x"}), RevisionId="stale"),
        lambda: lambda_.update_function_configuration(FunctionName="bad", Timeout=5, RevisionId="stale"),
        lambda: lambda_.publish_version(FunctionName="bad", RevisionId="stale"),
        lambda: lambda_.add_permission(
            FunctionName="bad", StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", RevisionId="stale"),
    ):
        with refused("PreconditionFailedException", status=412):
            call()
    with refused("InvalidParameterValueException", "is different from current CodeSHA256", 400):
        lambda_.publish_version(FunctionName="bad", CodeSha256="x")
    with refused("ResourceConflictException", status=409):
        lambda_.create_alias(FunctionName="bad", Name="live", FunctionVersion="1")


def stages(api, deployment):
    def patched(*operations, code="BadRequestException", words=None):
        with refused(code, words, 400):
            gateway.update_stage(restApiId=api, stageName="prod", patchOperations=list(operations))

    sane = {"op": "replace", "path": "/description", "value": "must not stay"}
    for path, value in (
        ("/canarySettings/percentTraffic", "101"), ("/canarySettings/percentTraffic", "-1"),
        ("/canarySettings/percentTraffic", "many"), ("/canarySettings/percentTraffic", "NaN"),
        ("/canarySettings/percentTraffic", "inf"),
        ("/canarySettings/badPath", "x"), ("/canarySettings", "{}"), ("/nothing", "x"), ("", "x"), ("no/slash", "x"),
        ("/variables/bad name", "x"), ("/variables/a", "bad value \x01"), ("/*/*/throttling/rateLimit", "fast"),
    ):
        # The first operation is sound: none of a call's operations may stay when one is refused.
        patched(sane, {"op": "replace", "path": path, "value": value})
    patched(sane, {"op": "replace", "path": "/deploymentId", "value": "none"}, words="Deployment id does not exist")
    patched(sane, {"op": "add", "path": "/canarySettings/deploymentId", "value": deployment},
            words="Invalid add operation with path: /canarySettings/deploymentId")
    patched(sane, {"op": "remove", "path": "/canarySettings/stageVariableOverrides"}, words="Cannot remove method setting canarySettings/stageVariableOverrides")
    patched(sane, {"op": "copy", "path": "/description", "from": "/canarySettings/deploymentId"}, words="Invalid copy operation with path: /description and from /canarySettings/deploymentId")
    patched(sane, {"op": "remove", "path": "/*/*"}, words="Cannot remove method setting */* because there is no method setting for this method ")
    with refused("ValidationException", "at 'updateStageInput.patchOperations.1.member.op' failed to satisfy constraint", 400):
        boto3.client("apigateway", config=UNCHECKED).update_stage(
            restApiId=api, stageName="prod", patchOperations=[{"op": "turn", "path": "/description", "value": "x"}]
        )
    with refused("BadRequestException", "Non canary deployment not supported on stage prod", 400):
        gateway.create_deployment(restApiId=api, stageName="prod")
    with refused("BadRequestException", "Active stages pointing to this deployment must be moved or deleted", 400):
        gateway.delete_deployment(restApiId=api, deploymentId=deployment)
    with refused("ConflictException", status=409):
        gateway.create_stage(restApiId=api, stageName="prod", deploymentId=deployment)
    with refused("BadRequestException", status=400):
        gateway.create_stage(restApiId=api, stageName="bad name!", deploymentId=deployment)


def apis(api, root, deployment):
    with refused("NotFoundException", f"Invalid API identifier specified {ACCOUNT}:none", 404):
        gateway.get_rest_api(restApiId="none")
    with refused("NotFoundException", "Invalid stage identifier specified", 404):
        gateway.get_stage(restApiId=api, stageName="none")
    with refused("NotFoundException", "Invalid Resource identifier specified", 404):
        gateway.create_resource(restApiId=api, parentId="none00", pathPart="x")
    with refused("ConflictException", "Another resource with the same parent already has this name: pets", 409):
        gateway.create_resource(restApiId=api, parentId=root, pathPart="pets")
    with refused("BadRequestException", "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY", 400):
        gateway.put_method(restApiId=api, resourceId=root, httpMethod="FETCH", authorizationType="NONE")
    for part in ("a/b", "", "{", "{}", "a b", "{a}{b}"):
        with refused("BadRequestException", status=400):
            gateway.create_resource(restApiId=api, parentId=root, pathPart=part)
    with refused("ValidationException", "failed to satisfy constraint: Member must satisfy enum value set", 400):
        boto3.client("apigateway", config=UNCHECKED).put_integration(
            restApiId=api, resourceId=root, httpMethod="GET", type="MAGIC"
        )
    # HTTP APIs have no error of their own for it.
    http_apis = boto3.client("apigatewayv2", config=UNCHECKED)
    with refused("BadRequestException", "failed to satisfy constraint: Member must satisfy enum value set", 400):
        http_apis.create_api(Name="bad", ProtocolType="MAGIC")
    with refused("BadRequestException", "Member must not be null", 400):
        http_apis.create_api(ProtocolType="HTTP")
    for kind, uri in (("AWS_PROXY", "no arn"), ("AWS_PROXY", "arn:aws:apigateway:us-east-1:s3:path/x")):
        with refused("BadRequestException", status=400):
            gateway.put_integration(
                restApiId=api, resourceId=root, httpMethod="GET", type=kind, integrationHttpMethod="POST", uri=uri
            )
    # Not obeyed, so refused by name.
    at = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    queue = "arn:aws:apigateway:us-east-1:sqs:action/SendMessage"
    for call in (
        lambda: gateway.put_integration(
            **at, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://example.com", connectionType="VPC_LINK", connectionId="a"),
        lambda: gateway.put_integration(
            **at, type="AWS", integrationHttpMethod="POST", uri=queue, credentials=f"arn:aws:iam::{ACCOUNT}:role/r"),
        lambda: gateway.create_vpc_link(name="link", targetArns=["arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/a/b"]),
    ):
        try:
            call()
        except botocore.exceptions.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 501), error.response
        else:
            raise AssertionError("accepted what can't be obeyed")
    with refused("BadRequestException", "Description cannot be an empty string", 400):
        gateway.create_rest_api(name="x", description="")


def telemetry():
    with refused("InvalidParameterCombination", "mutually exclusive", 400):
        cloudwatch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 1.0, "Values": [1.0]}])
    with refused("InvalidParameterValue", "must be of the same size", 400):
        cloudwatch.put_metric_data(
            Namespace="N", MetricData=[{"MetricName": "m", "Values": [1.0, 2.0], "Counts": [1.0]}])
    for value in (float("inf"), 1e300 * 1e10):
        with refused("InvalidParameterValue", status=400):
            cloudwatch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": value}])
    with refused("InvalidParameterCombination", "exceeds the limit of 1440", 400):
        cloudwatch.get_metric_statistics(
            Namespace="N", MetricName="m", Period=1, Statistics=["Sum"], StartTime=0, EndTime=86400)
    with refused("ResourceNotFound", status=404):
        cloudwatch.delete_alarms(AlarmNames=["none"])
    with refused("ResourceNotFound", status=404):
        cloudwatch.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="x")
    assert cloudwatch.list_metrics(Namespace="N")["Metrics"] == []
    with refused("InvalidParameterException", "must be in chronological order", 400):
        logs.put_log_events(logGroupName="bad", logStreamName="s", logEvents=[
            {"timestamp": 2_000_000_000_000, "message": "b"}, {"timestamp": 1, "message": "a"}])
    with refused("InvalidParameterException", status=400):
        logs.put_retention_policy(logGroupName="bad", retentionInDays=2)
    with refused("InvalidParameterException", status=400):
        logs.create_log_group(logGroupName="bad name")
    with refused("InvalidParameterException", "1048576", 400):
        stamp = int(time.time() * 1000)
        logs.put_log_events(logGroupName="bad", logStreamName="s", logEvents=[
            {"timestamp": stamp, "message": "x" * 250_000}] * 5)
    assert logs.get_log_events(logGroupName="bad", logStreamName="s")["events"] == []


def hostile_http():
    """Bytes that are hardly HTTP, on either side's paths."""
    parsed = urllib.parse.urlparse(ENDPOINT)
    for sent in (
        b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"G" * 100_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    ):
        with socket.create_connection((parsed.hostname, parsed.port), timeout=20) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
            except TimeoutError:
                raise
            except OSError:
                pass  # Hung up on, at whichever moment.
    status, _, _ = exchange("GET", "/_pitbird/health")
    assert status == 200
    for path in ("/restapis/%00", "/restapis/%ff%fe", "/2015-03-31/functions/%2e%2e%2f%2e%2e/", "/%"):
        status, _, text = exchange("GET", path)
        assert 400 <= status < 500, (path, status, text)


def main():
    arn = role("bad")
    function("bad", CODE, arn)
    assert lambda_.publish_version(FunctionName="bad")["Version"] == "1"
    assert release("bad", CODE + "\n# two\n") == "2"
    lambda_.create_alias(FunctionName="bad", Name="live", FunctionVersion="1")
    api, root = rest_api("bad")
    mock(api, root)
    gateway.create_resource(restApiId=api, parentId=root, pathPart="pets")
    deployment = gateway.create_deployment(restApiId=api, stageName="prod", variables={"a": "b"})["id"]
    gateway.create_deployment(restApiId=api, stageName="prod", canarySettings={"percentTraffic": 10})
    logs.create_log_group(logGroupName="bad")
    logs.create_log_stream(logGroupName="bad", logStreamName="s")
    for check in (
        malformed_bodies, unknown_things, packages, functions, lambda: stages(api, deployment), lambda: apis(api, root, deployment),
        telemetry, hostile_http,
    ):
        with unchanged():
            check()
    # And it still does its work.
    assert invoke("bad", {"x": 1})["Payload"] == {"x": 1}
    assert fetch(api, "prod")[0] == 200


main()
