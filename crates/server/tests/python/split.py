"""A 10 % stage canary and a 10 % weighted alias, 10,000 requests each, seen to split as configured.

Unmodified boto3; the split must lie within the 99.9 % bounds of the binomial distribution.
"""

import concurrent.futures
import http.client
import io
import json
import math
import sys
import urllib.parse
import zipfile

import boto3

REQUESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
SHARE = 0.10
# The two-sided 99.9 % quantile of the normal distribution, which the binomial is at these counts.
Z = 3.2905

CODE = '''
def handler(event, context):
    return {"statusCode": 200, "body": "RELEASE " + context.function_version}
'''


def zipped(release):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("app.py", CODE.replace("RELEASE", release))
    return buffer.getvalue()


def bounds(n):
    spread = Z * math.sqrt(n * SHARE * (1 - SHARE)) + 0.5
    return n * SHARE - spread, n * SHARE + spread


def check(what, seen, n):
    low, high = bounds(n)
    print(json.dumps({"what": what, "requests": n, "canary": seen, "low": low, "high": high}))
    assert low <= seen <= high, f"{what}: {seen} of {n} is outside {low:.0f} to {high:.0f}"


def fetch(endpoint, path, count):
    """Bodies of `count` requests over one connection."""
    parsed = urllib.parse.urlparse(endpoint)
    connection = http.client.HTTPConnection(parsed.hostname, parsed.port, timeout=40)
    bodies = []
    for _ in range(count):
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, (answer.status, body)
        bodies.append(body)
    connection.close()
    return bodies


def main():
    functions = boto3.client("lambda")
    gateway = boto3.client("apigateway")
    endpoint = functions.meta.endpoint_url
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = boto3.client("iam").create_role(RoleName="split", AssumeRolePolicyDocument=json.dumps(trust))
    functions.create_function(
        FunctionName="split", Runtime="python3.11", Handler="app.handler", Role=role["Role"]["Arn"],
        Code={"ZipFile": zipped("one")}, Timeout=10,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="split")
    assert functions.publish_version(FunctionName="split")["Version"] == "1"
    functions.update_function_code(FunctionName="split", ZipFile=zipped("two"))
    functions.get_waiter("function_updated_v2").wait(FunctionName="split")
    assert functions.publish_version(FunctionName="split")["Version"] == "2"
    functions.create_alias(FunctionName="split", Name="base", FunctionVersion="1")
    functions.create_alias(FunctionName="split", Name="next", FunctionVersion="2")
    functions.create_alias(
        FunctionName="split", Name="live", FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": SHARE}},
    )

    api = gateway.create_rest_api(name="split")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    uri = (
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        "arn:aws:lambda:us-east-1:000000000000:function:split:${stageVariables.alias}/invocations"
    )
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(
        restApiId=api, resourceId=root, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri
    )
    for alias in ("base", "next", "live"):
        functions.add_permission(
            FunctionName="split", Qualifier=alias, StatementId="api", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{api}/*/*/*",
        )
    gateway.create_deployment(restApiId=api, stageName="canary", variables={"alias": "base"})
    gateway.create_deployment(
        restApiId=api, stageName="canary",
        canarySettings={"percentTraffic": SHARE * 100, "stageVariableOverrides": {"alias": "next"}},
    )
    gateway.create_deployment(restApiId=api, stageName="alias", variables={"alias": "live"})

    workers = 8
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for stage in ("canary", "alias"):
            path = f"/_aws/execute-api/{api}/{stage}/"
            runs = [pool.submit(fetch, endpoint, path, REQUESTS // workers) for _ in range(workers)]
            bodies = [body for run in runs for body in run.result()]
            assert set(bodies) <= {"one 1", "two 2"}, set(bodies)
            check(stage, bodies.count("two 2"), len(bodies))


main()
