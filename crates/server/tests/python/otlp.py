"""Traces, metrics and logs as a collector gets them: one that is away at first, and of a server that stops at last.

Arguments: the collector's port, the server's process, and the folder of opentelemetry-proto.
"""

import gzip
import http.server
import os
import signal
import sys
import threading

from given import *

sys.path.insert(0, sys.argv[3])
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PORT, SERVER = int(sys.argv[1]), int(sys.argv[2])
GROUP = "/gateway/access"

CODE = '''
import os

def handler(event, context):
    print("handled by", context.function_version)
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    told = {"own": os.environ["_X_AMZN_TRACE_ID"], "headers": headers, "id": context.aws_request_id}
    import json
    return {"statusCode": 200, "body": json.dumps(told)}
'''


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps what it gets, and answers a GET with the headers that it was asked with."""

    protocol_version = "HTTP/1.1"
    requests = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest, "/v1/logs": ExportLogsServiceRequest}
    got = {path: [] for path in requests}
    refused = []

    def do_POST(self):
        assert self.headers["content-type"] == "application/x-protobuf" and self.headers["content-encoding"] == "gzip"
        message = self.requests[self.path]()
        message.ParseFromString(gzip.decompress(self.rfile.read(int(self.headers["content-length"]))))
        if self.path == "/v1/traces" and not self.refused:
            self.refused.append(message)
            return self.answer(b"", 503, {"retry-after": "0"})
        self.got[self.path].append(message)
        self.answer(b"")

    def do_GET(self):
        self.answer(json.dumps({name.lower(): value for name, value in self.headers.items()}).encode())

    def answer(self, body, status=200, headers={}):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def plain(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    return getattr(value, kind)


def named(attributes):
    return {one.key: plain(one.value) for one in attributes}


def spans(trace):
    """The spans of a trace so far, by kind: 1 is internal, 2 a server's, 3 a client's."""
    found = []
    for message in list(Collector.got["/v1/traces"]):
        for resource in message.resource_spans:
            assert named(resource.resource.attributes)["service.name"] == "pitbird"
            found += [span for scope in resource.scope_spans for span in scope.spans if span.trace_id.hex() == trace]
    return found


def points():
    """The newest value of each point: by the metric's name and its attributes, with account and region."""
    newest = {}
    for message in list(Collector.got["/v1/metrics"]):
        for resource in message.resource_metrics:
            place = named(resource.resource.attributes)
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                data = getattr(metric, metric.WhichOneof("data"))
                assert data.aggregation_temporality == 2, "cumulative"
                for point in data.data_points:
                    key = (metric.name, *sorted(named(point.attributes).items()))
                    newest[key] = (metric, point, place)
    return newest


def lines(group):
    found = []
    for message in list(Collector.got["/v1/logs"]):
        for resource in message.resource_logs:
            place = named(resource.resource.attributes)
            if place["aws.log.group.names"] == [group]:
                found += [(record, place) for scope in resource.scope_logs for record in scope.log_records]
    return found


def fields(header):
    return dict(field.split("=", 1) for field in header.split(";"))


def hexadecimal(root):
    return root.removeprefix("1-").replace("-", "")


def total(namespace, metric, dimensions, statistic="Sum"):
    now = time.time()
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName=metric, Statistics=[statistic], Period=60, StartTime=now - 3600, EndTime=now + 60,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
    )
    return sum(point[statistic] for point in answer["Datapoints"])


def made():
    """A function with two versions behind a stage whose canary takes everything; and an HTTP endpoint behind another path."""
    arn = role("traced")
    function("traced", CODE, arn)
    lambda_.publish_version(FunctionName="traced")
    release("traced", CODE + "\n# two\n")
    lambda_.create_alias(FunctionName="traced", Name="base", FunctionVersion="1")
    lambda_.create_alias(FunctionName="traced", Name="next", FunctionVersion="2")
    api, root = rest_api("traced")
    proxied(api, root, "traced:${stageVariables.alias}")
    for alias in ("base", "next"):
        permit("traced", api, alias)
    backend = gateway.create_resource(restApiId=api, parentId=root, pathPart="backend")["id"]
    ids = {"restApiId": api, "resourceId": backend, "httpMethod": "GET"}
    gateway.put_method(**ids, authorizationType="NONE")
    gateway.put_integration(**ids, type="HTTP_PROXY", integrationHttpMethod="GET", uri=f"http://127.0.0.1:{PORT}/")
    gateway.create_deployment(restApiId=api, stageName="prod", variables={"alias": "base"})
    gateway.create_deployment(
        restApiId=api, stageName="prod", canarySettings={"percentTraffic": 100, "stageVariableOverrides": {"alias": "next"}},
    )
    logger = iam.create_role(RoleName="gateway-logs", AssumeRolePolicyDocument=trust("apigateway.amazonaws.com"))
    gateway.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": logger["Role"]["Arn"]}])
    logs.create_log_group(logGroupName=GROUP)
    format_ = {"/accessLogSettings/format": "$context.requestId $context.status",
               "/accessLogSettings/destinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}"}
    gateway.update_stage(
        restApiId=api, stageName="prod",
        patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in format_.items()],
    )
    return api


def told(api, headers=None, path="/"):
    status, _, body = fetch(api, "prod", path, headers)
    assert status == 200, (status, body)
    return json.loads(body)


def whole_trace(api):
    """Gateway, integration, invocation and start in one trace, which is the function's own and the client's."""
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    seen = told(api, {"traceparent": f"00-{trace}-{parent}-01", "tracestate": "a=b"})
    # Nobody was there when it came, and it was answered all the same.
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    found = wait_for("four spans", lambda: len(spans(trace)) == 4 and spans(trace))
    assert Collector.refused == Collector.got["/v1/traces"][:1], "what was refused was sent again, as it was"
    by_name = {span.name: span for span in found}
    server, start = by_name["GET /"], by_name["init"]
    integration, invocation = ([span for span in found if span.name == "traced" and span.kind == kind][0] for kind in (3, 2))
    assert server.kind == 2 and start.kind == 1 and server.flags & 1
    assert server.parent_span_id.hex() == parent
    assert integration.parent_span_id == server.span_id
    assert invocation.parent_span_id == integration.span_id
    assert start.parent_span_id == invocation.span_id
    for inner, outer in ((integration, server), (invocation, integration)):
        assert outer.start_time_unix_nano <= inner.end_time_unix_nano
        assert inner.start_time_unix_nano < inner.end_time_unix_nano
    own, event = fields(seen["own"]), fields(seen["headers"]["x-amzn-trace-id"])
    assert hexadecimal(own["Root"]) == hexadecimal(event["Root"]) == trace
    assert (own["Parent"], own["Sampled"]) == (invocation.span_id.hex(), "1")
    assert (event["Parent"], event["Sampled"]) == (integration.span_id.hex(), "1")
    assert seen["headers"]["traceparent"] == f"00-{trace}-{integration.span_id.hex()}-01"
    assert seen["headers"]["tracestate"] == "a=b"
    has(named(server.attributes), **{
        "http.request.method": "GET", "http.route": "/", "http.response.status_code": 200, "pitbird.api.id": api,
        "pitbird.stage": "prod", "pitbird.track": "canary", "pitbird.track.chosen_by": "draw", "url.scheme": "http",
        "client.address": "127.0.0.1", "cloud.region": REGION, "cloud.account.id": ACCOUNT,
    })
    has(named(invocation.attributes), **{
        "faas.name": "traced", "faas.version": "2", "faas.coldstart": True, "faas.invocation_id": seen["id"],
        "pitbird.qualifier": "next",
    })
    has(named(integration.attributes), **{"faas.invoked_name": "traced", "http.response.status_code": 200})


def decisions(api):
    """Who came first has decided, and of a new trace the function knows the id."""
    refused = "1-5759e988-bd862e3fe1be46a994272793"
    seen = told(api, {"X-Amzn-Trace-Id": f"Root={refused};Parent=53995c3f42cd8ad8;Sampled=0"})
    has(fields(seen["own"]), Root=refused, Sampled="0")
    new = hexadecimal(fields(told(api)["own"])["Root"])
    found = wait_for("three spans", lambda: len(spans(new)) == 3 and spans(new))
    warm = [span for span in found if span.name == "traced" and span.kind == 2][0]
    assert named(warm.attributes)["faas.coldstart"] is False
    assert [span for span in found if span.kind == 2 and span.name == "GET /"][0].parent_span_id == b""
    assert spans(hexadecimal(refused)) == []
    answer = told(api, path="/backend")
    trace = hexadecimal(fields(answer["x-amzn-trace-id"])["Root"])
    found = wait_for("two spans", lambda: len(spans(trace)) == 2 and spans(trace))
    asked = [span for span in found if span.kind == 3][0]
    assert answer["traceparent"] == f"00-{trace}-{asked.span_id.hex()}-01"
    status, _, _ = fetch(api, "prod", "/nowhere")
    assert status == 403


def modes(api):
    """A function that traces actively says so in its REPORT; a stage may trace, too."""
    lambda_.update_function_configuration(FunctionName="traced", TracingConfig={"Mode": "Active"})
    updated("traced")
    assert lambda_.get_function_configuration(FunctionName="traced")["TracingConfig"] == {"Mode": "Active"}
    own = fields(json.loads(invoke("traced", {})["Payload"]["body"])["own"])
    assert own["Sampled"] == "1"
    report = wait_for("REPORT", lambda: log_messages("/aws/lambda/traced", "XRAY"))
    expected = f"\nXRAY TraceId: {own['Root']}\tSegmentId: {own['Parent']}\tSampled: true\t"
    assert any(expected in line for line in report), report
    stage = gateway.update_stage(
        restApiId=api, stageName="prod", patchOperations=[{"op": "replace", "path": "/tracingEnabled", "value": "true"}],
    )
    assert stage["tracingEnabled"] is True
    invoke("traced", {}, InvocationType="Event")


def the_last_of_it(api):
    """What CloudWatch says is what the collector hears, the last of it when the server stops."""
    cloudwatch.put_metric_data(Namespace="Mine", MetricData=[
        {"MetricName": "orders", "Values": [1.0, 5.0], "Counts": [2.0, 1.0], "Unit": "Milliseconds",
         "Dimensions": [{"Name": "shop", "Value": "a"}]},
    ])
    wait_for("the event", lambda: total("AWS/Lambda", "Invocations", {"FunctionName": "traced"}) >= 5)
    last = hexadecimal(fields(told(api)["own"])["Root"])
    stage = {"ApiName": "traced", "Stage": "prod"}
    expected = {
        ("amazonaws.com/AWS/Lambda/Invocations", ("FunctionName", "traced")):
            total("AWS/Lambda", "Invocations", {"FunctionName": "traced"}),
        ("amazonaws.com/AWS/Lambda/Errors", ("FunctionName", "traced")): 0,
        ("amazonaws.com/AWS/ApiGateway/Count", ("ApiName", "traced"), ("Stage", "prod")):
            total("AWS/ApiGateway", "Count", stage, "SampleCount"),
        ("amazonaws.com/AWS/ApiGateway/4XXError", ("ApiName", "traced"), ("Stage", "prod")):
            total("AWS/ApiGateway", "4XXError", stage),
    }
    latency = total("AWS/ApiGateway", "Latency", stage, "SampleCount"), total("AWS/ApiGateway", "Latency", stage)
    os.kill(SERVER, signal.SIGTERM)
    wait_for("the last span", lambda: spans(last))
    wait_for("metrics", lambda: ("amazonaws.com/Mine/orders", ("shop", "a")) in points())
    newest = points()
    for key, value in expected.items():
        metric, point, place = newest[key]
        assert (point.as_double, metric.sum.is_monotonic) == (value, True), (key, point, value)
        has(place, **{"cloud.account.id": ACCOUNT, "cloud.region": REGION})
    metric, point, _ = newest[("amazonaws.com/AWS/ApiGateway/Latency", ("ApiName", "traced"), ("Stage", "prod"))]
    assert (point.count, point.sum, metric.unit) == (*latency, "ms"), (point, latency)
    metric, point, _ = newest[("amazonaws.com/Mine/orders", ("shop", "a"))]
    assert (point.count, point.sum, point.min, point.max) == (3, 7.0, 1.0, 5.0)
    assert sum(point.positive.bucket_counts) == 3
    for dropped in ("traces", "metrics", "logs"):
        assert newest[("pitbird.otlp.dropped", ("signal", dropped))][1].as_double == 0
    function_lines = wait_for("lines", lambda: lines("/aws/lambda/traced"))
    bodies = [plain(record.body) for record, _ in function_lines]
    assert "handled by 2" in bodies and all(place["faas.name"] == "traced" for _, place in function_lines)
    traced = [record for record, _ in function_lines if "XRAY TraceId" in plain(record.body)]
    assert traced and all(len(record.trace_id) == 16 for record in traced)
    assert any(plain(record.body).endswith(" 200") for record, _ in lines(GROUP))


api = made()
whole_trace(api)
decisions(api)
modes(api)
the_last_of_it(api)
print(json.dumps({"requests": {path: len(got) for path, got in Collector.got.items()}}))
