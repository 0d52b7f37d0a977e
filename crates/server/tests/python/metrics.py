"""Metrics put and read in full: metric math, searches, Metrics Insights, labels, trimmed statistics, what is refused."""

import datetime

from given import *

NAMESPACE = "Shop"
START = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) - datetime.timedelta(minutes=10)


def put():
    """Errors and requests of two services over five minutes; with what boto3 compresses."""
    data = []
    for service, factor in (("pets", 1), ("toys", 4)):
        for minute in range(5):
            for name, value in (("Errors", factor * minute), ("Requests", factor * 10)):
                data.append({
                    "MetricName": name, "Dimensions": [{"Name": "Service", "Value": service}], "Value": value,
                    "Timestamp": START + datetime.timedelta(minutes=minute), "Unit": "Count",
                })
    latencies = {
        "MetricName": "Latency", "Timestamp": START, "Unit": "Milliseconds",
        "Values": [float(value) for value in range(1, 101)], "Counts": [1.0] * 100,
    }
    cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data + [latencies])
    many = [{"MetricName": f"filler{number}", "Value": number} for number in range(1000)]
    cloudwatch.put_metric_data(Namespace="Filler", MetricData=many)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace="Filler"))
    assert [len(page["Metrics"]) for page in pages] == [500, 500]


def metric(id, service, name, **more):
    dimensions = [{"Name": "Service", "Value": service}]
    stat = {"Metric": {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": dimensions}, "Period": 60, "Stat": "Sum"}
    return {"Id": id, "MetricStat": stat, "ReturnData": False, **more}


def ask(*queries, **more):
    """Labels and values of each result, by rising time."""
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=list(queries), StartTime=START, EndTime=START + datetime.timedelta(minutes=5),
        ScanBy="TimestampAscending", **more,
    )
    found = {}
    for page in pages:
        for result in page["MetricDataResults"]:
            found.setdefault((result["Id"], result["Label"]), []).extend(result["Values"])
    return {label: values for (_, label), values in found.items()}


def math():
    errors, requests = metric("e", "pets", "Errors"), metric("r", "pets", "Requests")
    assert ask(errors, requests, {"Id": "rate", "Expression": "100 * e / r"}) == {"rate": [0, 10, 20, 30, 40]}
    assert ask(errors, {"Id": "low", "Expression": "IF(e < 3, e)"}) == {"low": [0, 1, 2]}
    assert ask(errors, {"Id": "sum", "Expression": "RUNNING_SUM(e)"}) == {"sum": [0, 1, 3, 6, 10]}
    assert ask(errors, {"Id": "each", "Expression": "RATE(e) * PERIOD(e)"}) == {"each": [1, 1, 1, 1]}
    both = [errors, metric("f", "toys", "Errors")]
    assert ask(*both, {"Id": "sum", "Expression": "SUM(METRICS())"}, MaxDatapoints=2) == {"sum": [0, 5, 10, 15, 20]}
    asked = {"Id": "s", "Expression": "SEARCH('{Shop,Service} MetricName=\"Errors\"', 'Sum', 300)"}
    assert ask(asked) == {"pets": [10], "toys": [40]}


def insights():
    def select(query):
        return ask({"Id": "q", "Expression": query, "Period": 300})

    assert select("SELECT SUM(Errors) FROM SCHEMA(Shop, Service)") == {"q": [50]}
    assert select("SELECT MAX(Errors) FROM Shop WHERE Service = 'toys'") == {"q": [16]}
    grouped = select('SELECT AVG(Requests) FROM "Shop" GROUP BY Service ORDER BY MAX() DESC LIMIT 1')
    assert grouped == {"toys": [40]}


def labels():
    template = "${PROP('Dim.Service')} ${PROP('MetricName')} ${MIN}..${MAX}, ${DATAPOINT_COUNT}"
    shown = metric("e", "toys", "Errors", Label=template)
    assert list(ask({**shown, "ReturnData": True})) == ["toys Errors 0..16, 5"]
    twice = [metric("a", "toys", "Errors"), metric("b", "toys", "Errors")]
    twice[1]["MetricStat"]["Stat"] = "Average"
    assert list(ask(*({**query, "ReturnData": True} for query in twice))) == ["Errors Sum", "Errors Average"]


def statistics():
    expected = {
        "p90": 90, "tm90": 45.5, "TM(10%:90%)": 50.5, "tc90": 90, "ts50": 1275, "wm90": 50.05, "IQM": 50.5,
        "PR(:25)": 25, "TC(20:40)": 20,
    }
    answer = cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE, MetricName="Latency", Period=60, ExtendedStatistics=list(expected), StartTime=START,
        EndTime=START + datetime.timedelta(minutes=1),
    )
    found = answer["Datapoints"][0]["ExtendedStatistics"]
    for name, value in expected.items():
        assert abs(found[name] - value) <= 0.01 * value, (name, found[name])


def refusals():
    def refused(code, message, call, **arguments):
        try:
            call(**arguments)
        except cloudwatch.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == code, error.response
            assert message in error.response["Error"]["Message"], error.response
        else:
            raise AssertionError(f"{message} was not refused")

    def evaluated(message, expression):
        refused(
            "ValidationError", message, cloudwatch.get_metric_data, StartTime=START, EndTime=datetime.datetime.now(),
            MetricDataQueries=[{"Id": "e1", "Expression": expression}],
        )

    evaluated("Error in expression 'e1': Invalid syntax", "1 +")
    evaluated("Error in expression 'e1': Function 'NOTHING' not found", "NOTHING(1)")
    evaluated("SERVICE_QUOTA", "SERVICE_QUOTA(e1)")
    both = [{"MetricName": "m", "Value": 1.0, "Values": [1.0]}]
    refused(
        "InvalidParameterCombination",
        "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive",
        cloudwatch.put_metric_data, Namespace=NAMESPACE, MetricData=both,
    )
    refused(
        "InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.",
        cloudwatch.put_metric_data, Namespace="AWS/Lambda", MetricData=[{"MetricName": "m", "Value": 1.0}],
    )


put()
math()
insights()
labels()
statistics()
refusals()
