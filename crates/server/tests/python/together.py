"""A whole HTTP API: two functions behind it are released together, and a fault in one of them takes both back.

Unmodified boto3 for API and functions; the releases by the command line. Arguments: the binary.
"""

import collections
import http.client
import json
import subprocess
import sys
import threading
import urllib.parse

import boto3
import given
from given import ENDPOINT, lambda_

BINARY = sys.argv[1]
apis = boto3.client("apigatewayv2", config=given.CONFIG)

GOOD = "def handler(event, context):\n    return {'statusCode': 200, 'body': context.function_version}\n"
BAD = "def handler(event, context):\n    raise RuntimeError('broken')\n"
FUNCTIONS = ["carts", "orders"]


def arn(name):
    return f"arn:aws:lambda:{given.REGION}:{given.ACCOUNT}:function:{name}:live"


def shop():
    """An HTTP API whose routes name the functions' aliases; its id."""
    role = given.role("shop")
    api = apis.create_api(Name="shop", ProtocolType="HTTP")["ApiId"]
    for name in FUNCTIONS:
        given.function(name, GOOD, role)
        assert lambda_.publish_version(FunctionName=name)["Version"] == "1"
        lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        source = f"arn:aws:execute-api:{given.REGION}:{given.ACCOUNT}:{api}/*/*"
        lambda_.add_permission(
            FunctionName=name, Qualifier="live", StatementId="api", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com", SourceArn=source,
        )
        made = apis.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn(name), PayloadFormatVersion="2.0"
        )
        apis.create_route(ApiId=api, RouteKey=f"GET /{name}", Target=f"integrations/{made['IntegrationId']}")
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return api


class Callers:
    """Call both routes until told to stop; `seen` counts status and body of each."""

    def __init__(self, api):
        self.api, self.seen, self.is_over = api, collections.Counter(), threading.Event()
        self.lock = threading.Lock()

    def __enter__(self):
        self.threads = [threading.Thread(target=self.call, args=(name,), daemon=True) for name in FUNCTIONS * 2]
        [thread.start() for thread in self.threads]
        return self

    def __exit__(self, *_):
        self.is_over.set()
        [thread.join() for thread in self.threads]

    def call(self, name):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(ENDPOINT).netloc, timeout=30)
        while not self.is_over.is_set():
            connection.request("GET", f"/{name}", headers={"Host": f"{self.api}.execute-api.{given.REGION}.localhost"})
            answer = connection.getresponse()
            with self.lock:
                self.seen[name, answer.status, answer.read().decode()] += 1


def release(name, versions):
    together = ",".join(f"{function}:live={version}" for function, version in versions.items())
    done = subprocess.run(
        [BINARY, "rollout", "start", "--name", name, "--together", together, "--steps", "10,50", "--wait", "1s",
         "--margin", "5pp", "--interval", "200ms", "--watch", "--output", "json", "--endpoint-url", ENDPOINT],
        capture_output=True, text=True, timeout=150,
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def routing():
    found = {}
    for name in FUNCTIONS:
        alias = lambda_.get_alias(FunctionName=name, Name="live")
        assert not alias.get("RoutingConfig"), alias
        found[name] = alias["FunctionVersion"]
    return found


api = shop()
for name in FUNCTIONS:
    assert given.release(name, GOOD + "# the second\n") == "2"
assert given.release("orders", BAD) == "3"
assert given.release("carts", GOOD + "# the third\n") == "3"

with Callers(api) as callers:
    code, told, words = release("second", {"orders": 2, "carts": 2})
    assert (code, routing()) == (0, {"orders": "2", "carts": "2"}), (code, told, words)
    assert all(callers.seen[name, 200, "2"] for name in FUNCTIONS), callers.seen
    code, told, words = release("third", {"orders": 3, "carts": 3})
    assert (code, routing()) == (10, {"orders": "2", "carts": "2"}), (code, told, words)
failed = {key: number for key, number in callers.seen.items() if key[1] != 200}
assert set(failed) == {("orders", 500, '{"message":"Internal Server Error"}')}, failed
shown = told.get("Rollout", told)
assert shown["Routes"] == FUNCTIONS, shown
assert shown["Evidence"]["Canary"]["ColdStarts"] >= len(FUNCTIONS), shown["Evidence"]
print(f"two functions released together; the fault in one was seen by {sum(failed.values())} of {sum(callers.seen.values())} requests")
