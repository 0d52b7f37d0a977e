"""Roles, policies and who calls: what tools ask of IAM and STS, and that Lambda's trust is checked."""

from given import *

POLICY = json.dumps({
    "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}],
})
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
CODE = "def handler(event, context):\n    return event\n"


def roles():
    made = iam.create_role(
        RoleName="app", AssumeRolePolicyDocument=trust(), Description="d", Tags=[{"Key": "a", "Value": "b"}],
        MaxSessionDuration=7200,
    )["Role"]
    has(made, RoleName="app", Path="/", Arn=f"arn:aws:iam::{ACCOUNT}:role/app")
    assert made["RoleId"].startswith("AROA") and len(made["RoleId"]) == 21, made
    found = iam.get_role(RoleName="app")["Role"]
    has(found, MaxSessionDuration=7200, Description="d", Tags=[{"Key": "a", "Value": "b"}])
    assert found["AssumeRolePolicyDocument"] == json.loads(trust()), found
    with refused("EntityAlreadyExists", "Role with name app already exists.", 409):
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust())
    with refused("NoSuchEntity", "The role with name none cannot be found.", 404):
        iam.get_role(RoleName="none")
    with refused("MalformedPolicyDocument", "This policy contains invalid Json", 400):
        iam.create_role(RoleName="bad", AssumeRolePolicyDocument="{")
    iam.put_role_policy(RoleName="app", PolicyName="read", PolicyDocument=POLICY)
    assert iam.list_role_policies(RoleName="app")["PolicyNames"] == ["read"]
    inline = iam.get_role_policy(RoleName="app", PolicyName="read")
    has(inline, RoleName="app", PolicyName="read", PolicyDocument=json.loads(POLICY))
    iam.attach_role_policy(RoleName="app", PolicyArn=BASIC)
    own = iam.create_policy(PolicyName="own", PolicyDocument=POLICY)["Policy"]
    iam.attach_role_policy(RoleName="app", PolicyArn=own["Arn"])
    attached = iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"]
    assert sorted(policy["PolicyName"] for policy in attached) == ["AWSLambdaBasicExecutionRole", "own"], attached
    version = iam.get_policy_version(PolicyArn=own["Arn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"] == json.loads(POLICY) and version["IsDefaultVersion"], version
    with refused("DeleteConflict", status=409):
        iam.delete_role(RoleName="app")
    with refused("DeleteConflict", status=409):
        iam.delete_policy(PolicyArn=own["Arn"])
    assert iam.list_instance_profiles_for_role(RoleName="app")["InstanceProfiles"] == []


def callers():
    caller = sts.get_caller_identity()
    assert caller["Account"] == ACCOUNT and caller["Arn"].startswith(f"arn:aws:"), caller
    with refused("AccessDenied", status=403):
        sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/app", RoleSessionName="session")
    ours = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(
        RoleName="app", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [ours]})
    )
    session = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/app", RoleSessionName="session")
    keys = session["Credentials"]
    assert keys["AccessKeyId"].startswith("ASIA") and keys["SessionToken"], keys
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/session"
    assert session["AssumedRoleUser"]["Arn"] == arn, session
    assert session["AssumedRoleUser"]["AssumedRoleId"].endswith(":session"), session
    inside = boto3.client(
        "sts", config=CONFIG, aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert inside.get_caller_identity()["Arn"] == arn
    # A key of twelve digits is an account of its own.
    other = boto3.client("lambda", config=CONFIG, aws_access_key_id="111122223333", aws_secret_access_key="x")
    assert other.list_functions()["Functions"] == []


def trusted():
    """Only a role that Lambda may assume makes a function."""
    package = {"ZipFile": zipped({"app.py": CODE})}
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    for name in ("other", "none"):
        with refused("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.", 400):
            lambda_.create_function(
                FunctionName="app", Runtime="python3.11", Handler="app.handler", Code=package,
                Role=f"arn:aws:iam::{ACCOUNT}:role/{name}",
            )
    assert lambda_.list_functions()["Functions"] == []
    iam.update_assume_role_policy(RoleName="other", PolicyDocument=trust())
    function("app", CODE, f"arn:aws:iam::{ACCOUNT}:role/other")
    assert invoke("app", {"x": 1})["Payload"] == {"x": 1}


def removal():
    for policy in iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"]:
        iam.detach_role_policy(RoleName="app", PolicyArn=policy["PolicyArn"])
    iam.delete_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/own")
    iam.delete_role_policy(RoleName="app", PolicyName="read")
    iam.delete_role(RoleName="app")
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["other"]


roles()
callers()
trusted()
removal()
