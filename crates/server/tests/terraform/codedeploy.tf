# How a function is deployed, as teams keep it in Terraform; the deployments themselves are made elsewhere.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "package" { type = string }
variable "percentage" {
  type    = number
  default = 25
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
    cloudwatch = var.endpoint
    codedeploy = var.endpoint
    iam        = var.endpoint
    lambda     = var.endpoint
    sts        = var.endpoint
  }
}

resource "aws_iam_role" "app" {
  name = "deployed-app"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role" "deployer" {
  name = "deployer"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "codedeploy.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "deployer" {
  role       = aws_iam_role.deployer.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"
}

resource "aws_lambda_function" "app" {
  function_name    = "deployed-app"
  role             = aws_iam_role.app.arn
  runtime          = "python3.11"
  handler          = "app.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  publish          = true
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.app.function_name
  function_version = "1"
  lifecycle { ignore_changes = [function_version, routing_config] }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "deployed-errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  dimensions          = { FunctionName = aws_lambda_function.app.function_name }
}

resource "aws_codedeploy_app" "app" {
  name             = "app"
  compute_platform = "Lambda"
  tags             = { team = "birds" }
}

resource "aws_codedeploy_deployment_config" "canary" {
  deployment_config_name = "canary-${var.percentage}"
  compute_platform       = "Lambda"
  traffic_routing_config {
    type = "TimeBasedCanary"
    time_based_canary {
      interval   = 2
      percentage = var.percentage
    }
  }
  lifecycle { create_before_destroy = true }
}

resource "aws_codedeploy_deployment_config" "linear" {
  deployment_config_name = "linear"
  compute_platform       = "Lambda"
  traffic_routing_config {
    type = "TimeBasedLinear"
    time_based_linear {
      interval   = 1
      percentage = 20
    }
  }
}

resource "aws_codedeploy_deployment_group" "group" {
  app_name               = aws_codedeploy_app.app.name
  deployment_group_name  = "group"
  deployment_config_name = aws_codedeploy_deployment_config.canary.deployment_config_name
  service_role_arn       = aws_iam_role.deployer.arn
  deployment_style {
    deployment_type   = "BLUE_GREEN"
    deployment_option = "WITH_TRAFFIC_CONTROL"
  }
  alarm_configuration {
    enabled = true
    alarms  = [aws_cloudwatch_metric_alarm.errors.alarm_name]
  }
  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }
  trigger_configuration {
    trigger_name       = "told"
    trigger_target_arn = aws_lambda_function.app.arn
    trigger_events     = ["DeploymentSuccess", "DeploymentStop"]
  }
  tags = { team = "birds" }
}

output "group" { value = aws_codedeploy_deployment_group.group.deployment_group_id }
