"""Custom domains as API Gateway's second API sees them: API mappings of both kinds of API, and routing rules."""

import http.server
import threading

from given import *

v2 = boto3.client("apigatewayv2", config=CONFIG)

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""


def ask(host, path, **headers):
    status, _, text = exchange("GET", path, {"Host": host} | headers)
    return status, json.loads(text)


function("domains-v2", ECHO, role("domains-v2"))
certificate = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/7a0f3d6e-0000-4000-8000-000000000000"
api = v2.create_api(Name="http", ProtocolType="HTTP")["ApiId"]
target = v2.create_integration(
    ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=proxy_uri("domains-v2"), PayloadFormatVersion="2.0"
)["IntegrationId"]
v2.create_route(ApiId=api, RouteKey="GET /pets/{id}", Target=f"integrations/{target}")
v2.create_stage(ApiId=api, StageName="prod", AutoDeploy=True)
lambda_.add_permission(
    FunctionName="domains-v2", StatementId="http", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
    SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*",
)
rest, root = rest_api("rest")
pets = gateway.create_resource(restApiId=rest, parentId=root, pathPart="pets")["id"]
whole = gateway.create_resource(restApiId=rest, parentId=root, pathPart="v1")["id"]
whole = gateway.create_resource(restApiId=rest, parentId=whole, pathPart="pets")["id"]
for resource in (pets, whole):
    proxied(rest, resource, "domains-v2")
permit("domains-v2", rest)
for stage in ("prod", "beta"):
    gateway.create_deployment(restApiId=rest, stageName=stage)

# One domain, seen from both services.
made = v2.create_domain_name(
    DomainName="Shop.example.com", DomainNameConfigurations=[{"CertificateArn": certificate, "EndpointType": "REGIONAL"}],
    Tags={"a": "1"},
)
assert made["ApiMappingSelectionExpression"] == "$request.basepath" and made["RoutingMode"] == "API_MAPPING_ONLY", made
assert made["DomainNameConfigurations"][0]["DomainNameStatus"] == "AVAILABLE", made
seen = gateway.get_domain_name(domainName="shop.example.com")
assert seen["regionalDomainName"] == made["DomainNameConfigurations"][0]["ApiGatewayDomainName"], (seen, made)
assert [it["DomainName"] for it in v2.get_domain_names()["Items"]] == ["shop.example.com"]
v2.tag_resource(ResourceArn=made["DomainNameArn"], Tags={"b": "2"})
v2.untag_resource(ResourceArn=made["DomainNameArn"], TagKeys=["a"])
assert v2.get_tags(ResourceArn=made["DomainNameArn"])["Tags"] == {"b": "2"}
assert gateway.get_tags(resourceArn=made["DomainNameArn"])["tags"] == {"b": "2"}

domain = {"DomainName": "shop.example.com"}
one = v2.create_api_mapping(**domain, ApiId=api, Stage="prod", ApiMappingKey="orders/v1")
two = v2.create_api_mapping(**domain, ApiId=rest, Stage="prod", ApiMappingKey="orders")
with refused("ConflictException", "key already exists"):
    v2.create_api_mapping(**domain, ApiId=rest, Stage="prod", ApiMappingKey="orders")
with refused("BadRequestException", "Invalid stage identifier"):
    v2.create_api_mapping(**domain, ApiId=api, Stage="none")
status, told = ask("shop.example.com", "/orders/v1/pets/7")
assert status == 200, told
context = told["requestContext"]
assert told["rawPath"] == context["http"]["path"] == "/orders/v1/pets/7", told
assert told["pathParameters"] == {"id": "7"} and context["apiId"] == api and context["stage"] == "prod", told
assert context["domainName"] == "shop.example.com" and context["domainPrefix"] == "shop", told
status, told = ask("shop.example.com", "/orders/pets")
assert status == 200 and told["requestContext"]["apiId"] == rest and told["path"] == "/orders/pets", told
assert ask("shop.example.com", "/order/pets") == (403, {"message": "Forbidden"})
mapped = {it["basePath"]: it["restApiId"] for it in gateway.get_base_path_mappings(domainName="shop.example.com")["items"]}
assert mapped == {"orders": rest, "orders/v1": api}, mapped
with refused("BadRequestException", "Please remove all API mappings for the API"):
    v2.delete_api(ApiId=api)
v2.update_api_mapping(**domain, ApiId=api, ApiMappingId=one["ApiMappingId"], ApiMappingKey="")
assert ask("shop.example.com", "/pets/7")[1]["rawPath"] == "/pets/7"

# What no route takes goes on to a backend without the mapping's path.
class Backend(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


backend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
threading.Thread(target=backend.serve_forever, daemon=True).start()
onward = v2.create_integration(
    ApiId=api, IntegrationType="HTTP_PROXY", IntegrationMethod="ANY",
    IntegrationUri=f"http://127.0.0.1:{backend.server_address[1]}/base",
)["IntegrationId"]
v2.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{onward}")
assert ask("shop.example.com", "/else/where") == (200, "/base/else/where")
v2.update_api_mapping(**domain, ApiId=api, ApiMappingId=one["ApiMappingId"], ApiMappingKey="production")
assert ask("shop.example.com", "/production/else") == (200, "/base/else")
v2.update_api_mapping(**domain, ApiId=api, ApiMappingId=one["ApiMappingId"], ApiMappingKey="")
v2.update_api(ApiId=api, DisableExecuteApiEndpoint=True)
assert ask("shop.example.com", "/pets/8")[0] == 200
v2.delete_api_mapping(**domain, ApiMappingId=one["ApiMappingId"])
assert ask("shop.example.com", "/pets/7")[0] == 403

# Rules before mappings.
action = {"InvokeApi": {"ApiId": rest, "Stage": "beta"}}
header = {"MatchHeaders": {"AnyOf": [{"Header": "x-version", "ValueGlob": "beta*"}]}}
path = {"MatchBasePaths": {"AnyOf": ["v1"]}}
new = dict(domain, Actions=[action], Conditions=[header, path], Priority=10)
with refused("BadRequestException", "routing mode"):
    v2.create_routing_rule(**new)
v2.update_domain_name(**domain, RoutingMode="ROUTING_RULE_THEN_API_MAPPING")
assert gateway.get_domain_name(domainName="shop.example.com")["routingMode"] == "ROUTING_RULE_THEN_BASE_PATH_MAPPING"
rule = v2.create_routing_rule(**new)
assert rule["RoutingRuleArn"].endswith(f"/domainnames/shop.example.com/routingrules/{rule['RoutingRuleId']}"), rule
with refused("ConflictException", "priority 10"):
    v2.create_routing_rule(**new)
status, told = ask("shop.example.com", "/v1/pets", **{"X-Version": "beta-7"})
assert status == 200, told
assert (told["requestContext"]["stage"], told["resource"], told["path"]) == ("beta", "/v1/pets", "/v1/pets"), told
assert ask("shop.example.com", "/v1/pets", **{"X-Version": "prod"})[0] == 403
assert ask("shop.example.com", "/orders/pets", **{"X-Version": "beta"})[1]["requestContext"]["stage"] == "prod"
strip = {"InvokeApi": {"ApiId": rest, "Stage": "beta", "StripBasePath": True}}
v2.put_routing_rule(**dict(new, Actions=[strip]), RoutingRuleId=rule["RoutingRuleId"])
status, told = ask("shop.example.com", "/v1/pets", **{"X-Version": "beta"})
assert (status, told["resource"], told["path"]) == (200, "/pets", "/v1/pets"), told
v2.create_routing_rule(**domain, Actions=[action], Conditions=[], Priority=1_000_000)
assert [it["Priority"] for it in v2.list_routing_rules(**domain)["RoutingRules"]] == [10, 1_000_000]
assert ask("shop.example.com", "/pets")[1]["requestContext"]["stage"] == "beta", "who fits no other rule"
v2.update_domain_name(**domain, RoutingMode="API_MAPPING_ONLY")
assert ask("shop.example.com", "/pets")[0] == 403 and ask("shop.example.com", "/orders/pets")[0] == 200
v2.update_domain_name(**domain, RoutingMode="ROUTING_RULE_ONLY")
assert ask("shop.example.com", "/orders/pets") == (403, {"message": "Missing Authentication Token"}), "the last rule keeps the path"
with refused("BadRequestException", "routing rules"):
    gateway.delete_stage(restApiId=rest, stageName="beta")
v2.delete_routing_rule(**domain, RoutingRuleId=rule["RoutingRuleId"])
with refused("NotFoundException", "routing rule"):
    v2.get_routing_rule(**domain, RoutingRuleId=rule["RoutingRuleId"])
v2.delete_domain_name(**domain)
with refused("NotFoundException", "Invalid domain name identifier"):
    v2.get_domain_name(**domain)
with refused("NotFoundException", "Invalid domain name identifier"):
    gateway.get_domain_name(domainName="shop.example.com")
