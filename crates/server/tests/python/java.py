"""Functions in Java, whose client comes in the package, in a jar of the package, or in a layer.

The argument is a folder with `client/` and `function/`, compiled classes, and `whole.jar` with both.
"""

import base64
import pathlib
import sys

from given import *

FOLDER = pathlib.Path(sys.argv[1])
HANDLER = "sample.App::handle"
MISSING = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
ROLE = role("java")


def classes(name):
    top = FOLDER / name
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*.class")}


CLIENT, FUNCTION = classes("client"), classes("function")


def java(name, package, **settings):
    package = package if isinstance(package, bytes) else zipped(package)
    settings = {"Runtime": "java17", "Handler": HANDLER, "MemorySize": 256, "Timeout": 20} | settings
    lambda_.create_function(FunctionName=name, Role=ROLE, Code={"ZipFile": package}, **settings)
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})


def said(answer):
    """The answer of a function that must not have failed."""
    assert "FunctionError" not in answer, answer
    return answer["Payload"]


def lines(name):
    return log_messages(f"/aws/lambda/{name}")


def a_whole_jar():
    java("whole", (FOLDER / "whole.jar").read_bytes(), Environment={"Variables": {"COLOUR": "blue"}})
    answer = invoke("whole", {"ü": 1}, LogType="Tail")
    facts = said(answer)
    has(
        facts, event={"ü": 1}, count=1, path="/var/task", handler=HANDLER, execution="AWS_Lambda_java17", colour="blue",
        place="/var/task", charset="UTF-8", collectors="Copy,MarkSweepCompact", mine="null", tmp=0,
    )
    assert "-XX:TieredStopAtLevel=1" in facts["options"], facts
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "Init Duration: " in tail and "Memory Size: 256 MB" in tail, tail
    assert said(invoke("whole"))["count"] == 2, "the same process"
    start = wait_for("INIT_START", lambda: next((line for line in lines("whole") if line.startswith("INIT_START")), None))
    assert "Runtime Version: java:17.v1\t" in start, start

    failed = invoke("whole", "fail", LogType="Tail")
    assert failed["FunctionError"] == "Unhandled"
    assert failed["Payload"] == {"errorMessage": 'as "asked"', "errorType": "java.lang.IllegalStateException"}, failed
    assert "about to fail, naïvely" in base64.b64decode(failed["LogResult"]).decode()
    assert said(invoke("whole"))["count"] == 4, "an error ends nothing"

    host = said(invoke("whole", "host"))
    has(host, said="child", exit=0)
    assert host["authorities"] > 10 and host["zone"] in ("UTC", "Etc/UTC", "GMT"), host
    assert said(invoke("whole", "threads"))["threads"] > 400

    ended = invoke("whole", "exit")
    has(ended["Payload"], errorType="Runtime.ExitError")
    assert "exit status 3" in ended["Payload"]["errorMessage"], ended
    assert said(invoke("whole"))["count"] == 1, "another process"


def the_clients_places():
    java("in-lib", FUNCTION | {"lib/b.jar": zipped(CLIENT), "lib/a.jar": zipped({"x.txt": "x"})})
    path = said(invoke("in-lib"))["path"]
    assert path == "/var/task:/var/task/lib/a.jar:/var/task/lib/b.jar", path

    content = {"ZipFile": zipped({"java/lib/client.jar": zipped(CLIENT)})}
    layer = lambda_.publish_layer_version(LayerName="client", Content=content)["LayerVersionArn"]
    java("in-layer", {"lib/function.jar": zipped(FUNCTION)}, Layers=[layer])
    path = said(invoke("in-layer"))["path"]
    assert path == "/var/task:/var/task/lib/function.jar:/opt/java/lib/client.jar", path


def what_is_missing_is_said():
    java("clientless", FUNCTION | {"client.jar": zipped(CLIENT)})
    for _ in range(2):
        answer = invoke("clientless", LogType="Tail")
        assert answer["FunctionError"] == "Unhandled"
        error = answer["Payload"]
        assert error["errorType"] == "Runtime.InvalidEntrypoint", error
        for words in (MISSING, "aws-lambda-java-runtime-interface-client", "/var/task/lib/*.jar", "/opt/java/lib/*.jar"):
            assert words in error["errorMessage"], error
        assert MISSING in base64.b64decode(answer["LogResult"]).decode(), answer
    # Once it is there the function runs.
    lambda_.update_function_code(FunctionName="clientless", ZipFile=zipped(FUNCTION | CLIENT))
    updated("clientless")
    assert said(invoke("clientless"))["count"] == 1

    java("handlerless", FUNCTION | CLIENT, Handler="sample.Nobody::handle")
    error = invoke("handlerless")["Payload"]
    assert error == {"errorMessage": "sample.Nobody", "errorType": "java.lang.ClassNotFoundException"}, error


def memory_is_respected():
    for size, heap_kib in ((128, 90_521), (512, 424_755)):
        name = f"memory-{size}"
        java(name, FUNCTION | CLIENT, MemorySize=size)
        seen = said(invoke(name))["heap_kib"]
        # One of the two spaces for survivors doesn't count.
        assert 0.9 * heap_kib < seen <= heap_kib, (size, seen)
        for _ in range(2):
            answer = said(invoke(name, "eat"))
            assert 0.7 * heap_kib < answer["eaten"] * 1024 < heap_kib, (size, answer)
        assert said(invoke(name))["count"] == 4, "Java runs out of its heap, and lives on"


def options_are_the_functions():
    own = "-Xmx40m -Dmine=yes -XX:+UseParallelGC -XX:TieredStopAtLevel=4"
    java("own", FUNCTION | CLIENT, Environment={"Variables": {"JAVA_TOOL_OPTIONS": own}})
    facts = said(invoke("own"))
    has(facts, mine="yes", collectors="PS MarkSweep,PS Scavenge")
    assert 30 << 10 < facts["heap_kib"] <= 40 << 10, facts
    assert "MaxHeapSize" not in facts["options"] and "TieredStopAtLevel=1" not in facts["options"], facts
    picked = f"Picked up JAVA_TOOL_OPTIONS: {own}"
    wait_for(picked, lambda: any(picked in line for line in lines("own")))


def every_name_runs():
    for runtime in ("java11", "java21", "java25"):
        java(runtime, FUNCTION | CLIENT, Runtime=runtime)
        has(said(invoke(runtime)), execution=f"AWS_Lambda_{runtime}")
    options = said(invoke("java11"))["options"]
    assert "TieredStopAtLevel" not in options, options


def one_that_waits_is_like_a_fresh_one():
    """A Java that was started before its function was known: all that differs is when that was."""
    package = FUNCTION | {"lib/client.jar": zipped(CLIENT), "data/x.txt": "x"}
    variables = {"COLOUR": "blue", "LONG": "l" * 3000}
    java("fresh", package, Environment={"Variables": variables | {"JAVA_TOOL_OPTIONS": "-Dmine=null"}})
    fresh = said(invoke("fresh"))
    java("waited", package, Environment={"Variables": variables})

    def waited():
        lambda_.update_function_configuration(FunctionName="waited", Description=str(time.time()))
        updated("waited")
        before_ms = time.time() * 1000
        facts = said(invoke("waited"))
        return facts if facts["began_ms"] < before_ms - 20 else None

    waiting = wait_for("a Java that was started ahead", waited)
    assert waiting["has_same_variables"] and waiting["here"] == "data,lib,sample", waiting
    assert waiting["place"] == "/var/task" and waiting["path"] == "/var/task:/var/task/lib/client.jar", waiting
    apart = ("began_ms", "options")
    assert {k: v for k, v in waiting.items() if k not in apart} == {k: v for k, v in fresh.items() if k not in apart}
    log = lines("waited")
    assert not any("WARNING" in line for line in log), log


a_whole_jar()
one_that_waits_is_like_a_fresh_one()
the_clients_places()
what_is_missing_is_said()
memory_is_respected()
options_are_the_functions()
every_name_runs()
