"""Three releases on a stage's canary: a healthy one, one that is half as slow again, one with a dead route.

Unmodified boto3 for the function and the API; the rollouts are ordered in their own protocol. What they say in the end,
and what the stage then serves, is checked.
"""

import http.client
import io
import json
import threading
import time
import urllib.parse
import zipfile

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

CODE = '''
import time

def handler(event, context):
    time.sleep(WAIT_S)
    if event["resource"] == DEAD:
        raise RuntimeError("dead")
    return {"statusCode": 200, "body": "ok"}
'''
# Base, healthy, slow, dead on one route.
RELEASES = [(0.02, None), (0.02, None), (0.03, None), (0.02, "/toys")]
CALLERS = 4
WAIT_S = 90


def zipped(wait_s, dead):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("app.py", CODE.replace("WAIT_S", str(wait_s)).replace("DEAD", repr(dead)))
    return buffer.getvalue()


def rollouts(endpoint, operation, body):
    request = AWSRequest(
        "POST", endpoint, data=json.dumps(body),
        headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"PitbirdRollouts_20261101.{operation}"},
    )
    SigV4Auth(boto3.Session().get_credentials(), "pitbird", "us-east-1").add_auth(request)
    parsed = urllib.parse.urlparse(endpoint)
    connection = http.client.HTTPConnection(parsed.hostname, parsed.port, timeout=40)
    connection.request("POST", "/", request.body, dict(request.headers))
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200, (operation, answer.status, text)
    return json.loads(text)["Rollout"]


class Callers:
    """Call both routes, most often /pets, until they are told to stop."""

    def __init__(self, endpoint, api):
        self.endpoint, self.api, self.is_over = urllib.parse.urlparse(endpoint), api, threading.Event()
        self.threads = [threading.Thread(target=self.call, daemon=True) for _ in range(CALLERS)]

    def __enter__(self):
        [thread.start() for thread in self.threads]

    def __exit__(self, *_):
        self.is_over.set()
        [thread.join() for thread in self.threads]

    def call(self):
        connection = http.client.HTTPConnection(self.endpoint.hostname, self.endpoint.port, timeout=40)
        number = 0
        while not self.is_over.is_set():
            number += 1
            path = "toys" if number % 5 == 0 else "pets"
            connection.request("GET", f"/_aws/execute-api/{self.api}/prod/{path}")
            connection.getresponse().read()


def build():
    functions, gateway = boto3.client("lambda"), boto3.client("apigateway")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = boto3.client("iam").create_role(RoleName="rollouts", AssumeRolePolicyDocument=json.dumps(trust))
    functions.create_function(
        FunctionName="shop", Runtime="python3.11", Handler="app.handler", Role=role["Role"]["Arn"],
        Code={"ZipFile": zipped(*RELEASES[0])}, Timeout=10,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="shop")
    for number, release in enumerate(RELEASES, 1):
        functions.update_function_code(FunctionName="shop", ZipFile=zipped(*release))
        functions.get_waiter("function_updated_v2").wait(FunctionName="shop")
        functions.update_function_configuration(FunctionName="shop", Description=f"release {number}")
        functions.get_waiter("function_updated_v2").wait(FunctionName="shop")
        assert functions.publish_version(FunctionName="shop")["Version"] == str(number)
    api = gateway.create_rest_api(name="shop")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    for number in range(1, len(RELEASES) + 1):
        functions.add_permission(
            FunctionName="shop", Qualifier=str(number), StatementId="api", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{api}/*/*/*",
        )
    uri = (
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        "arn:aws:lambda:us-east-1:000000000000:function:shop:${stageVariables.version}/invocations"
    )
    for part in ("pets", "toys"):
        resource = gateway.create_resource(restApiId=api, parentId=root, pathPart=part)["id"]
        gateway.put_method(restApiId=api, resourceId=resource, httpMethod="GET", authorizationType="NONE")
        gateway.put_integration(
            restApiId=api, resourceId=resource, httpMethod="GET", type="AWS_PROXY",
            integrationHttpMethod="POST", uri=uri,
        )
    deployment = gateway.create_deployment(restApiId=api, stageName="prod", variables={"version": "1"})["id"]
    return functions.meta.endpoint_url, gateway, api, deployment


def release(endpoint, api, deployment, version, more):
    order = {
        "Name": f"v{version}",
        "Target": {"RestStage": {"RestApiId": api, "StageName": "prod"}},
        "Canary": {"DeploymentId": deployment, "StageVariableOverrides": {"version": version}},
        "Steps": [{"Percent": 20, "WaitMs": 1000}, {"Percent": 50, "WaitMs": 1000}],
        "Rules": {"Margin": 0.05, "MaxDurationMs": WAIT_S * 1000, "IntervalMs": 250},
        **more,
    }
    rollouts(endpoint, "StartRollout", order)
    for _ in range(WAIT_S * 10):
        rollout = rollouts(endpoint, "GetRollout", {"Name": f"v{version}", "MaxRecords": 0})
        if rollout.get("EndedAt"):
            told = {key: rollout[key] for key in ("Name", "Status", "StatusReason", "Evidence")}
            print(json.dumps({**told, "took_s": round(rollout["EndedAt"] - rollout["StartedAt"], 1)}))
            return rollout
        # The rollout's own time; nothing is awaited that could tell.
        time.sleep(0.1)
    raise AssertionError(rollout)


def main():
    endpoint, gateway, api, deployment = build()
    version = lambda: gateway.get_stage(restApiId=api, stageName="prod")["variables"]["version"]
    latency = {"Latency": {"BodyMargin": 0.3, "TailMargin": 0.2}}
    with Callers(endpoint, api):
        slow = release(endpoint, api, deployment, "3", latency)
        assert slow["Status"] == "RolledBack" and "slow" in slow["StatusReason"], slow["StatusReason"]
        assert slow["Evidence"]["Canary"]["Failures"] == 0 and version() == "1"

        dead = release(endpoint, api, deployment, "4", {**latency, "Routes": ["*"]})
        assert dead["Status"] == "RolledBack" and dead["Routes"] == ["GET /pets", "GET /toys"], dead
        assert version() == "1"

        good = release(endpoint, api, deployment, "2", {**latency, "Routes": ["GET /pets"]})
        assert good["Status"] == "Promoted" and version() == "2", good


if __name__ == "__main__":
    main()
