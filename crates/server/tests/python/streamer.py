"""A function that answers in the ways in which answers can come, whole or piece by piece."""

from given import *

BOOTSTRAP = r'''#!/bin/bash
LC_ALL=C host=${AWS_LAMBDA_RUNTIME_API%:*} port=${AWS_LAMBDA_RUNTIME_API#*:}
post() {
    exec 3<>"/dev/tcp/$host/$port"
    printf 'POST /2018-06-01/runtime/invocation/%s/%s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n' "$id" "$1" >&3
}
begin() {
    post response
    printf 'content-type: %s\r\nlambda-runtime-function-response-mode: streaming\r\ntransfer-encoding: chunked\r\n\r\n' "$1" >&3
}
piece() { printf '%x\r\n%s\r\n' "${#1}" "$1" >&3; }
end() { printf '0\r\n%b\r\n' "$1" >&3; cat <&3 > /dev/null; exec 3>&-; }
# What stands before a body: the text, and eight NULs.
head() {
    begin application/octet-stream
    printf '%x\r\n%s\0\0\0\0\0\0\0\0\r\n' "$((${#1} + 8))" "$1" >&3
}
# Waits until whoever asked opens the gate: the API of the event has one.
gate() {
    local api=${reply#*'"apiId":"'} place=${AWS_ENDPOINT_URL#http://}
    exec 4<>"/dev/tcp/${place%:*}/${place#*:}"
    printf 'GET /_aws/execute-api/%s/prod/gate HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n' "${api%%'"'*}" >&4
    cat <&4 > /dev/null; exec 4>&-
}
fails() {
    body=$(printf '{"errorType":"Late","errorMessage":"too late"}' | base64 -w 0)
    end "Lambda-Runtime-Function-Error-Type: Late\r\nLambda-Runtime-Function-Error-Body: $body\r\n"
}
while :; do
    exec 3<>"/dev/tcp/$host/$port"
    printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n' >&3
    reply=$(cat <&3); exec 3>&-
    id=${reply#*lambda-runtime-aws-request-id: } id=${id%%$'\r'*}
    case $reply in
        *plain*) begin text/plain; piece 'one '; piece two; end ;;
        *framed*) begin application/vnd.awslambda.http-integration-response
            printf '24\r\n{"statusCode":201,"cookies":["a=1"]}\r\n' >&3
            printf '3\r\n\0\0\0\r\n9\r\n\0\0\0\0\0body\r\n' >&3; piece ' and more'; end ;;
        *nohead*) begin application/vnd.awslambda.http-integration-response; piece '{"statusCode":201}'; end ;;
        *late*) begin text/plain; piece 'one '; fails ;;
        *gated*) head '{"statusCode":200}'; piece 'one '; gate; piece two; end ;;
        *midway*) head '{"statusCode":200}'; piece 'one '; fails ;;
        *several*) head '{"headers":{"X-A":"1","X-B":"0"},"multiValueHeaders":{"x-b":["2","3"]},"cookies":["a=1","b=2"]}'; end ;;
        *badhead*) head 'no JSON'; piece 'one '; end ;;
        *longhead*) head "{\"headers\":{\"X-A\":\"$(printf '%017000d' 0)\"}}"; piece 'one '; end ;;
        *entire*) post response; printf 'content-length: 30\r\n\r\n{"statusCode":202}\0\0\0\0\0\0\0\0body' >&3
            cat <&3 > /dev/null; exec 3>&- ;;
        *hang*) begin text/plain; piece 'one '; read -r < <(sleep 60) ;;
        *early*) post error; printf 'content-length: 21\r\n\r\n{"errorType":"Early"}\n' >&3; cat <&3 > /dev/null; exec 3>&- ;;
        *) post response; printf 'content-length: 7\r\n\r\n{"a":1}' >&3; cat <&3 > /dev/null; exec 3>&- ;;
    esac
done
'''


def streamer(name, **settings):
    """A function that answers as its event asks it to."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, BOOTSTRAP)
    lambda_.create_function(
        FunctionName=name, Role=role(name), Code={"ZipFile": package.getvalue()}, Runtime="provided.al2023", Handler="any",
        **settings)
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
