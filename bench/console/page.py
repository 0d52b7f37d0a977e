"""How fast the console is with a thousand functions and ten releases on their way, in Chromium.

Arguments: the browser's driver's folder, Chromium, the server's address, the names of the releases. Prints JSON.
"""
import http.client, json, sys, time, urllib.parse

sys.path.insert(0, sys.argv[1])
from browser import Browser

chromium, endpoint, names = sys.argv[2], sys.argv[3], sys.argv[4:]
host = urllib.parse.urlsplit(endpoint).netloc
LOADS, CHANGES = 9, 20

# Says when what was waited for was in the document, in ms since the navigation began, and lets a frame be drawn first.
WATCH = """self.seen = {};
const look = () => {
  for (const [name, [selector, count]] of Object.entries({releases: [".cards .card", %d], functions: ["main tbody tr", 1000]}))
    if (!(name in self.seen) && document.querySelectorAll(selector).length >= count) { self.seen[name] = null; requestAnimationFrame(() => setTimeout(() => (self.seen[name] = performance.now()))); }
};
new MutationObserver(look).observe(document, {childList: true, subtree: true});""" % len(names)


def rollouts(operation, name):
    connection = http.client.HTTPConnection(host, timeout=30)
    headers = {"X-Amz-Target": f"PitbirdRollouts_20261101.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    connection.request("POST", "/", json.dumps({"Name": name}), headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    return time.time() * 1000


def middle(numbers):
    return sorted(numbers)[len(numbers) // 2]


browser = Browser(chromium)
try:
    browser.size(1280, 800)
    browser.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    found = {"paint": [], "releases": [], "functions": [], "update": []}
    for page, what in (("", "releases"), ("functions", "functions")):
        for _ in range(LOADS):
            browser.open("about:blank")
            browser.until("a blank page", "location.href === 'about:blank'")
            browser.open(f"{endpoint}/_pitbird/{page}")
            browser.until(what, f"self.seen?.{what}")
            times = json.loads(browser.evaluate(f"""JSON.stringify({{html: performance.getEntriesByType('navigation')[0].responseEnd,
                paint: performance.getEntriesByName('first-contentful-paint')[0].startTime, whole: self.seen.{what}}})"""))
            found[what].append(times["whole"] - times["html"])
            if not page:
                found["paint"].append(times["paint"] - times["html"])
    # From the answer to an order on until the page says what it led to.
    browser.open(f"{endpoint}/_pitbird/")
    browser.until("the releases", "self.seen?.releases")
    for at in range(CHANGES):
        name, operation, word = names[at // 2 % len(names)], *(("PauseRollout", "paused"), ("ResumeRollout", "in progress"))[at % 2]
        browser.evaluate(f"""self.told = new Promise((done) => {{
            const look = () => [...document.querySelectorAll('.card h2')].some((it) => it.innerText.startsWith({json.dumps(name + ' ')}) && it.innerText.includes('{word}')) && done(Date.now());
            new MutationObserver(look).observe(document.getElementById('main'), {{childList: true, subtree: true, characterData: true, attributes: true}});
        }}); true""")
        sent = rollouts(operation, name)
        found["update"].append(browser.evaluate("self.told") - sent)
finally:
    browser.close()
print(json.dumps({"paint_ms": middle(found["paint"]), "releases_ms": middle(found["releases"]), "functions_ms": middle(found["functions"]),
                  "update_ms": middle(found["update"]), "update_ms_max": max(found["update"])}))
