"""Logs and metrics: put, read back, counted from real traffic within seconds, and an alarm that goes off by them."""

import datetime

from given import *

CODE = '''
def handler(event, context):
    print("handled by", context.function_version)
    if context.function_version == "2":
        raise RuntimeError("faulty")
    return {"statusCode": 200, "body": "ok"}
'''


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def recently():
    return {"StartTime": now() - datetime.timedelta(minutes=10), "EndTime": now() + datetime.timedelta(minutes=1)}


def total(metric, dimensions, namespace="AWS/Lambda", statistic="Sum"):
    """A metric's datapoints of the last minutes, added up."""
    answer = cloudwatch.get_metric_statistics(
        Namespace=namespace, MetricName=metric, Statistics=[statistic], Period=60,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        **recently(),
    )
    assert answer["Label"] == metric
    return sum(point[statistic] for point in answer["Datapoints"])


def stages():
    """Requests through a canary are counted apart, and so are the versions behind a weighted alias."""
    arn = role("counted")
    function("counted", CODE, arn)
    lambda_.publish_version(FunctionName="counted")
    release("counted", CODE + "\n# two\n")
    lambda_.create_alias(FunctionName="counted", Name="base", FunctionVersion="1")
    lambda_.create_alias(FunctionName="counted", Name="next", FunctionVersion="2")
    lambda_.create_alias(
        FunctionName="counted", Name="live", FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    api, root = rest_api("counted")
    proxied(api, root, "counted:${stageVariables.alias}")
    for alias in ("base", "next"):
        permit("counted", api, alias)
    gateway.create_deployment(restApiId=api, stageName="prod", variables={"alias": "base"})
    gateway.create_deployment(
        restApiId=api, stageName="prod",
        canarySettings={"percentTraffic": 50, "stageVariableOverrides": {"alias": "next"}},
    )
    gateway.update_stage(
        restApiId=api, stageName="prod",
        patchOperations=[{"op": "replace", "path": "/*/*/metrics/enabled", "value": "true"}],
    )
    seen = [fetch(api, "prod")[0] for _ in range(60)]
    faulty = seen.count(502)
    assert 0 < faulty < 60 and seen.count(200) == 60 - faulty, seen
    base, canary = {"ApiName": "counted", "Stage": "prod"}, {"ApiName": "counted", "Stage": "prod/Canary"}
    detail = {"Method": "GET", "Resource": "/"}
    for metric, dimensions, expected in (
        ("Count", canary, faulty), ("5XXError", canary, faulty), ("4XXError", canary, 0), ("Count", base, 60),
        ("5XXError", base, faulty), ("Count", {"ApiName": "counted"}, 60), ("Count", canary | detail, faulty),
        ("Count", base | detail, 60),
    ):
        statistic = "SampleCount" if metric == "Count" else "Sum"
        found = wait_for(
            f"{metric} {dimensions}",
            lambda: (total(metric, dimensions, "AWS/ApiGateway", statistic),) if total(
                metric, dimensions, "AWS/ApiGateway", statistic) == expected else None,
            5,
        )
        assert found == (expected,)
    assert total("Latency", canary, "AWS/ApiGateway", "SampleCount") == faulty
    listed = {
        tuple(sorted((d["Name"], d["Value"]) for d in metric["Dimensions"]))
        for page in cloudwatch.get_paginator("list_metrics").paginate(
            Namespace="AWS/ApiGateway", MetricName="Count", Dimensions=[{"Name": "Stage", "Value": "prod/Canary"}])
        for metric in page["Metrics"]
    }
    assert tuple(sorted(canary.items())) in listed, listed
    aliased(faulty)
    return api


def aliased(through_gateway):
    executed = []
    for _ in range(40):
        executed.append(lambda_.invoke(FunctionName="counted", Qualifier="live")["ExecutedVersion"])
    twos = executed.count("2")
    assert 0 < twos < 40, executed
    live = {"FunctionName": "counted", "Resource": "counted:live"}
    for metric, dimensions, expected in (
        ("Invocations", live | {"ExecutedVersion": "2"}, twos), ("Errors", live | {"ExecutedVersion": "2"}, twos),
        ("Invocations", live | {"ExecutedVersion": "1"}, 40 - twos), ("Errors", live | {"ExecutedVersion": "1"}, 0),
        ("Invocations", live, 40), ("Invocations", {"FunctionName": "counted"}, 100),
        ("Errors", {"FunctionName": "counted", "Resource": "counted:next", "ExecutedVersion": "2"}, through_gateway),
    ):
        wait_for(f"{metric} {dimensions} to be {expected}", lambda: total(metric, dimensions) == expected, 5)
    answer = cloudwatch.get_metric_data(
        **recently(),
        MetricDataQueries=[
            {"Id": name, "MetricStat": {"Stat": stat, "Period": 60, "Metric": {
                "Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": [
                    {"Name": key, "Value": value} for key, value in (live | {"ExecutedVersion": "2"}).items()]}}}
            for name, metric, stat in (("errors", "Errors", "Sum"), ("slow", "Duration", "p99"))
        ],
    )
    results = {result["Id"]: result for result in answer["MetricDataResults"]}
    assert sum(results["errors"]["Values"]) == twos and results["errors"]["StatusCode"] == "Complete", results
    assert all(value > 0 for value in results["slow"]["Values"]) and results["slow"]["Values"], results


def own_metrics():
    """What callers put themselves."""
    stamp = now().replace(microsecond=0)
    cloudwatch.put_metric_data(Namespace="Own", MetricData=[
        {"MetricName": "size", "Value": 3.5, "Unit": "Bytes", "Timestamp": stamp,
         "Dimensions": [{"Name": "part", "Value": "a"}]},
        {"MetricName": "size", "Values": [1.0, 2.0], "Counts": [10.0, 20.0], "Unit": "Bytes", "Timestamp": stamp,
         "Dimensions": [{"Name": "part", "Value": "a"}]},
        {"MetricName": "set", "StatisticValues": {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}},
    ])
    answer = cloudwatch.get_metric_statistics(
        Namespace="Own", MetricName="size", Dimensions=[{"Name": "part", "Value": "a"}], Period=60,
        Statistics=["SampleCount", "Sum", "Average", "Minimum", "Maximum"], **recently(),
    )
    (point,) = answer["Datapoints"]
    has(point, SampleCount=31.0, Sum=53.5, Minimum=1.0, Maximum=3.5, Unit="Bytes")
    answer = cloudwatch.get_metric_statistics(
        Namespace="Own", MetricName="size", Dimensions=[{"Name": "part", "Value": "a"}], Period=60,
        ExtendedStatistics=["p50"], **recently(),
    )
    (point,) = answer["Datapoints"]
    assert abs(point["ExtendedStatistics"]["p50"] - 2.0) < 0.1, point
    # A body of more than 10 KB travels compressed.
    many = [{"MetricName": f"m{n}", "Value": float(n), "Timestamp": stamp} for n in range(300)]
    cloudwatch.put_metric_data(Namespace="Many", MetricData=many)
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace="Many")
    assert sum(len(page["Metrics"]) for page in pages) == 300
    with refused("InvalidParameterValue", "The value AWS/", 400):
        cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=[{"MetricName": "x", "Value": 1.0}])


def log_events():
    logs.create_log_group(logGroupName="/app/one", tags={"a": "b"})
    logs.create_log_stream(logGroupName="/app/one", logStreamName="s1")
    logs.create_log_stream(logGroupName="/app/one", logStreamName="s2")
    stamp = int(time.time() * 1000) - 60_000
    put = logs.put_log_events(logGroupName="/app/one", logStreamName="s1", logEvents=[
        {"timestamp": stamp + n, "message": f"line {n} {'ERROR' if n % 3 == 0 else 'fine'}"} for n in range(10)
    ])
    assert "nextSequenceToken" in put
    logs.put_log_events(
        logGroupName="/app/one", logStreamName="s2", logEvents=[{"timestamp": stamp + 4, "message": "ERROR two"}]
    )
    got = logs.get_log_events(logGroupName="/app/one", logStreamName="s1", startFromHead=True, limit=4)
    assert [event["message"].split()[1] for event in got["events"]] == ["0", "1", "2", "3"]
    rest = logs.get_log_events(
        logGroupName="/app/one", logStreamName="s1", startFromHead=True, nextToken=got["nextForwardToken"]
    )
    assert len(rest["events"]) == 6
    end = logs.get_log_events(logGroupName="/app/one", logStreamName="s1", nextToken=rest["nextForwardToken"])
    assert end["events"] == [] and end["nextForwardToken"] == rest["nextForwardToken"]
    found = logs.filter_log_events(logGroupName="/app/one", filterPattern="ERROR")["events"]
    assert [event["logStreamName"] for event in found] == ["s1", "s1", "s2", "s1", "s1"], found
    assert [event["timestamp"] for event in found] == sorted(event["timestamp"] for event in found)
    only = logs.filter_log_events(
        logGroupName="/app/one", filterPattern="ERROR -two", logStreamNames=["s2"]
    )["events"]
    assert only == []
    old = logs.put_log_events(logGroupName="/app/one", logStreamName="s1", logEvents=[
        {"timestamp": stamp - 15 * 86_400_000, "message": "too old"},
    ])
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}, old
    logs.put_retention_policy(logGroupName="/app/one", retentionInDays=7)
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/app/")["logGroups"]
    has(group, logGroupName="/app/one", retentionInDays=7, logGroupClass="STANDARD", metricFilterCount=0)
    assert group["arn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app/one:*"
    streams = logs.describe_log_streams(logGroupName="/app/one")["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["s1", "s2"]
    has(streams[0], firstEventTimestamp=stamp, lastEventTimestamp=stamp + 9)
    assert logs.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"] == {"a": "b"}
    with refused("ResourceAlreadyExistsException", "The specified log group already exists", 400):
        logs.create_log_group(logGroupName="/app/one")
    with refused("ResourceNotFoundException", "The specified log stream does not exist.", 400):
        logs.put_log_events(
            logGroupName="/app/one", logStreamName="s3", logEvents=[{"timestamp": stamp, "message": "x"}]
        )
    logs.delete_log_stream(logGroupName="/app/one", logStreamName="s2")
    logs.delete_log_group(logGroupName="/app/one")
    with refused("ResourceNotFoundException", "The specified log group does not exist.", 400):
        logs.filter_log_events(logGroupName="/app/one")


def function_logs():
    """Each version's environments write to streams of their own."""
    wait_for("both versions' lines", lambda: {
        message.strip() for message in log_messages("/aws/lambda/counted", '"handled by"')
    } == {"handled by 1", "handled by 2"}, 5)
    names = [s["logStreamName"] for s in logs.describe_log_streams(logGroupName="/aws/lambda/counted")["logStreams"]]
    assert any("/[1]" in name for name in names) and any("/[2]" in name for name in names), names


def alarm(api):
    """An alarm on the canary's errors, and on a metric of one's own, by real datapoints."""
    cloudwatch.put_metric_alarm(
        AlarmName="canary", Namespace="AWS/ApiGateway", MetricName="5XXError", Statistic="Sum", Period=10,
        EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
        Dimensions=[{"Name": "ApiName", "Value": "counted"}, {"Name": "Stage", "Value": "prod/Canary"}],
    )
    (made,) = cloudwatch.describe_alarms(AlarmNames=["canary"])["MetricAlarms"]
    has(made, Period=10, Threshold=0.0, TreatMissingData="notBreaching")
    assert made["AlarmArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:canary"
    assert made["StateValue"] in ("INSUFFICIENT_DATA", "OK"), made

    def state():
        # Traffic goes on until the alarm has seen it.
        fetch(api, "prod")
        (found,) = cloudwatch.describe_alarms(AlarmNames=["canary"])["MetricAlarms"]
        return found if found["StateValue"] == "ALARM" else None

    found = wait_for("the alarm", state, 60)
    assert "was greater than the threshold (0.0)" in found["StateReason"], found
    assert json.loads(found["StateReasonData"])["threshold"] == 0.0
    cloudwatch.set_alarm_state(AlarmName="canary", StateValue="OK", StateReason="said so")
    (found,) = cloudwatch.describe_alarms(AlarmNames=["canary"])["MetricAlarms"]
    assert found["StateValue"] in ("OK", "ALARM")
    cloudwatch.delete_alarms(AlarmNames=["canary"])
    assert cloudwatch.describe_alarms(AlarmNames=["canary"])["MetricAlarms"] == []


def gateway_logs(api):
    """What the canary does is in the stage's logs, and in logs of its own besides."""
    def replace(*pairs):
        operations = [{"op": "replace", "path": path, "value": value} for path, value in zip(pairs[::2], pairs[1::2])]
        gateway.update_stage(restApiId=api, stageName="prod", patchOperations=operations)

    with refused("BadRequestException", "CloudWatch Logs role ARN must be set in account settings to enable logging", 400):
        replace("/*/*/logging/loglevel", "INFO")
    logger = iam.create_role(RoleName="gateway-logs", AssumeRolePolicyDocument=trust("apigateway.amazonaws.com"))
    gateway.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": logger["Role"]["Arn"]}])
    logs.create_log_group(logGroupName="access")
    replace(
        "/accessLogSettings/destinationArn", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:access",
        "/accessLogSettings/format", "$context.requestId $context.isCanaryRequest $context.status",
        "/*/*/logging/loglevel", "INFO",
    )
    sent = {fetch(api, "prod")[1]["x-amzn-requestid"] for _ in range(30)}

    def logged():
        lines = [line.split() for line in messages_of("access")]
        return lines if len(lines) >= 30 else None

    lines = wait_for("the access log", logged)
    assert {line[0] for line in lines} == sent and len(lines) == 30, lines
    canary = {request for request, is_canary, _ in lines if is_canary == "true"}
    assert 0 < len(canary) < 30
    # Here the canary's function fails.
    assert all((status == "502") == (request in canary) for request, _, status in lines), lines
    own = wait_for("the canary's access log", lambda: messages_of("access/Canary"))
    assert {line.split()[0] for line in own} == canary
    group = f"API-Gateway-Execution-Logs_{api}/prod"
    for name, expected in ((group, sent), (f"{group}/Canary", canary)):
        ended = lambda: {
            line[1:37] for line in messages_of(name) if "Method completed with status" in line}
        assert wait_for(name, lambda: ended() if len(ended()) >= len(expected) else None) == expected


def messages_of(group):
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


own_metrics()
log_events()
served = stages()
gateway_logs(served)
function_logs()
alarm(served)
