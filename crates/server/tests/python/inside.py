"""What a function reaches from inside its sandbox: AWS in its role's name and as its policies allow, and nothing else."""

from given import *

# Signs by hand, so that the package needs nothing but Python's own library.
CODE = '''
import datetime, hashlib, hmac, http.client, json, os, socket, urllib.parse, urllib.request

def exchange(method, path, headers, body):
    address = urllib.parse.urlparse(os.environ["AWS_ENDPOINT_URL"])
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=5)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return [answer.status, answer.read().decode()]

def signed(service, method, path, headers, body, key=None):
    key_id, secret, token = key or [os.environ["AWS_" + name] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/{os.environ['AWS_REGION']}/{service}/aws4_request"
    host = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    headers = headers | {"host": host, "x-amz-date": now} | ({"x-amz-security-token": token} if token else {})
    names = ";".join(sorted(headers))
    digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
    lines = [method, path, "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, digest(body)]
    text = "\\n".join(["AWS4-HMAC-SHA256", now, scope, digest("\\n".join(lines))])
    mac = lambda key, word: hmac.new(key, word.encode(), hashlib.sha256).digest()
    derived = ("AWS4" + secret).encode()
    for word in scope.split("/"):
        derived = mac(derived, word)
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, "
                                f"Signature={mac(derived, text).hex()}")
    return exchange(method, path, headers, body)

FORM = {"content-type": "application/x-www-form-urlencoded"}
WHO = "Action=GetCallerIdentity&Version=2011-06-15"

def reaches(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        return True
    except OSError:
        return False

def handler(event, context):
    what = event["what"]
    if what == "who":
        return signed("sts", "POST", "/", FORM, WHO)
    if what == "unsigned":
        return exchange("POST", "/", FORM, WHO)
    if what == "forged":
        return signed("sts", "POST", "/", FORM, WHO, event["key"])
    if what == "invoke":
        path = f"/2015-03-31/functions/{event['function']}/invocations"
        return signed("lambda", "POST", path, {}, json.dumps({"from": "inside"}))
    if what == "change":
        path = f"/2015-03-31/functions/{event['function']}/configuration"
        return signed("lambda", "PUT", path, {}, json.dumps(event["changes"]))
    if what == "get":
        return exchange("GET", event["path"], {}, None)
    if what == "code":
        status, body = signed("lambda", "GET", f"/2015-03-31/functions/{event['function']}", {}, "")
        with urllib.request.urlopen(json.loads(body)["Code"]["Location"], timeout=5) as answer:
            return [answer.status, answer.read(2).decode()]
    if what == "large":
        return exchange("POST", "/2015-03-31/functions/other/invocations", {}, b"x" * event["bytes"])
    if what == "reach":
        return [reaches(port) for port in event["ports"]]
    if what == "variables":
        return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
'''


def ask(what, **more):
    return invoke("inside", {"what": what} | more)["Payload"]


def who_it_is(role_arn):
    status, body = ask("who")
    assert status == 200, body
    session = role_arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/inside"
    assert f"<Arn>{session}</Arn>" in body, (session, body)
    variables = ask("variables")
    assert variables["AWS_ACCESS_KEY_ID"].startswith("ASIA") and variables["AWS_SESSION_TOKEN"], variables
    # The credentials are real ones: they hold outside as well.
    outside = boto3.client(
        "sts", config=CONFIG, aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"], aws_session_token=variables["AWS_SESSION_TOKEN"],
    )
    assert outside.get_caller_identity()["Arn"] == session


def what_is_refused():
    status, body = ask("unsigned")
    assert status == 403 and "MissingAuthenticationToken" in body, body
    # What names an account on the host's loopback is nobody here.
    for key in (["000000000000", "secret", ""], ["test", "test", ""]):
        status, body = ask("forged", key=key)
        assert status == 403 and "InvalidClientTokenId" in body, body
    variables = ask("variables")
    token = variables["AWS_SESSION_TOKEN"]
    status, body = ask("forged", key=[variables["AWS_ACCESS_KEY_ID"], "x" * 40, token])
    assert status == 403 and "SignatureDoesNotMatch" in body, body


def what_its_policies_allow():
    function("other", "def handler(event, context):\n    return event\n", role("other"))
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:other"
    status, body = ask("invoke", function="other")
    words = f"is not authorized to perform: lambda:InvokeFunction on resource: {arn} because no identity-based policy"
    assert status == 403 and words in body, body
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    iam.put_role_policy(RoleName="inside", PolicyName="call", PolicyDocument=json.dumps(policy))
    assert ask("invoke", function="other") == [200, '{"from": "inside"}']
    assert ask("invoke", function="inside")[0] == 403, "only that one"
    # To give a function another role takes the right to hand that role on.
    change = {"Effect": "Allow", "Action": "lambda:UpdateFunctionConfiguration", "Resource": arn}
    policy["Statement"].append(change)
    iam.put_role_policy(RoleName="inside", PolicyName="call", PolicyDocument=json.dumps(policy))
    assert ask("change", function="other", changes={"Description": "changed"})[0] == 200
    updated("other")
    status, body = ask("change", function="other", changes={"Role": role("powerful")})
    assert status == 403 and "is not authorized to perform: iam:PassRole on resource: arn:aws:iam" in body, body
    policy["Statement"].append({"Effect": "Deny", "Action": "lambda:*", "Resource": "*"})
    iam.put_role_policy(RoleName="inside", PolicyName="call", PolicyDocument=json.dumps(policy))
    assert ask("invoke", function="other")[0] == 403
    iam.delete_role_policy(RoleName="inside", PolicyName="call")
    iam.attach_role_policy(RoleName="inside", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert ask("invoke", function="other")[0] == 200


def what_it_reaches():
    port = urllib.parse.urlparse(ENDPOINT).port
    inside = urllib.parse.urlparse(ask("variables")["AWS_ENDPOINT_URL"]).port
    # Where sandboxes have no network of their own there is one address for all.
    if inside != port:
        assert ask("reach", ports=[port, 22, inside]) == [False, False, True], "only what is meant for it"
    # What others' code is takes a URL that somebody who may know has got, for the address that he got it for.
    location = urllib.parse.urlparse(lambda_.get_function(FunctionName="other")["Code"]["Location"])
    assert exchange("GET", f"{location.path}?{location.query}")[0] == 200
    for path in (location.path, f"{location.path}?{location.query}"):
        status, body = ask("get", path=path)
        assert status == 403 and "<Error>" in body and "PK" not in body, (status, body)
    assert ask("code", function="other") == [200, "PK"], "it may ask for it itself"
    status, body = ask("large", bytes=9 << 20)
    assert status == 413, (status, body[:200])
    api, root = rest_api("inside")
    mock(api, root, status=204)
    gateway.create_deployment(restApiId=api, stageName="prod")
    assert ask("get", path=f"/_aws/execute-api/{api}/prod/")[0] == 204, "an API is for everybody"


role_arn = role("inside")
function("inside", CODE, role_arn)
who_it_is(role_arn)
what_is_refused()
what_its_policies_allow()
what_it_reaches()
