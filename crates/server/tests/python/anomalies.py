"""Anomaly detection as boto3 sees it: models, bands, and alarms on them."""

import datetime

from given import *

NAMESPACE, DIMENSIONS = "Anomalies", [{"Name": "Stage", "Value": "prod"}]
METRIC = {"Namespace": NAMESPACE, "MetricName": "Latency", "Dimensions": DIMENSIONS}
SINGLE = METRIC | {"Stat": "Average"}
NOW = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
MINUTE = datetime.timedelta(minutes=1)


def put(minutes_ago, value):
    datum = {"MetricName": "Latency", "Dimensions": DIMENSIONS, "Timestamp": NOW - minutes_ago * MINUTE, "Value": value}
    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=[datum])


def queries(width=2):
    return [
        {"Id": "m1", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Average"}},
        {"Id": "ad1", "Expression": f"ANOMALY_DETECTION_BAND(m1, {width})", "Label": "Latency (expected)"},
    ]


def band():
    results = cloudwatch.get_metric_data(
        StartTime=NOW - 10 * MINUTE, EndTime=NOW, MetricDataQueries=queries(), ScanBy="TimestampAscending",
    )["MetricDataResults"]
    return {result["Label"]: result["Values"] for result in results}


def models():
    return cloudwatch.describe_anomaly_detectors(Namespace=NAMESPACE)["AnomalyDetectors"]


def alarm(name, comparison):
    cloudwatch.put_metric_alarm(
        AlarmName=name, ComparisonOperator=comparison, ThresholdMetricId="ad1", Metrics=queries(), EvaluationPeriods=1,
        DatapointsToAlarm=1, TreatMissingData="ignore",
    )


def described(name):
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]


def bands():
    for minute in range(5, 180):
        put(minute, 20 + minute % 4)
    assert band()["Latency (expected) High"] == []
    cloudwatch.put_anomaly_detector(SingleMetricAnomalyDetector=SINGLE)
    found = band()
    high, low = found["Latency (expected) High"], found["Latency (expected) Low"]
    assert len(high) == len(low) == 10, found
    assert all(10 < below < 20 and 23 < above < 40 for above, below in zip(high, low)), found
    [model] = models()
    assert model["StateValue"] == "TRAINED", model
    assert model["SingleMetricAnomalyDetector"] == SINGLE and model["Stat"] == "Average", model


def settings():
    excluded = {"StartTime": NOW - 60 * MINUTE, "EndTime": NOW - 30 * MINUTE}
    cloudwatch.put_anomaly_detector(
        Configuration={"ExcludedTimeRanges": [excluded], "MetricTimezone": "UTC"},
        MetricCharacteristics={"PeriodicSpikes": False}, **SINGLE,
    )
    [model] = models()
    [found] = model["Configuration"]["ExcludedTimeRanges"]
    assert (found["StartTime"], found["EndTime"]) == (excluded["StartTime"], excluded["EndTime"]), model
    assert model["MetricCharacteristics"] == {"PeriodicSpikes": False}, model
    wait_for("the model to be trained", lambda: models()[0]["StateValue"] == "TRAINED")
    with refused("ValidationError", "MetricTimezone Europe/Berlin"):
        cloudwatch.put_anomaly_detector(Configuration={"MetricTimezone": "Europe/Berlin"}, **SINGLE)
    cloudwatch.delete_anomaly_detector(SingleMetricAnomalyDetector=SINGLE)
    assert models() == []
    with refused("ResourceNotFoundException"):
        cloudwatch.delete_anomaly_detector(SingleMetricAnomalyDetector=SINGLE)


def alarms():
    """Both sides, one, the other; what is put for this minute and the next is judged when they are over."""
    for name, comparison in [
        ("both", "LessThanLowerOrGreaterThanUpperThreshold"),
        ("above", "GreaterThanUpperThreshold"),
        ("below", "LessThanLowerThreshold"),
    ]:
        alarm(name, comparison)
    [model] = models()
    assert model["SingleMetricAnomalyDetector"] == SINGLE, "an alarm makes its model"
    for minutes_ago in [-2, -1, 0, 1]:
        put(minutes_ago, 90)
    wait_for("the alarms to be judged", lambda: described("both")["StateValue"] == "ALARM", deadline_s=75)
    found = described("both")
    assert found["ThresholdMetricId"] == "ad1" and "Threshold" not in found, found
    reason = found["StateReason"]
    assert reason.startswith("Thresholds Crossed: 1 out of the last 1 datapoints [90.0 ("), reason
    assert ")] was less than the lower thresholds [" in reason and "] or greater than the upper thresholds [" in reason
    data = json.loads(found["StateReasonData"])
    assert data["recentLowerThresholds"][0] < 20 and 23 < data["recentUpperThresholds"][0] < 40, data
    wait_for("the others too", lambda: described("above")["StateValue"] == "ALARM")
    assert described("below")["StateValue"] == "OK", described("below")
    with refused("ValidationError", "mutually exclusive"):
        cloudwatch.put_metric_alarm(
            AlarmName="x", ComparisonOperator="GreaterThanUpperThreshold", ThresholdMetricId="ad1", Threshold=1.0,
            Metrics=queries(), EvaluationPeriods=1,
        )


bands()
settings()
alarms()
