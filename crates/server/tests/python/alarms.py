"""Alarms on alarms, and what they set going: a function of the account's own and a webhook."""

import http.server
import queue
import threading

from given import *

CODE = """
import json
def handler(event, context):
    print("TOLD", json.dumps(event))
"""
ARN = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"


class Hook(http.server.BaseHTTPRequestHandler):
    told = queue.Queue()

    def do_POST(self):
        self.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def hook():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/told"
    finally:
        server.shutdown()


def alarm(name, **more):
    settings = {
        "Namespace": "App", "MetricName": "Faults", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore",
    }
    cloudwatch.put_metric_alarm(AlarmName=name, **(settings | more))


def composite(name):
    return cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]


def actions(name):
    found = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    return [item["HistorySummary"] for item in found]


def told():
    return [json.loads(message.removeprefix("TOLD ")) for message in log_messages("/aws/lambda/pager", "TOLD")]


def functions_and_webhooks():
    function("pager", CODE, role("pager"))
    pager = lambda_.get_function(FunctionName="pager")["Configuration"]["FunctionArn"]
    with hook() as url:
        alarm("faults", AlarmActions=[pager, url], OKActions=[url])
        cloudwatch.set_alarm_state(AlarmName="faults", StateValue="ALARM", StateReason="a drill")
        event = Hook.told.get(timeout=20)
        assert event["alarmArn"] == ARN + "faults" and event["source"] == "aws.cloudwatch", event
        assert event["alarmData"]["state"]["value"] == "ALARM", event
        failed = wait_for("the failure", lambda: [one for one in actions("faults") if one.startswith("Failed")])
        assert pager in failed[0] and "resource-based policy" in failed[0], failed
        lambda_.add_permission(
            FunctionName="pager", StatementId="alarms", Action="lambda:InvokeFunction", SourceAccount=ACCOUNT,
            Principal="lambda.alarms.cloudwatch.amazonaws.com", SourceArn=ARN + "faults",
        )
        cloudwatch.set_alarm_state(AlarmName="faults", StateValue="OK", StateReason="over")
        assert Hook.told.get(timeout=20)["alarmData"]["previousState"]["value"] == "ALARM"
        cloudwatch.set_alarm_state(AlarmName="faults", StateValue="ALARM", StateReason="another drill")
        assert Hook.told.get(timeout=20)["alarmData"]["state"]["reason"] == "another drill"
        seen = wait_for("the function", told)
        assert [one["alarmData"]["state"]["reason"] for one in seen] == ["another drill"], seen
        wait_for("the history", lambda: f"Successfully executed action {pager}" in actions("faults"))


def alarms_on_alarms():
    alarm("left")
    alarm("right")
    alarm("deploying")
    cloudwatch.put_composite_alarm(
        AlarmName="both", AlarmRule='ALARM("left") AND ALARM(right)', ActionsSuppressor="deploying",
        ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=60, Tags=[{"Key": "team", "Value": "birds"}],
    )
    assert composite("both")["StateValue"] == "OK"
    for name in ("left", "right"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a drill")
    risen = composite("both")
    assert (risen["StateValue"], risen["ActionsSuppressedBy"]) == ("ALARM", "WaitPeriod"), risen
    assert risen["StateReason"].startswith(ARN + "right transitioned to ALARM at "), risen
    tags = cloudwatch.list_tags_for_resource(ResourceARN=risen["AlarmArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "birds"}]
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName="both")["MetricAlarms"]
    assert [child["AlarmName"] for child in children] == ["left", "right"]
    with refused("ValidationError", "depending on it"):
        cloudwatch.delete_alarms(AlarmNames=["left"])
    cloudwatch.delete_alarms(AlarmNames=["both", "left", "right", "deploying"])


functions_and_webhooks()
alarms_on_alarms()
