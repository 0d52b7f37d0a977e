"""A stage's cache and compressed bodies, through the real data plane."""

import gzip
import zlib

from given import *

TEMPLATE = '{"id": "$context.requestId", "page": "$input.params(\'page\')"}'


def made(name, parameters=(), **settings):
    """An API with a GET and a POST that answer with their request's id; `parameters` are its cache keys."""
    api = gateway.create_rest_api(name=name, **settings)
    ids = {"restApiId": api["id"], "resourceId": api["rootResourceId"]}
    for verb in ("GET", "POST"):
        method = ids | {"httpMethod": verb}
        gateway.put_method(**method, authorizationType="NONE", requestParameters={name: False for name in parameters})
        gateway.put_integration(
            **method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'},
            cacheKeyParameters=list(parameters),
        )
        gateway.put_method_response(**method, statusCode="200")
        gateway.put_integration_response(**method, statusCode="200", responseTemplates={"application/json": TEMPLATE})
    return api["id"]


def cached(api, stage="prod", **settings):
    patch(api, stage, {"/cacheClusterEnabled": "true", "/cacheClusterSize": "0.5"})
    patch(api, stage, {f"/*/*/caching/{name}": value for name, value in settings.items()})


def patch(api, stage, values):
    operations = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
    return gateway.update_stage(restApiId=api, stageName=stage, patchOperations=operations)


def told(api, path="/", stage="prod", **request):
    status, headers, text = fetch(api, stage, path, **request)
    assert status == 200, (status, text)
    return json.loads(text)["id"]


def keeps_answers():
    api = made("cached", ["method.request.querystring.page"])
    gateway.create_deployment(restApiId=api, stageName="prod")
    assert told(api) != told(api)
    cached(api, enabled="true", requireAuthorizationForCacheControl="false")
    stage = gateway.get_stage(restApiId=api, stageName="prod")
    has(stage, cacheClusterEnabled=True, cacheClusterSize="0.5", cacheClusterStatus="AVAILABLE")
    first = told(api)
    assert told(api) == first and told(api, "/?other=1") == first, "what is no key makes no difference"
    two = told(api, "/?page=2")
    assert two != first and told(api, "/?page=2") == two
    assert told(api, method="POST") != told(api, method="POST"), "only GET is cached for all"
    renewed = told(api, headers={"Cache-Control": "max-age=0"})
    assert renewed != first and told(api) == renewed
    gateway.flush_stage_cache(restApiId=api, stageName="prod")
    flushed = told(api)
    assert flushed != renewed and told(api) == flushed
    patch(api, "prod", {"/*/*/caching/requireAuthorizationForCacheControl": "true"})
    status, headers, _ = fetch(api, "prod", headers={"Cache-Control": "max-age=0"})
    assert status == 200 and headers["warning"].startswith("199 "), headers
    patch(api, "prod", {"/*/*/caching/unauthorizedCacheControlHeaderStrategy": "FAIL_WITH_403"})
    assert fetch(api, "prod", headers={"Cache-Control": "max-age=0"})[0] == 403
    kept = told(api)
    gateway.create_deployment(restApiId=api, stageName="prod")
    assert told(api) != kept, "another deployment's answers are others"
    gateway.create_deployment(restApiId=api, stageName="prod", canarySettings={"percentTraffic": 100.0})
    assert told(api) != told(api), "a canary has no cache"
    patch(api, "prod", {"/canarySettings/useStageCache": "true"})
    assert told(api) == told(api), "unless it is given the stage's"

    def measured():
        end = time.time() + 60
        def total(metric):
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/ApiGateway", MetricName=metric, Period=60, Statistics=["Sum"], StartTime=end - 900, EndTime=end,
                Dimensions=[{"Name": "ApiName", "Value": "cached"}, {"Name": "Stage", "Value": "prod"}],
            )["Datapoints"]
            return sum(point["Sum"] for point in points)
        return total("CacheHitCount") >= 7 and total("CacheMissCount") >= 5

    wait_for("hits and misses", measured)


def compresses():
    api = made("compressed", minimumCompressionSize=60)
    gateway.create_deployment(restApiId=api, stageName="prod")
    for coding, unpack in (("gzip", gzip.decompress), ("deflate", zlib.decompress)):
        status, headers, body = fetch(api, "prod", "/?page=" + "x" * 60, headers={"Accept-Encoding": coding})
        assert (status, headers["content-encoding"]) == (200, coding), headers
        assert json.loads(unpack(body))["page"] == "x" * 60
    status, headers, body = fetch(api, "prod", headers={"Accept-Encoding": "br"})
    assert "content-encoding" not in headers and json.loads(body)
    status, _, _ = fetch(api, "prod", method="POST", body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    assert status == 200
    status, _, _ = fetch(api, "prod", method="POST", body=b"no gzip", headers={"Content-Encoding": "gzip"})
    assert status == 400
    with refused("BadRequestException", "Invalid minimum compression size", 400):
        gateway.create_rest_api(name="negative", minimumCompressionSize=-1)


keeps_answers()
compresses()
