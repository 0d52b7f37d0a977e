"""The worked example of docs/rollouts.md as it stands there: a release between a function and a URL that are asked and told.

Unmodified boto3 for the functions; the release by the command line. Arguments: the binary, the project.
"""

import hashlib
import hmac
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import given
from given import ENDPOINT, lambda_

BINARY, PROJECT = sys.argv[1], pathlib.Path(sys.argv[2])
PAGE = (PROJECT / "docs/rollouts.md").read_text()
FILE = re.search(r"^```toml\n(name = \"checkout-3\".*?)^```", PAGE, re.M | re.S)[1]
CODE = re.search(r"^```python\n(.*?)^```", PAGE, re.M | re.S)[1]
SECRET = re.search(r'secret = "(.*)"', FILE)[1]
# The function that is released.
CHECKOUT = "def handler(event, context):\n    return VERSION\n"


class Ear(BaseHTTPRequestHandler):
    heard = []
    has_heard = threading.Event()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Ear.heard.append((self.headers["x-pitbird-signature"], body))
        self.send_response(204)
        self.end_headers()
        Ear.has_heard.set()

    def log_message(self, *_):
        pass


def publish(role):
    given.function("checkout", CHECKOUT.replace("VERSION", "1"), role)
    for version in (1, 2, 3):
        code = given.zipped({"app.py": CHECKOUT.replace("VERSION", str(version))})
        lambda_.update_function_code(FunctionName="checkout", ZipFile=code)
        lambda_.get_waiter("function_updated_v2").wait(FunctionName="checkout", WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
        assert lambda_.publish_version(FunctionName="checkout")["Version"] == str(version)
    lambda_.create_alias(FunctionName="checkout", Name="live", FunctionVersion="1")
    given.function("recalled", CODE, role, Environment={"Variables": {"RECALLED": "3,9"}})


class Callers:
    """Call the alias until told to stop."""

    def __enter__(self):
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.call, daemon=True) for _ in range(4)]
        [thread.start() for thread in self.threads]

    def __exit__(self, *_):
        self.is_over.set()
        [thread.join() for thread in self.threads]

    def call(self):
        while not self.is_over.is_set():
            lambda_.invoke(FunctionName="checkout", Qualifier="live")


def pitbird(*arguments):
    return subprocess.run(
        [BINARY, "rollout", *arguments, "--endpoint-url", ENDPOINT], capture_output=True, text=True, timeout=170
    )


def release(text, version):
    text = text.replace('function_version = "2"', f'function_version = "{version}"')
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        planned = pitbird("plan", file.name)
        assert planned.returncode == 0 and "hook recalled, before a step of 10 %: asks recalled" in planned.stdout, planned
        assert SECRET not in planned.stdout
        done = pitbird("start", file.name, "--watch", "--output", "json")
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def told(name, code):
    assert Ear.has_heard.wait(60), "the URL was told of the end"
    Ear.has_heard.clear()
    (signature, body), Ear.heard = Ear.heard[-1], []
    expected = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert signature == expected, "signed with the secret"
    event = json.loads(body)
    assert (event["rollout"], event["when"], event["exit_code"]) == (name, "after_rollout", code), event


def main():
    server = HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    text = FILE.replace("127.0.0.1:8099", f"127.0.0.1:{server.server_port}")
    publish(given.role("hooks"))
    with Callers():
        code, rollout, words = release(text, 2)
        assert code == 0, (code, words, rollout)
        told("checkout-3", 0)
        # The URL may not have answered yet.
        assert rollout["Questions"][0]["Answer"] == "Go", rollout["Questions"]
        assert SECRET not in json.dumps(rollout)
        status = pitbird("status", "checkout-3").stdout
        assert "hooks      recalled, before step 10 %: go" in status, status
        # Another is stopped before it has a request.
        code, rollout, words = release(text.replace("checkout-3", "checkout-4"), 3)
        assert (code, rollout["Shifts"]) == (10, []), (code, words, rollout)
        assert rollout["StatusReason"] == "rolled back: hook recalled said stop: version 3 is recalled", rollout["StatusReason"]
        told("checkout-4", 10)
    assert lambda_.get_alias(FunctionName="checkout", Name="live")["FunctionVersion"] == "2"
    print("a release went on as the hooks said, and another was stopped by them")


main()
