"""Releases driven on an AWS-compatible server: pitbird's own, or moto.

usage: releases.py PITBIRD_AWS FOLDER WHERE STORY...   (WHERE is pitbird or moto)

All stories run at once, for minutes are real: a bad version goes back, a good one is promoted, for an alias and for a stage's
canary; a killed driver goes on; an order from another process is obeyed. On pitbird requests are real; moto has no functions
that run here, so what CloudWatch would count is put there by the shares that the alias has at that moment.
"""

import collections
import datetime
import hashlib
import hmac
import http.server
import io
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
import zipfile

import boto3
import botocore.parsers
from botocore.config import Config

PROGRAM, FOLDER, WHERE, *STORIES = sys.argv[1:]
FOLDER = pathlib.Path(FOLDER)
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
# Code that is the same as before makes no version.
CODE = "# version NUMBER\ndef handler(event, context):\n    if FAILS: raise RuntimeError('broken')\n    return 'fine'\n"
# Longer than the longest story: two minutes until a whole one is over, twice where a step follows.
DEADLINE_S = 420
CONFIG = Config(retries={"max_attempts": 8}, max_pool_connections=50)


def client(service):
    return boto3.client(service, config=CONFIG, endpoint_url=ENDPOINT)


def plan(name, kind, percents, wait_ms, alarms):
    return {
        "target": {"kind": kind, "description": name},
        "steps": [{"percent": float(percent), "wait_ms": wait_ms} for percent in percents],
        "rules": {"margin": 0.1, "canary_requests_min": 30, "interval_ms": 5000, "max_duration_ms": 1200000, "alarms": alarms},
    }


def order(name, target, canary, kind, percents=(50,), wait_ms=1000, **more):
    given = {"Name": name, "Target": target, "Canary": canary, **more}
    steps = [{"Percent": percent, "WaitMs": wait_ms} for percent in percents]
    given |= {"Steps": steps, "Rules": {"Margin": 0.1, "CanaryRequestsMin": 30, "IntervalMs": 5000}}
    planned = plan(name, kind, percents, wait_ms, more.get("Alarms", []))
    points = {"BeforeRollout": "before_rollout", "BeforeStep": "before_step", "AfterRollout": "after_rollout"}
    planned["hooks"] = [
        {"name": hook["Name"], "point": points[hook["When"]],
         "whom": {"url": hook["Url"]} if "Url" in hook else {"function": hook["FunctionName"]}}
        for hook in more.get("Hooks", [])
    ]
    return json.dumps({"Input": given, "Plan": planned})


def start(text, *arguments):
    command = [PROGRAM, "--journal", str(FOLDER), "start", "--metrics-lag-ms", "8000", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    process.stdin.write(text)
    process.stdin.close()
    return process


def ended(process):
    words = process.stdout.read()
    return process.wait(DEADLINE_S), words


def until(what, found):
    over = time.monotonic() + 60
    while not found():
        assert time.monotonic() < over, f"waited for {what}"
        time.sleep(0.2)  # between two looks at what tells nobody


class Alias:
    """A function with two versions and an alias, and its traffic."""

    def __init__(self, name, fails):
        self.name, self.fails, self.is_over = name, fails, threading.Event()
        self.lambda_ = client("lambda")
        make = dict(Runtime="python3.12", Handler="app.handler", Role=role(), Timeout=10)
        self.lambda_.create_function(FunctionName=name, Code={"ZipFile": zipped(1, False)}, Publish=True, **make)
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
        self.lambda_.update_function_code(FunctionName=name, ZipFile=zipped(2, fails), Publish=True)
        self.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1", Description="ours")
        self.target = {"LambdaAlias": {"FunctionName": name, "AliasName": "live"}}

    def order(self, name, **more):
        return order(name, self.target, {"FunctionVersion": "2"}, "function_alias", **more)

    def now(self):
        found = self.lambda_.get_alias(FunctionName=self.name, Name="live")
        shares = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        return found["FunctionVersion"], shares.get("2", 0), found.get("Description", "")

    def promote(self):
        """Somebody's call."""
        self.lambda_.update_alias(
            FunctionName=self.name, Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
        )

    def traffic(self):
        if WHERE == "moto":
            self.counted()
            return
        while not self.is_over.is_set():
            self.lambda_.invoke(FunctionName=f"{self.name}:live", Payload=b"{}")
            time.sleep(0.02)  # the pace of the traffic

    def counted(self):
        """What CloudWatch would have of 20 requests a second."""
        metrics = client("cloudwatch")
        alias = [{"Name": "FunctionName", "Value": self.name}, {"Name": "Resource", "Value": f"{self.name}:live"}]
        while not self.is_over.is_set():
            _, share, _ = self.now()
            tally = collections.Counter()
            for _ in range(10):
                is_canary = random.random() < share
                for who in ["all"] + ["canary"] * is_canary:
                    tally[who, "Invocations"] += 1
                    tally[who, "Errors"] += is_canary and self.fails
            data = []
            for (who, metric), value in tally.items():
                executed = [{"Name": "ExecutedVersion", "Value": "2"}] if who == "canary" else []
                data.append({"MetricName": metric, "Value": value, "Dimensions": alias + executed, "Timestamp": time.time()})
            metrics.put_metric_data(Namespace="AWS/Lambda", MetricData=data)
            time.sleep(0.5)  # the pace of the sums


class Together:
    """Two functions whose aliases are moved together; the second version of the second one may fail."""

    def __init__(self, name, fails):
        self.parts = [Alias(f"{name}-a", False), Alias(f"{name}-b", fails)]
        self.target = {"LambdaAliases": [part.target["LambdaAlias"] for part in self.parts]}

    def order(self, name, **more):
        versions = {part.name: "2" for part in self.parts}
        return order(name, self.target, {"FunctionVersions": versions}, "function_alias", **more)

    def now(self):
        return [part.now() for part in self.parts]

    def is_at(self, share):
        return all(now[1] == share for now in self.now())


class Stage:
    """An API whose second deployment answers as it is told, and its traffic."""

    def __init__(self, name, fails):
        self.name, self.is_over, self.gateway = name, threading.Event(), client("apigateway")
        self.api = self.gateway.create_rest_api(name=name)["id"]
        root = self.gateway.get_resources(restApiId=self.api)["items"][0]["id"]
        at = dict(restApiId=self.api, resourceId=root, httpMethod="GET")
        self.gateway.put_method(**at, authorizationType="NONE")
        for code in ("200", "500"):
            self.gateway.put_method_response(**at, statusCode=code)
        self.deployments = [self.deploy(at, "200"), self.deploy(at, "500" if fails else "200")]
        self.gateway.create_stage(
            restApiId=self.api, stageName="prod", deploymentId=self.deployments[0], variables={"color": "blue"}
        )
        self.target = {"RestStage": {"RestApiId": self.api, "StageName": "prod"}}

    def deploy(self, at, code):
        template = json.dumps({"statusCode": int(code)})
        self.gateway.put_integration(**at, type="MOCK", requestTemplates={"application/json": template})
        for other in ("200", "500"):
            pattern = {} if other == "200" else {"selectionPattern": "500"}
            self.gateway.put_integration_response(**at, statusCode=other, **pattern)
        return self.gateway.create_deployment(restApiId=self.api)["id"]

    def order(self, name, **more):
        canary = {"DeploymentId": self.deployments[1], "StageVariableOverrides": {"color": "green"}}
        return order(name, self.target, canary, "stage_canary", **more)

    def now(self):
        return self.gateway.get_stage(restApiId=self.api, stageName="prod")

    def traffic(self):
        while not self.is_over.is_set():
            try:
                urllib.request.urlopen(f"{ENDPOINT}/_aws/execute-api/{self.api}/prod/").read()
            except urllib.error.HTTPError as error:
                error.read()
            time.sleep(0.02)  # the pace of the traffic


def zipped(number, fails):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("app.py", CODE.replace("NUMBER", str(number)).replace("FAILS", repr(fails)))
    return buffer.getvalue()


def role():
    iam, name = client("iam"), "releases"
    document = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]}
    try:
        return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        return iam.get_role(RoleName=name)["Role"]["Arn"]


def bad_alias():
    it = Alias("bad-alias", True)
    with busy(it):
        code, words = ended(start(it.order("bad-alias")))
    assert code == 10, (code, words)
    assert it.now() == ("1", 0, "ours"), it.now()


def good_alias():
    """Two steps, a kill -9 after the first shift, and the same command again."""
    it = Alias("good-alias", False)
    with busy(it):
        killed = start(it.order("good-alias", percents=(20, 60)))
        until("the first shift", lambda: it.now()[1] == 0.2)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        version, share, description = it.now()
        assert (version, share) == ("1", 0.2) and description.startswith("[pitbird-rollout:good-alias:"), it.now()
        code, words = ended(start(it.order("good-alias", percents=(20, 60))))
    assert code == 0, (code, words)
    assert it.now() == ("2", 0, "ours"), it.now()
    again, words = ended(start(it.order("good-alias", percents=(20, 60))))
    assert again == 1 and "ended already" in words, (again, words)


def orders():
    """Dry run, second driver, second rollout, changes by hand, abort from another process."""
    it = Alias("orders", False)
    code, words = ended(start(it.order("dry"), "--dry-run"))
    assert code == 0 and "UpdateAlias" in words and "nothing was changed" in words, (code, words)
    assert it.now() == ("1", 0, "ours") and not list(FOLDER.glob("dry*")), it.now()
    with busy(it):
        first = start(it.order("orders"))
        until("the first shift", lambda: it.now()[1] == 0.5)
        code, words = ended(start(it.order("orders")))
        assert code == 1 and "another process drives" in words, (code, words)
        code, words = ended(start(it.order("another")))
        assert code == 1 and "taken by rollout orders" in words, (code, words)
        abort = [PROGRAM, "--journal", str(FOLDER), "abort", "--reason=enough", "orders"]
        assert subprocess.run(abort).returncode == 0
        code, words = ended(first)
        assert code == 11 and "enough" in words, (code, words)
        assert it.now() == ("1", 0, "ours"), it.now()
        second = start(it.order("by-hand"))
        until("the first shift", lambda: it.now()[1] == 0.5)
        it.lambda_.update_alias(
            FunctionName=it.name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.7}}
        )
        code, words = ended(second)
        assert code == 11 and "70 % instead of 50 %" in words, (code, words)
        assert it.now() == ("1", 0, "ours"), it.now()


def alarm():
    """An alarm that goes off while the canary has its share sends it back at the next look; one that isn't there is refused."""
    it, metrics = Alias("alarm", False), client("cloudwatch")
    code, words = ended(start(it.order("misspelt", Alarms=["aalrm"])))
    assert code == 1 and "alarm aalrm doesn't exist" in words, (code, words)
    metrics.put_metric_alarm(
        AlarmName="alarm", Namespace="Ours", MetricName="Any", Period=60, EvaluationPeriods=1, Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
    )
    metrics.set_alarm_state(AlarmName="alarm", StateValue="OK", StateReason="quiet")
    with busy(it):
        process = start(it.order("alarm", Alarms=["alarm"]))
        until("the first shift", lambda: it.now()[1] == 0.5)
        metrics.set_alarm_state(AlarmName="alarm", StateValue="ALARM", StateReason="loud")
        code, words = ended(process)
    assert code == 10 and "alarm" in words, (code, words)
    assert it.now() == ("1", 0, "ours"), it.now()


def lost_journal():
    """The journal is lost in the middle: nothing goes on by itself, and with --take-over evidence is gathered anew."""
    it = Alias("lost", True)
    with busy(it):
        killed = start(it.order("lost"))
        until("the first shift", lambda: it.now()[1] == 0.5)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        for path in FOLDER.glob("lost.*"):
            path.unlink()
        code, words = ended(start(it.order("lost")))
        assert code == 1 and "--take-over" in words, (code, words)
        code, words = ended(start(it.order("lost"), "--take-over"))
    assert code == 10, (code, words)
    assert it.now() == ("1", 0, "ours"), it.now()


SECRET = "a secret of theirs"


class Listener:
    """A URL that is told of things. It hears all, and answers nobody before it is told to."""

    def __init__(self):
        self.heard, self.answers = [], threading.Event()

        class Heard(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["content-length"]))
                self.heard.append((body, handler.headers["x-pitbird-signature"]))
                self.answers.wait()
                try:
                    handler.send_response(200)
                    handler.end_headers()
                except OSError:
                    pass  # whoever told has died

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Heard)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}/"

    def told(self):
        """What was told, each signed."""
        for body, signature in self.heard:
            assert signature == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(), body
        return [json.loads(body) for body, _ in self.heard]


def notices():
    """Changes are told, signed and in order; the one that was on its way when the driver was killed is told again, by the same words."""
    it, listener = Alias("told", False), Listener()
    order = lambda secret=SECRET: it.order("told", Notifications=[{"Url": listener.url, "Secret": secret}])
    with busy(it):
        killed = start(order())
        until("the first notice", lambda: listener.heard)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        listener.answers.set()
        code, words = ended(start(order("another secret of theirs")))
        assert code == 1 and "another plan" in words, (code, words)
        code, words = ended(start(order()))
    assert code == 0, (code, words)
    told = listener.told()
    assert listener.heard[0] == listener.heard[1], "by the same words"
    stood = [(one["phase"], one["status"], one["percent"], one["exit_code"]) for one in told]
    assert stood == [("Watching", "InProgress", 50, None)] * 2 + [("Ended", "Promoted", 100, 0)], told
    assert told[1]["entry"] < told[2]["entry"] and told[0]["account"] is None, told
    assert {one["target"] for one in told} == {"lambda_alias/told/live"}, told
    again, words = ended(start(order()))
    assert again == 1 and "ended already" in words and len(listener.heard) == 3, (again, words)


# Takes its time before anything moves, and lets no step begin.
ASKED = '''
import time
def handler(event, context):
    time.sleep(3 if event["when"] == "before_rollout" else 0)
    return {"answer": "stop" if event["when"] == "before_step" else "go", "reason": event["id"]}
'''


def hooks():
    """A function is asked, also by the driver that comes after one that was killed meanwhile; it stops the release, and a URL is told of its end."""
    it = Alias("hooked", False)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as files:
        files.writestr("app.py", ASKED)
    make = dict(Runtime="python3.12", Handler="app.handler", Role=role(), Timeout=30)
    it.lambda_.create_function(FunctionName="asked", Code={"ZipFile": package.getvalue()}, **make)
    it.lambda_.get_waiter("function_active_v2").wait(FunctionName="asked")
    asked = [{"Name": when, "When": when, "FunctionName": "asked"} for when in ("BeforeRollout", "BeforeStep")]
    listener = Listener()
    listener.answers.set()
    asked.append({"Name": "told", "When": "AfterRollout", "Url": listener.url, "Secret": SECRET})
    missing = [{"Name": "a", "When": "BeforeStep", "FunctionName": "nobody"}]
    code, words = ended(start(it.order("misspelt", Hooks=missing)))
    assert code == 1 and not list(FOLDER.glob("misspelt.json")), (code, words)
    journal = FOLDER / "hooked.json"
    questions = lambda: json.loads(journal.read_text())["state"].get("hooks", {}) if journal.exists() else {}
    killed = start(it.order("hooked", Hooks=asked))
    until("the first question", lambda: questions().get("open"))
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    run = json.loads(journal.read_text())
    code, words = ended(start(it.order("hooked", Hooks=asked)))
    ids = [f"us-east-1/hooked/{run['began_ms']}/{run['run']}/{number}" for number in (1, 2, 3)]
    assert code == 10 and f"hook BeforeStep said stop: {ids[1]}" in words, (code, words)
    closed = [[one["number"], one["word"], one["words"]] for one in questions()["closed"]]
    assert closed == [[1, "go", ids[0]], [2, "stop", ids[1]], [3, "go", ""]], closed
    told, = listener.told()
    assert (told["id"], told["when"], told["exit_code"]) == (ids[2], "after_rollout", 10), told
    assert (told["status"], told["phase"], told["target"]) == ("RolledBack", "Ended", "lambda_alias/hooked/live"), told
    assert journal.stat().st_mode & 0o777 == 0o600, "its secret is read by others"
    assert it.now() == ("1", 0, "ours"), it.now()


def bad_together():
    """One of two is bad: both go back, and it is named. Beforehand a dry run shows the calls of both."""
    it = Together("bad-together", True)
    code, words = ended(start(it.order("dry-together"), "--dry-run"))
    for part in it.parts:
        # Sign, shift, promote or roll back, and the sign's end.
        assert words.count(f"UpdateAlias: {part.name}:live") == 5, words
    assert code == 0 and it.now() == [("1", 0, "ours")] * 2, (code, it.now())
    with busy(it):
        code, words = ended(start(it.order("bad-together")))
    assert code == 10, (code, words)
    assert it.now() == [("1", 0, "ours")] * 2, it.now()


def good_together():
    """Killed while the first of two may have its share already; both are promoted. Another may not have one of them meanwhile."""
    it = Together("good-together", False)
    with busy(it):
        killed = start(it.order("good-together", percents=(20, 60)))
        until("the first shift", lambda: it.parts[0].now()[1] == 0.2)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        assert all("[pitbird-rollout:good-together:" in now[2] for now in it.now()), it.now()
        code, words = ended(start(it.parts[1].order("alone")))
        assert code == 1 and "taken by rollout good-together" in words, (code, words)
        code, words = ended(start(it.order("good-together", percents=(20, 60))))
    assert code == 0, (code, words)
    assert it.now() == [("2", 0, "ours")] * 2, it.now()
    again, words = ended(start(it.order("good-together", percents=(20, 60))))
    assert again == 1 and "ended already" in words, (again, words)


def lost_together():
    """The journal is lost between the two calls of a promotion: with --take-over both begin anew, from what served before."""
    it = Together("lost-together", False)
    with busy(it):
        killed = start(it.order("lost-together"))
        until("the first shift", lambda: it.is_at(0.5))
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        for path in FOLDER.glob("lost-together.*"):
            path.unlink()
        it.parts[0].promote()
        code, words = ended(start(it.order("lost-together")))
        assert code == 1 and "--take-over" in words, (code, words)
        process = start(it.order("lost-together"), "--take-over")
        until("both at the first step", lambda: it.is_at(0.5))
        assert [now[0] for now in it.now()] == ["1", "1"], it.now()
        code, words = ended(process)
    assert code == 0, (code, words)
    assert it.now() == [("2", 0, "ours")] * 2, it.now()


def strange_together():
    """Somebody takes one of two away: it stays where he put it, and the other goes back."""
    it = Together("strange-together", False)
    with busy(it):
        process = start(it.order("strange-together"))
        until("the first shift", lambda: it.is_at(0.5))
        it.parts[1].promote()
        code, words = ended(process)
    assert code == 11 and "names version 2 instead of 1 (function strange-together-b)" in words, (code, words)
    assert it.now() == [("1", 0, "ours"), ("2", 0, "ours")], it.now()


def bad_stage():
    it = Stage("bad-stage", True)
    with busy(it):
        code, words = ended(start(it.order("bad-stage")))
    now = it.now()
    assert code == 10, (code, words)
    assert now["deploymentId"] == it.deployments[0] and "canarySettings" not in now and not now.get("tags"), now
    assert now["variables"] == {"color": "blue"}, now


def good_stage():
    it = Stage("good-stage", False)
    with busy(it):
        code, words = ended(start(it.order("good-stage")))
    now = it.now()
    assert code == 0, (code, words)
    assert now["deploymentId"] == it.deployments[1] and "canarySettings" not in now and not now.get("tags"), now
    assert now["variables"] == {"color": "green"}, now


class Words(http.server.BaseHTTPRequestHandler):
    """CloudWatch's CBOR for moto, which speaks the older protocols only: the same operation, called by boto3."""

    metrics = None

    def do_POST(self):
        given = self.rfile.read(int(self.headers["Content-Length"]))
        given = READER.parse_data_item(io.BufferedReader(io.BytesIO(given))) if given else {}
        for name in ("StartTime", "EndTime"):
            if isinstance(given.get(name), (int, float)):
                given[name] = datetime.datetime.fromtimestamp(given[name], datetime.timezone.utc)
        call = getattr(self.metrics, botocore.xform_name(self.path.rsplit("/", 1)[1]))
        answer = call(**given)
        del answer["ResponseMetadata"]
        body = cbor(answer)
        self.send_response(200)
        for name, value in [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")]:
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


READER = botocore.parsers.RpcV2CBORParser()


def cbor(value):
    def head(major, length):
        return bytes([major << 5 | 26]) + struct.pack(">I", length)

    match value:
        case bool():
            return b"\xf5" if value else b"\xf4"
        case None:
            return b"\xf6"
        case int():
            return head(0, value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str():
            return head(3, len(value.encode())) + value.encode()
        case datetime.datetime():
            return b"\xc1" + cbor(value.timestamp())
        case list():
            return head(4, len(value)) + b"".join(map(cbor, value))
        case dict():
            return head(5, len(value)) + b"".join(cbor(name) + cbor(it) for name, it in value.items())


def translated():
    """A server that translates, and where it is."""
    Words.metrics = client("cloudwatch")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Words)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class busy:
    def __init__(self, it):
        self.parts = getattr(it, "parts", [it])

    def __enter__(self):
        for part in self.parts:
            threading.Thread(target=part.traffic, daemon=True).start()

    def __exit__(self, *_):
        for part in self.parts:
            part.is_over.set()


def told(story, failed):
    try:
        globals()[story]()
        print(f"{story}: as it should", flush=True)
    except BaseException:
        failed.append(story)
        print(f"{story}: {traceback.format_exc()}", flush=True)


role()
if WHERE == "moto":
    os.environ["AWS_ENDPOINT_URL_CLOUDWATCH"] = translated()
failed = []
threads = [threading.Thread(target=told, args=(story, failed)) for story in STORIES]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.exit(1 if failed else 0)
