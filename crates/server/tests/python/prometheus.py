"""What Prometheus reads: its own parser takes both formats, and what was called is counted, once and never less."""

import sys
import urllib.request

from given import *

# The folder that the parsers are in.
sys.path.insert(0, sys.argv[1])
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families as text_families

OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
ECHO = 'def handler(event, context):\n    if event.get("fail"):\n        raise ValueError("asked to")\n    return {"statusCode": 200, "body": "ok"}\n'


def scrape(path="/_pitbird/metrics", accept="*/*"):
    request = urllib.request.Request(ENDPOINT + path, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=20) as answer:
        kind, text = answer.headers["Content-Type"], answer.read().decode()
    is_open = kind.startswith("application/openmetrics-text; version=1.0.0")
    assert is_open == (accept == OPEN) and (is_open or kind.startswith("text/plain; version=0.0.4")), kind
    families = list((open_families if is_open else text_families)(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names)), names
    samples = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples, key
            samples[key] = sample.value
    return samples


def value(samples, name, **labels):
    found = [
        value for (known, pairs), value in samples.items()
        if known == name and labels.items() <= dict(pairs).items()
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


def requests():
    function("counted", ECHO, role("counted"))
    lambda_.publish_version(FunctionName="counted")
    lambda_.create_alias(FunctionName="counted", Name="live", FunctionVersion="1")
    for event in ({}, {}, {"fail": True}):
        lambda_.invoke(FunctionName="counted:live", Payload=json.dumps(event))
    api, root = rest_api("counted")
    proxied(api, root, "counted")
    permit("counted", api)
    gateway.create_deployment(restApiId=api, stageName="prod")
    for _ in range(3):
        fetch(api, "prod", "/")
    return api


def counted():
    before = scrape()
    requests()
    after = scrape()
    for key, was in before.items():
        if key[0].endswith(("_total", "_count")):
            assert after[key] >= was, key
    for samples in (after, scrape("/metrics"), scrape(accept=OPEN)):
        live = {"function": "counted", "qualifier": "live", "version": "1", "account": ACCOUNT, "region": REGION}
        assert value(samples, "pitbird_lambda_invocations_total", **live) == 3
        assert value(samples, "pitbird_lambda_errors_total", **live) == 1
        assert value(samples, "pitbird_lambda_duration_seconds_count", **live) == 3
        assert value(samples, "pitbird_lambda_duration_seconds_sum", **live) < 30
        stage = {"api": "counted", "stage": "prod", "track": "base"}
        assert value(samples, "pitbird_apigateway_requests_total", **stage) == 3
        assert value(samples, "pitbird_apigateway_latency_seconds_count", **stage) == 3
        assert value(samples, "process_resident_memory_bytes") > 1_000_000
        assert value(samples, "process_start_time_seconds") <= time.time()


def own_metrics():
    """What callers put and embed is there under its own names, in both formats."""
    hostile = 'Orders "new"\\'
    cloudwatch.put_metric_data(Namespace="Shop/a b", MetricData=[
        {"MetricName": hostile, "Dimensions": [{"Name": "a-b", "Value": 'x"\\y'}, {"Name": "a.b", "Value": "2"}], "Unit": "Count",
         "Values": [1.5, 2.0], "Counts": [2.0, 1.0]},
        {"MetricName": "Debt", "Value": -7.0},
    ])
    emf = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
            {"Namespace": "Embedded", "Dimensions": [["kind"]], "Metrics": [{"Name": "price", "Unit": "None"}]}]},
        "kind": "book", "price": 12,
    }
    logs.create_log_group(logGroupName="embedded")
    logs.create_log_stream(logGroupName="embedded", logStreamName="s")
    logs.put_log_events(logGroupName="embedded", logStreamName="s",
                        logEvents=[{"timestamp": int(time.time() * 1000), "message": json.dumps(emf)}])
    wait_for("the embedded metric", lambda: any(
        name == "pitbird_custom_samples_total" and dict(pairs)["namespace"] == "Embedded" for name, pairs in scrape()))
    for samples in (scrape(), scrape(accept=OPEN)):
        orders = {"namespace": "Shop/a b", "metric": hostile, "unit": "Count", "dimension_a_b": 'x"\\y', "dimension_a_b_2": "2"}
        assert value(samples, "pitbird_custom_samples_total", **orders) == 3
        assert value(samples, "pitbird_custom_values", **orders) == 5
        assert value(samples, "pitbird_custom_values", metric="Debt", account=ACCOUNT, region=REGION) == -7
        assert value(samples, "pitbird_custom_values", metric="price", dimension_kind="book") == 12
        assert value(samples, "pitbird_custom_series_left_out") == 0


def buckets_keep_their_names():
    """`/metrics` is a bucket's address too, for whoever signs."""
    s3 = boto3.client("s3", config=CONFIG.merge(botocore.config.Config(s3={"addressing_style": "path"})))
    s3.create_bucket(Bucket="metrics")
    assert s3.list_objects(Bucket="metrics").get("Contents") is None


counted()
own_metrics()
buckets_keep_their_names()
