"""A server whose functions get CPU by their memory: what they got is measured inside, CPU time for the time that went by.

A host that is busy with something else only makes that less. So the upper bounds are close and the lower ones loose.
"""

import concurrent.futures
import os

from given import *

CODE = '''
import threading, time

def spin(seconds, threads=1):
    """How many CPUs this process got while it spun."""
    wall, cpu = time.monotonic(), time.process_time()
    def until():
        while time.monotonic() < wall + seconds:
            pass
    others = [threading.Thread(target=until) for _ in range(threads - 1)]
    for other in others: other.start()
    until()
    for other in others: other.join()
    return (time.process_time() - cpu) / (time.monotonic() - wall)

started = spin(0.4)

def work(milliseconds):
    """How many milliseconds that much work takes."""
    wall, end = time.monotonic(), time.process_time() + milliseconds / 1000
    while time.process_time() < end:
        pass
    return (time.monotonic() - wall) * 1000

def handler(event, context):
    if "work" in event:
        return work(event["work"])
    return started, spin(**event)
'''

# Twice the share of 128 MB and more, in CPUs. On a busy host nobody has much; of some starts one will.
BOOST, STARTS = 0.2, 5


def share_of(memory):
    return memory / 1769


def held(got, memory):
    """What a function got in two seconds is its share, and no more than one period's quota and the kernel's ticks beside it."""
    share = share_of(memory)
    assert share * 0.1 < got < share * 1.15 + 0.01, f"{got} CPUs at {memory} MB, whose share is {share}"


def each_gets_by_its_memory():
    for memory in (128, 177, 885):
        name = f"spinner-{memory}"
        function(name, CODE, ROLE, MemorySize=memory, Timeout=20)
        for threads in (1, 3):
            held(invoke(name, {"seconds": 2, "threads": threads})["Payload"][1], memory)


def a_start_has_all_there_is():
    # The second function's can't have an interpreter that was started before.
    for variables in ({}, {"TZ": "UTC"}):
        most = 0
        for start in range(STARTS):
            name = f"starter-{start}-{len(variables)}"
            function(name, CODE, ROLE, MemorySize=128, Environment={"Variables": variables})
            most = max(most, invoke(name, {"seconds": 0.01})["Payload"][0])
            if most > BOOST:
                break
        assert most > BOOST, f"{most} CPUs while they started, with {variables}"


def one_does_not_take_anothers():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(invoke, "spinner-177", {"seconds": 2}) for _ in range(2)]
        for call in calls:
            held(call.result()["Payload"][1], 177)


def what_pauses_is_not_held_up():
    # At 128 MB a period's quota is 1.4 ms, and as much may be saved up.
    quickest = min(invoke("spinner-128", {"work": 1})["Payload"] for _ in range(20))
    assert quickest < 10, f"{quickest} ms for 1 ms of work after a pause"


def enough_memory_is_the_whole_host():
    memory = min(10240, 1769 * os.cpu_count())
    function("spinner-all", CODE, ROLE, MemorySize=memory, Timeout=20)
    most = max(invoke("spinner-all", {"seconds": 0.5})["Payload"][1] for _ in range(STARTS))
    assert most > BOOST, f"{most} CPUs at {memory} MB"


def one_that_never_ends_is_ended_in_time():
    # It is in debt all the time.
    lambda_.update_function_configuration(FunctionName="spinner-128", Timeout=1)
    updated("spinner-128")
    invoke("spinner-128", {"work": 0})
    began = time.monotonic()
    answer = invoke("spinner-128", {"seconds": 30, "threads": 2})
    took = time.monotonic() - began
    assert answer["Payload"]["errorType"] == "Sandbox.Timedout", answer
    assert took < 5, f"ended after {took} s"
    assert invoke("spinner-128", {"work": 1})["Payload"] > 0, "another follows"


ROLE = role("spinner")
each_gets_by_its_memory()
a_start_has_all_there_is()
one_does_not_take_anothers()
what_pauses_is_not_held_up()
enough_memory_is_the_whole_host()
one_that_never_ends_is_ended_in_time()
