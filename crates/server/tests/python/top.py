"""`pitbird top` as somebody sees it on a terminal: releases, functions, the end of the log; held, away, and gone.

Argument: the program.
"""
import fcntl, http.client, io, json, os, pty, re, select, struct, subprocess, sys, termios, time, urllib.parse, zipfile

import boto3

program = sys.argv[1]
endpoint = os.environ["AWS_ENDPOINT_URL"]
host = urllib.parse.urlsplit(endpoint).netloc
functions, gateway = boto3.client("lambda"), boto3.client("apigateway")


def rollouts(operation, **members):
    """pitbird's own service, by its wire protocol."""
    connection = http.client.HTTPConnection(host, timeout=30)
    headers = {"X-Amz-Target": f"PitbirdRollouts_20261101.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    connection.request("POST", "/", json.dumps(members), headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()


class Terminal:
    """Runs the program on a terminal of this size and knows what is on its screen."""

    def __init__(self, columns, rows, *words):
        self.near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before, self.all = termios.tcgetattr(far), ""
        environment = {**os.environ, "TERM": "xterm"}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen([program, *words], stdin=far, stdout=far, stderr=far, env=environment, start_new_session=True)
        self.far, self.columns, self.rows = far, columns, rows

    def screen(self):
        """The newest whole picture, without colours."""
        pictures = [part for part in self.all.split("\x1b[?7l\x1b[H") if "\x1b[?7h" in part]
        newest = pictures[-1].split("\x1b[J")[0] if pictures else ""
        return re.sub(r"\x1b\[[0-9;]*[mK]", "", newest)

    def hear(self):
        if select.select([self.near], [], [], 0.2)[0]:
            self.all += os.read(self.near, 1 << 16).decode(errors="replace")

    def until(self, what, pattern):
        deadline = time.monotonic() + 60
        while not re.search(pattern, self.screen()):
            assert time.monotonic() < deadline and self.process.poll() is None, f"waited for {what}:\n{self.screen() or self.all}"
            self.hear()

    def press(self, keys):
        os.write(self.near, keys.encode())

    def end(self):
        assert self.process.wait(20) == 0
        while select.select([self.near], [], [], 0)[0]:
            self.all += os.read(self.near, 1 << 16).decode(errors="replace")
        assert self.all.startswith("\x1b[?1049h\x1b[?25l") and "\x1b[?25h\x1b[?1049l" in self.all[-40:], "the screen is as it was"
        assert termios.tcgetattr(self.far) == self.before, "the terminal is as it was"


empty = Terminal(100, 24, "top", "--interval", "200ms")
empty.until("what to type", "RELEASES  none yet; `pitbird demo`")

package = io.BytesIO()
with zipfile.ZipFile(package, "w") as code:
    code.writestr("app.py", "def handler(event, context):\n    print('asked \\x1b[2J for', event)\n    if event: raise Exception('no')\n")
trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
role = boto3.client("iam").create_role(RoleName="pets", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
functions.create_function(FunctionName="pets", Runtime="python3.11", Handler="app.handler", Role=role, Code={"ZipFile": package.getvalue()})
functions.get_waiter("function_active_v2").wait(FunctionName="pets")
functions.publish_version(FunctionName="pets")
functions.update_function_configuration(FunctionName="pets", Description="changed")
functions.get_waiter("function_updated_v2").wait(FunctionName="pets")
functions.publish_version(FunctionName="pets")
functions.create_alias(FunctionName="pets", Name="live", FunctionVersion="1")
rollouts("StartRollout", Name="pets-2", Target={"LambdaAlias": {"FunctionName": "pets", "AliasName": "live"}}, Canary={"FunctionVersion": "2"},
         Steps=[{"Percent": 10, "WaitMs": 600_000}], Rules={"IntervalMs": 200})
for payload in (b"{}", b"{}", b'{"a": 1}'):
    functions.invoke(FunctionName="pets", Qualifier="live", Payload=payload)

empty.until("the release", r"pets-2 +▶ in progress +█░+ 10 % ")
empty.until("the function with its errors", r"\n +\d+ +1 +▲ \d+\.\d\d % .*  pets\r\n")
empty.until("the end of its log", r"\d\d:\d\d:\d\d\.\d+  pets  asked  \[2J for")
assert "\x1b[2J" not in empty.all, "what a log says isn't obeyed"
assert all(len(line) <= 100 for line in empty.screen().split("\r\n")) and empty.screen().count("\r\n") < 24, empty.screen()
empty.press("p")
empty.until("held", r"‖ held at \d\d:\d\d:\d\d UTC")
rollouts("PauseRollout", Name="pets-2")
empty.press("p")
empty.until("paused", "pets-2 +‖ paused")
rollouts("AbortRollout", Name="pets-2")
empty.until("its end", "pets-2 +■ aborted")
empty.press("q")
empty.end()

# Without a terminal it says once what there is.
said = subprocess.run([program, "top"], capture_output=True, text=True, timeout=60)
assert said.returncode == 0 and "■ aborted" in said.stdout and "\x1b" not in said.stdout, said
data = json.loads(subprocess.run([program, "--output", "json", "top", "--group", "/aws/lambda/pets", "--filter", "asked"], capture_output=True, timeout=60).stdout)
assert data["Releases"][0]["Status"] == "aborted" and data["Functions"][0]["Name"] == "pets", data
assert data["Lines"] and all("asked" in line["Message"] for line in data["Lines"]), data
away = subprocess.run([program, "top", "--endpoint-url", "http://127.0.0.1:1"], capture_output=True, text=True, timeout=60)
assert away.returncode == 1 and away.stderr.startswith("pitbird: "), away
print("a terminal shows what goes on")
