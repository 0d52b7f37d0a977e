"""How smooth the console is while a hundred releases run at once, under traffic, beside a thousand functions, in Chromium.

Arguments: the browser's driver's folder, Chromium, the server's process, how many releases, seconds for each page. The server comes by AWS_ENDPOINT_URL
and has the functions already. Prints JSON.
"""
import http.client, io, json, multiprocessing, os, sys, time, urllib.parse, zipfile

import boto3

sys.path.insert(0, sys.argv[1])
from browser import Browser

chromium, server, many, seconds = sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
endpoint = os.environ["AWS_ENDPOINT_URL"]
host = urllib.parse.urlsplit(endpoint).netloc
PER_SECOND, ORDERS = 200, 20
names = [f"many-{at:03}" for at in range(many)]

# Tasks of 50 ms and more, and the times between frames while the page is scrolled to and fro.
WATCH = """self.long = []; self.frames = [];
new PerformanceObserver((list) => self.long.push(...list.getEntries().map((it) => it.duration))).observe({type: 'longtask', buffered: true});
let before = null, at = 0;
const frame = (now) => {
  if (before !== null) self.frames.push(now - before);
  before = now;
  self.scrollBy(0, at++ % 400 < 200 ? 12 : -12);
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);"""


def rollouts(operation, **members):
    connection = http.client.HTTPConnection(host, timeout=30)
    headers = {"X-Amz-Target": f"PitbirdRollouts_20261101.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    connection.request("POST", "/", json.dumps(members), headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return time.time() * 1000


def start():
    """One function with an alias for each release, so that they share its environments."""
    functions, whole = boto3.client("lambda"), io.BytesIO()
    with zipfile.ZipFile(whole, "w") as code:
        code.writestr("app.py", "def handler(event, context):\n    return {}\n")
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = boto3.client("iam").create_role(RoleName="many", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    functions.create_function(FunctionName="many", Runtime="python3.11", Handler="app.handler", Role=role, Code={"ZipFile": whole.getvalue()})
    functions.get_waiter("function_active_v2").wait(FunctionName="many")
    functions.publish_version(FunctionName="many", Description="one")
    functions.update_function_configuration(FunctionName="many", Timeout=9)
    functions.get_waiter("function_updated_v2").wait(FunctionName="many")
    functions.publish_version(FunctionName="many", Description="two")
    for name in names:
        functions.create_alias(FunctionName="many", Name=name, FunctionVersion="1")
        rollouts("StartRollout", Name=name, Target={"LambdaAlias": {"FunctionName": "many", "AliasName": name}}, Canary={"FunctionVersion": "2"},
                 Steps=[{"Percent": 10, "WaitMs": 3_600_000}])


def traffic():
    """Invokes each alias in turn."""
    connection, began, sent = http.client.HTTPConnection(host, timeout=30), time.monotonic(), 0
    while True:
        connection.request("POST", f"/2015-03-31/functions/many:{names[sent % many]}/invocations", b"{}", {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        sent += 1
        # So many a second, whatever an answer takes.
        time.sleep(max(0, began + sent / PER_SECOND - time.monotonic()))


def used():
    """Seconds of processor time of the server itself."""
    fields = open(f"/proc/{server}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def share(during):
    """Of a core, while something is done."""
    began, before = time.monotonic(), used()
    during()
    return 100 * (used() - before) / (time.monotonic() - began)


def looked_at(path, shown, what):
    browser.open("about:blank")
    browser.until("a blank page", "location.href === 'about:blank'")
    browser.open(f"{endpoint}/_pitbird/{path}")
    browser.until(what, shown)
    loading = json.loads(browser.evaluate("JSON.stringify(self.long.splice(0))"))
    browser.evaluate("self.frames.length = 0")
    # How long it is looked at is what was asked for.
    busy = share(lambda: time.sleep(seconds))
    long, frames = json.loads(browser.evaluate("JSON.stringify([self.long, self.frames])"))
    frames.sort()
    return {"cpu": busy, "loading_ms_max": max(loading, default=0), "long": len(long), "long_ms_max": max(long, default=0), "frames": len(frames),
            "frame_ms_p99": frames[len(frames) * 99 // 100], "frame_ms_max": frames[-1]}


start()
sender = multiprocessing.Process(target=traffic, daemon=True)
sender.start()
browser = Browser(chromium)
try:
    browser.size(1280, 800)
    # The browser's own start is not to be measured; then the server alone, as long as a page is.
    time.sleep(5)
    found = {"alone": share(lambda: time.sleep(seconds))}
    browser.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    found["releases"] = looked_at("", f"document.querySelectorAll('.cards .card').length === {many}", "all releases")
    delays = []
    for at in range(ORDERS):
        name, operation, word = names[at // 2 * 7 % many], *(("PauseRollout", "paused"), ("ResumeRollout", "in progress"))[at % 2]
        browser.evaluate(f"""self.told = new Promise((done) => {{
            const is = () => document.querySelector('[data-key="{name}"] h2').textContent.includes('{word}');
            const look = () => is() ? done(Date.now()) : requestAnimationFrame(look);
            look();
        }}); true""")
        sent = rollouts(operation, Name=name)
        delays.append(browser.evaluate("self.told") - sent)
    found["update_ms"], found["update_ms_max"] = sorted(delays)[ORDERS // 2], max(delays)
    found["release"] = looked_at(f"releases/{names[0]}", "document.querySelector('.compare')", "a release")
    found["functions"] = looked_at("functions", "document.querySelectorAll('main tbody tr').length >= 1000", "all functions")
    assert sender.is_alive(), "traffic goes on"
finally:
    sender.kill()
    browser.close()
print(json.dumps(found))
