"""A rollout's changes as two receivers hear them: one at once, one that is slow. Arguments: begin or resume, and a file for what was heard.

Between the two the server is started again, while the rollout waits at a gate.
"""

import hashlib
import hmac
import http.client
import json
import pathlib
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import given
from given import ENDPOINT, gateway
from rollouts import rollouts

PHASE, FILE = sys.argv[1], pathlib.Path(sys.argv[2])
SECRET = "a secret of sixteen"


class Ear(ThreadingHTTPServer):
    """Keeps what it hears; a slow one answers once it is let."""

    def __init__(self, port, is_slow):
        self.heard, self.may_answer, self.news = [], threading.Event(), threading.Condition()
        if not is_slow:
            self.may_answer.set()
        super().__init__(("127.0.0.1", port), Listener)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def until(self, wanted):
        with self.news:
            assert self.news.wait_for(lambda: wanted(self.heard), 60), self.heard


class Listener(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        expected = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        event = json.loads(body) | {"is_signed": self.headers["x-pitbird-signature"] == expected}
        with self.server.news:
            self.server.heard.append(event)
            self.server.news.notify_all()
        self.server.may_answer.wait(60)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def told(heard):
    return [[event["phase"], event["percent"], event["gate_until"] is not None, event["exit_code"]] for event in heard]


class Callers:
    def __init__(self, api):
        self.api, self.is_over, self.place = api, threading.Event(), urllib.parse.urlparse(ENDPOINT)
        self.thread = threading.Thread(target=self.call, daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    def call(self):
        connection = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=40)
        while not self.is_over.is_set():
            connection.request("GET", f"/_aws/execute-api/{self.api}/prod/")
            connection.getresponse().read()


def begin():
    api = gateway.create_rest_api(name="told")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(
        restApiId=api, resourceId=root, httpMethod="GET", type="MOCK",
        requestTemplates={"application/json": '{"statusCode": 200}'},
    )
    gateway.put_method_response(restApiId=api, resourceId=root, httpMethod="GET", statusCode="200")
    gateway.put_integration_response(restApiId=api, resourceId=root, httpMethod="GET", statusCode="200")
    gateway.create_deployment(restApiId=api, stageName="prod")
    canary = gateway.create_deployment(restApiId=api)["id"]
    fast, slow = Ear(0, False), Ear(0, True)
    order = {
        "Name": "told",
        "Target": {"RestStage": {"RestApiId": api, "StageName": "prod"}},
        "Canary": {"DeploymentId": canary},
        "Steps": [{"Percent": 30, "WaitMs": 200, "Gate": True}, {"Percent": 60, "WaitMs": 200}],
        "Rules": {"Margin": 0.3, "CanaryRequestsMin": 20, "IntervalMs": 100},
        "Notifications": [{"Url": slow.url, "Secret": SECRET}, {"Url": fast.url, "Secret": SECRET}],
    }
    with Callers(api):
        rollouts(ENDPOINT, "StartRollout", order)
        # The slow one hasn't answered the first yet, and holds nobody up.
        fast.until(lambda heard: heard and heard[-1]["gate_until"])
    assert len(slow.heard) == 1 and not slow.may_answer.is_set(), slow.heard
    slow.may_answer.set()
    slow.until(lambda heard: len(heard) == len(fast.heard))
    assert told(slow.heard) == told(fast.heard) == [["Watching", 30, False, None], ["Watching", 30, True, None]], fast.heard
    ports = [fast.server_port, slow.server_port]
    FILE.write_text(json.dumps({"api": api, "ports": ports, "heard": fast.heard}))


def resume():
    before = json.loads(FILE.read_text())
    fast, other = (Ear(port, False) for port in before["ports"])
    with Callers(before["api"]):
        rollouts(ENDPOINT, "ResumeRollout", {"Name": "told"})
        [ear.until(lambda heard: heard and heard[-1]["exit_code"] is not None) for ear in (fast, other)]
    after = [event for event in fast.heard if event["phase"] != "Watching" or event["percent"] != 30]
    assert told(after) == [["Watching", 60, False, None], ["Ended", 100, False, 0]], fast.heard
    assert [event["entry"] for event in other.heard] == [event["entry"] for event in fast.heard]
    entries = [event["entry"] for event in before["heard"] + fast.heard]
    assert entries == sorted(set(entries)), "each is newer than the one before"
    assert all(event["is_signed"] and event["rollout"] == "told" for event in before["heard"] + fast.heard + other.heard)
    print(f"{len(entries)} changes were told in their order, also to whoever is slow")


{"begin": begin, "resume": resume}[PHASE]()
