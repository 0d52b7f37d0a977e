"""CodeDeploy for Lambda, through boto3 and the aws CLI: `story`, `alarm`, `stop`, `s3` and `triggers` on a server whose waits are
divided by 60; `begin`, and on the server that comes after it was killed, `resume`, which take the folder's state along."""

import subprocess
import sys

from given import *

deploy = boto3.client("codedeploy", config=CONFIG)
s3 = boto3.client("s3", config=CONFIG.merge(botocore.config.Config(s3={"addressing_style": "path"})))
SCALE = 60

CODE = """
def handler(event, context):
    return context.function_version
"""
# Tells what it was asked and says that all is well, unless its name says otherwise.
HOOK = '''
import datetime, hashlib, hmac, json, os, urllib.request

def codedeploy(operation, members):
    """Signed by hand, so that the package needs nothing but Python's own library."""
    body = json.dumps(members)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/{os.environ['AWS_REGION']}/codedeploy/aws4_request"
    headers = {
        "content-type": "application/x-amz-json-1.1", "host": os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"),
        "x-amz-date": now, "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"],
        "x-amz-target": f"CodeDeploy_20141006.{operation}",
    }
    digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
    names = ";".join(sorted(headers))
    lines = ["POST", "/", "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, digest(body)]
    text = "\\n".join(["AWS4-HMAC-SHA256", now, scope, digest("\\n".join(lines))])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for word in (*scope.split("/"), text):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
                                f"SignedHeaders={names}, Signature={key.hex()}")
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], body.encode(), headers)
    return json.load(urllib.request.urlopen(request, timeout=5))

def handler(event, context):
    print("ASKED", json.dumps(event))
    if context.function_name.endswith("broken"):
        raise KeyError("a bug")
    codedeploy("PutLifecycleEventHookExecutionStatus", {
        "deploymentId": event["DeploymentId"],
        "lifecycleEventHookExecutionId": event["LifecycleEventHookExecutionId"],
        "status": "Failed" if context.function_name.endswith("no") else "Succeeded",
    })
'''
TOLD = """
import json

def handler(event, context):
    print("TOLD", json.dumps(event))
"""


def cli(*arguments):
    command = [sys.executable, "-m", "awscli", "deploy", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def deployer():
    arn = iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust("codedeploy.amazonaws.com"))["Role"]["Arn"]
    policy = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"
    iam.attach_role_policy(RoleName="deployer", PolicyArn=policy)
    return arn


def hooks_role():
    arn = role("hooks")
    statement = {"Effect": "Allow", "Action": "codedeploy:PutLifecycleEventHookExecutionStatus", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="hooks", PolicyName="answer", PolicyDocument=document)
    return arn


def group(**more):
    """A function `pets` with versions 1 and 2 and an alias on the first, and a group that deploys it."""
    function("pets", CODE, role("pets"))
    lambda_.publish_version(FunctionName="pets")
    release("pets", CODE + "# two\n")
    lambda_.create_alias(FunctionName="pets", Name="live", FunctionVersion="1")
    deploy.create_application(applicationName="app", computePlatform="Lambda")
    settings = {
        "applicationName": "app", "deploymentGroupName": "group", "serviceRoleArn": deployer(),
        "deploymentStyle": {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
    }
    deploy.create_deployment_group(**(settings | more))


def alias():
    found = lambda_.get_alias(FunctionName="pets", Name="live")
    return found["FunctionVersion"], (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights")


def appspec(before=None, after=None, current="1", target="2"):
    hooks = "".join(f"\n  - {event}: {name}" for event, name in [
        ("BeforeAllowTraffic", before), ("AfterAllowTraffic", after)
    ] if name)
    return f"""version: 0.0
Resources:
  - pets:
      Type: AWS::Lambda::Function
      Properties:
        Name: pets
        Alias: live
        CurrentVersion: "{current}"
        TargetVersion: "{target}"
""" + (f"Hooks:{hooks}\n" if hooks else "")


def start(config, content=None, **more):
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content or appspec()}}
    return deploy.create_deployment(**({
        "applicationName": "app", "deploymentGroupName": "group", "revision": revision,
        "deploymentConfigName": f"CodeDeployDefault.Lambda{config}",
    } | more))["deploymentId"]


def info(id):
    return deploy.get_deployment(deploymentId=id)["deploymentInfo"]


def ended(id):
    over = ("Succeeded", "Failed", "Stopped")
    return wait_for(f"the end of {id}", lambda: (found := info(id))["status"] in over and found)


def events(id):
    target = deploy.get_deployment_target(deploymentId=id, targetId="pets:live")["deploymentTarget"]["lambdaTarget"]
    return [event["status"] for event in target["lifecycleEvents"]]


def story():
    group()
    for name in ("CodeDeployHook_pre", "CodeDeployHook_post", "CodeDeployHook_no", "CodeDeployHook_broken", "other"):
        function(name, HOOK, hooks_role() if name == "CodeDeployHook_pre" else f"arn:aws:iam::{ACCOUNT}:role/hooks")
    id = start("Canary10Percent5Minutes", appspec("CodeDeployHook_pre", "CodeDeployHook_post"))
    wait_for("the canary", lambda: alias() == ("1", {"2": 0.1}))
    began = time.monotonic()
    target = deploy.get_deployment_target(deploymentId=id, targetId="pets:live")["deploymentTarget"]["lambdaTarget"]
    has(target["lambdaFunctionInfo"], currentVersion="1", targetVersion="2", targetVersionWeight=0.1)
    waited = cli("wait", "deployment-successful", "--deployment-id", id)
    assert waited.returncode == 0, waited.stderr
    assert time.monotonic() - began > 5 * 60 / SCALE - 1, "five minutes, divided"
    assert alias() == ("2", None), alias()
    found = info(id)
    has(found, status="Succeeded", creator="user", computePlatform="Lambda")
    assert "--time-scale" in found["deploymentStatusMessages"][0], found
    assert events(id) == ["Succeeded"] * 3
    asked = json.loads(log_messages("/aws/lambda/CodeDeployHook_pre", "ASKED")[0].removeprefix("ASKED "))
    assert set(asked) == {"DeploymentId", "LifecycleEventHookExecutionId"} and asked["DeploymentId"] == id, asked
    with refused("LifecycleEventAlreadyCompletedException"):
        deploy.put_lifecycle_event_hook_execution_status(
            deploymentId=id, lifecycleEventHookExecutionId=asked["LifecycleEventHookExecutionId"], status="Failed")
    failures(id)


def failures(first):
    """Hooks that say no, break, or may not be asked; and an AppSpec that isn't so any more."""
    back = {"autoRollbackConfiguration": {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}}
    for hook, words in [("CodeDeployHook_no", "reported"), ("CodeDeployHook_broken", "could not validate")]:
        id = start("AllAtOnce", appspec(after=hook, current="2", target="1"), **back)
        found = ended(id)
        has(found["errorInformation"], code="HOOK_EXECUTION_FAILURE")
        assert words in found["errorInformation"]["message"], found
        rollback = ended(found["rollbackInfo"]["rollbackDeploymentId"])
        has(rollback, status="Succeeded", creator="codeDeployRollback")
        assert alias() == ("2", None), alias()
    found = ended(start("AllAtOnce", appspec(before="other", current="2", target="1"), **back))
    has(found["errorInformation"], code="IAM_ROLE_PERMISSIONS")
    found = ended(start("AllAtOnce", appspec(current="1", target="2")))
    has(found, status="Failed")
    assert found["errorInformation"]["message"].endswith(
        "The Lambda function alias version does not match the current version in AppSpec file."), found
    waited = cli("wait", "deployment-successful", "--deployment-id", found["deploymentId"])
    assert waited.returncode != 0
    listed = deploy.list_deployments(applicationName="app", deploymentGroupName="group")["deployments"]
    assert len(listed) == 8 and listed[-1] == first, listed


def alarm():
    settings = {
        "Namespace": "App", "MetricName": "Faults", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "ignore",
    }
    cloudwatch.put_metric_alarm(AlarmName="faults", **settings)
    group(
        alarmConfiguration={"enabled": True, "alarms": [{"name": "faults"}]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
    )
    id = start("Linear10PercentEvery10Minutes")
    wait_for("the first step", lambda: alias() == ("1", {"2": 0.1}))
    cloudwatch.set_alarm_state(AlarmName="faults", StateValue="ALARM", StateReason="a drill")
    found = ended(id)
    back = found["rollbackInfo"]["rollbackDeploymentId"]
    has(found, status="Stopped")
    has(found["errorInformation"], code="ALARM_ACTIVE", message=(
        "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected "
        "deployments have been stopped. Activated alarms: <faults>"))
    has(found["rollbackInfo"], rollbackMessage=(
        f"Deployment {id} terminated. Automatic rollback is triggered with a DeploymentId {back}."))
    assert events(id) == ["Succeeded", "Failed", "Skipped"]
    rollback = ended(back)
    has(rollback, status="Succeeded", creator="codeDeployRollback")
    has(rollback["rollbackInfo"], rollbackTriggeringDeploymentId=id, rollbackMessage=(
        f"Deployment {back} is triggered to roll back deployment {id}."))
    assert alias() == ("1", None) and events(back) == ["Succeeded"] * 3


def stop():
    group()
    id = start("Canary10Percent30Minutes")
    wait_for("the canary", lambda: alias() == ("1", {"2": 0.1}))
    with refused("DeploymentLimitExceededException", f"'group' already has an active Deployment '{id}'", 400):
        start("AllAtOnce")
    assert json.loads(cli("stop-deployment", "--deployment-id", id).stdout)["status"] == "Succeeded"
    has(info(id), status="Stopped")
    has(info(id)["errorInformation"], code="MANUAL_STOP")
    assert alias() == ("1", {"2": 0.1}), "left as it is"
    lambda_.update_alias(FunctionName="pets", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    id = start("Canary10Percent30Minutes")
    wait_for("the canary", lambda: alias() == ("1", {"2": 0.1}))
    deploy.stop_deployment(deploymentId=id, autoRollbackEnabled=True)
    has(ended(info(id)["rollbackInfo"]["rollbackDeploymentId"]), status="Succeeded")
    assert alias() == ("1", None)
    with refused("DeploymentAlreadyCompletedException"):
        deploy.stop_deployment(deploymentId=id)


def from_s3():
    group()
    s3.create_bucket(Bucket="specs")
    etag = s3.put_object(Bucket="specs", Key="CodeDeploy/spec.yml", Body=appspec().encode())["ETag"]
    s3.put_object(Bucket="specs", Key="elsewhere.yml", Body=appspec().encode())
    def location(key):
        return {"revisionType": "S3", "s3Location": {"bucket": "specs", "key": key, "bundleType": "YAML", "eTag": etag}}
    with refused("RevisionDoesNotExistException", "may not s3:GetObject"):
        start("AllAtOnce", revision=location("elsewhere.yml"))
    with refused("RevisionDoesNotExistException"):
        start("AllAtOnce", revision=location("CodeDeploy/none.yml"))
    has(ended(start("AllAtOnce", revision=location("CodeDeploy/spec.yml"))), status="Succeeded")
    assert alias() == ("2", None)


def triggers():
    function("told", TOLD, role("told"))
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:told"
    lambda_.add_permission(
        FunctionName="told", StatementId="deploy", Action="lambda:InvokeFunction", Principal="codedeploy.amazonaws.com",
        SourceArn=f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:app/group",
    )
    group(triggerConfigurations=[{
        "triggerName": "t", "triggerTargetArn": arn, "triggerEvents": ["DeploymentStart", "DeploymentSuccess"],
    }])
    id = start("AllAtOnce")
    ended(id)
    seen = wait_for("both events", lambda: len(found := log_messages("/aws/lambda/told", "TOLD")) == 2 and found)
    told = [json.loads(message.removeprefix("TOLD ")) for message in seen]
    assert {one["detail"]["state"] for one in told} == {"START", "SUCCESS"}, told
    assert all(one["detail"]["deploymentId"] == id for one in told), told


def begin():
    group()
    start("Linear10PercentEvery3Minutes")
    wait_for("the first step", lambda: (alias()[1] or {}).get("2", 0) >= 0.1)


def resume():
    id, = deploy.list_deployments()["deployments"]
    seen = []
    def over():
        share = (alias()[1] or {}).get("2", 1)
        seen.append(share)
        return share == 1
    wait_for("the whole", over, deadline_s=90)
    steps = sorted(set(seen))
    assert all(0.05 < share - before < 0.15 for before, share in zip(steps, steps[1:])), f"no step is left out: {steps}"
    has(ended(id), status="Succeeded")
    assert alias() == ("2", None)


{"story": story, "alarm": alarm, "stop": stop, "s3": from_s3, "triggers": triggers, "begin": begin, "resume": resume}[sys.argv[1]]()
