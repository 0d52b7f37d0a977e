# A release as teams keep it in Terraform: a function behind an alias, an API whose stage has a canary, and what watches it.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "package" { type = string }
variable "weights" {
  type    = map(number)
  default = {}
}
variable "percent" {
  type    = number
  default = 0
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true

  endpoints {
    apigateway = var.endpoint
    cloudwatch = var.endpoint
    iam        = var.endpoint
    lambda     = var.endpoint
    logs       = var.endpoint
    s3         = var.endpoint
    sts        = var.endpoint
  }
}

resource "aws_iam_role" "app" {
  name = "terraform-app"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
  tags = { team = "birds" }
}

resource "aws_iam_role_policy" "app" {
  name = "read"
  role = aws_iam_role.app.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "arn:aws:s3:::app/*" }]
  })
}

resource "aws_iam_role_policy_attachment" "app" {
  role       = aws_iam_role.app.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_layer_version" "tools" {
  layer_name               = "terraform-tools"
  description              = "tools"
  filename                 = var.package
  source_code_hash         = filebase64sha256(var.package)
  compatible_runtimes      = ["python3.11"]
  compatible_architectures = ["x86_64"]
}

resource "aws_lambda_function" "app" {
  function_name    = "terraform-app"
  role             = aws_iam_role.app.arn
  runtime          = "python3.11"
  handler          = "app.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  publish          = true
  timeout          = 10
  layers           = [aws_lambda_layer_version.tools.arn]
  environment {
    variables = { COLOR = "blue" }
  }
  tags = { team = "birds" }
}

resource "aws_s3_bucket" "packages" {
  bucket = "terraform-packages"
  tags   = { team = "birds" }
}

resource "aws_s3_bucket_policy" "packages" {
  bucket = aws_s3_bucket.packages.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "serverlessrepo.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.packages.arn}/*"
      Condition = { StringEquals = { "aws:SourceAccount" = "000000000000" } }
    }]
  })
}

resource "aws_s3_bucket_public_access_block" "packages" {
  bucket                  = aws_s3_bucket.packages.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "packages" {
  bucket = aws_s3_bucket.packages.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "packages" {
  bucket = aws_s3_bucket.packages.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_object" "package" {
  bucket = aws_s3_bucket.packages.id
  key    = "app/app.zip"
  source = var.package
  etag   = filemd5(var.package)
  tags   = { team = "birds" }
}

# The same code, by way of a bucket.
resource "aws_lambda_function" "stored" {
  function_name    = "terraform-stored"
  role             = aws_iam_role.app.arn
  runtime          = "python3.11"
  handler          = "app.handler"
  s3_bucket        = aws_s3_object.package.bucket
  s3_key           = aws_s3_object.package.key
  source_code_hash = filebase64sha256(var.package)
  publish          = true
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.app.function_name
  function_version = "1"
  dynamic "routing_config" {
    for_each = length(var.weights) > 0 ? [var.weights] : []
    content {
      additional_version_weights = routing_config.value
    }
  }
  # Version 2 must be there before it gets weight.
  depends_on = [aws_lambda_function.app]
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  function_name                     = aws_lambda_function.app.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = 2
}

resource "aws_lambda_function_url" "live" {
  function_name      = aws_lambda_function.app.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = "NONE"
  cors {
    allow_origins = ["https://birds.example"]
    allow_methods = ["GET"]
    max_age       = 600
  }
}

resource "aws_lambda_function_event_invoke_config" "live" {
  function_name                = aws_lambda_function.app.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_retry_attempts       = 1
  maximum_event_age_in_seconds = 3600
}

resource "aws_lambda_permission" "api" {
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.app.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.app.execution_arn}/*/*/*"
}

resource "aws_api_gateway_rest_api" "app" {
  name        = "terraform-app"
  description = "an API"
  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_resource" "pets" {
  rest_api_id = aws_api_gateway_rest_api.app.id
  parent_id   = aws_api_gateway_rest_api.app.root_resource_id
  path_part   = "pets"
}

resource "aws_api_gateway_method" "get" {
  rest_api_id   = aws_api_gateway_rest_api.app.id
  resource_id   = aws_api_gateway_resource.pets.id
  http_method   = "GET"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "get" {
  rest_api_id             = aws_api_gateway_rest_api.app.id
  resource_id             = aws_api_gateway_resource.pets.id
  http_method             = aws_api_gateway_method.get.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_alias.live.invoke_arn
}

resource "aws_api_gateway_deployment" "base" {
  rest_api_id = aws_api_gateway_rest_api.app.id
  description = "base"
  depends_on  = [aws_api_gateway_integration.get]
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_deployment" "canary" {
  rest_api_id = aws_api_gateway_rest_api.app.id
  description = "canary"
  depends_on  = [aws_api_gateway_integration.get, aws_api_gateway_deployment.base]
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id   = aws_api_gateway_rest_api.app.id
  deployment_id = aws_api_gateway_deployment.base.id
  stage_name    = "prod"
  variables     = { color = "blue" }
  canary_settings {
    deployment_id            = aws_api_gateway_deployment.canary.id
    percent_traffic          = var.percent
    stage_variable_overrides = { color = "green" }
  }
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.app.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"
  settings {
    metrics_enabled = true
  }
}

resource "aws_cloudwatch_log_group" "app" {
  name              = "/aws/lambda/terraform-app"
  retention_in_days = 14
  tags              = { team = "birds" }
}

resource "aws_cloudwatch_log_group" "stored" {
  name = "/aws/lambda/terraform-stored"
}

resource "aws_cloudwatch_log_stream" "notes" {
  name           = "notes"
  log_group_name = aws_cloudwatch_log_group.app.name
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = "?ERROR ?\"Task timed out\""
  metric_transformation {
    name          = "Errors"
    namespace     = "Terraform"
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_cloudwatch_log_metric_filter" "latency" {
  name           = "latency"
  log_group_name = aws_cloudwatch_log_group.app.name
  pattern        = "{ $.latency = * }"
  metric_transformation {
    name       = "Latency"
    namespace  = "Terraform"
    value      = "$.latency"
    dimensions = { Route = "$.route" }
  }
}

resource "aws_lambda_permission" "logs" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.stored.function_name
  principal     = "logs.us-east-1.amazonaws.com"
  source_arn    = "${aws_cloudwatch_log_group.app.arn}:*"
}

resource "aws_cloudwatch_log_subscription_filter" "errors" {
  name            = "errors"
  log_group_name  = aws_cloudwatch_log_group.app.name
  filter_pattern  = "ERROR"
  destination_arn = aws_lambda_function.stored.arn
  depends_on      = [aws_lambda_permission.logs]
}

resource "aws_cloudwatch_log_resource_policy" "dns" {
  policy_name = "dns"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.app.arn}:*"
      Principal = { Service = "route53.amazonaws.com" }
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "canary" {
  alarm_name          = "terraform-canary"
  namespace           = "AWS/ApiGateway"
  metric_name         = "5XXError"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 2
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  dimensions = {
    ApiName = aws_api_gateway_rest_api.app.name
    Stage   = "${aws_api_gateway_stage.prod.stage_name}/Canary"
  }
  tags = { team = "birds" }
}

# On a trimmed mean, beside the sum above.
resource "aws_cloudwatch_metric_alarm" "slow" {
  alarm_name          = "terraform-slow"
  namespace           = "AWS/ApiGateway"
  metric_name         = "Latency"
  extended_statistic  = "TM(0%:95%)"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 250
  comparison_operator = "GreaterThanThreshold"
  dimensions          = { ApiName = aws_api_gateway_rest_api.app.name }
}

resource "aws_cloudwatch_composite_alarm" "any" {
  alarm_name        = "terraform-any"
  alarm_description = "slow or failing"
  alarm_rule        = "ALARM(${aws_cloudwatch_metric_alarm.canary.alarm_name}) OR ALARM(${aws_cloudwatch_metric_alarm.slow.alarm_name})"
  tags              = { team = "birds" }
}

resource "aws_cloudwatch_dashboard" "app" {
  dashboard_name = "terraform-app"
  dashboard_body = jsonencode({
    widgets = [
      {
        type   = "metric"
        x      = 0
        y      = 0
        width  = 12
        height = 6
        properties = {
          region = "us-east-1"
          title  = "Canary at ${var.percent} %"
          stat   = "Sum"
          period = 60
          metrics = [
            ["AWS/ApiGateway", "5XXError", "ApiName", aws_api_gateway_rest_api.app.name, "Stage", "prod/Canary", { color = "#d62728" }],
            [".", "Count", ".", ".", ".", "."],
          ]
        }
      },
      { type = "text", properties = { markdown = "# Releases" } },
    ]
  })
}

resource "aws_cloudwatch_query_definition" "errors" {
  name            = "terraform/errors"
  log_group_names = [aws_cloudwatch_log_group.app.name]
  query_string    = "fields @timestamp, @message | filter @message like /ERROR/ | sort @timestamp desc"
}

output "api" { value = aws_api_gateway_rest_api.app.id }
output "stored" { value = aws_lambda_function.stored.version }
output "version" { value = aws_lambda_function.app.version }
