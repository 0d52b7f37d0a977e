"""What was used is what was sent. `most FILE` holds it to no more than that. `send FILE` sends traffic and writes down what is expected; `check FILE` holds usage against it,
perhaps on a server that has been started anew; `rollout` holds a canary's use against what its function logged."""

import datetime
import pathlib
import re
import sys
import tempfile

import botocore.session

from given import *

MODELS = pathlib.Path(__file__).parents[4] / "models"
MEMORY = 256
CODE = '''
def handler(event, context):
    print("used by", context.function_version)
    return {"statusCode": 200, "body": context.function_version * 100}
'''


def client(key):
    """A client of one of pitbird's own services, from its model."""
    folder = pathlib.Path(tempfile.mkdtemp()) / f"pitbird-{key}" / "2026-11-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_bytes((MODELS / f"{key}.json").read_bytes())
    session = botocore.session.get_session()
    session.get_component("data_loader").search_paths.append(str(folder.parents[1]))
    return session.create_client(f"pitbird-{key}", config=CONFIG, region_name=REGION, endpoint_url=ENDPOINT)


usage = client("usage")


def used(group_by=None, **arguments):
    """Amounts of this month by the group's names and the quantity."""
    if group_by:
        arguments["GroupBy"] = group_by
    amounts, answer = {}, usage.get_usage(**arguments)
    while True:
        for item in answer["Items"]:
            key = tuple(item["Group"].values()) + (item["Quantity"],)
            assert key not in amounts, key
            amounts[key] = item["Amount"]
        if "NextToken" not in answer:
            return amounts
        answer = usage.get_usage(**arguments, NextToken=answer["NextToken"])


def billed(name):
    """MiB-milliseconds and requests that the function's REPORT lines tell, by version."""
    sums = {}
    for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="REPORT")["events"]:
        version = re.search(r"\[(.+)\]", event["logStreamName"])[1]
        told = re.search(r"Billed Duration: (\d+) ms\tMemory Size: (\d+) MB", event["message"])
        requests, duration = sums.get(version, (0, 0))
        sums[version] = (requests + 1, duration + int(told[1]) * int(told[2]))
    return sums


def stage(name):
    """A REST API's stage whose base is version 1 of the function, and whose canary is version 2, for who asks for it."""
    api, root = rest_api(name)
    proxied(api, root, "used:${stageVariables.version}")
    for version in ("1", "2"):
        permit("used", api, version)
    gateway.create_deployment(restApiId=api, stageName="prod", variables={"version": "1"})
    return api


def rest():
    api = stage("used")
    gateway.create_deployment(
        restApiId=api, stageName="prod",
        canarySettings={"percentTraffic": 0.0, "stageVariableOverrides": {"version": "2"}},
    )
    arn = f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/prod"
    gateway.tag_resource(resourceArn=arn, tags={"pitbird:canary-force": "header:X-Release"})
    expected = {}
    for track, count, path, status in (("base", 7, "/", 200), ("canary", 3, "/", 200), ("base", 2, "/nowhere", 403)):
        for _ in range(count):
            seen, _, body = fetch(api, "prod", path, headers={"X-Release": track})
            assert seen == status, (seen, body)
            quantity = "RestRequests" if status == 200 else "UnchargedRequests"
            for key, amount in ((quantity, 1), ("BytesOut", len(body))):
                key = f"{api} prod {track} {key}"
                expected[key] = expected.get(key, 0) + amount
    return expected


def http():
    apis = boto3.client("apigatewayv2", config=CONFIG)
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:used:2"
    api = apis.create_api(Name="used", ProtocolType="HTTP", Target=arn)["ApiId"]
    lambda_.add_permission(
        FunctionName="used", Qualifier="2", StatementId=f"http-{api}", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/*")
    bodies = [b"", b"a", b"b" * (512 * 1024 - 100), b"c" * (512 * 1024 - 99), b"d" * (1200 * 1024)]
    sent = 0
    for body in bodies:
        status, _, text = fetch(api, "$default", "/", method="POST", body=body)
        assert (status, text) == (200, b"2" * 100), (status, text)
        sent += len(text)
    # One, one, one (exactly 512 KB with its answer), two, three.
    return {f"{api} $default base HttpRequests": 1 + 1 + 1 + 2 + 3, f"{api} $default base BytesOut": sent}


def log_bytes(group):
    events, arguments = [], {"logGroupName": group}
    while True:
        page = logs.filter_log_events(**arguments)
        events += page["events"]
        if "nextToken" not in page:
            return sum(len(event["message"].encode()) + 26 for event in events)
        arguments["nextToken"] = page["nextToken"]


def metrics():
    at = datetime.datetime.now(datetime.timezone.utc)
    for _ in range(3):
        data = [{"MetricName": name, "Value": 1.0} for name in ("one", "two")]
        cloudwatch.put_metric_data(Namespace="Used", MetricData=data)
    # Two for each hour that has begun meanwhile.
    return 2 * (1 + (datetime.datetime.now(datetime.timezone.utc).hour != at.hour))


def send(path):
    before = json.loads(path.read_text()) if path.exists() else {}
    if not before:
        function("used", CODE, role("used"), MemorySize=MEMORY, Publish=True)
        release("used", CODE + "# two\n")
    expected = before | rest() | http()
    for _ in range(5):
        assert invoke("used")["Payload"]["statusCode"] == 200
    logs.create_log_group(logGroupName=f"mine-{len(before)}")
    logs.create_log_stream(logGroupName=f"mine-{len(before)}", logStreamName="s")
    events = [{"timestamp": int(time.time() * 1000), "message": "ünd"}] * 3
    logs.put_log_events(logGroupName=f"mine-{len(before)}", logStreamName="s", logEvents=events)
    expected[f"mine-{len(before)} IngestedBytes"] = 3 * (4 + 26)
    expected["Used MetricHours"] = before.get("Used MetricHours", 0) or metrics()
    path.write_text(json.dumps(expected))


def check(path):
    expected = json.loads(path.read_text())
    tracks = {" ".join(key): amount for key, amount in used("Track").items() if len(key) == 4}
    tracks = {key: amount for key, amount in tracks.items() if not key.endswith("IngestedBytes")}
    stages = {key: amount for key, amount in expected.items() if key.count(" ") == 3}
    assert tracks == stages, (tracks, stages)
    apis = used("Api", MaxResults=1)
    for api in {key.split()[0] for key in stages}:
        sent = sum(amount for key, amount in stages.items() if key.startswith(api) and key.endswith("BytesOut"))
        assert apis[(api, "BytesOut")] == sent, apis
    # Functions: what they have logged. Durable is what was logged, too, before the server was killed.
    versions = used("Version")
    for version, (requests, duration) in billed("used").items():
        assert versions[("used", version, "FunctionRequests")] == requests, (version, requests, versions)
        assert versions[("used", version, "DurationX86")] == duration, (version, duration, versions)
    functions = used("Function")
    total = {(key[-1]): amount for key, amount in used().items()}
    assert functions[("used", "FunctionRequests")] == total["FunctionRequests"] == sum(
        requests for requests, _ in billed("used").values())
    assert functions[("used", "IngestedBytes")] == log_bytes("/aws/lambda/used"), functions
    groups = used("LogGroup")
    for key, amount in expected.items():
        if key.endswith("IngestedBytes"):
            assert groups[tuple(key.split())] == amount, groups
    assert used("Namespace")[("Used", "MetricHours")] == expected["Used MetricHours"]
    assert used(Month="2020-02") == {}


def most(path):
    """After a kill amid traffic: the last moments may be missing, but nothing counts twice."""
    expected = json.loads(path.read_text())
    tracks = {" ".join(key): amount for key, amount in used("Track").items() if len(key) == 4}
    for key, amount in expected.items():
        if key.count(" ") == 3:
            assert tracks.get(key, 0) <= amount, (key, amount, tracks)


def refusals():
    for month in ("2026-13", "2026-00"):
        with refused("InvalidParameterException", "as in 2026-11", 400):
            usage.get_usage(Month=month)
    with refused("ValidationException"):
        usage.get_usage(GroupBy="Colour")


def rollout():
    rollouts = client("rollouts")
    api = stage("rolled")
    second = gateway.create_deployment(restApiId=api)["id"]
    before = billed("used")
    rollouts.start_rollout(
        Name="costly", Target={"RestStage": {"RestApiId": api, "StageName": "prod"}},
        Canary={"DeploymentId": second, "StageVariableOverrides": {"version": "2"}},
        Steps=[{"Percent": 50.0, "WaitMs": 600000}], Rules={"IntervalMs": 200},
    )
    shown = lambda: rollouts.get_rollout(Name="costly")["Rollout"]
    # What comes while it becomes live is no evidence.
    wait_for("the canary", lambda: shown()["Phase"] == "Watching" and shown()["Shifts"][-1].get("LiveAt"))
    answers = [fetch(api, "prod")[2] for _ in range(60)]
    canary = sum(answer == b"2" * 100 for answer in answers)
    assert 0 < canary < 60, canary
    # Who asks for the canary costs as much, and says nothing about it.
    arn = f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/prod"
    gateway.tag_resource(resourceArn=arn, tags={"pitbird:canary-force": "header:X-Release"})
    for _ in range(5):
        assert fetch(api, "prod", headers={"X-Release": "canary"})[2] == b"2" * 100
    drawn, canary = canary, canary + 5
    seen = wait_for("its use", lambda: (use := shown()["CanaryUsage"])["Requests"] >= canary and use)
    assert shown()["Evidence"]["Canary"]["Requests"] == drawn, shown()["Evidence"]
    has(seen, Requests=canary, RequestsNotCharged=0, BytesOut=canary * 100, FunctionRequests=canary,
        ProvisionedGigabyteSeconds=0.0, Currency="USD")
    after = billed("used")["2"]
    duration = after[1] - before["2"][1]
    assert after[0] - before["2"][0] == canary
    assert seen["GigabyteSeconds"] == duration / 1024000, (seen, duration)
    cost = canary * (3.5e-6 + 2e-7) + duration / 1024000 * 0.0000166667 + canary * 100 * 0.09 / 2**30
    assert abs(float(seen["EstimatedCost"]) - cost) < 5e-9, (seen, cost)
    rollouts.abort_rollout(Name="costly", Reason="seen enough")
    has(shown()["CanaryUsage"], Requests=canary, FunctionRequests=canary)


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    globals()[what](*map(pathlib.Path, paths))
