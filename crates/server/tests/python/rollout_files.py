"""Rollout files against their JSON Schema and their reader: what one takes the other takes. Arguments: the binary, the project."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

import jsonschema
import yaml

BINARY, PROJECT = sys.argv[1], pathlib.Path(sys.argv[2])


def run(*arguments, text=None):
    return subprocess.run([BINARY, *arguments], input=text, capture_output=True, text=True, timeout=60)


def examples():
    """Every rollout file in the documents and in the help."""
    pages = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
    for page in pages:
        for language, text in re.findall(r"^```(toml|yaml|json)\n(.*?)^```", page.read_text(), re.M | re.S):
            if "rest_stage" in text or "lambda_alias" in text:
                yield f"{page.name} ({language})", text, {"toml": tomllib.loads, "yaml": yaml.safe_load, "json": json.loads}[language](text)
    indented = [line[2:] for line in run("rollout", "start", "--help").stdout.splitlines() if line.startswith("  ")]
    text = "\n".join(indented)
    text = text[text.index("name = "):]
    yield "rollout start --help", text, tomllib.loads(text)


def is_read(text):
    """Whether the reader takes it; what else the plan lacks is not asked here."""
    told = run("rollout", "plan", "-", "--endpoint-url", "http://127.0.0.1:1", text=text)
    return told.returncode == 0, told.stderr


printed = run("rollout", "schema")
assert printed.returncode == 0, printed.stderr
assert printed.stdout == (PROJECT / "docs/rollout.schema.json").read_text(), "the published one is another"
schema = json.loads(printed.stdout)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)

found = list(examples())
assert len(found) >= 3, [name for name, _, _ in found]
for name, text, file in found:
    faults = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(file)]
    assert not faults, (name, faults)
    taken, words = is_read(text)
    assert taken, (name, words)

BASE = {
    "name": "a",
    "target": {"rest_stage": {"rest_api_id": "a1", "stage_name": "prod"}},
    "canary": {"deployment_id": "d2"},
}
TAKEN = [
    {},
    {"Steps": [10, "50%", {"percent": "95%", "wait": "1h30m"}], "wait": "500ms"},
    {"rules": {"margin": 0.01, "Budget": "2%", "interval_ms": 200, "max_duration": "1d", "WhenBlind": "Hold"}},
    {"guardrails": {"ErrorRate": 0.02, "latency": [{"quantile": "p99.9", "above": "2s"}, {"quantile": 0.5, "above_ms": 9}]}},
    {"hooks": [{"name": "a", "when": "before_step", "percent": "50%", "url": "http://a", "timeout": "5s", "attempts": 2}]},
    {"hooks": [{"name": "a", "when": "AfterRollout", "function_name": "f:live", "wait": "5m", "interval_ms": 500}]},
    {"force": "header:X-Release", "notifications": [{"url": "http://a"}]},
    {"target": {"lambda_aliases": [{"function_name": "a", "alias_name": "b"}]}, "canary": {"function_versions": {"a": "1"}}},
    {"ramp": {}, "latency": {"warm_up": "1m"}, "routes": ["GET /pets/{id}"], "alarms": ["x"]},
]
REFUSED = [
    {"colour": 1},
    {"rules": {"margn": 1}},
    {"steps": [{"percent": 1, "weight": 2}]},
    {"steps": ["many"]},
    {"steps": [120]},
    {"wait": "soon"},
    {"wait": 60},
    {"wait": "1s", "wait_ms": 1000},
    {"Name": "b"},
    {"rules": {"max_duration": "1h", "max_duration_ms": 1}},
    {"rules": {"margin": "much"}},
    {"rules": {"when_blind": "promote"}},
    {"guardrails": {"latency": [{"quantile": "99", "above": "1s"}]}},
    {"guardrails": {"latency": [{"quantile": 0.99}]}},
    {"routes": "GET /pets"},
    {"hooks": [{"name": "a", "url": "http://a"}]},
    {"hooks": [{"name": "a", "when": "sometimes", "url": "http://a"}]},
    {"hooks": [{"name": "a", "when": "after_step", "url": "http://a", "secret": "short"}]},
    {"force": "query:x"},
    {"pre_warm": {"environments": 0}},
    {"target": {"lambda_aliases": []}, "canary": {"function_versions": {"a": "1"}}},
    {"target": {"lambda_aliases": [{"function_name": "a"}]}, "canary": {"function_versions": {"a": "1"}}},
    {"target": {"lambda_aliases": [{"function_name": "a", "alias_name": "b"}]}, "canary": {"function_versions": {"a": "x"}}},
]
for wanted, cases in [(True, TAKEN), (False, REFUSED)]:
    for more in cases:
        file = BASE | more
        assert validator.is_valid(file) == wanted, ("schema", more)
        taken, words = is_read(json.dumps(file))
        assert taken == wanted, ("reader", more, words)
print(f"{len(found)} examples, {len(TAKEN)} files taken and {len(REFUSED)} refused by schema and reader alike")
