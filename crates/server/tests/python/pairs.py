"""Where next to nobody calls: a rollout asks both releases itself, or has what comes mirrored, and pairs of answers decide.

Unmodified boto3 for APIs and the function; the releases by the command line, one of them by the file of docs/rollouts.md. Arguments: the
binary, the project.
"""

import pathlib
import re
import subprocess
import sys
import threading

from given import *

BINARY, PROJECT = sys.argv[1], pathlib.Path(sys.argv[2])
PAGE = (PROJECT / "docs/rollouts.md").read_text()
FILE = re.search(r"^```toml\n(name = \"quiet-2\".*?)^```", PAGE, re.M | re.S)[1]
EVENTS = re.search(r"^```toml\n(name = \"quiet-function-2\".*?)^```", PAGE, re.M | re.S)[1]
MIRROR = "pitbird:canary-mirror"
ECHO = """
def handler(event, context):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    print("PROBE", context.function_version, headers.get("x-pitbird-probe"), event["path"], headers.get("x-from"))
    return {"statusCode": 200, "body": context.function_version}
"""


def answering(api, status):
    """A deployment whose methods answer with a status."""
    for resource in gateway.get_resources(restApiId=api)["items"]:
        template = {"application/json": json.dumps({"statusCode": status})}
        for verb in resource.get("resourceMethods", {}):
            ids = {"restApiId": api, "resourceId": resource["id"], "httpMethod": verb}
            gateway.put_integration(**ids, type="MOCK", requestTemplates=template)
            for known in (200, 500):
                gateway.put_integration_response(**ids, statusCode=str(known), selectionPattern=str(known))
    return gateway.create_deployment(restApiId=api)["id"]


def quiet(name):
    """An API that nobody calls: with its deployment, one that always fails and one as good."""
    api, root = rest_api(name)
    pets = gateway.create_resource(restApiId=api, parentId=root, pathPart="pets")["id"]
    for resource, verb in ((pets, "GET"), (pets, "POST")):
        ids = {"restApiId": api, "resourceId": resource, "httpMethod": verb}
        gateway.put_method(**ids, authorizationType="NONE")
        for known in ("200", "500"):
            gateway.put_method_response(**ids, statusCode=known)
    base, broken, good = (answering(api, status) for status in (200, 500, 200))
    gateway.create_stage(restApiId=api, stageName="prod", deploymentId=base, tags={MIRROR: "1"})
    return api, base, broken, good


def pitbird(*arguments, text=None):
    return subprocess.run(
        [BINARY, "rollout", *arguments, "--endpoint-url", ENDPOINT], input=text, capture_output=True, text=True, timeout=170
    )


def started(*arguments, text=None):
    done = pitbird("start", *arguments, "--output", "json", text=text)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def rollout(name):
    done = pitbird("status", name, "--output", "json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def ended(name):
    def found():
        seen = rollout(name)
        return seen if seen.get("EndedAt") else None

    return wait_for(f"the end of {name}", found, 120)


def stage(api):
    found = gateway.get_stage(restApiId=api, stageName="prod")
    assert "canarySettings" not in found, found
    assert found["tags"] == {MIRROR: "1"}, "the stage's own tag is there"
    return found["deploymentId"]


def written(name, api, deployment, margin="5pp"):
    """The documents' file, for this release."""
    return (
        FILE.replace("quiet-2", name).replace("a1b2c3d4e5", api).replace("x9y8z7", deployment).replace('"0.5pp"', f'"{margin}"')
        .replace("per_second = 5", "per_second = 20").replace('wait = "1m"', 'wait = "0s"')
    )


def by_probes():
    api, base, broken, good = quiet("probed")
    text = written("bad", api, broken)
    planned = pitbird("plan", "-", text=text)
    assert planned.returncode == 0 and "both releases are asked one of 2 requests 20 times a second" in planned.stdout, planned
    started("-", text=text)
    bad = ended("bad")
    assert bad["Status"] == "RolledBack", bad["StatusReason"]
    pairs = bad["Evidence"]["Pairs"]
    assert pairs["CanaryAlone"] == pairs["Requests"] >= 10 and pairs["BaseAlone"] == 0, pairs
    assert bad["Evidence"]["Canary"]["Requests"] == 0 == bad["Evidence"]["Base"]["Requests"], "nobody called"
    assert stage(api) == base
    started("-", text=written("good", api, good))
    fine = ended("good")
    assert fine["Status"] == "Promoted", fine["StatusReason"]
    assert fine["Evidence"]["Pairs"]["CanaryAlone"] == 0 == fine["Evidence"]["Canary"]["Requests"], fine["Evidence"]
    assert stage(api) == good


class Caller:
    """Calls a stage, one request after the other, until told to stop."""

    def __init__(self, api):
        self.api, self.is_over = api, threading.Event()
        self.thread = threading.Thread(target=self.call, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    def call(self):
        while not self.is_over.wait(0.02):
            fetch(self.api, "prod", "/pets")


def by_mirror():
    api, base, broken, good = quiet("copied")
    of = lambda name, deployment: [
        "--name", name, "--rest-api", api, "--stage", "prod", "--deployment", deployment, "--mirror", "100", "--steps", "1,2", "--wait", "0s",
        "--margin", "5pp", "--interval", "200ms", "--min-requests", "1",
    ]
    with Caller(api):
        started(*of("copied-bad", broken))
        bad = ended("copied-bad")
        assert bad["Status"] == "RolledBack", bad["StatusReason"]
        pairs, canary = bad["Evidence"]["Pairs"], bad["Evidence"]["Canary"]
        assert pairs["CanaryAlone"] >= 3 and pairs["BaseAlone"] == 0, pairs
        assert canary["Requests"] < pairs["Requests"], "next to nobody has seen it"
        assert stage(api) == base
        started(*of("copied-good", good))
        assert wait_for("the rollout's own tag", lambda: tag(api) == "100")
        fine = ended("copied-good")
        assert fine["Status"] == "Promoted", fine["StatusReason"]
        assert fine["Evidence"]["Pairs"]["Requests"] > 100, fine["Evidence"]["Pairs"]
        assert stage(api) == good


def by_events():
    """An alias that nobody invokes: its versions are asked by their numbers, as anybody asks them."""
    code = """
def handler(event, context):
    print("EVENT", context.function_version, event, context.client_context.custom)
    if BROKEN:
        raise ValueError("of no use")
    return event
"""
    of = lambda is_broken, more="": code.replace("BROKEN", str(is_broken)) + more
    function("orders", of(False), role("orders"))
    versions = [release("orders", text) for text in (of(False), of(True), of(False, "# again"))]
    assert versions == ["1", "2", "3"]
    lambda_.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    now = lambda: lambda_.get_alias(FunctionName="orders", Name="live")["FunctionVersion"]

    def written(name, version):
        return (
            EVENTS.replace("quiet-function-2", name).replace('function_version = "2"', f'function_version = "{version}"')
            .replace('"0.5pp"', '"5pp"').replace('wait = "1m"', 'wait = "0s"').replace("[[probes", "[probes]\nper_second = 20\n\n[[probes", 1)
        )

    planned = pitbird("plan", "-", text=written("bad-events", 2))
    assert planned.returncode == 0 and "both versions are invoked with an event 20 times a second" in planned.stdout, planned
    started("-", text=written("bad-events", 2))
    bad = ended("bad-events")
    assert bad["Status"] == "RolledBack", bad["StatusReason"]
    pairs = bad["Evidence"]["Pairs"]
    assert pairs["CanaryAlone"] == pairs["Requests"] >= 10 and pairs["BaseAlone"] == 0, pairs
    assert bad["Evidence"]["Canary"]["Requests"] == 0 == bad["Evidence"]["Base"]["Requests"], "nobody called"
    assert now() == "1"
    started("-", text=written("good-events", 3))
    fine = ended("good-events")
    assert fine["Status"] == "Promoted", fine["StatusReason"]
    assert fine["Evidence"]["Pairs"]["CanaryAlone"] == 0 == fine["Evidence"]["Canary"]["Requests"], fine["Evidence"]
    assert now() == "3"
    seen = {message.strip() for message in log_messages("/aws/lambda/orders", "EVENT")}
    assert seen == {f"EVENT {version} {{'id': 1}} {{'X-Pitbird-Probe': 'true'}}" for version in versions}, seen
    # What a limit turns away is no pair, and promotes nobody.
    lambda_.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=0)
    started("-", text=written("throttled", 2))

    def refused():
        end = time.time() + 60
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="Throttles", Period=60, Statistics=["Sum"],
            Dimensions=[{"Name": "FunctionName", "Value": "orders"}], StartTime=end - 600, EndTime=end,
        )["Datapoints"]
        return sum(point["Sum"] for point in found) >= 5

    wait_for("probes that were refused", refused)
    assert rollout("throttled")["Evidence"]["Pairs"]["Requests"] == 0
    assert pitbird("abort", "throttled").returncode == 0
    assert ended("throttled")["Status"] == "Aborted" and now() == "3"


def tag(api):
    return gateway.get_stage(restApiId=api, stageName="prod")["tags"][MIRROR]


def as_requests():
    """Probes go the way of requests: functions see them, their logs and the metrics have them, and what is refused is no pair."""
    function("probed", ECHO, role("probed"))
    for version in ("1", "2"):
        assert release("probed", ECHO + f"# {version}") == version
    api, root = rest_api("seen")
    proxied(api, root, "probed:${stageVariables.version}")
    for version in ("1", "2"):
        permit("probed", api, version)
    gateway.create_deployment(restApiId=api, stageName="prod", variables={"version": "1"})
    text = json.dumps({
        "name": "seen", "steps": [{"percent": 1, "wait": "1h"}],
        "target": {"rest_stage": {"rest_api_id": api, "stage_name": "prod"}},
        "canary": {
            "deployment_id": gateway.create_deployment(restApiId=api)["id"],
            "stage_variable_overrides": {"version": "2"},
        },
        "probes": {"per_second": 20, "requests": [{"path": "/?a=b", "headers": {"x-from": "us"}}, {"path": "/nowhere"}]},
    })
    started("-", text=text)
    wait_for("ten pairs", lambda: rollout("seen")["Evidence"]["Pairs"]["Requests"] >= 10)
    pitbird("pause", "seen")
    before = rollout("seen")["Evidence"]["Pairs"]["Requests"]
    wait_for("more of them, paused", lambda: rollout("seen")["Evidence"]["Pairs"]["Requests"] > before)
    lines = lambda: {message.strip() for message in log_messages("/aws/lambda/probed", "PROBE")}
    assert wait_for("what functions saw", lambda: len(lines()) >= 2 and lines()) == {"PROBE 1 true / us", "PROBE 2 true / us"}
    assert pitbird("abort", "seen").returncode == 0
    seen = ended("seen")
    assert seen["Evidence"]["Pairs"]["CanaryAlone"] == 0 == seen["Evidence"]["Canary"]["Requests"], seen["Evidence"]
    end = time.time() + 60

    def counted():
        """What neither release answered is in the metrics as well."""
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/ApiGateway", MetricName="4XXError", Period=60, Statistics=["Sum"],
            Dimensions=[{"Name": "ApiName", "Value": "seen"}, {"Name": "Stage", "Value": "prod"}],
            StartTime=end - 600, EndTime=end,
        )["Datapoints"]
        return sum(point["Sum"] for point in found) >= 5

    wait_for("metrics of probes", counted)


by_probes()
by_events()
by_mirror()
as_requests()
