"""An Express application in a function, behind a REST API and by a function URL."""

import os
import sys

from given import *

CODE = '''
const express = require('express');
const serverless = require('serverless-http');
const app = express();
app.use(express.json());
app.get('/hello/:name', (request, response) => response.json({ hello: request.params.name, query: request.query }));
app.post('/echo', (request, response) => response.status(201).set('x-kind', 'echo').cookie('a', '1').send(request.body));
app.get('/bytes', (request, response) => response.type('application/octet-stream').send(Buffer.from([0, 255, 1])));
app.get('/boom', () => { throw new Error('boom'); });
app.use((error, request, response, next) => response.status(500).json({ message: error.message }));
exports.handler = serverless(app, { binary: ['application/octet-stream'] });
'''


def create(folder):
    files = {"app.js": CODE}
    for path, _, names in os.walk(os.path.join(folder, "node_modules")):
        for name in names:
            file = os.path.join(path, name)
            if os.path.isfile(file) and not os.path.islink(file):
                files[os.path.relpath(file, folder)] = open(file, "rb").read()
    lambda_.create_function(
        FunctionName="web", Role=role("web"), Code={"ZipFile": zipped(files)}, Runtime="nodejs20.x", Handler="app.handler",
        Timeout=20, MemorySize=256)
    lambda_.get_waiter("function_active_v2").wait(FunctionName="web", WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def check(ask):
    status, headers, body = ask("/hello/world?a=1&b=x")
    assert (status, json.loads(body)) == (200, {"hello": "world", "query": {"a": "1", "b": "x"}}), (status, body)
    assert headers["content-type"].startswith("application/json") and headers["x-powered-by"] == "Express", headers
    status, headers, body = ask("/echo", method="POST", headers={"Content-Type": "application/json"}, body='{"ü": [1]}'.encode())
    assert (status, json.loads(body), headers["x-kind"]) == (201, {"ü": [1]}, "echo"), (status, headers, body)
    assert headers["set-cookie"].startswith("a=1"), headers
    status, _, body = ask("/boom")
    assert (status, json.loads(body)) == (500, {"message": "boom"}), (status, body)
    assert ask("/none")[0] == 404


create(sys.argv[1])
api, root = rest_api("web")
resource = gateway.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
proxied(api, resource, "web", method="ANY")
permit("web", api)
gateway.create_deployment(restApiId=api, stageName="live")
check(lambda path, **more: fetch(api, "live", path, **more))

made = lambda_.create_function_url_config(FunctionName="web", AuthType="NONE")
for action, more in (("InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}), ("InvokeFunction", {"InvokedViaFunctionUrl": True})):
    lambda_.add_permission(FunctionName="web", StatementId=action, Action=f"lambda:{action}", Principal="*", **more)
url_id = urllib.parse.urlparse(made["FunctionUrl"]).hostname.split(".")[0]
by_url = lambda path, method="GET", **more: exchange(method, f"/_aws/lambda-url/{url_id}{path}", **more)
check(by_url)
assert by_url("/bytes")[2] == b"\x00\xff\x01", "bytes stay bytes"
