"""A function as people write it with Powertools for AWS Lambda, which comes as a layer, behind a REST API."""

import os
import sys

from given import *

CODE = '''
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="pets")
metrics = Metrics(namespace="Pets", service="pets")
app = APIGatewayRestResolver()

@app.get("/pets/<name>")
def pet(name: str):
    if name == "nobody":
        raise NotFoundError("no such pet")
    logger.info("asked for", extra={"pet": name})
    metrics.add_metric(name="Asked", unit=MetricUnit.Count, value=1)
    return {"name": name, "loud": app.current_event.get_query_string_value("loud", "no")}

@app.post("/pets")
def add():
    return {"added": app.current_event.json_body["name"]}, 201

@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict, context: LambdaContext) -> dict:
    return app.resolve(event, context)
'''


def layer(folder):
    files = {}
    for path, _, names in os.walk(folder):
        for name in names:
            if "__pycache__" not in path and not path.endswith("/bin"):
                file = os.path.join(path, name)
                files[os.path.join("python", os.path.relpath(file, folder))] = open(file, "rb").read()
    content = {"ZipFile": zipped(files)}
    return lambda_.publish_layer_version(LayerName="powertools", Content=content)["LayerVersionArn"]


def behind_an_api():
    api, root = rest_api("pets")
    resource = gateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    proxied(api, resource, "pets", method="ANY")
    permit("pets", api)
    gateway.create_deployment(restApiId=api, stageName="live")
    return api


function("pets", CODE, role("pets"), Layers=[layer(sys.argv[1])], MemorySize=256, Timeout=20)
api = behind_an_api()
status, headers, body = fetch(api, "live", "/pets/tom?loud=yes")
assert (status, json.loads(body)) == (200, {"name": "tom", "loud": "yes"}), (status, body)
assert headers["content-type"] == "application/json"
status, _, body = fetch(api, "live", "/pets/nobody")
assert (status, json.loads(body)) == (404, {"statusCode": 404, "message": "no such pet"}), (status, body)
status, _, body = fetch(api, "live", "/pets", method="POST", headers={"Content-Type": "application/json"}, body='{"name": "rex"}')
assert (status, json.loads(body)) == (201, {"added": "rex"}), (status, body)


def said():
    lines = [json.loads(message) for message in log_messages("/aws/lambda/pets") if message.startswith("{")]
    metrics = [line for line in lines if "_aws" in line]
    asked = [line for line in lines if line.get("message") == "asked for"]
    return (metrics, asked) if len(metrics) >= 2 and asked else None


metrics, (asked, *_) = wait_for("what the function said", said)
has(asked, level="INFO", service="pets", pet="tom", cold_start=True, function_name="pets", function_memory_size="256",
    function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:pets")
assert len(asked["correlation_id"]) == 36 and len(asked["function_request_id"]) == 36, asked
names = {metric["Name"] for line in metrics for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
assert names == {"ColdStart", "Asked"}, names
