"""A page that a hostile API, function URL or bucket returns on the console's own host tries to act as who has the console open.

Arguments: Chromium's path; `open` or `keys`, as the server was started.
"""
import io, json, os, sys, urllib.parse, urllib.request, zipfile

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

sys.path.insert(0, os.path.dirname(__file__))
from browser import Browser

chromium, door = sys.argv[1:3]
endpoint = os.environ["AWS_ENDPOINT_URL"]
host = urllib.parse.urlsplit(endpoint).netloc
session = boto3.Session("AKIDEXAMPLE", "secret") if door == "keys" else boto3.Session()
gateway, functions, watch = (session.client(name) for name in ("apigateway", "lambda", "cloudwatch"))
s3 = session.client("s3", config=Config(signature_version="s3v4"))

# Says what became of each try; what works, and what isn't for this page to know or do, is told.
PAGE = """<!doctype html><title>hostile</title><body><script>
self.attack = async (at, path) => {
  const found = {}, headers = {"Content-Type": "application/json", "X-Pitbird-Console": "1"};
  const abort = at + "/_pitbird/call/rollouts/AbortRollout", body = JSON.stringify({input: {Name: "pets"}});
  const query = "Action=DeleteAlarms&AlarmNames.member.1=till&Version=2010-08-01";
  const form = {"Content-Type": "application/x-www-form-urlencoded"};
  const loaded = (element) => new Promise((done) => { element.onload = element.onerror = () => done(element); document.body.append(element); });
  const element = (name, members) => Object.assign(document.createElement(name), members);
  const send = (action, enctype, fields, target) => {
    const sent = element("form", {method: "POST", action, enctype, target});
    for (const [name, value] of fields) sent.append(element("input", {name, value}));
    document.body.append(sent);
    sent.submit();
  };
  const framed = async (action, enctype, fields) => {
    const frame = element("iframe", {name: "frame" + Math.random()});
    await loaded(frame);
    const answered = new Promise((done) => { frame.onload = done; });
    send(action, enctype, fields, frame.name);
    await answered;
    return "sent";
  };
  const tries = {
    read: () => fetch(at + "/_pitbird/session", {credentials: "include"}).then((it) => it.text()),
    act: () => fetch(abort, {method: "POST", credentials: "include", headers, body}).then((it) => it.text()),
    simple: () => fetch(abort, {method: "POST", mode: "no-cors", credentials: "include", body}).then((it) => "sent"),
    stream: () => new Promise((done, fail) => {
      const source = new EventSource(at + "/_pitbird/live/releases", {withCredentials: true});
      source.addEventListener("all", (event) => done(event.data));
      source.onerror = () => { source.close(); fail(new Error("closed")); };
    }),
    form: () => framed(abort, "text/plain", [["{\\"input\\":{\\"Name\\":\\"pets\\"},\\"x\\":\\"", "\\"}"]]),
    frame: async () => (await loaded(element("iframe", {src: at + "/_pitbird/"}))).contentDocument.body.innerText,
    popup: async () => {
      const opened = open(at + "/_pitbird/");
      if (!opened) throw new Error("no window");
      for (;;) {
        if (opened.closed) throw new Error("cut off");
        if (opened.location.href.includes("_pitbird") && opened.document.querySelector("nav a")) return opened.document.body.innerText;
        await new Promise((done) => setTimeout(done, 10));
      }
    },
    worker: () => navigator.serviceWorker.register(path + "worker.js", {scope: "/"}).then(() => "registered"),
    stored: () => "stored " + localStorage.length,
    cookie: () => { document.cookie = "pitbird_session=mine; path=/_pitbird"; return "set"; },
    call: () => fetch(at + "/", {method: "POST", mode: "no-cors", headers: form, body: query}).then(() => "sent"),
    called: () => framed(at + "/", "application/x-www-form-urlencoded", query.split("&").map((pair) => pair.split("="))),
    picture: () => loaded(element("img", {src: at + "/?" + query})).then(() => "sent"),
  };
  for (const [name, run] of Object.entries(tries)) {
    try { found[name] = String(await run()); } catch (error) { found[name] = "refused: " + error.message; }
  }
  return JSON.stringify({origin: self.origin, found});
};
</script>"""

HANDLER = """
import pathlib
def handler(event, context):
    path = event.get("rawPath") or event["path"]
    headers = {"Content-Type": "text/html", "Service-Worker-Allowed": "/", "Clear-Site-Data": '"cookies"', "X-Own": "1",
               "Content-Security-Policy": "img-src *", "Set-Cookie": "pitbird_session=mine; Path=/_pitbird"}
    if path.endswith("worker.js"):
        return {"statusCode": 200, "headers": {**headers, "Content-Type": "text/javascript"}, "body": "addEventListener('fetch', () => {})"}
    return {"statusCode": 200, "headers": headers, "body": pathlib.Path(__file__).with_name("page.html").read_text()}
"""


def rollouts(operation, **members):
    """pitbird's own service, by its wire protocol."""
    headers = {"X-Amz-Target": f"PitbirdRollouts_20261101.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    request = AWSRequest("POST", endpoint + "/", headers, json.dumps(members))
    SigV4Auth(session.get_credentials(), "pitbird", session.region_name or "us-east-1").add_auth(request)
    sent = urllib.request.Request(endpoint + "/", request.data.encode(), dict(request.headers))
    return json.loads(urllib.request.urlopen(sent, timeout=30).read())


def hostile_places():
    """Addresses of the page on the console's own host, and one on a host of its API's own."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as code:
        code.writestr("app.py", HANDLER)
        code.writestr("page.html", PAGE)
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = session.client("iam").create_role(RoleName="pets", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    made = functions.create_function(FunctionName="hostile", Runtime="python3.11", Handler="app.handler", Role=role,
                                     Code={"ZipFile": package.getvalue()})
    functions.get_waiter("function_active_v2").wait(FunctionName="hostile")
    url = functions.create_function_url_config(FunctionName="hostile", AuthType="NONE")["FunctionUrl"]
    url_id = urllib.parse.urlsplit(url).netloc.split(".")[0]
    anybody = {"FunctionName": "hostile", "Principal": "*"}
    functions.add_permission(**anybody, StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    functions.add_permission(**anybody, StatementId="url2", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    functions.add_permission(FunctionName="hostile", Principal="apigateway.amazonaws.com", StatementId="api", Action="lambda:InvokeFunction")
    api = gateway.create_rest_api(name="hostile")
    for resource in (api["rootResourceId"], gateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="{all+}")["id"]):
        gateway.put_method(restApiId=api["id"], resourceId=resource, httpMethod="GET", authorizationType="NONE")
        uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{made['FunctionArn']}/invocations"
        gateway.put_integration(restApiId=api["id"], resourceId=resource, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    deployment = gateway.create_deployment(restApiId=api["id"], stageName="prod")["id"]
    s3.create_bucket(Bucket="hostile")
    s3.put_object(Bucket="hostile", Key="page", Body=PAGE.encode(), ContentType="text/html")
    signed = s3.generate_presigned_url("get_object", Params={"Bucket": "hostile", "Key": "page"})
    target = {"RestStage": {"RestApiId": api["id"], "StageName": "prod"}}
    canary = gateway.create_deployment(restApiId=api["id"])["id"]
    assert canary != deployment
    rollouts("StartRollout", Name="pets", Target=target, Canary={"DeploymentId": canary}, Steps=[{"Percent": 10, "WaitMs": 600_000}])
    port = host.rsplit(":", 1)[1]
    return [f"{endpoint}/_aws/execute-api/{api['id']}/prod/", f"{endpoint}/restapis/{api['id']}/prod/_user_request_/",
            f"{endpoint}/_aws/lambda-url/{url_id}/", signed], f"http://{api['id']}.execute-api.localhost:{port}/prod/"


def signed_in(browser):
    browser.open(f"{endpoint}/_pitbird/")
    if door == "keys":
        browser.until("a place to sign in", "document.querySelector('input[type=password]')")
        browser.evaluate("""(() => { const [id, secret] = document.querySelectorAll('main input');
            id.value = 'AKIDEXAMPLE'; secret.value = 'secret'; document.querySelector('main form button').click(); })()""")
    browser.until("the release", "document.body.innerText.includes('pets') && document.body.innerText.includes('in progress')")


def headers_of(url, **sent):
    found = urllib.request.urlopen(urllib.request.Request(url, headers=sent), timeout=30)
    return {name.lower(): [value for other, value in found.headers.items() if other == name] for name in found.headers}


watch.put_metric_alarm(AlarmName="till", Namespace="Shop", MetricName="Orders", Statistic="Sum", Period=60, EvaluationPeriods=1,
                       Threshold=1, ComparisonOperator="GreaterThanThreshold")
here, elsewhere = hostile_places()
browser = Browser(chromium)
try:
    signed_in(browser)
    for place in [*here, elsewhere]:
        browser.open(place)
        browser.until(f"the hostile page {place}", "self.attack && document.title === 'hostile'")
        path = urllib.parse.urlsplit(place).path
        told = json.loads(browser.evaluate(f"attack({json.dumps(endpoint)}, {json.dumps(path)})"))
        found, own = told["found"], place == elsewhere
        assert own != (told["origin"] == "null"), (place, told)
        harmless = {"simple", "form", "call", "called", "picture"} | ({"worker", "stored", "cookie"} if own else set())
        worked = {name: said for name, said in found.items() if not said.startswith("refused")}
        assert set(worked) <= harmless, (place, worked)
        assert rollouts("GetRollout", Name="pets")["Rollout"]["Status"] == "InProgress", (place, found)
        assert watch.describe_alarms(AlarmNames=["till"])["MetricAlarms"], (place, found)
        # A page of its own host is a page like any other: it keeps what it stores.
        assert not own or found["stored"].startswith("stored"), found
    assert not browser.evaluate(f"fetch('{path}').then(() => document.cookie)").count("pitbird_session"), "another host's"
    # Who had the console open has it still.
    browser.open(f"{endpoint}/_pitbird/releases/pets")
    browser.until("still there", "document.querySelector('h1')?.innerText.includes('in progress') && document.querySelector('#link').innerText.includes('live')")
finally:
    browser.close()

# Who is no browser notices nothing; a browser is told more, and never what speaks for the whole host.
plain, asked = headers_of(here[0]), headers_of(here[0], **{"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"})
assert plain["content-security-policy"] == ["img-src *"] and plain["set-cookie"] and plain["clear-site-data"], plain
assert plain["service-worker-allowed"] == ["/"] and plain["x-own"] == ["1"], plain
assert asked["content-security-policy"][0] == "img-src *" and asked["content-security-policy"][1].startswith("sandbox "), asked
assert asked["x-own"] == ["1"] and not {"set-cookie", "clear-site-data", "service-worker-allowed"} & set(asked), asked
old = headers_of(here[0], **{"User-Agent": "Mozilla/5.0"})
assert len(old["content-security-policy"]) == 2, "browsers that say nothing of where they will put an answer"
print("a hostile page on the console's host can do nothing there")
