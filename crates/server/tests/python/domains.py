"""Custom domains and base path mappings, through the real data plane."""

from given import *

ECHO = """
import json
def handler(event, context):
    shown = {key: event["requestContext"][key] for key in ("path", "domainName", "domainPrefix", "stage", "resourcePath")}
    return {"statusCode": 200, "body": json.dumps(shown | {"event path": event["path"]})}
"""


def ask(host, path, **request):
    status, _, text = exchange("GET", path, {"Host": host})
    return status, json.loads(text)


function("domains", ECHO, role("domains"))
api, root = rest_api("domains")
pets = gateway.create_resource(restApiId=api, parentId=root, pathPart="pets")["id"]
proxied(api, pets, "domains")
permit("domains", api)
for stage in ("prod", "beta"):
    gateway.create_deployment(restApiId=api, stageName=stage)
other, other_root = rest_api("other")
mock(other, other_root)
gateway.create_deployment(restApiId=other, stageName="prod")

certificate = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/7a0f3d6e-0000-4000-8000-000000000000"
for name in ("api.example.com", "*.example.org"):
    gateway.create_domain_name(
        domainName=name, regionalCertificateArn=certificate, endpointConfiguration={"types": ["REGIONAL"]}
    )
gateway.create_base_path_mapping(domainName="api.example.com", basePath="shop", restApiId=api, stage="prod")
gateway.create_base_path_mapping(domainName="api.example.com", basePath="any", restApiId=api)
gateway.create_base_path_mapping(domainName="*.example.org", restApiId=other, stage="prod")

status, told = ask("api.example.com", "/shop/pets")
assert status == 200, told
assert told == {
    "path": "/shop/pets", "event path": "/shop/pets", "domainName": "api.example.com", "domainPrefix": "api",
    "stage": "prod", "resourcePath": "/pets",
}, told
status, told = ask("API.example.com:4566", "/any/beta/pets")
assert (status, told["stage"], told["path"]) == (200, "beta", "/any/beta/pets"), told
assert ask("api.example.com", "/none/pets") == (403, {"message": "Forbidden"})
assert ask("api.example.com", "/shop/none") == (403, {"message": "Missing Authentication Token"})
assert exchange("GET", "/", {"Host": "www.example.org"})[0] == 200

# An API that is reached by its domain only.
gateway.update_rest_api(restApiId=api, patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}])
assert fetch(api, "prod", "/pets")[0] == 403
assert ask("api.example.com", "/shop/pets")[0] == 200

gateway.update_base_path_mapping(
    domainName="api.example.com", basePath="shop", patchOperations=[{"op": "replace", "path": "/stage", "value": "beta"}]
)
assert ask("api.example.com", "/shop/pets")[1]["stage"] == "beta"
gateway.delete_base_path_mapping(domainName="api.example.com", basePath="shop")
assert ask("api.example.com", "/shop/pets")[0] == 403
gateway.delete_base_path_mapping(domainName="api.example.com", basePath="any")
gateway.delete_domain_name(domainName="api.example.com")
assert exchange("GET", "/shop/pets", {"Host": "api.example.com"})[0] != 403, "no domain, no API"
