"""The console as somebody sees it who watches a bad release caught, a good one promoted, and steps in himself.

Arguments: Chromium's path, axe's script, a folder for pictures.
"""
import http.client, io, json, os, sys, threading, time, urllib.parse, zipfile

import boto3
from botocore.exceptions import ClientError

sys.path.insert(0, os.path.dirname(__file__))
from browser import Browser

chromium, axe_path, pictures = sys.argv[1:4]
endpoint = os.environ["AWS_ENDPOINT_URL"]
host = urllib.parse.urlsplit(endpoint).netloc
gateway, logs = boto3.client("apigateway"), boto3.client("logs")
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def rollouts(operation, **members):
    """pitbird's own service, by its wire protocol."""
    connection = http.client.HTTPConnection(host, timeout=30)
    headers = {"X-Amz-Target": f"PitbirdRollouts_20261101.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    connection.request("POST", "/", json.dumps(members), headers)
    answer = connection.getresponse()
    body = json.loads(answer.read() or b"{}")
    assert answer.status == 200, (operation, body)
    return body


api = gateway.create_rest_api(name="pets")
root = api["rootResourceId"]
method = {"restApiId": api["id"], "resourceId": root, "httpMethod": "GET"}
gateway.put_method(**method, authorizationType="NONE")


def deploy(status, **settings):
    gateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": json.dumps({"statusCode": status})})
    for put in (gateway.put_method_response, gateway.put_integration_response):
        try:
            put(**method, statusCode=str(status))
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ConflictException", error
    return gateway.create_deployment(restApiId=api["id"], **settings)["id"]


def release(name, deployment, wait_ms):
    steps = [{"Percent": percent, "WaitMs": wait_ms} for percent in (10, 50, 100)]
    rollouts("StartRollout", Name=name, Target={"RestStage": {"RestApiId": api["id"], "StageName": "prod"}},
             Canary={"DeploymentId": deployment}, Steps=steps, Rules={"Margin": 0.02, "IntervalMs": 200, "MaxDurationMs": 3_600_000})


over = threading.Event()


def traffic():
    connection = http.client.HTTPConnection(host, timeout=30)
    while not over.is_set():
        connection.request("GET", f"/_aws/execute-api/{api['id']}/prod/")
        connection.getresponse().read()
        over.wait(0.004)


def accessible(browser, where):
    """Nothing has moved by itself; no violation of WCAG 2.2 A and AA that axe finds, contrast and labels among them."""
    browser.still(where)
    browser.evaluate(open(axe_path).read() + "; true")
    rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"
    found = json.loads(browser.evaluate(f"axe.run(document, {rules}).then((found) => JSON.stringify(found.violations))"))
    told = [(it["id"], [node["html"][:160] + " " + node["failureSummary"] for node in it["nodes"][:3]]) for it in found]
    assert not told, f"{where}: {json.dumps(told, indent=1)}"


def fits(browser, where):
    wide = browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{where}: {wide} px wider than the window"


v1 = deploy(200, stageName="prod")
browser = Browser(chromium)
try:
    browser.size(1280, 800)
    browser.scheme("light")
    browser.open(f"{endpoint}/_pitbird")
    browser.until("an empty console says what to type", "document.body.innerText.includes('pitbird demo')")
    accessible(browser, "empty")

    senders = [threading.Thread(target=traffic) for _ in range(2)]
    for sender in senders:
        sender.start()
    v2 = deploy(500)
    release("pets-v2", v2, 4000)
    browser.until("v2 appears by itself", "document.body.innerText.includes('pets-v2')")
    browser.until("v2 is rolled back on the page", "/pets-v2\\s+✘ rolled back/.test(document.body.innerText)")
    v3 = deploy(200)
    release("pets-v3", v3, 4000)
    browser.until("v3 is in progress", "/pets-v3 ▶ in progress/.test(document.body.innerText)")
    # What begins takes its place and moves those after it; what only goes on moves nothing.
    browser.moved()
    seen = "document.querySelector('.card .measured').innerText"
    before = browser.evaluate(seen)
    browser.until("it goes on", f"{seen} !== {json.dumps(before)}")
    browser.still("the list while a release goes on")
    browser.click("pets-v3")
    browser.until("its own page", "location.pathname.endsWith('/releases/pets-v3') && document.body.innerText.includes('Base beside canary')")
    # All of it in view, from here to its end.
    browser.size(1280, 4000)
    browser.until("it reaches 50 %", "document.querySelector('.share b').innerText.startsWith('50')")
    browser.size(1280, 800)
    browser.picture(f"{pictures}/console-release.png")
    browser.size(1280, 4000)
    browser.until("latencies of both", "/latency p99\\s+[\\d.]+.ms\\s+[\\d.]+.ms/.test(document.body.innerText)")
    accessible(browser, "a release, light")
    browser.until("v3 is promoted on the page", "/pets-v3 ✔ promoted/.test(document.body.innerText)")
    browser.until("the record with its reasons", "/Decisions[\\s\\S]*50/.test(document.body.innerText)")
    browser.still("a release to its end")
    browser.size(1280, 800)

    # Steps in: pause and abort, each with its command.
    v4 = deploy(200)
    release("pets-v4", v4, 300_000)
    browser.open(f"{endpoint}/_pitbird/releases/pets-v4")
    browser.until("a link to a release works", "document.querySelector('h1')?.innerText.includes('in progress')")
    for label, operation, word in (("Pause", "pause", "paused"), ("Abort", "abort", "aborted")):
        browser.click(label)
        browser.until("the command", f"document.querySelector('dialog[open] pre')?.innerText === 'pitbird rollout {operation} pets-v4'")
        if label == "Pause":
            accessible(browser, "a dialog")
            browser.click("Leave it as it is")
            browser.until("the dialog is gone", "!document.querySelector('dialog')")
            assert rollouts("GetRollout", Name="pets-v4")["Rollout"]["Status"] == "InProgress", "nothing was done"
            browser.click(label)
            browser.until("the dialog again", "document.querySelector('dialog[open]')")
        browser.evaluate(f"[...document.querySelectorAll('dialog button')].find((it) => it.innerText === '{label}').click()")
        browser.until(word, f"document.querySelector('h1').innerText.includes('{word}')")
    assert rollouts("GetRollout", Name="pets-v4")["Rollout"]["Status"] == "Aborted"

    # The same in the dark, on a telephone, and from far away.
    browser.scheme("dark")
    browser.click("Releases")
    browser.until("the list", "document.querySelectorAll('tbody tr').length === 3")
    accessible(browser, "the list, dark")
    browser.picture(f"{pictures}/console-dark.png")
    for width, height in ((320, 640), (3840, 2160)):
        browser.size(width, height)
        fits(browser, f"the list, {width} px")
        accessible(browser, f"the list, {width} px")
        browser.open(f"{endpoint}/_pitbird/releases/pets-v3")
        browser.until("the record", "document.body.innerText.includes('Decisions')")
        fits(browser, f"a release, {width} px")
        browser.click("Releases")
        browser.until("the list", "document.querySelectorAll('tbody tr').length === 3")
    browser.size(1280, 800)

    # Logs with a filter; what they say stays text.
    logs.create_log_group(logGroupName="/shop/till")
    logs.create_log_stream(logGroupName="/shop/till", logStreamName="one")

    def write(*lines):
        now = int(time.time() * 1000)
        logs.put_log_events(logGroupName="/shop/till", logStreamName="one", logEvents=[{"timestamp": now, "message": line} for line in lines])

    write("ERROR early", "fine early")
    browser.click("Logs")
    browser.until("the group", "document.querySelector('main select option')")
    browser.evaluate("document.querySelector('#filter').value = 'ERROR'; document.querySelector('form.form button').click()")
    browser.until("what was there", "document.querySelector('.lines').innerText.includes('ERROR early')")
    deadline = time.monotonic() + 30
    while "late" not in browser.evaluate("document.querySelector('.lines').innerText"):
        assert time.monotonic() < deadline, "a line that comes is shown"
        write("fine late", f"ERROR late {HOSTILE}")
        time.sleep(1)
    shown = browser.evaluate("document.querySelector('.lines').innerText")
    assert HOSTILE in shown and "fine" not in shown, shown
    assert browser.evaluate("document.querySelectorAll('main img, main script').length") == 0
    accessible(browser, "logs")

    # Alarms and what they did; functions, of which there are none.
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName="till", Namespace="Shop", MetricName="Orders", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold")
    browser.click("Alarms")
    browser.until("the alarm", "document.querySelector('tbody')?.innerText.includes('INSUFFICIENT_DATA')")
    accessible(browser, "alarms")
    browser.click("till")
    browser.until("its history", "document.body.innerText.includes('What till did') && document.querySelector('.record li')")
    browser.click("Functions")
    browser.until("what to type", "document.body.innerText.includes('aws lambda create-function')")
    accessible(browser, "functions")
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as code:
        code.writestr("app.py", "def handler(event, context):\n    print('asked for', event['path'])\n    return {'answer': 'Käfer'}\n")
    functions, role = boto3.client("lambda"), "arn:aws:iam::000000000000:role/pets"
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    boto3.client("iam").create_role(RoleName="pets", AssumeRolePolicyDocument=json.dumps(trust))
    functions.create_function(FunctionName="pets", Runtime="python3.11", Handler="app.handler", Role=role,
                              Code={"ZipFile": package.getvalue()})
    functions.get_waiter("function_active_v2").wait(FunctionName="pets")
    browser.click("Functions")
    browser.until("the function", "document.querySelector('main select option')")
    browser.click("Invoke")
    browser.until("its answer and the end of its log", "/answered, version \\$LATEST[^]*asked for \\/pets\\/1/.test(document.body.innerText)")
    browser.until("the command", "document.body.innerText.includes('aws lambda invoke --function-name pets')")
    assert json.loads(browser.evaluate("document.querySelector('pre[aria-label=Answer]').innerText.split('\\n')[1]")) == {"answer": "Käfer"}

    # A page of somebody else's can't act, even where his address leads here.
    browser.open(f"http://pets.localhost:{host.rsplit(':', 1)[1]}/_pitbird/")
    browser.until("a foreign name is refused", "document.body.innerText.includes('ForeignHost')")
    assert not browser.complaints(), browser.complaints()
finally:
    over.set()
    browser.close()
print("the console shows what happens")
