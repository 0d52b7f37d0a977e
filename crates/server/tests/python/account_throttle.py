"""An account's own throttle, with a server that lets each account and region be called three times at once and hardly ever again."""

from given import *

apis = boto3.client("apigatewayv2", config=CONFIG)
has(gateway.get_account(), throttleSettings={"burstLimit": 3, "rateLimit": 0.001})

# What is counted is the account, not the API, the stage or the method; a method that asks for something is counted as others are.
one, root = rest_api("one")
mock(one, root)
other, root = rest_api("other")
mock(other, root)
validator = gateway.create_request_validator(restApiId=other, name="v", validateRequestParameters=True)["id"]
gateway.update_method(restApiId=other, resourceId=root, httpMethod="GET", patchOperations=[
    {"op": "replace", "path": "/requestValidatorId", "value": validator}])
gateway.put_gateway_response(restApiId=other, responseType="THROTTLED", statusCode="420")
for api in (one, other):
    gateway.create_deployment(restApiId=api, stageName="prod")
http_api = apis.create_api(Name="http", ProtocolType="HTTP", Target="http://127.0.0.1:1/")["ApiId"]

assert [fetch(api, "prod")[0] for api in (one, other, one)] == [200, 200, 200]
status, headers, body = fetch(one, "prod")
assert (status, json.loads(body)) == (429, {"message": "Too Many Requests"}), (status, body)
assert headers["x-amzn-errortype"] == "TooManyRequestsException", headers
assert fetch(other, "prod")[0] == 420, "it is the gateway response THROTTLED"
status, _, body = exchange("GET", f"/_aws/execute-api/{http_api}/")
assert (status, json.loads(body)) == (429, {"message": "Too Many Requests"}), (status, body)

# Trials aren't throttled, and another region has a bucket of its own.
tried = gateway.test_invoke_method(restApiId=one, resourceId=gateway.get_resources(restApiId=one)["items"][0]["id"], httpMethod="GET")
assert tried["status"] == 200, tried
gateway = boto3.client("apigateway", config=CONFIG, region_name="eu-west-1")
ids = gateway.create_rest_api(name="there")
at = {"restApiId": ids["id"], "resourceId": ids["rootResourceId"], "httpMethod": "GET"}
gateway.put_method(**at, authorizationType="NONE")
gateway.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
gateway.put_integration_response(**at, statusCode="200")
gateway.create_deployment(restApiId=ids["id"], stageName="prod")
assert fetch(ids["id"], "prod")[0] == 200
