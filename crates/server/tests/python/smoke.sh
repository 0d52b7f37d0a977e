# The aws CLI over every service; run by bash with -euo pipefail, an endpoint in the environment, in an empty folder.
says() {
  local expected=$1 seen
  shift
  seen=$("$@" --output text)
  [ "$seen" = "$expected" ] || { echo "expected '$expected', saw '$seen': $*" >&2; exit 1; }
}

says 000000000000 aws sts get-caller-identity --query Account
trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
says arn:aws:iam::000000000000:role/smoke aws iam create-role --role-name smoke --assume-role-policy-document "$trust" --query Role.Arn
aws iam attach-role-policy --role-name smoke --policy-arn arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole

printf 'def handler(event, context):\n    print("smoke", event)\n    return {"seen": event, "version": context.function_version}\n' > app.py
python3 -c "import zipfile; zipfile.ZipFile('app.zip', 'w').write('app.py')"
aws lambda create-function --function-name smoke --runtime python3.11 --handler app.handler --zip-file fileb://app.zip \
  --role arn:aws:iam::000000000000:role/smoke --publish > created.json
aws lambda wait function-active-v2 --function-name smoke
says 1 aws lambda list-versions-by-function --function-name smoke --query 'Versions[1].Version'
python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' \
  "$(aws lambda get-function --function-name smoke:1 --query Code.Location --output text)" | cmp app.zip -
printf '{"a":1}' > payload.json
aws lambda create-alias --function-name smoke --name live --function-version 1 > alias.json
says 200 aws lambda invoke --function-name smoke:live --payload fileb://payload.json \
  --log-type Tail --query StatusCode answer.json
[ "$(cat answer.json)" = '{"seen": {"a": 1}, "version": "1"}' ] || { cat answer.json >&2; exit 1; }
aws logs filter-log-events --log-group-name /aws/lambda/smoke --filter-pattern smoke --query 'events[].message' | grep -q "smoke {'a': 1}"

aws cloudwatch put-metric-data --namespace Smoke --metric-data MetricName=m,Value=2,Unit=Count
says 2.0 aws cloudwatch get-metric-statistics --namespace Smoke --metric-name m --period 60 --statistics Sum \
  --start-time "$(date -u -d '-5 min' +%FT%TZ)" --end-time "$(date -u -d '+1 min' +%FT%TZ)" --query 'Datapoints[0].Sum'
says 1.0 aws cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Invocations --period 300 --statistics Sum \
  --dimensions Name=FunctionName,Value=smoke Name=Resource,Value=smoke:live Name=ExecutedVersion,Value=1 \
  --start-time "$(date -u -d '-5 min' +%FT%TZ)" --end-time "$(date -u -d '+1 min' +%FT%TZ)" --query 'sum(Datapoints[].Sum)'
aws cloudwatch put-metric-alarm --alarm-name smoke --namespace Smoke --metric-name m --statistic Sum --period 60 \
  --evaluation-periods 1 --threshold 1 --comparison-operator GreaterThanThreshold
says smoke aws cloudwatch describe-alarms --query 'MetricAlarms[].AlarmName'

API=$(aws apigateway create-rest-api --name smoke --query id --output text)
says / aws apigateway get-resources --rest-api-id "$API" --query 'items[].path'
aws apigateway delete-rest-api --rest-api-id "$API"
says None aws apigateway get-rest-apis --query 'items[0].id'
if aws lambda get-function --function-name none 2> words.txt; then exit 1; fi
grep -q 'ResourceNotFoundException.*Function not found: arn:aws:lambda:us-east-1:000000000000:function:none' words.txt

aws s3 mb s3://smoke > bucket.txt
head -c 20000000 /dev/urandom > big.bin
aws s3 cp big.bin s3://smoke/a/big.bin --quiet
aws s3 cp app.zip s3://smoke/app.zip --quiet
says 'PRE a/' sh -c "aws s3 ls s3://smoke | head -1 | tr -s ' ' | sed 's/^ //'" text
aws s3 cp s3://smoke/a/big.bin back.bin --quiet
cmp big.bin back.bin
aws s3 cp s3://smoke/a/big.bin s3://smoke/b.bin --quiet
aws s3 cp s3://smoke/b.bin - --no-sign-request | cmp big.bin -
python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' \
  "$(aws s3 presign s3://smoke/app.zip)" | cmp app.zip -
aws lambda create-function --function-name stored --runtime python3.11 --handler app.handler \
  --code S3Bucket=smoke,S3Key=app.zip --role arn:aws:iam::000000000000:role/smoke > stored.json
aws lambda wait function-active-v2 --function-name stored
says 200 aws lambda invoke --function-name stored --query StatusCode answer.json
aws lambda update-function-code --function-name stored --s3-bucket smoke --s3-key app.zip > updated.json
aws s3 rm s3://smoke --recursive --quiet
aws s3 rb s3://smoke > bucket.txt
says None aws s3api list-buckets --query 'Buckets[0].Name'
