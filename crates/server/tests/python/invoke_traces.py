"""An invocation belongs to the trace that its caller names by a header, which no member of the API's has."""

from given import *

ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"
WHOLE = f"{ROOT};Parent=53995c3f42cd8ad8;Sampled=1"

CODE = '''
import os

def handler(event, context):
    print("told", os.environ["_X_AMZN_TRACE_ID"])
    return os.environ["_X_AMZN_TRACE_ID"]
'''


def with_header(name, value):
    """A client whose calls carry one header more, signed as Lambda's own functions sign it."""
    client = boto3.client("lambda", config=CONFIG)
    client.meta.events.register("before-sign.lambda", lambda request, **_: request.headers.add_header(name, value))
    return client


def streamed(client):
    *pieces, last = list(client.invoke_with_response_stream(FunctionName="traced")["EventStream"])
    assert "InvokeComplete" in last, last
    return json.loads(b"".join(piece["PayloadChunk"]["Payload"] for piece in pieces))


def answered(client):
    return json.loads(client.invoke(FunctionName="traced")["Payload"].read())


def waiting_callers():
    for ask in (answered, streamed):
        assert ask(with_header("X-Amzn-Trace-Id", WHOLE)) == WHOLE, ask
        # A bare root is completed: a parent, and that nobody records it.
        told = ask(with_header("X-Amzn-Trace-Id", ROOT))
        assert told.startswith(ROOT + ";Parent=") and told.endswith(";Sampled=0"), told
        assert ask(with_header("traceparent", "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01")) == WHOLE
        # Neither nonsense nor silence nor what is too long is a trace: then it is the invocation's own.
        for client in (lambda_, with_header("X-Amzn-Trace-Id", "nonsense"), with_header("X-Amzn-Trace-Id", WHOLE + ";Self=" + "1" * 600)):
            own = ask(client)
            assert own.startswith("Root=1-") and ROOT not in own and "Sampled=0" in own, own


def events():
    roots = {how: ROOT.replace("5759e988", digits) for how, digits in (("Event", "5759e981"), ("InvokeAsync", "5759e982"))}
    with_header("X-Amzn-Trace-Id", roots["Event"] + ";Sampled=0").invoke(FunctionName="traced", InvocationType="Event")
    with_header("X-Amzn-Trace-Id", roots["InvokeAsync"] + ";Sampled=0").invoke_async(FunctionName="traced", InvokeArgs="{}")
    for root in roots.values():
        wait_for(root, lambda: f"told {root};Sampled=0\n" in log_messages("/aws/lambda/traced", '"told"'))


def urls():
    made = lambda_.create_function_url_config(FunctionName="traced", AuthType="NONE")
    for action, condition in (("InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}), ("InvokeFunction", {"InvokedViaFunctionUrl": True})):
        lambda_.add_permission(FunctionName="traced", StatementId=action, Action=f"lambda:{action}", Principal="*", **condition)
    url_id = urllib.parse.urlparse(made["FunctionUrl"]).hostname.split(".")[0]
    status, _, body = exchange("GET", f"/_aws/lambda-url/{url_id}/", {"X-Amzn-Trace-Id": WHOLE})
    assert (status, body.decode()) == (200, WHOLE), (status, body)


function("traced", CODE, role("traced"))
waiting_callers()
events()
urls()
print("invocations belong to their callers' traces")
