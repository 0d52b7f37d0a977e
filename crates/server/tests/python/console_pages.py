"""The console's other pages as somebody uses them: APIs, functions, metrics, queries; a release that is paused, resumed and promoted; its report;
and a connection that breaks.

Arguments: Chromium's path, axe's script, a folder for pictures.
"""
import http.client, io, json, math, os, socket, sys, threading, time, urllib.parse, urllib.request, zipfile

import boto3

sys.path.insert(0, os.path.dirname(__file__))
from browser import Browser

chromium, axe_path, pictures = sys.argv[1:4]
endpoint = os.environ["AWS_ENDPOINT_URL"]
host = urllib.parse.urlsplit(endpoint).netloc
gateway, http_apis, functions, watch = (boto3.client(name) for name in ("apigateway", "apigatewayv2", "lambda", "cloudwatch"))


class Relay:
    """Between browser and server, so that connections can be cut."""

    def __init__(self):
        self.listener, self.open, self.heard, self.is_cut = socket.create_server(("127.0.0.1", 0)), set(), b"", False
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            if self.is_cut:
                near.close()
                continue
            name, port = host.split(":")
            far = socket.create_connection((name, int(port)))
            self.open |= {near, far}
            for source, target, is_asking in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pass, args=(source, target, is_asking), daemon=True).start()

    def _pass(self, source, target, is_asking):
        try:
            while data := source.recv(1 << 16):
                self.heard += data if is_asking else b""
                target.sendall(data)
        except OSError:
            pass
        self._end(source, target)

    def _end(self, *sides):
        for side in sides:
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open -= set(sides)

    def cut(self):
        self.is_cut = True
        self._end(*self.open)


def rollouts(operation, **members):
    """pitbird's own service, by its wire protocol."""
    connection = http.client.HTTPConnection(host, timeout=30)
    headers = {"X-Amz-Target": f"PitbirdRollouts_20261101.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    connection.request("POST", "/", json.dumps(members), headers)
    answer = connection.getresponse()
    body = json.loads(answer.read() or b"{}")
    assert answer.status == 200, (operation, body)
    return body


def package(text, seconds=0):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as code:
        code.writestr("app.py", f"import time\n\ndef handler(event, context):\n    time.sleep({seconds})\n    print('{text}')\n    return {{'statusCode': 200, 'body': '{text} <b>'}}\n")
    return whole.getvalue()


trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
role = boto3.client("iam").create_role(RoleName="pets", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
made = functions.create_function(FunctionName="pets", Runtime="python3.11", Handler="app.handler", Role=role, Code={"ZipFile": package("one")})
functions.get_waiter("function_active_v2").wait(FunctionName="pets")
functions.publish_version(FunctionName="pets", Description="the first")
functions.update_function_code(FunctionName="pets", ZipFile=package("two"))
functions.get_waiter("function_updated_v2").wait(FunctionName="pets")
functions.publish_version(FunctionName="pets", Description="the second")
functions.create_alias(FunctionName="pets", Name="live", FunctionVersion="1")
functions.put_function_concurrency(FunctionName="pets", ReservedConcurrentExecutions=7)
functions.add_permission(FunctionName="pets", Principal="apigateway.amazonaws.com", StatementId="api", Action="lambda:InvokeFunction")
api = gateway.create_rest_api(name="pets")
path = gateway.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="cats")["id"]
gateway.put_method(restApiId=api["id"], resourceId=path, httpMethod="GET", authorizationType="NONE")
uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{made['FunctionArn']}/invocations"
gateway.put_integration(restApiId=api["id"], resourceId=path, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
gateway.create_deployment(restApiId=api["id"], stageName="prod")
# The canary's function takes three seconds.
slow = functions.create_function(FunctionName="slow", Runtime="python3.11", Handler="app.handler", Role=role, Timeout=20, Code={"ZipFile": package("two", 3)})
functions.get_waiter("function_active_v2").wait(FunctionName="slow")
functions.add_permission(FunctionName="slow", Principal="apigateway.amazonaws.com", StatementId="api", Action="lambda:InvokeFunction")
gateway.put_integration(restApiId=api["id"], resourceId=path, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri.replace("function:pets", "function:slow"))
canary = gateway.create_deployment(restApiId=api["id"])["id"]
gateway.put_integration(restApiId=api["id"], resourceId=path, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
http_apis.create_api(Name="toys", ProtocolType="HTTP", Target=made["FunctionArn"])
watch.put_metric_alarm(AlarmName="till", Namespace="Shop", MetricName="Orders", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
                       ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore")
# Two tills for an hour, to look at in a chart.
minute = int(time.time()) // 60 * 60
for till, about in (("left", 40), ("right", 25)):
    watch.put_metric_data(Namespace="Shop", MetricData=[
        {"MetricName": "Orders", "Dimensions": [{"Name": "Till", "Value": till}], "Timestamp": minute - 60 * age, "Unit": "Count",
         "Value": about + 10 * math.sin((age + about) / 9) + (age * 7 + about) % 5} for age in range(58)])
rules = {"Steps": [{"Percent": 10, "WaitMs": 600_000}], "Rules": {"IntervalMs": 200}}
rollouts("StartRollout", Name="by-alias", Target={"LambdaAlias": {"FunctionName": "pets", "AliasName": "live"}}, Canary={"FunctionVersion": "2"}, Alarms=["till"], **rules)
rollouts("StartRollout", Name="by-stage", Target={"RestStage": {"RestApiId": api["id"], "StageName": "prod"}}, Canary={"DeploymentId": canary}, **rules)
for _ in range(30):
    functions.invoke(FunctionName="pets", Qualifier="live", Payload=b"{}")

relay = Relay()
page = f"http://127.0.0.1:{relay.port}/_pitbird"
browser = Browser(chromium)


def looked_at(where):
    """Nothing has moved by itself; no violation of WCAG 2.2 A and AA that axe finds, in light and dark; nothing wider than a telephone."""
    browser.still(where)
    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        browser.evaluate(open(axe_path).read() + "; true")
        rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"
        found = json.loads(browser.evaluate(f"axe.run(document, {rules}).then((found) => JSON.stringify(found.violations))"))
        told = [(it["id"], [node["html"][:160] + " " + node["failureSummary"] for node in it["nodes"][:3]]) for it in found]
        assert not told, f"{where}, {scheme}: {json.dumps(told, indent=1)}"
    browser.size(320, 640)
    wide = browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{where}: {wide} px wider than the window"
    browser.size(1280, 800)
    browser.scheme("light")


def says(what, pattern):
    browser.until(what, f"/{pattern}/.test(document.body.innerText)")


def ordered(label, words, reason=""):
    """Presses a button and then the one that it asks by."""
    browser.click(label)
    if reason:
        browser.until("no answer without a reason", f"[...document.querySelectorAll('dialog button')].find((it) => it.innerText === '{label}')?.disabled")
        browser.evaluate(f"(() => {{ const it = document.querySelector('#reason'); it.value = '{reason}'; it.dispatchEvent(new Event('input')); }})()")
    command = f"pitbird rollout {words} by-alias" + (f" --reason {reason}" if reason else "")
    browser.until("the command", f"document.querySelector('dialog[open] pre')?.innerText === '{command}'")
    browser.evaluate(f"[...document.querySelectorAll('dialog button')].find((it) => it.innerText === '{label}').click()")
    browser.until("the dialog is gone", "!document.querySelector('dialog')")


try:
    browser.size(1280, 800)
    browser.scheme("light")
    browser.open(f"{page}/releases/by-alias")
    says("the alarm as it stands", r"till \? INSUFFICIENT_DATA")
    watch.set_alarm_state(AlarmName="till", StateValue="OK", StateReason="for the test")
    says("the alarm as it stands now", "till ✔ OK")
    says("cold starts of both versions", r"cold starts\s+\d+\s+\d+")
    looked_at("a release of an alias")

    # A connection that breaks is said, and taken up where it broke.
    browser.until("live", "document.querySelector('#link').innerText === '● live'")
    relay.cut()
    browser.until("a lost connection is said", "document.querySelector('#link').innerText.includes('connection lost')")
    rollouts("PauseRollout", Name="by-alias")
    relay.heard, relay.is_cut = b"", False
    browser.until("live again", "document.querySelector('#link').innerText === '● live'")
    browser.until("what was missed", "document.querySelector('h1').innerText.includes('paused')")
    assert b"last-event-id: " in relay.heard.lower(), relay.heard[:2000]

    ordered("Resume", "resume")
    browser.until("resumed", "document.querySelector('h1').innerText.includes('in progress')")
    ordered("Pause", "pause")
    browser.until("paused", "document.querySelector('h1').innerText.includes('paused')")
    ordered("Promote", "promote", "seen")
    browser.until("promoted", "document.querySelector('h1').innerText.includes('promoted')")
    assert functions.get_alias(FunctionName="pets", Name="live")["FunctionVersion"] == "2"
    says("who ordered it", "Promote by arn:aws:iam::000000000000:root: seen")
    # Files as they would be saved.
    browser.evaluate("""self.saved = []; URL.createObjectURL = (blob) => { self.saved.push(blob); return "#"; }; true""")
    browser.click("Save as JSON")
    browser.click("Save as HTML report")
    texts = browser.until("two files", "self.saved.length === 2 && Promise.all(self.saved.map((it) => it.text()))")
    assert json.loads(texts[0])["Status"] == "Promoted" and json.loads(texts[0])["Decisions"], texts[0][:500]
    browser.open("about:blank")
    browser.until("a blank page", "location.href === 'about:blank'")
    frame = browser.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    browser.send("Page.setDocumentContent", frameId=frame, html=texts[1])
    says("the report by itself", "by-alias: ✔ promoted")
    assert not browser.evaluate("document.querySelectorAll('script, link, img, [src]').length"), "it needs nothing else"
    looked_at("the report")

    # A stage's metrics have both arms, as on AWS; the page tells the base without its canary.
    arms = lambda: [rollouts("GetRolloutMeasures", Name="by-stage")["Measures"][0][arm] for arm in ("Base", "Canary")]
    for _ in range(400):
        if all("LatencyP50" in arm for arm in arms()):
            break
        with urllib.request.urlopen(f"{endpoint}/_aws/execute-api/{api['id']}/prod/cats", timeout=60) as answer:
            assert answer.status == 200
    base, tried = arms()
    assert base["LatencyP50"] < 3000 <= tried["LatencyP50"] * 1.01, (base, tried)
    browser.open(f"{page}/releases/by-stage")
    browser.until("both arms' own latencies", """(() => {
        const [base, canary] = (document.body.innerText.match(/latency p50\\s+([\\d.]+).ms\\s+([\\d.]+).ms/) ?? []).slice(1).map(Number);
        return base < 3000 && canary >= 2970;
    })()""")
    assert not browser.evaluate("document.body.innerText.includes('together')")
    browser.click("The same from the command line")
    says("the command", "pitbird api rollouts get-rollout-measures --input '{.Name.:.by-stage.}'")
    looked_at("a release of a stage")

    browser.open(f"{page}/")
    browser.click("APIs")
    says("both kinds of API", r"toys\s+\w+\s+HTTP")
    looked_at("APIs")
    browser.click("pets")
    says("the stage with its canary", f"prod\\s+\\w+\\s+10.% to deployment {canary}")
    says("its route", r"GET\s+\/cats\s+AWS_PROXY arn:aws:lambda:us-east-1:000000000000:function:pets")
    browser.click("Send")
    says("an answer", r"✔ 200[^]*(one|two) <b>")
    says("the command", "curl -i 'http:[^']*\\/_aws\\/execute-api\\/[^']*\\/prod\\/cats'")
    looked_at("an API")

    browser.click("Functions")
    browser.click("pets")
    says("versions", r"2\s+python3.11[^]*the second[^]*1\s+python3.11[^]*the first")
    says("aliases", "live\\s+version 2: 100.%")
    says("concurrency", r"reserved\s+7")
    says("environments", r"alive, version \S+\s+[1-9]\d*, of which \d+ idle")
    looked_at("a function")

    browser.click("Metrics")
    browser.until("metrics of functions", "[...document.querySelectorAll('#namespace option')].some((it) => it.value === 'AWS/Lambda')")
    browser.evaluate("""(() => { for (const [id, value] of [["namespace", "AWS/Lambda"], ["metric", "Invocations"]]) {
        const list = document.getElementById(id); list.value = value; list.dispatchEvent(new Event("change")); } })()""")
    browser.until("a chart", "document.querySelector('.chart path.line[d^=M]') && document.querySelector('figure').getAttribute('aria-label').includes('Invocations')")
    browser.click("Pause")
    says("paused", "; paused")
    browser.evaluate("document.querySelector('.chart').focus()")
    # The invocations were in the last minute or in one of those before it.
    is_read = "/FunctionName=pets[^·]* [1-9]/.test(document.querySelector('.readout').innerText)"
    for _ in range(15):
        for kind in ("keyDown", "keyUp"):
            browser.send("Input.dispatchKeyEvent", type=kind, key="ArrowLeft")
        if browser.evaluate(is_read):
            break
    browser.until("a value by keyboard", is_read)
    shown = "(([from, to]) => (Date.parse(to.dateTime) - Date.parse(from.dateTime)) / 1000)([...document.querySelectorAll('.ends time')])"
    assert browser.evaluate(shown) == 3600, browser.evaluate(shown)
    box = browser.evaluate("(({x, y, width, height}) => ({x, y, width, height}))(document.querySelector('.chart').getBoundingClientRect())")
    middle = box["y"] + box["height"] / 2
    for kind, share in (("mouseMoved", 0.7), ("mousePressed", 0.7), ("mouseMoved", 0.85), ("mouseReleased", 0.99)):
        browser.send("Input.dispatchMouseEvent", type=kind, x=box["x"] + share * box["width"], y=middle, button="left", buttons=1, clickCount=1)
    zoomed = browser.until("zoomed", f"{shown} < 3600 && {shown}")
    assert 600 < zoomed < 1500, zoomed
    looked_at("metrics")
    browser.click("Zoom out")
    browser.until("all of it", f"{shown} === 3600 && [...document.querySelectorAll('button')].some((it) => it.innerText === 'Zoom out' && it.disabled)")
    browser.evaluate("(() => { const list = document.getElementById('namespace'); list.value = 'Shop'; list.dispatchEvent(new Event('change')); })()")
    browser.until("two series that lines and names tell apart", "document.querySelectorAll('.chart path.line').length === 2 && /Till=left[^]*Till=right/.test(document.querySelector('.legend').innerText)")
    browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=box["x"] + 0.6 * box["width"], y=middle)
    browser.until("values under the pointer", r"/Till=left \d+.*Till=right \d+/.test(document.querySelector('.readout').innerText)")
    browser.picture(f"{pictures}/console-metrics.png")

    browser.click("Query")
    browser.until("a group", "document.querySelector('#group option')")
    browser.evaluate("document.querySelector('#query').value = 'stats count(*) as lines by bin(1m)'; true")
    browser.click("Run")
    says("rows", r"Complete: [1-9]\d* rows")
    browser.until("a chart and a table", "document.querySelector('.chart path.line') && document.querySelectorAll('main table').length === 2")
    looked_at("a query")
    browser.evaluate("document.querySelector('#query').value = 'stats nonsense'; true")
    browser.click("Run")
    browser.until("what is wrong with it", "document.querySelector('[role=status]:not(#link)').innerText.startsWith('✘')")

    # What comes late finds its place kept: each page over a slow line, all of it in view, on a wide window and on a telephone.
    api_page, table = f"apis/{api['id']}", "document.querySelector('main tbody tr')"
    drawn = "document.querySelector('.chart path.line[d^=M]')"
    slow = {"offline": False, "latency": 120, "downloadThroughput": -1, "uploadThroughput": -1}
    for width in (1280, 320):
        for path, shown in (("", table), ("releases/by-alias", "/Decisions\\s+\\d/.test(document.body.innerText)"),
                            ("releases/by-stage", "/latency p99\\s+[\\d.]+.ms/.test(document.body.innerText)"), ("apis", table), (api_page, table), ("functions", table),
                            ("functions/pets", table), ("charts", drawn), ("logs", "document.querySelector('.lines div')"),
                            ("query", "document.querySelector('#group option')"), ("alarms", table)):
            browser.size(width, 4000)
            browser.send("Network.emulateNetworkConditions", **slow)
            browser.open("about:blank")
            browser.until("a blank page", "location.href === 'about:blank'")
            browser.open(f"{page}/{path}")
            browser.until(f"/{path} is shown", f"location.pathname.endsWith('/_pitbird/{path}') && {shown}")
            # What is looked at again and again has been looked at again.
            calls = "performance.getEntriesByType('resource').filter((it) => it.responseEnd).length"
            before = browser.evaluate(calls)
            if path in ("releases/by-stage", "charts", "alarms"):
                browser.until("it was asked again", f"{calls} > {before}")
            browser.still(f"/{path} at {width} px")
    assert not browser.complaints(), browser.complaints()
finally:
    browser.close()
print("all pages show what is there")
