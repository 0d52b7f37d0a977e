"""Dashboards by boto3, in the query protocol as well, and by the aws CLI; the picture of a widget."""

import datetime
import subprocess

from given import *

BODY = json.dumps({"widgets": [
    {"type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": {
        "region": REGION, "title": "Errors", "stat": "Sum", "period": 60, "metrics": [["Shop", "Errors", "Service", "pets"], ["...", "toys"]],
    }},
    {"type": "text", "properties": {"markdown": "made by a script"}},
]})


def kept():
    assert cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=BODY)["DashboardValidationMessages"] == []
    cloudwatch.put_dashboard(DashboardName="other", DashboardBody="{}")
    found = cloudwatch.get_dashboard(DashboardName="shop")
    assert found["DashboardBody"] == BODY
    assert found["DashboardArn"] == f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/shop", found
    pages = cloudwatch.get_paginator("list_dashboards").paginate(DashboardNamePrefix="sh")
    entries = [entry for page in pages for entry in page["DashboardEntries"]]
    assert [(entry["DashboardName"], entry["Size"]) for entry in entries] == [("shop", len(BODY))]
    assert isinstance(entries[0]["LastModified"], datetime.datetime)


def refusals():
    unfit = {"widgets": [{"type": "metric", "properties": {"metrics": [["Shop", "Errors", {"color": "red"}]], "region": REGION}}]}
    try:
        cloudwatch.put_dashboard(DashboardName="shop", DashboardBody=json.dumps(unfit))
    except cloudwatch.exceptions.DashboardInvalidInputError as error:
        told = error.response["dashboardValidationMessages"]
        path = "/widgets/0/properties/metrics/0"
        assert told == [{"DataPath": path, "Message": "Should NOT have more than 2 items"}], told
        assert "there are 1 validation errors:\n[" in error.response["Error"]["Message"], error.response
        assert error.response["Error"]["Code"] == "InvalidParameterInput", error.response
    else:
        raise AssertionError("taken")
    with refused("InvalidParameterInput", "must be a valid JSON object", 400):
        cloudwatch.put_dashboard(DashboardName="shop", DashboardBody="{")
    with refused("InvalidParameterInput", "alphanumerics, dash (-) and underscore (_)", 400):
        cloudwatch.put_dashboard(DashboardName="a shop", DashboardBody="{}")
    with refused("ResourceNotFound", "Dashboard none does not exist", 404):
        cloudwatch.get_dashboard(DashboardName="none")
    with refused("ResourceNotFound", "Dashboard none does not exist", 404):
        cloudwatch.delete_dashboards(DashboardNames=["shop", "none"])


def by_query():
    """As older clients call, whose answers are XML."""
    form = urllib.parse.urlencode({"Action": "GetDashboard", "Version": "2010-08-01", "DashboardName": "shop"})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _, text = exchange("POST", "/", headers, form)
    assert status == 200 and b"<DashboardName>shop</DashboardName>" in text, text
    form = urllib.parse.urlencode({"Action": "PutDashboard", "Version": "2010-08-01", "DashboardName": "a", "DashboardBody": "{\"widgets\": 1}"})
    status, _, text = exchange("POST", "/", headers, form)
    assert status == 400 and b"<Code>InvalidParameterInput</Code>" in text, text


def cli(*arguments):
    done = subprocess.run(
        ("aws", "cloudwatch", *arguments, "--endpoint-url", ENDPOINT, "--region", REGION), capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def by_cli():
    code, out, err = cli("put-dashboard", "--dashboard-name", "cli", "--dashboard-body", BODY)
    assert code == 0 and json.loads(out) == {"DashboardValidationMessages": []}, (out, err)
    code, out, err = cli("list-dashboards", "--query", "DashboardEntries[].DashboardName", "--output", "text")
    assert code == 0 and out.split() == ["cli", "other", "shop"], (out, err)
    code, out, err = cli("delete-dashboards", "--dashboard-names", "cli", "other")
    assert code == 0, err


def drawn():
    now = datetime.datetime.now(datetime.timezone.utc)
    data = [
        {"MetricName": "Errors", "Dimensions": [{"Name": "Service", "Value": "pets"}], "Value": minute % 7, "Timestamp": now - datetime.timedelta(minutes=minute)}
        for minute in range(1, 60)
    ]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)
    widget = {"metrics": [["Shop", "Errors", "Service", "pets", {"stat": "Sum"}]], "start": "-PT1H", "period": 60, "width": 500, "height": 300, "title": "Errors"}
    image = cloudwatch.get_metric_widget_image(MetricWidget=json.dumps(widget))["MetricWidgetImage"]
    assert image[:8] == b"\x89PNG\r\n\x1a\n" and image[16:24] == bytes((0, 0, 1, 244, 0, 0, 1, 44)), image[:32]
    assert cloudwatch.get_metric_widget_image(MetricWidget=json.dumps(widget | {"title": ""}))["MetricWidgetImage"] != image
    with refused("ValidationError", "MetricWidget.sparkline is not supported by pitbird", 400):
        cloudwatch.get_metric_widget_image(MetricWidget=json.dumps(widget | {"sparkline": True}))


kept()
refusals()
by_query()
by_cli()
drawn()
cloudwatch.delete_dashboards(DashboardNames=["shop"])
assert cloudwatch.list_dashboards()["DashboardEntries"] == []
