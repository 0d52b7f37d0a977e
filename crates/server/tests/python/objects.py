"""S3: buckets, objects whole, in parts and in frames, lists, presigned URLs, and functions whose code lies in a bucket."""

import hashlib
import os
import re
import socket
import tempfile
import urllib.error
import urllib.request
import zlib
from base64 import b64encode

from boto3.s3.transfer import TransferConfig

from given import *

s3 = boto3.client("s3", config=CONFIG)
MIB = 1024 * 1024


def refused_head(status, call, **arguments):
    """Answers to HEAD have no body to say more in."""
    with refused(str(status), status=status):
        call(**arguments)


def buckets():
    assert s3.create_bucket(Bucket="birds")["Location"] == "/birds"
    s3.create_bucket(Bucket="birds")  # no error in the oldest region
    with refused("InvalidBucketName", "The specified bucket is not valid.", 400):
        s3.create_bucket(Bucket="Not_A_Name")
    abroad = boto3.client("s3", config=CONFIG, region_name="eu-west-1")
    with refused("IllegalLocationConstraintException", "The unspecified location constraint is incompatible", 400):
        abroad.create_bucket(Bucket="abroad")
    there = {"LocationConstraint": "eu-west-1"}
    abroad.create_bucket(Bucket="abroad", CreateBucketConfiguration=there)
    with refused("BucketAlreadyOwnedByYou", "you already own it", 409):
        abroad.create_bucket(Bucket="abroad", CreateBucketConfiguration=there)
    assert s3.get_bucket_location(Bucket="abroad")["LocationConstraint"] == "eu-west-1"
    assert s3.get_bucket_location(Bucket="birds")["LocationConstraint"] is None
    assert s3.head_bucket(Bucket="abroad")["BucketRegion"] == "eu-west-1"
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["abroad", "birds"]
    theirs = boto3.client("s3", config=CONFIG, aws_access_key_id="123456789012", aws_secret_access_key="x")
    with refused("BucketAlreadyExists", "The requested bucket name is not available.", 409):
        theirs.create_bucket(Bucket="birds")
    with refused("AccessDenied", "Access Denied", 403):
        theirs.list_objects_v2(Bucket="birds")
    refused_head(403, theirs.head_bucket, Bucket="birds")
    refused_head(404, s3.head_bucket, Bucket="nowhere")
    with refused("NoSuchBucket", "The specified bucket does not exist", 404):
        s3.list_objects_v2(Bucket="nowhere")


def settings():
    for operation, code in (
        ("get_bucket_cors", "NoSuchCORSConfiguration"), ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_policy", "NoSuchBucketPolicy"), ("get_bucket_policy_status", "NoSuchBucketPolicy"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"), ("get_bucket_tagging", "NoSuchTagSet"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ):
        with refused(code, status=404):
            getattr(s3, operation)(Bucket="birds")
    for operation in (
        "get_bucket_accelerate_configuration", "get_bucket_logging", "get_bucket_notification_configuration", "get_bucket_versioning",
    ):
        answer = getattr(s3, operation)(Bucket="birds")
        assert set(answer) == {"ResponseMetadata"}, answer
    grants = s3.get_bucket_acl(Bucket="birds")
    has(grants["Grants"][0], Permission="FULL_CONTROL", Grantee={"ID": grants["Owner"]["ID"], "Type": "CanonicalUser"})
    rules = s3.get_bucket_encryption(Bucket="birds")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}, rules
    assert all(s3.get_public_access_block(Bucket="birds")["PublicAccessBlockConfiguration"].values())
    rules = s3.get_bucket_ownership_controls(Bucket="birds")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}], rules
    assert s3.get_bucket_request_payment(Bucket="birds")["Payer"] == "BucketOwner"
    s3.put_bucket_tagging(Bucket="birds", Tagging={"TagSet": [{"Key": "team", "Value": "birds"}]})
    assert s3.get_bucket_tagging(Bucket="birds")["TagSet"] == [{"Key": "team", "Value": "birds"}]
    s3.delete_bucket_tagging(Bucket="birds")
    for call, arguments in (
        (s3.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Enabled"}}),
        (s3.put_bucket_encryption, {"ServerSideEncryptionConfiguration": encryption("aws:kms")}),
        (s3.put_bucket_policy, {"Policy": policy(Effect="Deny", Principal={"AWS": ACCOUNT})}),
        (s3.put_bucket_policy, {"Policy": policy(Principal="*")}),
        (s3.put_bucket_lifecycle_configuration, {"LifecycleConfiguration": {"Rules": []}}),
        (s3.put_object, {"Key": "k", "ServerSideEncryption": "aws:kms"}),
        (s3.put_object, {"Key": "k", "StorageClass": "GLACIER"}),
        (s3.put_object, {"Key": "k", "WebsiteRedirectLocation": "/"}),
    ):
        with refused("NotImplemented", status=501):
            call(Bucket="birds", **arguments)
    with refused("AccessControlListNotSupported", "The bucket does not allow ACLs", 400):
        s3.put_object(Bucket="birds", Key="k", ACL="public-read")


def policy(**changes):
    statement = {
        "Effect": "Allow", "Principal": {"Service": "serverlessrepo.amazonaws.com"}, "Action": ["s3:GetObject"],
        "Resource": ["arn:aws:s3:::birds/*"], "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | changes]})


def encryption(algorithm):
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}, "BucketKeyEnabled": True}]}


def as_tools_set_them():
    """What Terraform's resources of a bucket and SAM's managed bucket set, and take away."""
    s3.put_bucket_policy(Bucket="birds", Policy=policy())
    assert s3.get_bucket_policy(Bucket="birds")["Policy"] == policy(), "as it was put"
    assert s3.get_bucket_policy_status(Bucket="birds")["PolicyStatus"] == {"IsPublic": False}
    with refused("MalformedPolicy", "Policy has invalid resource", 400):
        s3.put_bucket_policy(Bucket="birds", Policy=policy(Resource="arn:aws:s3:::others/*"))
    s3.delete_bucket_policy(Bucket="birds")
    with refused("NoSuchBucketPolicy", status=404):
        s3.get_bucket_policy(Bucket="birds")
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    s3.put_public_access_block(Bucket="birds", PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(Bucket="birds")["PublicAccessBlockConfiguration"] == block
    s3.delete_public_access_block(Bucket="birds")
    with refused("NoSuchPublicAccessBlockConfiguration", status=404):
        s3.get_public_access_block(Bucket="birds")
    s3.put_bucket_encryption(Bucket="birds", ServerSideEncryptionConfiguration=encryption("AES256"))
    assert s3.get_bucket_encryption(Bucket="birds")["ServerSideEncryptionConfiguration"] == encryption("AES256")
    s3.delete_bucket_encryption(Bucket="birds")
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.delete_bucket_ownership_controls(Bucket="birds")
    with refused("OwnershipControlsNotFoundError", status=404):
        s3.get_bucket_ownership_controls(Bucket="birds")
    s3.put_bucket_ownership_controls(Bucket="birds", OwnershipControls=controls)
    assert s3.get_bucket_ownership_controls(Bucket="birds")["OwnershipControls"] == controls


def objects():
    key = "d/ü k&<+>.txt"
    put = s3.put_object(
        Bucket="birds", Key=key, Body=b"hello world", ContentType="text/plain", Metadata={"color": "blue"}, CacheControl="no-cache",
        ContentEncoding="gzip", ContentDisposition="attachment", Tagging="a=1&b=2%203",
    )
    etag = f'"{hashlib.md5(b"hello world").hexdigest()}"'
    has(put, ETag=etag, ChecksumCRC32=b64encode(zlib.crc32(b"hello world").to_bytes(4)).decode(), ServerSideEncryption="AES256")
    found = s3.get_object(Bucket="birds", Key=key)
    said = found["ResponseMetadata"]
    assert re.fullmatch("[0-9A-Z]{16}", said["RequestId"]) and said["HostId"] and said["HTTPHeaders"]["server"] == "AmazonS3", said
    expected = dict(
        ETag=etag, ContentLength=11, ContentType="text/plain", Metadata={"color": "blue"}, CacheControl="no-cache",
        ContentEncoding="gzip", ContentDisposition="attachment", TagCount=2, AcceptRanges="bytes",
    )
    has(found, **expected)
    assert found["Body"].read() == b"hello world"
    has(s3.head_object(Bucket="birds", Key=key), **expected)
    assert s3.get_object_tagging(Bucket="birds", Key=key)["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2 3"}]
    some = s3.get_object(Bucket="birds", Key=key, Range="bytes=2-4")
    has(some, ContentRange="bytes 2-4/11", ContentLength=3)
    assert (some["ResponseMetadata"]["HTTPStatusCode"], some["Body"].read()) == (206, b"llo")
    with refused("InvalidRange", "The requested range is not satisfiable", 416):
        s3.get_object(Bucket="birds", Key=key, Range="bytes=11-")
    with refused("304", status=304):
        s3.get_object(Bucket="birds", Key=key, IfNoneMatch=etag)
    with refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412):
        s3.get_object(Bucket="birds", Key=key, IfMatch='"other"')
    with refused("PreconditionFailed", status=412):
        s3.put_object(Bucket="birds", Key=key, Body=b"", IfNoneMatch="*")
    with refused("BadDigest", "The Content-MD5 you specified did not match what we received.", 400):
        s3.put_object(Bucket="birds", Key=key, Body=b"x", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
    with refused("BadDigest", "The CRC32 you specified did not match the calculated checksum.", 400):
        s3.put_object(Bucket="birds", Key=key, Body=b"x", ChecksumCRC32="AAAAAA==")
    with refused("NoSuchKey", "The specified key does not exist.", 404):
        s3.get_object(Bucket="birds", Key="none")
    refused_head(404, s3.head_object, Bucket="birds", Key="none")
    s3.copy_object(Bucket="birds", Key="copy", CopySource={"Bucket": "birds", "Key": key})
    has(s3.head_object(Bucket="birds", Key="copy"), Metadata={"color": "blue"}, ETag=etag)
    with refused("InvalidRequest", "This copy request is illegal", 400):
        s3.copy_object(Bucket="birds", Key="copy", CopySource="birds/copy")
    deleted = s3.delete_objects(Bucket="birds", Delete={"Objects": [{"Key": key}, {"Key": "copy"}, {"Key": "none"}]})
    assert [entry["Key"] for entry in deleted["Deleted"]] == [key, "copy", "none"] and "Errors" not in deleted
    s3.delete_object(Bucket="birds", Key="none")
    document = b"<Delete><Object><Key>k</Key></Object></Delete>"
    status, _, text = exchange("POST", "/birds?delete", {"x-amz-checksum-crc32": "AAAAAA=="}, document)
    assert status == 400 and b"<Code>BadDigest</Code>" in text, text


def lists():
    for number in range(7):
        s3.put_object(Bucket="birds", Key=f"p/{number // 3}/{number}", Body=b"1")
    s3.put_object(Bucket="birds", Key="p/ü & é", Body=b"")
    s3.put_object(Bucket="birds", Key="p/folder/", Body=b"")

    def paged(operation, member, field, size, **query):
        pages = s3.get_paginator(operation).paginate(Bucket="birds", PaginationConfig={"PageSize": size}, **query)
        return [entry[field] for page in pages for entry in page.get(member, [])]

    all_keys = ["p/0/0", "p/0/1", "p/0/2", "p/1/3", "p/1/4", "p/1/5", "p/2/6", "p/folder/", "p/ü & é"]
    for operation in ("list_objects", "list_objects_v2"):
        for size in (1, 2, 1000):
            assert paged(operation, "Contents", "Key", size) == all_keys, (operation, size)
            rolled = paged(operation, "CommonPrefixes", "Prefix", size, Prefix="p/", Delimiter="/")
            assert rolled == ["p/0/", "p/1/", "p/2/", "p/folder/"], (operation, size, rolled)
            assert paged(operation, "Contents", "Key", size, Prefix="p/", Delimiter="/") == ["p/ü & é"]
    after = s3.list_objects_v2(Bucket="birds", StartAfter="p/1/4", MaxKeys=2)
    assert [entry["Key"] for entry in after["Contents"]] == ["p/1/5", "p/2/6"] and after["IsTruncated"]
    assert [entry["VersionId"] for entry in s3.list_object_versions(Bucket="birds")["Versions"]] == ["null"] * 9


def parts():
    content = os.urandom(20_000_000)
    s3.upload_fileobj(io.BytesIO(content), "birds", "big", Config=TransferConfig(multipart_chunksize=8 * MIB))
    digests = b"".join(hashlib.md5(content[at:at + 8 * MIB]).digest() for at in range(0, len(content), 8 * MIB))
    found = s3.get_object(Bucket="birds", Key="big")
    assert found["Body"].read() == content
    has(found, ETag=f'"{hashlib.md5(digests).hexdigest()}-3"', ChecksumType="COMPOSITE")
    second = s3.get_object(Bucket="birds", Key="big", PartNumber=2)
    assert second["Body"].read() == content[8 * MIB:16 * MIB] and second["PartsCount"] == 3
    back = io.BytesIO()
    s3.download_fileobj("birds", "big", back)
    assert back.getvalue() == content

    ids = {"Bucket": "birds", "Key": "slow"}
    upload = s3.create_multipart_upload(**ids, Metadata={"a": "b"})["UploadId"]
    first = s3.upload_part(**ids, UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    last = s3.upload_part_copy(**ids, UploadId=upload, PartNumber=7, CopySource="birds/big", CopySourceRange="bytes=0-9")
    last = last["CopyPartResult"]["ETag"]
    assert [part["PartNumber"] for part in s3.list_parts(**ids, UploadId=upload)["Parts"]] == [1, 7]
    assert [found["UploadId"] for found in s3.list_multipart_uploads(Bucket="birds")["Uploads"]] == [upload]

    def complete(*listed):
        chosen = [{"PartNumber": number, "ETag": etag} for number, etag in listed]
        return s3.complete_multipart_upload(**ids, UploadId=upload, MultipartUpload={"Parts": chosen})

    with refused("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400):
        complete((1, first), (7, last))
    with refused("InvalidPartOrder", "The list of parts was not in ascending order.", 400):
        complete((7, last), (1, first))
    with refused("InvalidPart", "One or more of the specified parts could not be found.", 400):
        complete((1, last))
    complete((7, last))
    found = s3.get_object(**ids)
    assert (found["Body"].read(), found["Metadata"]) == (content[:10], {"a": "b"})
    with refused("NoSuchUpload", "The specified upload does not exist.", 404):
        complete((7, last))
    whole = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    upload = s3.create_multipart_upload(**ids, **whole)["UploadId"]
    part = s3.upload_part(**ids, UploadId=upload, PartNumber=1, Body=b"whole", ChecksumAlgorithm="CRC32")
    chosen = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}]}
    crc = b64encode(zlib.crc32(b"whole").to_bytes(4)).decode()
    with refused("BadDigest", "The CRC32 you specified did not match the calculated checksum.", 400):
        s3.complete_multipart_upload(**ids, UploadId=upload, MultipartUpload=chosen, ChecksumCRC32="AAAAAA==")
    done = s3.complete_multipart_upload(**ids, UploadId=upload, MultipartUpload=chosen, ChecksumCRC32=crc)
    has(done, ChecksumCRC32=crc, ChecksumType="FULL_OBJECT")
    with refused("NoSuchUpload", "The specified upload does not exist.", 404):
        s3.abort_multipart_upload(**ids, UploadId=upload)


def frames():
    """As SDKs stream over TLS: frames, and a checksum behind them."""
    body = os.urandom(200_000)
    pieces = [body[at:at + 65_536] for at in range(0, len(body), 65_536)]

    def put(crc, length=len(body)):
        framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        framed += b"0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % crc
        headers = {
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32",
            "content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(length),
        }
        status, _, text = exchange("PUT", "/birds/framed", headers, framed)
        return status, text.decode()

    crc = b64encode(zlib.crc32(body).to_bytes(4))
    assert put(crc) == (200, ""), put(crc)
    found = s3.get_object(Bucket="birds", Key="framed")
    assert found["Body"].read() == body and "ContentEncoding" not in found
    status, text = put(b"AAAAAA==")
    assert status == 400 and "<Code>BadDigest</Code>" in text, text
    status, text = put(crc, 7)
    assert status == 400 and "<Code>IncompleteBody</Code>" in text, text
    digest = {"x-amz-content-sha256": hashlib.sha256(b"other").hexdigest()}
    status, _, text = exchange("PUT", "/birds/framed", digest, b"this")
    assert status == 400 and b"<Code>XAmzContentSHA256Mismatch</Code>" in text, text


def large():
    """More than other services' bodies may have, and more than an object may have."""
    content = os.urandom(MIB) * 100
    s3.put_object(Bucket="birds", Key="large", Body=content)
    found = s3.get_object(Bucket="birds", Key="large")["Body"].read()
    assert hashlib.sha256(found).digest() == hashlib.sha256(content).digest()
    s3.delete_object(Bucket="birds", Key="large")
    parsed = urllib.parse.urlparse(ENDPOINT)
    connection = http.client.HTTPConnection(parsed.hostname, parsed.port, timeout=40)
    connection.putrequest("PUT", "/birds/larger")
    connection.putheader("Content-Length", str(257 * MIB))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 400 and "<Code>EntityTooLarge</Code>" in text, (answer.status, text)
    assert f"<MaxSizeAllowed>{256 * MIB}</MaxSizeAllowed>" in text, text
    connection.close()


def addresses():
    """Presigned URLs in both versions and styles; no signature at all; a bucket in the host."""
    resolve = socket.getaddrinfo
    port = urllib.parse.urlparse(ENDPOINT).port

    def anywhere(host, *rest, **more):
        return resolve("127.0.0.1" if str(host).endswith("localhost") else host, *rest, **more)

    socket.getaddrinfo = anywhere
    try:
        for version in ("s3v4", None):
            for style in ("path", "virtual"):
                config = CONFIG.merge(botocore.config.Config(signature_version=version, s3={"addressing_style": style}))
                client = boto3.client("s3", endpoint_url=f"http://localhost:{port}", config=config)
                client.put_object(Bucket="birds", Key="there/é", Body=b"by url")
                url = client.generate_presigned_url("get_object", Params={"Bucket": "birds", "Key": "there/é"})
                assert ("birds.localhost" in url) == (style == "virtual"), url
                assert urllib.request.urlopen(url).read() == b"by url", url
                listed = client.list_objects_v2(Bucket="birds", Prefix="there")["Contents"]
                assert [entry["Key"] for entry in listed] == ["there/é"]
    finally:
        socket.getaddrinfo = resolve
    client = boto3.client("s3", config=CONFIG.merge(botocore.config.Config(signature_version="s3v4")))
    url = client.generate_presigned_url("put_object", Params={"Bucket": "birds", "Key": "sent", "ContentType": "text/x"})
    sent = urllib.request.Request(url, data=b"sent", method="PUT", headers={"Content-Type": "text/x"})
    assert urllib.request.urlopen(sent).status == 200
    anybody = boto3.client("s3", config=CONFIG.merge(botocore.config.Config(signature_version=botocore.UNSIGNED)))
    found = anybody.get_object(Bucket="birds", Key="sent")
    assert (found["Body"].read(), found["ContentType"]) == (b"sent", "text/x")
    try:
        urllib.request.urlopen(f"{ENDPOINT}/birds/none")
        raise AssertionError("there is no such object")
    except urllib.error.HTTPError as error:
        assert error.code == 404 and b"<Code>NoSuchKey</Code>" in error.read()


def code():
    answer = "def handler(event, context):\n    return '{}'\n"
    s3.put_object(Bucket="birds", Key="app/one.zip", Body=zipped({"app.py": answer.format("one")}))
    # A package that is larger than one in a call may be.
    with tempfile.TemporaryFile() as large:
        with zipfile.ZipFile(large, "w", zipfile.ZIP_STORED) as package:
            package.writestr("app.py", answer.format("two"))
            package.writestr("padding", os.urandom(60 * MIB))
        large.seek(0)
        s3.upload_fileobj(large, "birds", "app/two.zip")
    made = lambda_.create_function(
        FunctionName="stored", Runtime="python3.11", Handler="app.handler", Role=role("stored"), Timeout=10,
        Code={"S3Bucket": "birds", "S3Key": "app/one.zip"},
    )
    stored = s3.get_object(Bucket="birds", Key="app/one.zip")["Body"].read()
    has(made, CodeSha256=b64encode(hashlib.sha256(stored).digest()).decode(), CodeSize=len(stored))
    lambda_.get_waiter("function_active_v2").wait(FunctionName="stored", WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
    assert invoke("stored")["Payload"] == "one"
    # The function has its code, whatever becomes of the object.
    s3.delete_object(Bucket="birds", Key="app/one.zip")
    location = lambda_.get_function(FunctionName="stored")["Code"]["Location"]
    assert urllib.request.urlopen(location).read() == stored
    lambda_.update_function_code(FunctionName="stored", S3Bucket="birds", S3Key="app/two.zip")
    updated("stored")
    assert invoke("stored")["Payload"] == "two"
    words = "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
    with refused("InvalidParameterValueException", words, 400):
        lambda_.update_function_code(FunctionName="stored", S3Bucket="birds", S3Key="app/one.zip")
    with refused("InvalidParameterValueException", "S3 Error Code: PermanentRedirect", 400):
        lambda_.update_function_code(FunctionName="stored", S3Bucket="abroad", S3Key="app/one.zip")


def end():
    with refused("BucketNotEmpty", "The bucket you tried to delete is not empty", 409):
        s3.delete_bucket(Bucket="birds")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="birds"):
        s3.delete_objects(Bucket="birds", Delete={"Objects": [{"Key": entry["Key"]} for entry in page["Contents"]], "Quiet": True})
    s3.delete_bucket(Bucket="birds")
    s3.delete_bucket(Bucket="abroad")
    assert s3.list_buckets()["Buckets"] == []


for part in (buckets, settings, as_tools_set_them, objects, lists, parts, frames, large, addresses, code, end):
    part()
