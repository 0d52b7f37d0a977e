"""Logs Insights over a function's real lines: fields that are discovered, figures over time, one event by its pointer."""

import time

from given import *

CODE = '''
import json

def handler(event, context):
    print(json.dumps({"level": "ERROR" if event["n"] % 2 else "INFO", "order": {"n": event["n"]}}))
    return event["n"]
'''
GROUP = "/aws/lambda/insighted"


def query(text, **arguments):
    """The rows of a query over the last hour, each as a dictionary, once it has ended."""
    moment = int(time.time())
    arguments = {"logGroupName": GROUP, **arguments}
    started = logs.start_query(startTime=moment - 3600, endTime=moment + 60, queryString=text, **arguments)
    def ended():
        found = logs.get_query_results(queryId=started["queryId"])
        return found if found["status"] not in ("Scheduled", "Running") else None
    found = wait_for(f"the end of {text}", ended)
    assert found["status"] == "Complete", found
    return [{field["field"]: field["value"] for field in row} for row in found["results"]]


def lines():
    function("insighted", CODE, role("insighted"))
    for n in range(4):
        answer = invoke("insighted", {"n": n})
        assert answer["Payload"] == n, answer
    wait_for("four reports", lambda: len(query('filter @type = "REPORT"')) == 4 if has_group() else None)


def has_group():
    return any(group["logGroupName"] == GROUP for group in logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"])


def figures():
    [row] = query(
        'filter @type = "REPORT" | stats count(*) as n, max(@memorySize / 1000 / 1000) as mb, avg(@duration) as ms,'
        " count_distinct(@requestId) as ids"
    )
    assert (row["n"], row["mb"], row["ids"]) == ("4", "128", "4") and float(row["ms"]) > 0, row
    rows = query("filter ispresent(order.n) | stats count(*) as n, sum(order.n) by level | sort level")
    assert rows == [
        {"level": "ERROR", "n": "2", "sum(order.n)": "4"},
        {"level": "INFO", "n": "2", "sum(order.n)": "2"},
    ], rows
    rows = query("filter @message like /ERROR/ | stats count(*) as n by bin(1h)")
    assert sum(int(row["n"]) for row in rows) == 2 and all(row["bin(1h)"].endswith(":00:00.000") for row in rows), rows
    rows = query(r"filter @type = 'REPORT' | parse @message /Memory Size: (?<size>\d+) MB/ | limit 1")
    assert rows[0]["size"] == "128" and set(rows[0]) == {"size", "@ptr"}, rows


def one_event():
    [row] = query("filter order.n = 3 | display order.n")
    record = logs.get_log_record(logRecordPointer=row["@ptr"])["logRecord"]
    assert record["level"] == "ERROR" and record["@log"].endswith(":" + GROUP), record
    fields = {field["name"] for field in logs.get_log_group_fields(logGroupName=GROUP)["logGroupFields"]}
    assert {"@message", "@timestamp", "@requestId", "level", "order.n"} <= fields, fields


def refusals():
    try:
        query("fields a | count()")
        raise AssertionError("a query that is none was run")
    except logs.exceptions.MalformedQueryException as error:
        place = error.response["queryCompileError"]["location"]
        assert (place["startCharOffset"], place["endCharOffset"]) == (11, 16), error.response
    with refused("ResourceNotFoundException", "does not exist for account ID"):
        query("fields a", logGroupName="nosuch")


def saved():
    made = logs.put_query_definition(name="birds/errors", queryString="fields @message", logGroupNames=[GROUP])
    [found] = logs.describe_query_definitions(queryDefinitionNamePrefix="birds")["queryDefinitions"]
    assert found["queryDefinitionId"] == made["queryDefinitionId"], found
    assert logs.delete_query_definition(queryDefinitionId=made["queryDefinitionId"])["success"]
    assert logs.describe_queries(logGroupName=GROUP, status="Complete")["queries"]


lines()
figures()
one_event()
refusals()
saved()
