"""Log events as they come: filter patterns, metric filters, embedded metrics, subscribers, Live Tail, policies, exports."""

import datetime
import gzip

from botocore.config import Config
from given import *

SUBSCRIBER = '''
import base64, gzip, json

def handler(event, context):
    print("got " + gzip.decompress(base64.b64decode(event["awslogs"]["data"])).decode())
'''

EMBEDDING = '''
import json, time

def handler(event, context):
    print(json.dumps({"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{"Namespace": "birds",
        "Dimensions": [["service"], []], "Metrics": [{"Name": "Sung", "Unit": "Count", "StorageResolution": 1}]}]},
        "service": context.function_name, "Sung": [1, 2]}))
    print(json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": []}}))
'''

def put(group, *messages, stream="s"):
    """Files messages now."""
    now = int(time.time() * 1000)
    events = [{"timestamp": now + place, "message": message} for place, message in enumerate(messages)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    return now


def made(group, *streams):
    logs.create_log_group(logGroupName=group)
    for stream in streams or ("s",):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)


def total(metric, namespace, dimensions=(), statistic="Sum"):
    now = datetime.datetime.now(datetime.timezone.utc)
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName=metric, Statistics=[statistic], Period=60,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions],
        StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=1),
    )
    return sum(point[statistic] for point in answer["Datapoints"])


def patterns():
    """Readers take the three forms of patterns."""
    made("patterns")
    put("patterns", '{"level": "ERROR", "latency": 12.5, "user": {"name": "ada"}}', '{"level": "INFO", "latency": 700}',
        'ada 200 "GET /a b" 1534', "plain ERROR 42")
    for pattern, count in [
        ("", 4), ("ERROR", 2), ("?ada ?plain", 3), ("ERROR -plain", 1), ('"GET /a b"', 1), ("%4[0-9]$%", 1),
        ("{ $.latency > 1e1 }", 2), ("{ $.latency > 10 && $.user.name = a* }", 1), ("{ $.user NOT EXISTS }", 1),
        ("[who, status = 2*, request, bytes > 1000]", 1),
    ]:
        found = logs.filter_log_events(logGroupName="patterns", filterPattern=pattern)["events"]
        assert len(found) == count, (pattern, found)
    with refused("InvalidParameterException", "Invalid filter pattern", 400):
        logs.filter_log_events(logGroupName="patterns", filterPattern="{ $.a }")
    matches = logs.test_metric_filter(
        filterPattern="[who, status, ..., bytes]", logEventMessages=['ada 200 "GET /a b" 1534', "no"])["matches"]
    assert [match["extractedValues"] for match in matches] == [
        {"$who": "ada", "$status": "200", "$3": "GET /a b", "$bytes": "1534"}]


def metric_filters():
    """What is filed is counted once, with values, defaults and dimensions."""
    made("counted")
    metric = {"metricName": "errors", "metricNamespace": "birds", "metricValue": "1", "defaultValue": 0, "unit": "Count"}
    logs.put_metric_filter(
        logGroupName="counted", filterName="errors", filterPattern="ERROR", metricTransformations=[metric])
    latency = {"metricName": "latency", "metricNamespace": "birds", "metricValue": "$.latency",
               "dimensions": {"route": "$.route"}, "unit": "Milliseconds"}
    logs.put_metric_filter(
        logGroupName="counted", filterName="latency", filterPattern="{ $.latency = * }", metricTransformations=[latency])
    assert logs.describe_log_groups(logGroupNamePrefix="counted")["logGroups"][0]["metricFilterCount"] == 2
    found = logs.describe_metric_filters(logGroupName="counted")["metricFilters"]
    assert [one["filterName"] for one in found] == ["errors", "latency"]
    assert found[0]["metricTransformations"] == [metric] and found[1]["metricTransformations"] == [latency]
    put("counted", "ERROR one", "fine", "ERROR two", '{"latency": 3.5, "route": "/a"}', '{"latency": 4, "route": "/a"}')
    wait_for("errors", lambda: total("errors", "birds") == 2)
    wait_for("latency", lambda: total("latency", "birds", [("route", "/a")]) == 7.5)
    assert total("latency", "birds", [("route", "/a")], "SampleCount") == 2
    logs.delete_metric_filter(logGroupName="counted", filterName="latency")
    with refused("ResourceNotFoundException", "The specified metric filter does not exist.", 400):
        logs.delete_metric_filter(logGroupName="counted", filterName="latency")
    with refused("InvalidParameterException", "dimensions and default value are mutually exclusive properties", 400):
        logs.put_metric_filter(logGroupName="counted", filterName="x", filterPattern="{ $.a = 1 }",
                               metricTransformations=[{**latency, "defaultValue": 1}])


def embedded():
    """What a function prints as embedded metrics can be read as metrics."""
    function("embedding", EMBEDDING, role("embedding"))
    lambda_.invoke(FunctionName="embedding")
    wait_for("Sung", lambda: total("Sung", "birds", [("service", "embedding")]) == 3)
    assert total("Sung", "birds") == 3
    group = [("LogGroupName", "/aws/lambda/embedding")]
    wait_for("EMFValidationErrors", lambda: total("EMFValidationErrors", "AWS/Logs", group) == 1)


def subscribers():
    """Events reach a function, with the ids that readers see."""
    made("told")
    function("subscriber", SUBSCRIBER, role("subscriber"))
    arn = lambda_.get_function(FunctionName="subscriber")["Configuration"]["FunctionArn"]
    words = "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission"
    with refused("InvalidParameterException", words, 400):
        logs.put_subscription_filter(
            logGroupName="told", filterName="all", filterPattern="", destinationArn=arn)
    lambda_.add_permission(
        FunctionName="subscriber", StatementId="logs", Action="lambda:InvokeFunction",
        Principal="logs.us-east-1.amazonaws.com", SourceArn="arn:aws:logs:us-east-1:000000000000:log-group:told:*")
    logs.put_subscription_filter(
        logGroupName="told", filterName="errors", filterPattern="ERROR", destinationArn=arn)
    put("told", "ERROR one", "fine", "ERROR two")

    def got():
        found = log_messages("/aws/lambda/subscriber", "DATA_MESSAGE")
        return [json.loads(message.removeprefix("got ")) for message in found]

    wait_for("a message", lambda: len(got()) == 1)
    message = got()[0]
    read = logs.filter_log_events(logGroupName="told", filterPattern="ERROR")["events"]
    assert message["logEvents"] == [
        {"id": event["eventId"], "timestamp": event["timestamp"], "message": event["message"]} for event in read]
    assert (message["owner"], message["logGroup"], message["logStream"], message["subscriptionFilters"]) == (
        "000000000000", "told", "s", ["errors"])
    found = logs.describe_subscription_filters(logGroupName="told")["subscriptionFilters"]
    assert [(one["filterName"], one["distribution"]) for one in found] == [("errors", "ByLogStream")]
    logs.delete_subscription_filter(logGroupName="told", filterName="errors")


def live_tail():
    """A session is told of events as they come. The SDK would put a prefix before the host, which has no name here."""
    made("live")
    plain = boto3.client("logs", config=CONFIG.merge(Config(inject_host_prefix=False)))
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:live"
    session = plain.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="ERROR")["responseStream"]
    events = iter(session)
    start = next(events)["sessionStart"]
    assert start["logGroupIdentifiers"] == [arn] and start["logEventFilterPattern"] == "ERROR"
    put("live", "ERROR one", "fine", "ERROR two")
    seen = []
    for event in events:
        assert not event["sessionUpdate"]["sessionMetadata"]["sampled"]
        seen += event["sessionUpdate"]["sessionResults"]
        if len(seen) == 2:
            break
    session.close()
    assert [one["message"] for one in seen] == ["ERROR one", "ERROR two"]
    assert {(one["logStreamName"], one["logGroupIdentifier"]) for one in seen} == {("s", "000000000000:live")}


def policies():
    """Resource policies as Terraform keeps them."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents",
                           "Resource": "*", "Principal": {"Service": "route53.amazonaws.com"}}]})
    put_ = logs.put_resource_policy(policyName="route53", policyDocument=document)["resourcePolicy"]
    assert put_["policyDocument"] == document and put_["policyScope"] == "ACCOUNT"
    assert logs.describe_resource_policies()["resourcePolicies"] == [put_]
    logs.delete_resource_policy(policyName="route53")
    with refused("ResourceNotFoundException", "Policy with name [route53] does not exist.", 400):
        logs.delete_resource_policy(policyName="route53")


def exports():
    """A group's events go into a bucket."""
    s3 = boto3.client("s3", config=CONFIG)
    s3.create_bucket(Bucket="exported")
    made("exporting", "a/b", "c")
    now = put("exporting", "one", "two", stream="a/b")
    put("exporting", "three", stream="c")
    task = logs.create_export_task(
        logGroupName="exporting", fromTime=now - 60_000, to=now + 60_000, destination="exported")["taskId"]
    wait_for("the end", lambda: logs.describe_export_tasks(taskId=task)["exportTasks"][0]["status"]["code"] == "COMPLETED")
    listed = s3.list_objects_v2(Bucket="exported")["Contents"]
    files = [f"exportedlogs/{task}/{stream}/000000.gz" for stream in ("a-b", "c")]
    assert sorted(one["Key"] for one in listed) == sorted([*files, "exportedlogs/aws-logs-write-test"])
    text = gzip.decompress(s3.get_object(Bucket="exported", Key=files[0])["Body"].read()).decode()
    assert [line.split(" ", 1)[1] for line in text.splitlines()] == ["one", "two"], text
    with refused("InvalidOperationException", "already finished", 400):
        logs.cancel_export_task(taskId=task)
    with refused("InvalidParameterException", "The given bucket does not exist.", 400):
        logs.create_export_task(logGroupName="exporting", fromTime=0, to=1, destination="nowhere")


patterns()
metric_filters()
embedded()
subscribers()
live_tail()
policies()
exports()
print("ok")
