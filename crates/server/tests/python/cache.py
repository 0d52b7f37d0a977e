"""A stage's cache and compressed bodies, through the real data plane."""

import gzip
import zlib

import botocore.auth
import botocore.awsrequest
import botocore.credentials

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


def asks_who_may_renew():
    """`execute-api:InvalidateCache`: by a role's policies, by the API's, and for those who don't sign by the API's alone."""
    api = made("renewed")
    method = {"restApiId": api, "resourceId": gateway.get_resources(restApiId=api)["items"][0]["id"], "httpMethod": "GET"}
    ours = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    trusted = json.dumps({"Version": "2012-10-17", "Statement": [ours]})
    arn = iam.create_role(RoleName="renewer", AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
    session = sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    session = [session[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]

    def statement(effect, action):
        return {"Effect": effect, "Action": f"execute-api:{action}", "Resource": f"arn:aws:execute-api:*:*:{api}/prod/GET/*"}

    def own(*statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName="renewer", PolicyName="p", PolicyDocument=document)

    def resource(*statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": [it | {"Principal": "*"} for it in statements]})
        gateway.update_rest_api(
            restApiId=api, patchOperations=[{"op": "replace", "path": "/policy", "value": document if statements else ""}])
        gateway.create_deployment(restApiId=api, stageName="prod")

    def ask(credentials, control=None):
        path = f"/_aws/execute-api/{api}/prod/"
        headers = {"Cache-Control": control} if control else {}
        request = botocore.awsrequest.AWSRequest("GET", ENDPOINT + path, headers=headers)
        if credentials:
            credentials = botocore.credentials.Credentials(*credentials)
            botocore.auth.SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
        status, headers, body = exchange("GET", path, dict(request.headers))
        return status, "warning" in headers, json.loads(body).get("id")

    def renews(credentials):
        """Does it get a new answer, and is it told that it didn't?"""
        kept = ask(credentials)
        assert kept[0] == 200 and ask(credentials) == kept, kept
        status, warned, told_id = ask(credentials, "max-age=0")
        assert status == 200, status
        return told_id != kept[2], warned

    allowed, ignored = (True, False), (False, True)
    gateway.update_method(**method, patchOperations=[{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}])
    resource()
    cached(api, enabled="true")
    call, renew, forbid = statement("Allow", "Invoke"), statement("Allow", "InvalidateCache"), statement("Deny", "InvalidateCache")
    own(call)
    assert renews(session) == ignored
    patch(api, "prod", {"/*/*/caching/unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITHOUT_RESPONSE_HEADER"})
    assert renews(session) == (False, False)
    patch(api, "prod", {"/*/*/caching/unauthorizedCacheControlHeaderStrategy": "FAIL_WITH_403"})
    assert ask(session, "max-age=0")[0] == 403
    own(call, renew)
    assert renews(session) == allowed
    patch(api, "prod", {"/*/*/caching/unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER"})
    assert renews(("test", "test")) == allowed, "a key of one's own may all"
    resource(forbid)
    assert renews(session) == ignored, "the API's policy forbids it"
    resource(renew)
    own(call)
    assert renews(session) == allowed, "the API's policy suffices in one's own account"
    own(call, forbid)
    assert renews(session) == ignored
    gateway.update_method(**method, patchOperations=[{"op": "replace", "path": "/authorizationType", "value": "NONE"}])
    resource(call)
    assert renews(None) == ignored
    resource(call, renew)
    assert renews(None) == allowed


keeps_answers()
compresses()
asks_who_may_renew()
