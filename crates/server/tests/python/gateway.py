"""A REST API's life with a stage canary, through the real data plane: made, split, promoted, rolled back, removed."""

import collections
import concurrent.futures

from given import *

ECHO = '''
import base64, json
def handler(event, context):
    path = event["path"]
    if path.endswith("/raise"):
        raise RuntimeError("as asked")
    if path.endswith("/malformed"):
        return {"statusCode": 200, "unknown": True}
    return {
        "statusCode": 201, "headers": {"X-One": "1", "Connection": "close"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": json.dumps({"event": event, "version": context.function_version}),
    }
'''
STAGE_KEYS = {
    "stageName", "deploymentId", "methodSettings", "cacheClusterEnabled", "cacheClusterStatus", "tracingEnabled",
    "createdDate", "lastUpdatedDate",
}


def patch(api, stage, *operations):
    """Operations as (op, path, value) or ("copy", from, path)."""
    written = []
    for op, path, *rest in operations:
        if op == "copy":
            written.append({"op": op, "from": path, "path": rest[0]})
        else:
            written.append({"op": op, "path": path} | ({"value": rest[0]} if rest else {}))
    stage = gateway.update_stage(restApiId=api, stageName=stage, patchOperations=written)
    stage.pop("ResponseMetadata")
    return stage


def get_stage(api, stage):
    found = gateway.get_stage(restApiId=api, stageName=stage)
    found.pop("ResponseMetadata")
    return found


def worked_example():
    """AWS's own recorded life of a canary: names, shapes and refusals."""
    api, root = rest_api("worked")
    with refused("BadRequestException", "The REST API doesn't contain any methods", 400):
        gateway.create_deployment(restApiId=api, stageName="dev")
    mock(api, root)
    first = gateway.create_deployment(
        restApiId=api, stageName="dev", variables={"testVar": "test", "testVar2": "test2"}
    )
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 201 and re_id(first["id"])
    stage = get_stage(api, "dev")
    assert set(stage) == STAGE_KEYS | {"variables"}, stage
    has(
        stage, deploymentId=first["id"], variables={"testVar": "test", "testVar2": "test2"}, methodSettings={},
        cacheClusterEnabled=False, cacheClusterStatus="NOT_AVAILABLE", tracingEnabled=False,
    )
    for name, words in (
        (None, "Non null and non empty stageName must be provided for canary deployment. Provided value is null"),
        ("none", "Stage none must already be created before making a canary release deployment"),
    ):
        named = {} if name is None else {"stageName": name}
        with refused("BadRequestException", "Invalid deployment content specified." + words, 400):
            gateway.create_deployment(restApiId=api, canarySettings={"percentTraffic": 10}, **named)
    with refused("BadRequestException", "Promotion not available. Canary does not exist.", 400):
        patch(api, "dev", ("copy", "/canarySettings/deploymentId", "/deploymentId"))
    second = gateway.create_deployment(
        restApiId=api, stageName="dev",
        canarySettings={"percentTraffic": 50, "stageVariableOverrides": {"testVar": "override"}},
    )["id"]
    stage = get_stage(api, "dev")
    has(
        stage, deploymentId=first["id"], canarySettings={
            "deploymentId": second, "percentTraffic": 50.0, "stageVariableOverrides": {"testVar": "override"},
            "useStageCache": False,
        },
    )
    with refused("BadRequestException", "Non canary deployment not supported on stage dev because Canary is enabled", 400):
        gateway.create_deployment(restApiId=api, stageName="dev")
    stage = patch(api, "dev", ("replace", "/canarySettings/percentTraffic", "100.0"))
    assert stage["canarySettings"]["percentTraffic"] == 100.0
    promoted = patch(
        api, "dev", ("replace", "/canarySettings/percentTraffic", "0.0"),
        ("copy", "/canarySettings/stageVariableOverrides", "/variables"),
        ("copy", "/canarySettings/deploymentId", "/deploymentId"),
    )
    has(
        promoted, deploymentId=second, variables={"testVar": "override", "testVar2": "test2"}, canarySettings={
            "deploymentId": second, "percentTraffic": 0.0, "stageVariableOverrides": {"testVar": "override"},
            "useStageCache": False,
        },
    )
    assert promoted["createdDate"] == stage["createdDate"]
    removed = patch(api, "dev", ("remove", "/canarySettings"))
    assert "canarySettings" not in removed and removed["deploymentId"] == second
    gone = gateway.delete_deployment(restApiId=api, deploymentId=first["id"])
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 202
    with refused("BadRequestException", "Active stages pointing to this deployment must be moved or deleted", 400):
        gateway.delete_deployment(restApiId=api, deploymentId=second)
    # A canary made by patches has its defaults.
    made = patch(api, "dev", ("replace", "/canarySettings/percentTraffic", "33.333330"))["canarySettings"]
    assert made == {"deploymentId": second, "percentTraffic": 33.33333, "useStageCache": False}, made
    gateway.delete_stage(restApiId=api, stageName="dev")
    gateway.delete_rest_api(restApiId=api)
    with refused("NotFoundException", f"Invalid API identifier specified {ACCOUNT}:{api}", 404):
        gateway.get_rest_api(restApiId=api)


def re_id(text):
    return text.isalnum() and text == text.lower()


def counted(api, stage, requests):
    """How many of so many requests got which answer; all over a few connections at once."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: fetch(api, stage), range(requests)))
    return collections.Counter(
        json.loads(body).get("version", status) if body else status for status, _, body in answers
    )


def releases():
    """Two versions behind one API; the canary's share, its promotion, and a roll back, as requests see them."""
    arn = role("releases")
    function("releases", ECHO, arn)
    assert lambda_.publish_version(FunctionName="releases")["Version"] == "1"
    assert release("releases", ECHO + "\n# another\n") == "2"
    for alias, version in (("base", "1"), ("next", "2")):
        lambda_.create_alias(FunctionName="releases", Name=alias, FunctionVersion=version)
    api, root = rest_api("releases")
    proxied(api, root, "releases:${stageVariables.alias}")
    tree = gateway.create_resource(restApiId=api, parentId=root, pathPart="pets")["id"]
    pet = gateway.create_resource(restApiId=api, parentId=tree, pathPart="{id}")["id"]
    for resource in (tree, pet):
        proxied(api, resource, "releases:${stageVariables.alias}", "ANY")
    gateway.create_deployment(restApiId=api, stageName="prod", variables={"alias": "base"})
    status, headers, body = fetch(api, "prod")
    assert (status, json.loads(body)) == (500, {"message": "Internal server error"}), (status, body)
    for alias in ("base", "next"):
        permit("releases", api, alias)
    events(api)
    assert counted(api, "prod", 20) == {"1": 20}
    gateway.create_deployment(
        restApiId=api, stageName="prod",
        canarySettings={"percentTraffic": 50.0, "stageVariableOverrides": {"alias": "next"}},
    )
    split = counted(api, "prod", 80)
    assert set(split) == {"1", "2"}, split
    patch(api, "prod", ("replace", "/canarySettings/percentTraffic", "0"))
    assert counted(api, "prod", 40) == {"1": 40}
    patch(api, "prod", ("replace", "/canarySettings/percentTraffic", "100"))
    assert counted(api, "prod", 40) == {"2": 40}
    # Rolled back: production never changed.
    patch(api, "prod", ("remove", "/canarySettings"))
    assert counted(api, "prod", 40) == {"1": 40}
    patch(
        api, "prod", ("replace", "/canarySettings/stageVariableOverrides/alias", "next"),
        ("replace", "/canarySettings/percentTraffic", "0.0"),
        ("copy", "/canarySettings/stageVariableOverrides", "/variables"),
        ("copy", "/canarySettings/deploymentId", "/deploymentId"),
    )
    assert counted(api, "prod", 40) == {"2": 40}
    # What is edited stays unseen until it is deployed.
    gateway.delete_method(restApiId=api, resourceId=root, httpMethod="GET")
    assert fetch(api, "prod")[0] == 201
    patch(api, "prod", ("remove", "/canarySettings"))
    gateway.create_deployment(restApiId=api, stageName="prod")
    assert fetch(api, "prod")[0] == 403
    gateway.delete_stage(restApiId=api, stageName="prod")
    status, _, body = fetch(api, "prod", "/pets")
    assert (status, json.loads(body)) == (403, {"message": "Forbidden"}), (status, body)


def events(api):
    """The event that a function gets, the answer that comes back, and what goes wrong on the way."""
    status, headers, body = fetch(
        api, "prod", "/pets/a%20b?q=1&q=2&r=%C3%BC", {"X-Thing": "t", "Authorization": "none"}, "POST", b"text"
    )
    assert status == 201, (status, body)
    assert headers["x-one"] == "1" and headers["x-amzn-remapped-connection"] == "close", headers
    assert "x-amzn-requestid" in headers and "x-amz-apigw-id" in headers and "x-amzn-trace-id" in headers, headers
    assert headers["content-type"] == "application/json"
    event = json.loads(body)["event"]
    has(
        event, resource="/pets/{id}", httpMethod="POST", pathParameters={"id": "a%20b"},
        queryStringParameters={"q": "2", "r": "ü"}, multiValueQueryStringParameters={"q": ["1", "2"], "r": ["ü"]},
        stageVariables={"alias": "base"}, body="text", isBase64Encoded=False, path="/pets/a%20b",
    )
    assert event["headers"]["X-Thing"] == "t" and event["multiValueHeaders"]["X-Thing"] == ["t"]
    context = event["requestContext"]
    has(
        context, stage="prod", apiId=api, httpMethod="POST", resourcePath="/pets/{id}", path="/prod/pets/a%20b",
        accountId=ACCOUNT, protocol="HTTP/1.1",
    )
    assert context["identity"]["sourceIp"] == "127.0.0.1" and context["requestId"] == headers["x-amzn-requestid"]
    host = {"Host": f"{api}.execute-api.localhost:4566"}
    for path, sent in ((f"/restapis/{api}/prod/_user_request_/pets", {}), ("/prod/pets", host)):
        status, _, body = exchange("GET", path, sent)
        assert status == 201, (path, status, body)
        event = json.loads(body)["event"]
        has(event, path="/pets", resource="/pets", queryStringParameters=None, body=None, pathParameters=None)
    for path, expected, words in (
        ("/pets/raise", 502, "Internal server error"), ("/pets/malformed", 502, "Internal server error"),
        ("/nothing", 403, "Missing Authentication Token"), ("/pets/1/2", 403, "Missing Authentication Token"),
    ):
        status, headers, body = fetch(api, "prod", path)
        assert (status, json.loads(body)) == (expected, {"message": words}), (path, status, body)
        assert "x-amzn-errortype" in headers, headers
    assert fetch(api, "nostage")[0] == 403
    assert fetch("abcdefghij", "prod")[0] == 403


def pictures():
    """What a deployment freezes, lists and their pages, tags, and settings of methods and logs."""
    api, root = rest_api("pictures")
    mock(api, root, 418)
    deployments = [gateway.create_deployment(restApiId=api, description=str(n))["id"] for n in range(3)]
    listed = [entry["id"] for entry in gateway.get_deployments(restApiId=api)["items"]]
    assert sorted(listed) == sorted(deployments)
    gateway.create_stage(restApiId=api, stageName="a", deploymentId=deployments[0], tags={"x": "y"})
    gateway.create_stage(
        restApiId=api, stageName="b", deploymentId=deployments[1],
        canarySettings={"percentTraffic": 10.0, "deploymentId": deployments[2]},
    )
    assert [stage["stageName"] for stage in gateway.get_stages(restApiId=api)["item"]] == ["a", "b"]
    assert fetch(api, "a")[0] == 418
    with refused("BadRequestException", "Active stages with canary settings pointing to this deployment", 400):
        gateway.delete_deployment(restApiId=api, deploymentId=deployments[2])
    setting = patch(api, "a", ("replace", "/*/*/metrics/enabled", "true"))["methodSettings"]["*/*"]
    has(setting, metricsEnabled=True, throttlingBurstLimit=5000, throttlingRateLimit=10000.0, cacheTtlInSeconds=300)
    arn = f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/a"
    assert gateway.get_tags(resourceArn=arn)["tags"] == {"x": "y"}
    gateway.untag_resource(resourceArn=arn, tagKeys=["x"])
    assert gateway.get_tags(resourceArn=arn)["tags"] == {}
    resources = gateway.get_paginator("get_resources").paginate(restApiId=api, PaginationConfig={"PageSize": 1})
    for part in ("one", "two"):
        gateway.create_resource(restApiId=api, parentId=root, pathPart=part)
    assert sorted(item["path"] for page in resources for item in page["items"]) == ["/", "/one", "/two"]


worked_example()
releases()
pictures()
