"""Answers that come as a function writes them: InvokeWithResponseStream and function URLs that stream."""

import base64
import socket
import urllib.parse

from given import *

BOOTSTRAP = r'''#!/bin/bash
LC_ALL=C host=${AWS_LAMBDA_RUNTIME_API%:*} port=${AWS_LAMBDA_RUNTIME_API#*:}
post() {
    exec 3<>"/dev/tcp/$host/$port"
    printf 'POST /2018-06-01/runtime/invocation/%s/%s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n' "$id" "$1" >&3
}
begin() {
    post response
    printf 'content-type: %s\r\nlambda-runtime-function-response-mode: streaming\r\ntransfer-encoding: chunked\r\n\r\n' "$1" >&3
}
piece() { printf '%x\r\n%s\r\n' "${#1}" "$1" >&3; }
end() { printf '0\r\n%b\r\n' "$1" >&3; cat <&3 > /dev/null; exec 3>&-; }
while :; do
    exec 3<>"/dev/tcp/$host/$port"
    printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n' >&3
    reply=$(cat <&3); exec 3>&-
    id=${reply#*lambda-runtime-aws-request-id: } id=${id%%$'\r'*}
    case $reply in
        *plain*) begin text/plain; piece 'one '; piece two; end ;;
        *framed*) begin application/vnd.awslambda.http-integration-response
            printf '24\r\n{"statusCode":201,"cookies":["a=1"]}\r\n' >&3
            printf '3\r\n\0\0\0\r\n9\r\n\0\0\0\0\0body\r\n' >&3; piece ' and more'; end ;;
        *nohead*) begin application/vnd.awslambda.http-integration-response; piece '{"statusCode":201}'; end ;;
        *late*) begin text/plain; piece 'one '; body=$(printf '{"errorType":"Late","errorMessage":"too late"}' | base64 -w 0)
            end "Lambda-Runtime-Function-Error-Type: Late\r\nLambda-Runtime-Function-Error-Body: $body\r\n" ;;
        *hang*) begin text/plain; piece 'one '; read -r < <(sleep 60) ;;
        *early*) post error; printf 'content-length: 21\r\n\r\n{"errorType":"Early"}\n' >&3; cat <&3 > /dev/null; exec 3>&- ;;
        *) post response; printf 'content-length: 7\r\n\r\n{"a":1}' >&3; cat <&3 > /dev/null; exec 3>&- ;;
    esac
done
'''


def create():
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, BOOTSTRAP)
    lambda_.create_function(
        FunctionName="stream", Role=role("stream"), Code={"ZipFile": package.getvalue()}, Runtime="provided.al2023",
        Handler="any", Timeout=2)
    lambda_.get_waiter("function_active_v2").wait(FunctionName="stream", WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def invoke_streaming(how, **arguments):
    """The pieces, and how it ended."""
    answer = lambda_.invoke_with_response_stream(FunctionName="stream", Payload=json.dumps(how), **arguments)
    has(answer, StatusCode=200, ExecutedVersion="$LATEST", ResponseStreamContentType="application/vnd.amazon.eventstream")
    *pieces, last = list(answer["EventStream"])
    return [piece["PayloadChunk"]["Payload"] for piece in pieces], last["InvokeComplete"], answer


def by_the_operation():
    pieces, end, answer = invoke_streaming("plain", LogType="Tail")
    assert b"".join(pieces) == b"one two", pieces
    log = base64.b64decode(end.pop("LogResult")).decode()
    assert end == {} and f"END RequestId: {answer['ResponseMetadata']['RequestId']}" in log, (end, log)
    assert invoke_streaming("whole")[:2] == ([b'{"a":1}'], {})
    pieces, end, _ = invoke_streaming("late")
    assert (pieces, end["ErrorCode"], json.loads(end["ErrorDetails"])["errorMessage"]) == ([b"one "], "Late", "too late")
    pieces, end, _ = invoke_streaming("early")
    assert (pieces, json.loads(end["ErrorDetails"])) == ([], {"errorType": "Early"}), (pieces, end)
    pieces, end, _ = invoke_streaming("hang")
    assert (pieces, end["ErrorCode"]) == ([b"one "], "Sandbox.Timedout"), (pieces, end)
    dry = lambda_.invoke_with_response_stream(FunctionName="stream", InvocationType="DryRun")
    assert dry["StatusCode"] == 204
    with refused("ResourceNotFoundException", "Function not found", 404):
        lambda_.invoke_with_response_stream(FunctionName="none")
    # Who invokes it as usual gets the whole in one piece.
    answer = lambda_.invoke(FunctionName="stream", Payload=b'"plain"')
    assert answer["Payload"].read() == b"one two"


def by_its_url():
    made = lambda_.create_function_url_config(FunctionName="stream", AuthType="NONE", InvokeMode="RESPONSE_STREAM")
    assert made["InvokeMode"] == "RESPONSE_STREAM"
    for action, more in (("InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}), ("InvokeFunction", {"InvokedViaFunctionUrl": True})):
        lambda_.add_permission(
            FunctionName="stream", StatementId=action, Action=f"lambda:{action}", Principal="*", **more)
    url_id = urllib.parse.urlparse(made["FunctionUrl"]).hostname.split(".")[0]
    path = f"/_aws/lambda-url/{url_id}"
    status, headers, body = exchange("GET", f"{path}/plain")
    assert (status, headers["content-type"], headers["transfer-encoding"], body) == (200, "text/plain", "chunked", b"one two")
    status, headers, body = exchange("GET", f"{path}/framed")
    assert (status, headers["set-cookie"], body) == (201, "a=1", b"body and more"), (status, headers, body)
    assert headers["content-type"] == "application/octet-stream", headers
    status, headers, body = exchange("GET", f"{path}/whole")
    assert (status, body) == (200, b'{"a":1}'), "a stream says nothing but what it is"
    for how in ("early", "nohead"):
        status, _, body = exchange("GET", f"{path}/{how}")
        assert (status, body) == (502, b"Internal Server Error"), (how, status, body)
    for how in ("late", "hang"):
        try:
            exchange("GET", f"{path}/{how}")
            raise AssertionError(f"{how}: it looks whole")
        except http.client.IncompleteRead as error:
            assert error.partial == b"one ", (how, error)
    first_comes_first(f"{path}/hang")
    lambda_.update_function_url_config(FunctionName="stream", InvokeMode="BUFFERED")
    assert exchange("GET", f"{path}/whole")[::2] == (200, b'{"a":1}')


def first_comes_first(path):
    """What the function said is there long before its two seconds are over."""
    parsed = urllib.parse.urlparse(ENDPOINT)
    with socket.create_connection((parsed.hostname, parsed.port), timeout=40) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        seen = b""
        while b"one " not in seen:
            seen += connection.recv(4096)
        began = time.monotonic()
        while connection.recv(4096):
            pass
        assert time.monotonic() - began > 1, "it came with the end"


def hanging_up():
    """A client that has had enough is no harm to the function."""
    parsed = urllib.parse.urlparse(ENDPOINT)
    body = json.dumps("plain")
    with socket.create_connection((parsed.hostname, parsed.port), timeout=40) as connection:
        connection.sendall(
            "POST /2021-11-15/functions/stream/response-streaming-invocations HTTP/1.1\r\nHost: x\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert connection.recv(16)
    assert invoke_streaming("plain")[1] == {}


create()
by_the_operation()
by_its_url()
hanging_up()
