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
