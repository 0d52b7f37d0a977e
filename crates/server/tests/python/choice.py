"""Which of a stage's tracks a request takes, where its owner asks for more than the draw: force, stickiness, mirroring."""

import collections

from given import *

MOCK = '{"track": "$stageVariables.track"}'
ECHO = """
def handler(event, context):
    mirrored = "X-Pitbird-Mirrored" in event["headers"] or "x-pitbird-mirrored" in event["headers"]
    print("TRACK", context.function_version, mirrored)
    return {"statusCode": 200, "body": context.function_version}
"""


def told(api, **request):
    status, headers, text = fetch(api, "prod", **request)
    assert status == 200, (status, text)
    return json.loads(text)["track"]


def canaried(name):
    """An API whose answers say which track they are of."""
    api, root = rest_api(name)
    ids = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**ids, authorizationType="NONE")
    gateway.put_integration(**ids, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    gateway.put_method_response(**ids, statusCode="200")
    gateway.put_integration_response(**ids, statusCode="200", responseTemplates={"application/json": MOCK})
    gateway.create_deployment(restApiId=api, stageName="prod", variables={"track": "base"})
    canary(api, 0.0)
    return api


def canary(api, percent):
    gateway.create_deployment(
        restApiId=api, stageName="prod",
        canarySettings={"percentTraffic": percent, "stageVariableOverrides": {"track": "canary"}},
    )


def weigh(api, percent):
    gateway.update_stage(restApiId=api, stageName="prod", patchOperations=[
        {"op": "replace", "path": "/canarySettings/percentTraffic", "value": str(percent)},
    ])


def tag(api, **tags):
    arn = f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/prod"
    gateway.tag_resource(resourceArn=arn, tags={f"pitbird:canary-{name}": value for name, value in tags.items()})


def forced():
    api = canaried("forced")
    ask = lambda word: told(api, headers={"X-Release": word})
    assert ask("canary") == "base", "nothing is forced unless asked for"
    tag(api, force="header:X-Release")
    assert [ask(word) for word in ("canary", "base", "other", "")] == ["canary", "base", "base", "base"]
    weigh(api, 100.0)
    assert [ask(word) for word in ("canary", "base", "other")] == ["canary", "base", "canary"]
    tag(api, force="cookie:release")
    assert told(api, headers={"Cookie": "a=b; release=base"}) == "base"
    gateway.update_stage(restApiId=api, stageName="prod", patchOperations=[{"op": "remove", "path": "/canarySettings"}])
    assert told(api, headers={"Cookie": "release=canary"}) == "base", "without a canary there is one track"
    with refused("BadRequestException", "Invalid value for tag pitbird:canary-force: X", 400):
        tag(api, force="X")
    with refused("BadRequestException", "pitbird:canary-none", 400):
        tag(api, none="X")


def sticky():
    api = canaried("sticky")
    tag(api, sticky="header:X-User")
    users = [f"user-{n}" for n in range(400)]
    gone = set()
    for percent in (10.0, 30.0, 100.0):
        weigh(api, percent)
        tracks = {user: [told(api, headers={"X-User": user}) for _ in range(2)] for user in users}
        assert all(len(set(seen)) == 1 for seen in tracks.values()), "who comes again stays"
        there = {user for user, seen in tracks.items() if seen[0] == "canary"}
        assert gone <= there, "nobody goes back while the share grows"
        expected, slack = len(users) * percent / 100, 4 * (len(users) * percent / 100 * (1 - percent / 100)) ** 0.5
        assert abs(len(there) - expected) <= slack, (percent, len(there))
        gone = there
    weigh(api, 50.0)
    drawn = collections.Counter(told(api) for _ in range(200))
    assert len(drawn) == 2, "who brings nothing is drawn for each time"
    before = {user: told(api, headers={"X-User": user}) for user in users}
    canary(api, 50.0)
    after = {user: told(api, headers={"X-User": user}) for user in users}
    assert before != after, "another canary, other users"


def rollouts(operation, **body):
    status, _, text = exchange("POST", "/", body=json.dumps(body).encode(), headers={
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"PitbirdRollouts_20261101.{operation}",
    })
    return status, json.loads(text)


def kept():
    """A rollout keeps its users while the share grows, and the stage's own tag is there again at the end."""
    api = canaried("kept")
    gateway.update_stage(restApiId=api, stageName="prod", patchOperations=[{"op": "remove", "path": "/canarySettings"}])
    own = {"pitbird:canary-sticky": "source-address", "team": "pets"}
    gateway.tag_resource(resourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/prod", tags=own)
    tags = lambda: gateway.get_stage(restApiId=api, stageName="prod")["tags"]
    order = {
        "Name": "kept", "Target": {"RestStage": {"RestApiId": api, "StageName": "prod"}},
        "Canary": {
            "DeploymentId": gateway.create_deployment(restApiId=api)["id"],
            "StageVariableOverrides": {"track": "canary"},
        },
        "Steps": [{"Percent": percent, "WaitMs": 0, "Gate": True} for percent in (20, 60, 100)],
        "Rules": {"IntervalMs": 200, "Margin": 0.5, "CanaryRequestsMin": 1},
    }
    status, fault = rollouts("StartRollout", **order, Sticky="principal")
    assert status == 400 and "sticky" in fault["message"].lower(), fault
    assert tags() == own, "what is refused changes nothing"
    status, answer = rollouts("StartRollout", **order, Sticky="header:X-User")
    assert (status, answer["Rollout"]["Sticky"]) == (200, "header:X-User"), answer
    users, gone = [f"user-{n}" for n in range(200)], set()

    def ask():
        """Everybody's track, twice in a row the same."""
        seen = {user: {told(api, headers={"X-User": user}) for _ in range(2)} for user in users}
        assert all(len(tracks) == 1 for tracks in seen.values()), "who comes again stays"
        return {user for user, tracks in seen.items() if tracks == {"canary"}}

    for percent in (20, 60, 100):
        def at_its_gate():
            [told(api, headers={"X-User": user}) for user in users]
            rollout = rollouts("GetRollout", Name="kept")[1]["Rollout"]
            assert "EndedAt" not in rollout, rollout["StatusReason"]
            return rollout if rollout["Percent"] == percent and "GateUntil" in rollout else None

        wait_for(f"the gate at {percent} %", at_its_gate, 120)
        assert tags() == {**own, "pitbird:canary-sticky": "header:X-User"}
        there = ask()
        assert gone <= there, "nobody goes back while the share grows"
        expected, slack = len(users) * percent / 100, 4 * (len(users) * percent / 100 * (1 - percent / 100)) ** 0.5
        assert abs(len(there) - expected) <= slack, (percent, len(there))
        gone = there
        rollouts("ResumeRollout", Name="kept")
    wait_for("the end", lambda: rollouts("GetRollout", Name="kept")[1]["Rollout"]["Status"] == "Promoted", 120)
    assert tags() == own
    assert ask() == set(users), "the canary is the base, with its variables"


FAILS = """#if($input.params("X-Fail") == "yes"){"statusCode": 500}#else{"statusCode": 200}#end"""


def one_of_many():
    """What a rollout compares is each client's first failure: one client that always fails convicts nobody, twelve do."""
    api = canaried("one-of-many")
    gateway.update_stage(restApiId=api, stageName="prod", patchOperations=[{"op": "remove", "path": "/canarySettings"}])
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    ids = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_integration(**ids, type="MOCK", requestTemplates={"application/json": FAILS})
    gateway.put_method_response(**ids, statusCode="500")
    gateway.put_integration_response(**ids, statusCode="200", responseTemplates={"application/json": MOCK})
    gateway.put_integration_response(**ids, statusCode="500", selectionPattern="500")
    gateway.create_deployment(restApiId=api, stageName="prod")
    status, answer = rollouts(
        "StartRollout", Name="one-of-many", Sticky="header:X-User", Force="header:X-Release", Routes=["*"],
        Target={"RestStage": {"RestApiId": api, "StageName": "prod"}},
        Canary={
            "DeploymentId": gateway.create_deployment(restApiId=api)["id"],
            "StageVariableOverrides": {"track": "canary"},
        },
        Steps=[{"Percent": 20, "WaitMs": 600_000}, {"Percent": 100, "WaitMs": 0}], Rules={"IntervalMs": 200},
    )
    assert status == 200, answer
    seen = lambda: rollouts("GetRollout", Name="one-of-many")[1]["Rollout"]
    wait_for("a fifth of the clients", lambda: seen()["Percent"] == 20)
    users = [f"user-{n}" for n in range(200)]
    there = [user for user in users if told(api, headers={"X-User": user}) == "canary"]
    assert len(there) >= 14, there

    def fail(user, **more):
        status, _, text = fetch(api, "prod", headers={"X-User": user, "X-Fail": "yes", **more})
        assert status == 500, (status, text)

    canary = lambda: seen()["Evidence"]["Canary"]
    for user in there[:9]:
        fail(user, **{"X-Release": "canary"})
    for _ in range(200):
        fail(there[9])
    wait_for("two hundred failures", lambda: canary()["Failures"] == 200)
    rollout = seen()
    assert (rollout["Status"], rollout["Evidence"]["Canary"]["FirstFailures"]) == ("InProgress", 1), rollout
    assert rollout["Evidence"]["LogEWorse"] < 3, rollout["Evidence"]
    assert rollout["Deviations"][-1].startswith("clients keep their release, and each one's first"), rollout["Deviations"]
    for user in there[:12]:
        fail(user)
    rollout = wait_for("the end", lambda: (found := seen())["Status"] == "RolledBack" and found)
    assert rollout["Evidence"]["Canary"]["FirstFailures"] >= 4, rollout["Evidence"]
    assert "worse" in rollout["StatusReason"], rollout["StatusReason"]


def mirrored():
    function("mirrored", ECHO, role("mirrored"))
    for version in ("1", "2"):
        assert release("mirrored", ECHO + f"# {version}") == version
    api, root = rest_api("mirrored")
    proxied(api, root, "mirrored:${stageVariables.version}")
    for version in ("1", "2"):
        permit("mirrored", api, version)
    gateway.create_deployment(restApiId=api, stageName="prod", variables={"version": "1"})
    gateway.create_deployment(restApiId=api, stageName="prod", canarySettings={
        "percentTraffic": 0.0, "stageVariableOverrides": {"version": "2"},
    })
    tag(api, mirror="100")
    for _ in range(5):
        status, _, text = fetch(api, "prod")
        assert (status, text) == (200, b"1"), "answers are the base's"
    tag(api, mirror="0")
    assert fetch(api, "prod", headers={"X-Pitbird-Mirrored": "true"})[0] == 200, "nobody else may say so"

    def lines():
        told = collections.Counter(message.strip() for message in log_messages("/aws/lambda/mirrored", "TRACK"))
        return told if sum(told.values()) == 11 else None

    assert wait_for("what was mirrored", lines) == {"TRACK 1 False": 6, "TRACK 2 True": 5}
    end = time.time() + 60
    def counted():
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/ApiGateway", MetricName="Count", Period=60, Statistics=["SampleCount"],
            Dimensions=[{"Name": "ApiName", "Value": "mirrored"}, {"Name": "Stage", "Value": "prod/Canary"}],
            StartTime=end - 600, EndTime=end,
        )["Datapoints"]
        return sum(point["SampleCount"] for point in found) == 5

    wait_for("metrics of what was mirrored", counted)


forced()
sticky()
kept()
one_of_many()
mirrored()
