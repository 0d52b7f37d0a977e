"""Functions begin so often: those without a reservation together as their account may, one with a reservation ten times that a second."""

import concurrent.futures
import sys

from given import *

RATE = int(sys.argv[1])

CODE = """
def handler(event, context):
    return "ran"
"""


def reasons(name, count, **arguments):
    """What became of so many calls at once: None, or why they were throttled."""

    def call(_):
        try:
            lambda_.invoke(FunctionName=name, **arguments)
            return None
        except lambda_.exceptions.TooManyRequestsException as error:
            answer = error.response
            has(answer, Reason=answer["Reason"], Type="User")
            has(answer["ResponseMetadata"], HTTPStatusCode=429)
            has(answer["ResponseMetadata"]["HTTPHeaders"], **{"retry-after": "1"})
            assert answer["Error"]["Message"] == "Rate Exceeded.", answer
            return answer["Reason"]

    with concurrent.futures.ThreadPoolExecutor(16) as callers:
        return list(callers.map(call, range(count)))


def throttles(resource):
    end = time.time() + 60
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda", MetricName="Throttles", Dimensions=[{"Name": "FunctionName", "Value": resource}],
        StartTime=end - 600, EndTime=end, Period=600, Statistics=["Sum"])["Datapoints"]
    return sum(point["Sum"] for point in found)


def account():
    role_arn = role("rates")
    for name in ("first", "second"):
        function(name, CODE, role_arn)
    # More than a bucket holds, and what comes while they take their time.
    seen = reasons("first", 20 * RATE) + reasons("second", 20 * RATE)
    refused = [reason for reason in seen if reason]
    assert RATE <= len(seen) - len(refused) < len(seen), seen
    assert set(refused) == {"FunctionInvocationRateLimitExceeded"}, refused
    wait_for("their metric", lambda: throttles("first") + throttles("second") == len(refused))
    # Events are no calls that somebody waits for.
    assert not any(reasons("first", 5 * RATE, InvocationType="Event"))
    ran = lambda: cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda", MetricName="Invocations", Dimensions=[{"Name": "FunctionName", "Value": "first"}],
        StartTime=time.time() - 600, EndTime=time.time() + 60, Period=600, Statistics=["Sum"])["Datapoints"]
    wait_for("all events", lambda: sum(point["Sum"] for point in ran()) >= 5 * RATE)


def reserved():
    function("own", CODE, role("own"))
    lambda_.put_function_concurrency(FunctionName="own", ReservedConcurrentExecutions=1)
    lambda_.invoke(FunctionName="own")
    seen = []
    wait_for("a throttle", lambda: seen.extend([one_by_one()]) or seen[-1])
    assert seen[-1] == "ReservedFunctionInvocationRateLimitExceeded", seen


def one_by_one():
    try:
        lambda_.invoke(FunctionName="own")
    except lambda_.exceptions.TooManyRequestsException as error:
        return error.response["Reason"]


account()
reserved()
print("functions begin so often")
