"""Functions that crash, hang, fork without end, fill /tmp, eat memory and talk garbage: only their own invocation suffers.

A neighbour is called all the while and must never notice.
"""

import base64
import pathlib
import threading

from given import *

NEIGHBOUR = "def handler(event, context):\n    return {'echo': event}\n"
HOSTILE = '''
import errno, os, signal, socket, sys, time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]

def speak(sent, last=True):
    """Bytes to the Runtime API, the last ones or not, and the head of what comes back."""
    host, port = API.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        try:
            connection.sendall(sent)
            if last:
                connection.shutdown(socket.SHUT_WR)
            return connection.recv(4096).decode("latin-1").split("\\r\\n")[0]
        except OSError as error:
            return type(error).__name__

def post(path, body, *headers):
    head = [f"POST /2018-06-01/runtime/{path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return speak("\\r\\n".join(head).encode() + b"\\r\\n\\r\\n" + body, last=False)

def ok(context):
    return "ok"

def crash(context):
    os._exit(3)

def leave(context):
    os._exit(0)

def suicide(context):
    os.kill(os.getpid(), signal.SIGKILL)

def hang(context):
    while True:
        pass

def deaf(context):
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        time.sleep(1)

def fork(context):
    while True:
        try:
            if os.fork() == 0:
                while True:
                    time.sleep(1)
        except BlockingIOError:
            pass

def bomb(context):
    while True:
        try:
            os.fork()
        except OSError:
            pass

def daemon(context):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                time.sleep(1)
        os._exit(0)
    return "left one behind"

def fill(context):
    written = 0
    try:
        with open("/tmp/full", "wb") as file:
            while True:
                written += file.write(b"x" * (1 << 20))
                file.flush()
    except OSError as error:
        return {"errno": errno.errorcode[error.errno], "mib": written >> 20}

def eat(context):
    held = []
    while True:
        held.append(b"x" * (16 << 20))

def garbage(context):
    return [
        speak(b"\\x00\\x01\\x02 nothing\\r\\n\\r\\n"), speak(b"GET /../../etc/passwd HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"),
        speak(b"GET / HTTP/1.1\\r\\n" + b"A: b\\r\\n" * 50000 + b"\\r\\n"), speak(b"G" * 1000000),
        post("invocation/none/response", b"{}"), post("invocation/%00/error", b"{"),
        post("invocation//response", b"{}"), post("nothing", b"{}"), post("init/error", b"\\xff\\xfe"),
    ]

def twice(context):
    return [post(f"invocation/{context.aws_request_id}/response", b'"first"') for _ in range(2)]

def broken(context):
    head = f"POST /2018-06-01/runtime/invocation/{context.aws_request_id}/response HTTP/1.1"
    return speak(head.encode() + b"\\r\\nHost: x\\r\\nContent-Length: 100\\r\\n\\r\\n{")

def much(context):
    return "x" * (7 << 20)

def shout(context):
    for _ in range(20000):
        sys.stdout.write("y" * 1000 + "\\n")
    return "hoarse"

def rude(context):
    sys.stdout.buffer.write(b"\\xff\\xfe\\x00" * 1000 + b"z" * (1 << 20))
    sys.stdout.flush()
    return "said"

def look(context):
    """What can be seen and reached from inside."""
    found = {"processes": sum(name.isdigit() for name in os.listdir("/proc")), "files": [], "runtime": sys.prefix, "users": open("/etc/passwd").read()}
    for folder in ("/home", "/root", "/srv", "/mnt", "/media", "/var/lib", "/var/log", "/run"):
        if os.path.isdir(folder):
            found["files"] += [f"{folder}/{name}" for name in os.listdir(folder)]
    for name, act in (
        ("code", lambda: open(os.environ["LAMBDA_TASK_ROOT"] + "/new", "w")), ("etc", lambda: open("/etc/new", "w")),
        ("shadow", lambda: open("/etc/shadow").read()), ("host", lambda: socket.create_connection(("127.0.0.1", PORT), 2)),
        ("outside", lambda: socket.create_connection(("192.0.2.1", 80), 2)), ("mount", lambda: os.chroot("/tmp")),
    ):
        try:
            act()
            found[name] = "done"
        except OSError as error:
            found[name] = errno.errorcode.get(error.errno, str(error))
    return found

def handler(event, context):
    return globals()[event](context)
'''


class Neighbour(threading.Thread):
    """Calls a sound function until it is told to stop."""

    def __init__(self):
        super().__init__()
        self.over, self.calls, self.faults = threading.Event(), 0, []

    def run(self):
        own = boto3.client("lambda", config=CONFIG)
        while not self.over.is_set():
            answer = own.invoke(FunctionName="neighbour", Payload=json.dumps(self.calls))
            seen = json.loads(answer["Payload"].read())
            if "FunctionError" in answer or seen != {"echo": self.calls}:
                self.faults.append((answer, seen))
            self.calls += 1


def failed(act, kind, words, name="hostile", **also):
    """The act fails in this way, or in one of the others that are given by their kind, and the function works again afterwards."""
    answer = invoke(name, act, LogType="Tail")
    tail = base64.b64decode(answer["LogResult"]).decode(errors="replace")
    seen = answer["Payload"]
    assert answer["StatusCode"] == 200 and answer.get("FunctionError") == "Unhandled", (act, answer, tail[-500:])
    request = answer["ResponseMetadata"]["RequestId"]
    expected = {kind: f"RequestId: {request} Error: {words}"} | {
        other: f"RequestId: {request} Error: {said}" for other, said in also.items()
    }
    assert expected.get(seen["errorType"]) == seen["errorMessage"], (act, seen, tail[-500:])
    assert f"REPORT RequestId: {request}" in tail, (act, tail)
    well(name)


def well(name="hostile"):
    answer = invoke(name, "ok")
    assert answer["Payload"] == "ok" and "FunctionError" not in answer, answer


def returns(act, name="hostile"):
    answer = invoke(name, act)
    assert "FunctionError" not in answer, (act, answer)
    return answer["Payload"]


def deaths():
    failed("crash", "Runtime.ExitError", "Runtime exited with error: exit status 3")
    failed("leave", "Runtime.ExitError", "Runtime exited without providing a reason")
    failed("suicide", "Runtime.ExitError", "Runtime exited with error: signal: killed")


def silences():
    for act in ("hang", "deaf"):
        failed(act, "Sandbox.Timedout", "Task timed out after 3.00 seconds")


def floods():
    for act in ("fork", "bomb"):
        # Whichever comes first: the children need memory, too.
        killed = {"Runtime.ExitError": "Runtime exited with error: signal: killed"}
        failed(act, "Sandbox.Timedout", "Task timed out after 3.00 seconds", **killed)
    assert returns("daemon") == "left one behind"
    well()
    full = returns("fill", "roomy")
    assert full["errno"] == "ENOSPC" and full["mib"] <= 512, full
    well("roomy")
    failed("eat", "Runtime.ExitError",
           "Runtime exited with error: signal: killed", "patient")
    answer = invoke("roomy", "much")
    assert answer["FunctionError"] == "Unhandled", answer
    has(
        answer["Payload"], errorType="Function.ResponseSizeTooLarge",
        errorMessage="Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    )
    well("roomy")
    assert returns("shout", "roomy") == "hoarse"
    assert returns("rude", "roomy") == "said"
    well("roomy")


def words():
    """Whatever is said to the Runtime API is answered with a 4xx or a hang-up, and the invocation goes on."""
    hang_up = ("", "OSError", "ConnectionResetError", "BrokenPipeError")
    for said in returns("garbage", "roomy"):
        assert said.startswith("HTTP/1.1 4") or said in hang_up, said
    well("roomy")
    answer = invoke("roomy", "twice")
    assert answer["Payload"] == "first" and "FunctionError" not in answer, answer
    well("roomy")
    said = returns("broken", "roomy")
    assert said.startswith("HTTP/1.1 4") or said in hang_up, said
    well("roomy")


def walls():
    seen = returns("look", "roomy")
    assert seen["processes"] <= 4, seen
    for name in ("code", "etc", "shadow", "host", "outside", "mount"):
        assert seen[name] != "done", (name, seen)
    assert all(seen["runtime"].startswith(path) for path in seen["files"]), seen
    assert seen["users"] != pathlib.Path("/etc/passwd").read_text(), seen


def main():
    arn = role("hostile")
    function("neighbour", NEIGHBOUR, arn)
    code = HOSTILE.replace("PORT", str(urllib.parse.urlparse(ENDPOINT).port))
    function("hostile", code, arn, Timeout=3, MemorySize=128)
    function("roomy", code, arn, Timeout=20, MemorySize=1024)
    # As small, but with the time to use it all up on a machine that is busy with other things.
    function("patient", code, arn, Timeout=20, MemorySize=128)
    neighbour = Neighbour()
    neighbour.start()
    try:
        for check in (deaths, silences, floods, words, walls):
            check()
    finally:
        neighbour.over.set()
        neighbour.join()
    assert neighbour.faults == [] and neighbour.calls > 20, (neighbour.calls, neighbour.faults[:3])


main()
