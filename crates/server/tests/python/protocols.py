"""CloudWatch in the protocols that other SDKs speak: query forms, rpc-v2-cbor, json with and without query mode."""

import gzip
import urllib.parse
import xml.etree.ElementTree as xml

import cbor
from given import *

NAMESPACE = "{http://monitoring.amazonaws.com/doc/2010-08-01/}"
TARGET = "GraniteServiceVersion20100801"


def form(action, **members):
    members = {"Action": action, "Version": "2010-08-01"} | {name.replace("_", "."): v for name, v in members.items()}
    status, headers, body = exchange(
        "POST", "/", {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, urllib.parse.urlencode(members)
    )
    assert headers["content-type"].startswith("text/xml"), headers
    assert "x-amzn-requestid" in headers, headers
    return status, xml.fromstring(body)


def rpc(operation, value, compress=False):
    body = cbor.encode(value)
    headers = {
        "smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Accept": "application/cbor",
        "x-amzn-query-mode": "true",
    }
    if compress:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    status, headers, body = exchange("POST", f"/service/{TARGET}/operation/{operation}", headers, body)
    assert headers["smithy-protocol"] == "rpc-v2-cbor", headers
    assert not body or headers["content-type"] == "application/cbor", headers
    return status, headers, cbor.decode(body) if body else {}


def json_10(operation, value, query_mode=True):
    headers = {"X-Amz-Target": f"{TARGET}.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    if query_mode:
        headers["x-amzn-query-mode"] = "true"
    status, headers, body = exchange("POST", "/", headers, json.dumps(value))
    return status, headers, json.loads(body)


def alarm(name):
    return {
        "AlarmName": name, "Namespace": "Own", "MetricName": "m", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1.5, "ComparisonOperator": "GreaterThanThreshold",
    }


def names(found):
    return sorted(alarm["AlarmName"] for alarm in found["MetricAlarms"])


def query():
    status, answer = form("PutMetricAlarm", **alarm("by-form"))
    assert status == 200 and answer.tag == f"{NAMESPACE}PutMetricAlarmResponse", answer.tag
    assert answer.find(f"{NAMESPACE}ResponseMetadata/{NAMESPACE}RequestId").text
    status, _ = form(
        "PutMetricData", Namespace="Own", MetricData_member_1_MetricName="m", MetricData_member_1_Value="4",
        MetricData_member_1_Unit="Count",
    )
    assert status == 200
    status, answer = form("DescribeAlarms", AlarmNames_member_1="by-form")
    (found,) = answer.findall(f".//{NAMESPACE}MetricAlarms/{NAMESPACE}member")
    assert found.find(f"{NAMESPACE}Threshold").text == "1.5"
    assert found.find(f"{NAMESPACE}AlarmArn").text.endswith(":alarm:by-form")
    stamp = found.find(f"{NAMESPACE}StateUpdatedTimestamp").text
    assert stamp.startswith("20") and stamp.endswith("Z") and "T" in stamp, stamp
    now = time.time()
    shown = lambda at: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    status, answer = form(
        "GetMetricStatistics", Namespace="Own", MetricName="m", Period="60", StartTime=shown(now - 300),
        EndTime=shown(now + 60), Statistics_member_1="Sum", Statistics_member_2="Maximum",
    )
    (point,) = answer.findall(f".//{NAMESPACE}Datapoints/{NAMESPACE}member")
    assert (point.find(f"{NAMESPACE}Sum").text, point.find(f"{NAMESPACE}Unit").text) in (("4.0", "Count"), ("4", "Count"))
    for action, members, code, expected in (
        ("Nothing", {}, "InvalidAction", 400),
        ("SetAlarmState", {"AlarmName": "none", "StateValue": "OK", "StateReason": "x"}, "ResourceNotFound", 404),
        ("SetAlarmState", {"AlarmName": "by-form", "StateValue": "FINE", "StateReason": "x"}, "ValidationError", 400),
    ):
        status, answer = form(action, **members)
        error = answer.find(f"{NAMESPACE}Error")
        assert error is not None, xml.tostring(answer)
        assert (status, error.find(f"{NAMESPACE}Code").text) == (expected, code), (action, xml.tostring(answer))
        assert error.find(f"{NAMESPACE}Type").text == "Sender"
        assert answer.find(f"{NAMESPACE}RequestId").text


def rpc_v2_cbor():
    status, _, answer = rpc("PutMetricAlarm", alarm("by-cbor"))
    assert (status, answer) == (200, {}), answer
    datum = {"MetricName": "m", "Value": 6.0, "Unit": "Count", "Timestamp": cbor.Epoch(time.time())}
    assert rpc("PutMetricData", {"Namespace": "Own", "MetricData": [datum]}, compress=True)[0] == 200
    status, _, answer = rpc("DescribeAlarms", {"AlarmNames": ["by-cbor", "by-form"]})
    assert names(answer) == ["by-cbor", "by-form"] and answer["MetricAlarms"][0]["Threshold"] == 1.5, answer
    now = time.time()
    status, _, answer = rpc("GetMetricStatistics", {
        "Namespace": "Own", "MetricName": "m", "Period": 60, "Statistics": ["Sum"],
        "StartTime": cbor.Epoch(now - 300), "EndTime": cbor.Epoch(now + 60),
    })
    assert sum(point["Sum"] for point in answer["Datapoints"]) == 10.0, answer
    status, headers, answer = rpc("SetAlarmState", {"AlarmName": "none", "StateValue": "OK", "StateReason": "x"})
    assert status == 404 and answer["__type"].split("#")[-1] == "ResourceNotFound", answer
    assert headers["x-amzn-query-error"] == "ResourceNotFound;Sender", headers
    status, _, answer = rpc("SetAlarmState", {"AlarmName": "by-cbor", "StateValue": "FINE", "StateReason": "x"})
    assert status == 400 and answer["__type"].split("#")[-1] == "ValidationException", answer
    assert "Member must satisfy enum value set" in answer["message"], answer


def plain_json():
    status, headers, answer = json_10("DescribeAlarms", {})
    assert status == 200 and names(answer) == ["by-cbor", "by-form"], answer
    assert headers["content-type"] == "application/x-amz-json-1.0", headers
    gone = {"AlarmName": "none", "StateValue": "OK", "StateReason": "x"}
    status, headers, answer = json_10("SetAlarmState", gone)
    assert status == 404 and answer["__type"].split("#")[-1] == "ResourceNotFound", answer
    assert headers["x-amzn-query-error"] == "ResourceNotFound;Sender", headers
    status, headers, answer = json_10("SetAlarmState", gone, query_mode=False)
    assert "x-amzn-query-error" not in headers, headers
    assert json_10("DeleteAlarms", {"AlarmNames": ["by-cbor", "by-form"]})[0] == 200
    assert json_10("DescribeAlarms", {})[2]["MetricAlarms"] == []


def unwritten():
    """What isn't there says so, with its name, in the protocol that asked."""
    status, _, answer = json_10("ListMetricStreams", {})
    assert status == 501 and "ListMetricStreams" in json.dumps(answer) and "loudwatch" in json.dumps(answer).lower(), answer
    status, answer = form("ListMetricStreams")
    assert status == 501 and "ListMetricStreams" in xml.tostring(answer).decode()
    status, _, answer = rpc("ListMetricStreams", {})
    assert status == 501 and "ListMetricStreams" in json.dumps(answer), answer


query()
rpc_v2_cbor()
plain_json()
unwritten()
