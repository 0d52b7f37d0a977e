"""REST APIs whose answers come as functions and endpoints write them: `responseTransferMode` STREAM."""

import collections
import datetime
import gzip
import http.server
import shutil
import socket
import subprocess
import threading

from streamer import *

FORMAT = "|".join("$context." + name for name in (
    "requestId", "status", "responseLength", "isCanaryRequest", "integration.responseTransferMode",
    "integration.timeToAllHeaders", "integration.timeToFirstContent", "integration.latency", "responseLatency",
    "integrationErrorMessage"))
Line = collections.namedtuple("Line", "id status length is_canary mode headers content integration latency error")
ZIPPED = gzip.compress(b"zipped")
# Whoever waits at the gate passes once it is opened.
OPEN = threading.Semaphore(0)
# How often the endpoint was asked for each path.
ASKED = collections.Counter()


class Endpoint(http.server.BaseHTTPRequestHandler):
    """The gate, and an endpoint that streams."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        ASKED[self.path] += 1
        if self.path == "/gate":
            OPEN.acquire()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(203)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        if "zipped" in self.path:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.piece(ZIPPED if "zipped" in self.path else b"one ")
        if "gated" in self.path:
            OPEN.acquire()
            self.piece(b"two")
        if "midway" in self.path:
            self.close_connection = True
            return
        self.piece(b"")

    def piece(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, *_):
        pass


backend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
threading.Thread(target=backend.serve_forever, daemon=True).start()
BACKEND = f"http://127.0.0.1:{backend.server_address[1]}"


def streaming_uri(name):
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    return f"arn:aws:apigateway:{REGION}:lambda:path/2021-11-15/functions/{arn}/response-streaming-invocations"


def method(api, parent, part, **integration):
    resource = gateway.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]
    ids = {"restApiId": api, "resourceId": resource, "httpMethod": "GET"}
    gateway.put_method(**ids, authorizationType="NONE", requestParameters={"method.request.path.how": True})
    put = gateway.put_integration(**ids, **integration)
    return ids, put


def folder(api, root, part):
    return gateway.create_resource(restApiId=api, parentId=root, pathPart=part)["id"]


def made():
    """An API with a canary that nobody gets by chance, and an access log."""
    api, root = rest_api("streams")
    proxy = {
        "type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": streaming_uri("streams"), "responseTransferMode": "STREAM"}
    ids, put = method(api, folder(api, root, "f"), "{how}", **proxy, timeoutInMillis=900_000)
    has(put, responseTransferMode="STREAM", timeoutInMillis=900_000, uri=streaming_uri("streams"))
    method(api, folder(api, root, "hurried"), "{how}", **proxy, timeoutInMillis=1000)
    endpoint = {
        "type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": BACKEND + "/{how}",
        "requestParameters": {"integration.request.path.how": "method.request.path.how"}}
    method(api, folder(api, root, "e"), "{how}", **endpoint, responseTransferMode="STREAM")
    _, put = method(api, folder(api, root, "whole"), "{how}", **endpoint)
    has(put, responseTransferMode="BUFFERED", timeoutInMillis=29_000)
    gate = {"restApiId": api, "resourceId": folder(api, root, "gate"), "httpMethod": "GET"}
    gateway.put_method(**gate, authorizationType="NONE")
    gateway.put_integration(**gate, type="HTTP_PROXY", integrationHttpMethod="GET", uri=BACKEND + "/gate")
    permit("streams", api)
    gateway.create_deployment(restApiId=api, stageName="prod")
    gateway.create_deployment(restApiId=api, stageName="prod", canarySettings={"percentTraffic": 0.0})
    logger = iam.create_role(RoleName="gateway-logs", AssumeRolePolicyDocument=trust("apigateway.amazonaws.com"))
    gateway.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": logger["Role"]["Arn"]}])
    logs.create_log_group(logGroupName="access")
    gateway.update_stage(restApiId=api, stageName="prod", patchOperations=[
        {"op": "replace", "path": "/accessLogSettings/destinationArn",
         "value": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:access"},
        {"op": "replace", "path": "/accessLogSettings/format", "value": FORMAT}])
    return api, ids


def lines(group="access"):
    """What an access log says; of what there is nothing to say it says -."""
    return [Line(*("" if word == "-" else word for word in text.split("|"))) for text in log_messages(group)]


def told(request_id, group="access"):
    """What it says of a request, which it does once."""
    (line,) = wait_for(f"the line of {request_id}", lambda: [line for line in lines(group) if line.id == request_id])
    return line


def opened(path):
    """A connection and its answer, whose body wasn't read yet."""
    parsed = urllib.parse.urlparse(ENDPOINT)
    connection = http.client.HTTPConnection(parsed.hostname, parsed.port, timeout=40)
    connection.request("GET", path)
    return connection, connection.getresponse()


def broken(path):
    """An answer that breaks off: its request's id, its status, and what came."""
    connection, answer = opened(path)
    try:
        answer.read()
        raise AssertionError(f"{path}: it looks whole")
    except http.client.IncompleteRead as error:
        return answer.getheader("x-amzn-requestid"), answer.status, error.partial
    finally:
        connection.close()


def first_comes_first(api):
    """The first piece is read while whoever writes waits for the client; only then is the exchange recorded."""
    for where, status in (("f", 200), ("e", 203)):
        connection, answer = opened(f"/_aws/execute-api/{api}/prod/{where}/gated")
        assert (answer.status, answer.getheader("transfer-encoding")) == (status, "chunked"), answer.getheaders()
        assert answer.read(4) == b"one "
        request_id = answer.getheader("x-amzn-requestid")
        assert not any(line.startswith(request_id) for line in log_messages("access")), "it isn't over"
        OPEN.release()
        assert answer.read() == b"two"
        connection.close()
        line = told(request_id)
        has(line._asdict(), status=str(status), length="7", mode="STREAMED", error="", is_canary="false")
        assert 0 <= int(line.headers) <= int(line.content) <= int(line.integration) <= int(line.latency), line


def over_http2(api):
    if not shutil.which("curl"):
        return
    url = f"{ENDPOINT}/_aws/execute-api/{api}/prod/f/gated"
    command = ["curl", "--silent", "--no-buffer", "--http2-prior-knowledge", "--max-time", "60", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:
        assert curl.stdout.read(4) == b"one "
        OPEN.release()
        assert curl.stdout.read() == b"two"
    assert curl.returncode == 0


def heads(api):
    """What stands before the body says status and headers, however the function names its type."""
    def get(how):
        return fetch(api, "prod", f"/f/{how}")
    status, headers, body = get("framed")
    assert (status, headers["set-cookie"], body) == (201, "a=1", b"body and more"), (status, headers, body)
    connection, answer = opened(f"/_aws/execute-api/{api}/prod/f/several")
    pairs = [(name.lower(), value) for name, value in answer.getheaders()]
    connection.close()
    expected = {("x-a", "1"), ("x-b", "2"), ("x-b", "3"), ("set-cookie", "a=1"), ("set-cookie", "b=2")}
    assert answer.status == 200 and expected <= set(pairs) and ("x-b", "0") not in pairs, pairs
    status, headers, body = get("entire")
    assert (status, body) == (202, b"body"), (status, headers, body)
    line = told(headers["x-amzn-requestid"])
    has(line._asdict(), status="202", length="4", mode="STREAMED")
    # One that stops before its body has begun, or says no head, is no answer.
    for how, words in (
        ("early", "customer function error"), ("late", "customer function error: too late"),
        ("nohead", "Malformed Lambda proxy response"), ("whole", "Malformed Lambda proxy response"),
        ("plain", "Malformed Lambda proxy response"), ("badhead", "Malformed Lambda proxy response"),
        ("longhead", "Malformed Lambda proxy response"),
    ):
        status, headers, body = get(how)
        assert (status, json.loads(body)) == (502, {"message": "Internal server error"}), (how, status, body)
        line = told(headers["x-amzn-requestid"])
        assert (line.status, line.mode, line.headers) == ("502", "STREAMED", "") and words in line.error, (how, line)
    status, headers, body = fetch(api, "prod", "/hurried/hang")
    assert (status, json.loads(body)) == (504, {"message": "Endpoint request timed out"}), (status, body)
    # An endpoint's coding is the client's to undo; waited for as a whole, it is undone here.
    status, headers, body = fetch(api, "prod", "/e/zipped")
    assert (headers["content-encoding"], gzip.decompress(body)) == ("gzip", b"zipped"), headers
    status, headers, body = fetch(api, "prod", "/whole/zipped")
    assert ("content-encoding" not in headers, body) == (True, b"zipped"), headers
    has(told(headers["x-amzn-requestid"])._asdict(), mode="BUFFERED", headers="", content="")


def breaking_off(api):
    """What was sent can't be taken back: the connection breaks off, the log says why, and it counts as an error of the server's."""
    for path, words in (
        ("f/midway", "customer function error: too late"), ("e/midway", "network error"), ("hurried/gated", "timeout error"),
    ):
        request_id, status, came = broken(f"/_aws/execute-api/{api}/prod/{path}")
        assert (status, came) == (203 if path[0] == "e" else 200, b"one "), (path, status, came)
        line = told(request_id)
        has(line._asdict(), status=str(status), length="4", mode="STREAMED")
        assert words in line.error, line
    OPEN.release()


def hanging_up(api):
    """A client that goes is recorded once; the function goes on."""
    parsed = urllib.parse.urlparse(ENDPOINT)
    path = f"/_aws/execute-api/{api}/prod/f/gated"
    with socket.create_connection((parsed.hostname, parsed.port), timeout=40) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        seen = b""
        while b"one " not in seen:
            seen += connection.recv(4096)
    head = seen.lower().decode()
    request_id = head.split("x-amzn-requestid: ")[1].split("\r\n")[0]
    # That it has gone may be seen only when there is more to write.
    OPEN.release()
    line = told(request_id)
    has(line._asdict(), status="200", error="")
    assert line.length in ("4", "7"), line
    ended = lambda: [line for line in log_messages("/aws/lambda/streams") if line.startswith(f"END RequestId: {request_id}")]
    assert len(wait_for("the function's end", ended)) == 1


def canaries_and_copies(api):
    """The canary's share is the canary's, and so is a copy that nobody reads."""
    arn = f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/prod"
    gateway.tag_resource(resourceArn=arn, tags={"pitbird:canary-force": "header:X-Release"})
    status, headers, body = exchange(
        "GET", f"/_aws/execute-api/{api}/prod/f/framed", {"X-Release": "canary"})
    assert (status, body) == (201, b"body and more")
    has(told(headers["x-amzn-requestid"], "access/Canary")._asdict(), is_canary="true", length="13", mode="STREAMED")
    before = len(log_messages("access/Canary"))
    gateway.tag_resource(resourceArn=arn, tags={"pitbird:canary-mirror": "100"})
    status, headers, body = fetch(api, "prod", "/f/framed")
    has(told(headers["x-amzn-requestid"])._asdict(), is_canary="false")
    copies = wait_for("the copy", lambda: lines("access/Canary")[before:])
    has(copies[0]._asdict(), status="201", length="13", is_canary="true", mode="STREAMED", error="")
    gateway.untag_resource(resourceArn=arn, tagKeys=["pitbird:canary-mirror", "pitbird:canary-force"])


def counted(api):
    """Each exchange counts once, at its end; one that broke off by the integration's fault as an error."""
    told_all = lines()
    assert len({line.id for line in told_all}) == len(told_all), told_all
    failed = [line for line in told_all if int(line.status) >= 500 or line.error]
    now = datetime.datetime.now(datetime.timezone.utc)

    def total(metric):
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/ApiGateway", MetricName=metric, Statistics=["Sum"], Period=60,
            Dimensions=[{"Name": "ApiName", "Value": "streams"}, {"Name": "Stage", "Value": "prod"}],
            StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(minutes=5))
        return sum(point["Sum"] for point in found["Datapoints"])

    expected = (len(told_all), len(failed))
    assert wait_for("the metrics", lambda: (total("Count"), total("5XXError")) == expected), expected


def past_the_cache(api):
    """The stage's cache keeps what comes whole, and nothing that is passed on as it comes."""
    def patch(pairs):
        operations = [{"op": "replace", "path": path, "value": value} for path, value in pairs.items()]
        gateway.update_stage(restApiId=api, stageName="prod", patchOperations=operations)

    patch({"/cacheClusterEnabled": "true", "/cacheClusterSize": "0.5"})
    patch({"/*/*/caching/enabled": "true"})
    for where, asked in (("whole", 1), ("e", 3)):
        before = ASKED["/plain"]
        assert [fetch(api, "prod", f"/{where}/plain")[0] for _ in range(3)] == [203] * 3
        assert ASKED["/plain"] - before == asked, where
    patch({"/cacheClusterEnabled": "false"})


def tried_out(ids):
    tried = gateway.test_invoke_method(**ids, pathWithQueryString="/f/framed")
    has(tried, status=201, body="body and more")
    assert len(tried["log"].splitlines()) == 1, "no more than whose it is"
    has(gateway.test_invoke_method(**ids, pathWithQueryString="/f/early"), status=502)


def control(api, ids):
    def patch(*pairs):
        operations = [{"op": "replace", "path": path, "value": value} for path, value in pairs]
        return gateway.update_integration(**ids, patchOperations=operations)
    only = "ResponseTransferMode STREAM is only supported for"
    with refused("BadRequestException", only, 400):
        patch(("/uri", proxy_uri("streams")))
    with refused("BadRequestException", "Timeout should be between 50 ms and 900000 ms", 400):
        patch(("/timeoutInMillis", "900001"))
    with refused("BadRequestException", "Timeout should be between 50 ms and 29000 ms", 400):
        patch(("/uri", proxy_uri("streams")), ("/responseTransferMode", "BUFFERED"))
    with refused("BadRequestException", "Invalid ResponseTransferMode", 400):
        patch(("/responseTransferMode", "SOON"))
    has(gateway.get_integration(**ids), responseTransferMode="STREAM", timeoutInMillis=900_000)
    export = gateway.get_export(
        restApiId=api, stageName="prod", exportType="oas30", parameters={"extensions": "apigateway"})["body"].read()
    written = json.loads(export)["paths"]["/f/{how}"]["get"]["x-amazon-apigateway-integration"]
    has(written, responseTransferMode="STREAM", timeoutInMillis=900_000)
    again = gateway.import_rest_api(body=export)["id"]
    (resource,) = [item for item in gateway.get_resources(restApiId=again)["items"] if item["path"] == "/f/{how}"]
    has(gateway.get_integration(restApiId=again, resourceId=resource["id"], httpMethod="GET"), responseTransferMode="STREAM")
    changed = patch(("/uri", proxy_uri("streams")), ("/timeoutInMillis", "29000"), ("/responseTransferMode", "BUFFERED"))
    has(changed, responseTransferMode="BUFFERED", timeoutInMillis=29_000)


streamer("streams", Timeout=60)
served, of_function = made()
first_comes_first(served)
over_http2(served)
heads(served)
breaking_off(served)
hanging_up(served)
counted(served)
canaries_and_copies(served)
past_the_cache(served)
tried_out(of_function)
control(served, of_function)
