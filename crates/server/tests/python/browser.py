"""A headless Chromium, driven over its DevTools protocol by a pipe: no package is needed."""
import base64, json, os, subprocess, tempfile, threading, time

DEADLINE_S = 60
# How the browser says that there is no document at the moment, and that one went away before it had answered.
NONE_YET, AWAY = ("Cannot find default execution context", "Cannot find context"), ("navigated or closed", "context was destroyed")
# What moves by three pixels or more without anybody having clicked or typed just before.
SHIFTS = """self.shifts = [];
const place = ({x, y, width, height}) => `${Math.round(x)},${Math.round(y)} ${Math.round(width)}x${Math.round(height)}`;
const noted = (entries) => entries.filter((it) => !it.hadRecentInput).forEach(({value, sources}) => self.shifts.push({value, what: sources.map(({node, previousRect, currentRect}) =>
  `${node?.nodeName} "${(node?.textContent ?? '').slice(0, 60)}": ${place(previousRect)} to ${place(currentRect)}`)}));
const watch = new PerformanceObserver((list) => noted(list.getEntries()));
watch.observe({type: 'layout-shift', buffered: true});
self.takeShifts = () => { noted(watch.takeRecords()); return JSON.stringify(self.shifts.splice(0)); };"""


class Browser:
    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        down, self.write = os.pipe()
        self.read, up = os.pipe()
        words = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--remote-debugging-pipe", f"--user-data-dir={self.folder.name}", "--lang=en", "about:blank"]
        # Chromium reads from descriptor 3 and writes to 4.
        script = f'exec "$@" 3<&{down} 4>&{up}'
        self.process = subprocess.Popen(["bash", "-c", script, "bash", *words], pass_fds=[down, up],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(down), os.close(up)
        self.answers, self.events, self.number, self.heard = {}, [], 0, threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Page.addScriptToEvaluateOnNewDocument", source=SHIFTS)

    def _listen(self):
        rest = b""
        while part := os.read(self.read, 1 << 16):
            *whole, rest = (rest + part).split(b"\0")
            for text in whole:
                message = json.loads(text)
                with self.heard:
                    if "id" in message:
                        self.answers[message["id"]] = message
                    else:
                        self.events.append(message)
                    self.heard.notify_all()

    def send(self, method, **parameters):
        answer = self._asked(method, parameters)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def _asked(self, method, parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        with self.heard:
            assert self.heard.wait_for(lambda: message["id"] in self.answers, DEADLINE_S), f"no answer to {method}"
            return self.answers.pop(message["id"])

    def evaluate(self, script, is_question=False):
        """The value of an expression in the page, awaited if it is a promise. A question is asked again where the document went away meanwhile."""
        passing, deadline = NONE_YET + AWAY * is_question, time.monotonic() + DEADLINE_S
        while True:
            answer = self._asked("Runtime.evaluate", dict(expression=script, awaitPromise=True, returnByValue=True, userGesture=True))
            said = answer.get("error", {}).get("message", "")
            if not any(words in said for words in passing) or time.monotonic() > deadline:
                break
        assert "error" not in answer, f"{script[:200]}: {answer['error']}"
        found = answer["result"]
        assert "exceptionDetails" not in found, f"{script[:200]}: {found['exceptionDetails']}"
        return found["result"].get("value")

    def until(self, what, script):
        """Waits until an expression is true in the page, and gives its value."""
        deadline = time.monotonic() + DEADLINE_S
        # Between two pages there is no document to ask.
        # An element is something, though none of its own members come along.
        while (value := self.evaluate(f"document.body && ({script})", is_question=True)) in (None, False, 0, ""):
            assert time.monotonic() < deadline, f"waited for {what}; the page says:\n{self.text()}"
            time.sleep(0.05)
        return value

    def text(self):
        return self.evaluate("document.body.innerText")

    def open(self, url):
        """Goes to an address; who asks next asks the new document, and doesn't click in the old one."""
        loader = self.send("Page.navigate", url=url)["loaderId"]
        is_there = lambda it: it["method"] == "Page.frameNavigated" and it["params"]["frame"]["loaderId"] == loader
        with self.heard:
            assert self.heard.wait_for(lambda: any(map(is_there, self.events)), DEADLINE_S), f"{url} isn't there"

    def click(self, words):
        """Clicks the button or link of these words as a mouse does; again where the page moved it away under the pointer."""
        words, deadline, hit = json.dumps(words), time.monotonic() + DEADLINE_S, False
        while not hit:
            assert time.monotonic() < deadline, f"{words} can't be hit; the page says:\n{self.text()}"
            place = self.until(f"{words} to click", f"""(() => {{
                const dialog = document.querySelector('dialog[open]') ?? document;
                const found = [...dialog.querySelectorAll('button, a, summary')].find((it) => it.innerText.trim() === {words} && !it.disabled && it.getClientRects().length);
                if (!found) return null;
                found.scrollIntoView({{block: 'center'}});
                const box = found.getClientRects()[0];
                self.isHit = false;
                found.addEventListener('click', () => {{ self.isHit = true; }}, {{capture: true, once: true}});
                return {{x: box.x + box.width / 2, y: box.y + box.height / 2}};
            }})()""")
            for kind in ("mousePressed", "mouseReleased"):
                self.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)
            # Another page knows nothing of it: the click led there.
            hit = self.evaluate("self.isHit", is_question=True) is not False

    def moved(self):
        """What has moved by itself in this document since this was asked last, once a frame has shown it."""
        frame = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
        return json.loads(self.evaluate(f"{frame}.then(() => self.takeShifts())"))

    def still(self, where):
        """Nothing has moved by itself in this document since this was asked last."""
        found = self.moved()
        assert not found, f"{where} moved by itself: {json.dumps(found, indent=1)}"

    def size(self, width, height, scale=1):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)

    def scheme(self, name):
        """Light or dark, and nothing moves by itself: pictures show what is."""
        features = {"prefers-color-scheme": name, "prefers-reduced-motion": "reduce"}
        self.send("Emulation.setEmulatedMedia", features=[{"name": key, "value": value} for key, value in features.items()])

    def picture(self, path):
        data = self.send("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def complaints(self):
        """What the page threw, and what its policy kept it from."""
        found = []
        for event in list(self.events):
            if event["method"] == "Runtime.exceptionThrown":
                found.append(event["params"]["exceptionDetails"])
            entry = event["params"].get("entry", {}) if event["method"] == "Log.entryAdded" else {}
            if entry.get("source") in ("security", "violation") or "Content Security Policy" in entry.get("text", ""):
                found.append(entry)
        return found

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.folder.cleanup()
