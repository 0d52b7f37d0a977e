"""Answers that come as a function writes them: InvokeWithResponseStream and function URLs that stream."""

import base64
import socket
import urllib.parse

from streamer import *

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


streamer("stream", Timeout=2)
by_the_operation()
by_its_url()
hanging_up()
