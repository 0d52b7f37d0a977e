# APIs of both kinds with what teams put around them: from a document and by hand, with models, authorizers, keys, domains, and an HTTP API.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "package" { type = string }
variable "changed" {
  type    = bool
  default = false
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
    apigateway   = var.endpoint
    apigatewayv2 = var.endpoint
    iam          = var.endpoint
    lambda       = var.endpoint
    logs         = var.endpoint
    sts          = var.endpoint
  }
}

locals { word = var.changed ? "two" : "one" }

resource "aws_iam_role" "app" {
  name = "terraform-apis"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Action = "sts:AssumeRole"
      Principal = { Service = ["lambda.amazonaws.com", "apigateway.amazonaws.com"] }
    }]
  })
}

resource "aws_lambda_function" "app" {
  function_name = "terraform-apis"
  role          = aws_iam_role.app.arn
  runtime       = "python3.11"
  handler       = "app.handler"
  filename      = var.package
}

resource "aws_lambda_permission" "rest" {
  statement_id  = "rest"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.app.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.pets.execution_arn}/*"
}

resource "aws_lambda_permission" "http" {
  statement_id  = "http"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.app.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.pets.execution_arn}/*"
}

# By hand.

resource "aws_api_gateway_rest_api" "pets" {
  name                     = "pets"
  description              = "pets ${local.word}"
  minimum_compression_size = var.changed ? 2048 : 1024
  binary_media_types       = var.changed ? ["image/png", "image/gif"] : ["image/png"]
  endpoint_configuration { types = ["REGIONAL"] }
  tags = { release = local.word }
}

resource "aws_api_gateway_rest_api_policy" "pets" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Principal = "*", Action = "execute-api:Invoke"
      Resource = "${aws_api_gateway_rest_api.pets.execution_arn}/*"
    }]
  })
}

resource "aws_api_gateway_model" "pet" {
  rest_api_id  = aws_api_gateway_rest_api.pets.id
  name         = "Pet"
  content_type = "application/json"
  schema = jsonencode({
    "$schema" = "http://json-schema.org/draft-04/schema#", type = "object", required = ["name"]
    properties = { name = { type = "string", maxLength = var.changed ? 20 : 10 } }
  })
}

resource "aws_api_gateway_request_validator" "all" {
  rest_api_id                 = aws_api_gateway_rest_api.pets.id
  name                        = "all"
  validate_request_body       = true
  validate_request_parameters = var.changed
}

resource "aws_api_gateway_authorizer" "token" {
  rest_api_id                      = aws_api_gateway_rest_api.pets.id
  name                             = "token"
  authorizer_uri                   = aws_lambda_function.app.invoke_arn
  authorizer_result_ttl_in_seconds = var.changed ? 60 : 0
}

resource "aws_api_gateway_resource" "pets" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  parent_id   = aws_api_gateway_rest_api.pets.root_resource_id
  path_part   = "pets"
}

resource "aws_api_gateway_method" "post" {
  rest_api_id          = aws_api_gateway_rest_api.pets.id
  resource_id          = aws_api_gateway_resource.pets.id
  http_method          = "POST"
  authorization        = "NONE"
  api_key_required     = true
  request_validator_id = aws_api_gateway_request_validator.all.id
  request_models       = { "application/json" = aws_api_gateway_model.pet.name }
  request_parameters   = { "method.request.header.x-trace" = var.changed }
}

resource "aws_api_gateway_integration" "post" {
  rest_api_id             = aws_api_gateway_rest_api.pets.id
  resource_id             = aws_api_gateway_resource.pets.id
  http_method             = aws_api_gateway_method.post.http_method
  type                    = "AWS"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.app.invoke_arn
  timeout_milliseconds    = var.changed ? 5000 : 29000
  request_parameters      = { "integration.request.header.X-Trace" = "method.request.header.x-trace" }
  request_templates       = { "application/json" = "{\"name\": $input.json('$.name'), \"word\": \"${local.word}\"}" }
}

resource "aws_api_gateway_method_response" "post" {
  rest_api_id         = aws_api_gateway_rest_api.pets.id
  resource_id         = aws_api_gateway_resource.pets.id
  http_method         = aws_api_gateway_method.post.http_method
  status_code         = "201"
  response_models     = { "application/json" = "Empty" }
  response_parameters = { "method.response.header.X-Word" = true }
}

resource "aws_api_gateway_integration_response" "post" {
  depends_on          = [aws_api_gateway_integration.post]
  rest_api_id         = aws_api_gateway_rest_api.pets.id
  resource_id         = aws_api_gateway_resource.pets.id
  http_method         = aws_api_gateway_method.post.http_method
  status_code         = aws_api_gateway_method_response.post.status_code
  response_parameters = { "method.response.header.X-Word" = "'${local.word}'" }
  response_templates  = { "application/json" = "$input.json('$.got')" }
}

resource "aws_api_gateway_gateway_response" "unauthorized" {
  rest_api_id         = aws_api_gateway_rest_api.pets.id
  response_type       = "INVALID_API_KEY"
  status_code         = "401"
  response_templates  = { "application/json" = "{\"word\":\"${local.word}\"}" }
  response_parameters = { "gatewayresponse.header.X-Word" = "'${local.word}'" }
}

resource "aws_api_gateway_deployment" "pets" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  triggers    = { word = local.word }
  depends_on = [
    aws_api_gateway_integration_response.post, aws_api_gateway_gateway_response.unauthorized,
    aws_api_gateway_rest_api_policy.pets, aws_api_gateway_request_validator.all, aws_api_gateway_model.pet,
  ]
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id           = aws_api_gateway_rest_api.pets.id
  deployment_id         = aws_api_gateway_deployment.pets.id
  stage_name            = "prod"
  cache_cluster_enabled = true
  cache_cluster_size    = "0.5"
  client_certificate_id = aws_api_gateway_client_certificate.own.id
  tags                  = { "pitbird:canary-force" = "header:X-Release" }
}

resource "aws_api_gateway_client_certificate" "own" { description = local.word }

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.pets.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"
  settings {
    metrics_enabled        = true
    throttling_rate_limit  = var.changed ? 200 : 100
    throttling_burst_limit = 50
    caching_enabled        = true
    cache_ttl_in_seconds   = 60
  }
}

resource "aws_api_gateway_usage_plan" "gold" {
  name = "gold"
  api_stages {
    api_id = aws_api_gateway_rest_api.pets.id
    stage  = aws_api_gateway_stage.prod.stage_name
  }
  quota_settings {
    limit  = var.changed ? 2000 : 1000
    period = "DAY"
  }
  throttle_settings {
    rate_limit  = 100
    burst_limit = 50
  }
}

resource "aws_api_gateway_api_key" "customer" {
  name  = "customer"
  value = "0123456789abcdefghij0123456789"
}

resource "aws_api_gateway_usage_plan_key" "customer" {
  key_id        = aws_api_gateway_api_key.customer.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.gold.id
}

resource "aws_api_gateway_domain_name" "own" {
  domain_name              = "pets.example.com"
  regional_certificate_arn = "arn:aws:acm:us-east-1:000000000000:certificate/7a0f3d6e-0000-4000-8000-000000000000"
  endpoint_configuration { types = ["REGIONAL"] }
}

resource "aws_api_gateway_base_path_mapping" "own" {
  domain_name = aws_api_gateway_domain_name.own.domain_name
  api_id      = aws_api_gateway_rest_api.pets.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  base_path   = local.word
}

# From a document.

resource "aws_api_gateway_rest_api" "document" {
  name = "document"
  body = jsonencode({
    openapi = "3.0.1", info = { title = "document", version = local.word }
    paths = { "/word" = { get = {
      responses = { "200" = { description = "ok" } }
      "x-amazon-apigateway-integration" = {
        type = "mock", requestTemplates = { "application/json" = "{\"statusCode\": 200}" }
        responses = { default = { statusCode = "200", responseTemplates = { "application/json" = "\"${local.word}\"" } } }
      }
    } } }
  })
}

resource "aws_api_gateway_deployment" "document" {
  rest_api_id = aws_api_gateway_rest_api.document.id
  triggers    = { body = sha1(aws_api_gateway_rest_api.document.body) }
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "document" {
  rest_api_id   = aws_api_gateway_rest_api.document.id
  deployment_id = aws_api_gateway_deployment.document.id
  stage_name    = "prod"
}

# An HTTP API.

resource "aws_apigatewayv2_api" "pets" {
  name          = "pets"
  protocol_type = "HTTP"
  description   = local.word
  cors_configuration {
    allow_origins = ["https://example.com"]
    allow_methods = var.changed ? ["GET", "POST"] : ["GET"]
    max_age       = 300
  }
}

resource "aws_apigatewayv2_integration" "app" {
  api_id                 = aws_apigatewayv2_api.pets.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.app.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = var.changed ? 5000 : 30000
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id           = aws_apigatewayv2_api.pets.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]
  jwt_configuration {
    issuer   = "https://issuer.example.com"
    audience = [local.word]
  }
}

resource "aws_apigatewayv2_route" "open" {
  api_id    = aws_apigatewayv2_api.pets.id
  route_key = "GET /pets/{id}"
  target    = "integrations/${aws_apigatewayv2_integration.app.id}"
}

resource "aws_apigatewayv2_route" "guarded" {
  api_id             = aws_apigatewayv2_api.pets.id
  route_key          = "POST /pets"
  target             = "integrations/${aws_apigatewayv2_integration.app.id}"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.jwt.id
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.pets.id
  name        = "$default"
  auto_deploy = true
  default_route_settings {
    throttling_rate_limit  = 100
    throttling_burst_limit = var.changed ? 60 : 50
  }
  stage_variables = { word = local.word }
}

# From a document, with a deployment of its own, under a domain.

resource "aws_apigatewayv2_api" "document" {
  name          = "document"
  protocol_type = "HTTP"
  version       = local.word
  body = jsonencode({
    openapi = "3.0.1", info = { title = "document", version = local.word }
    paths = { "/${local.word}" = { get = { "x-amazon-apigateway-integration" = {
      type           = "aws_proxy", httpMethod = "POST", uri = aws_lambda_function.app.invoke_arn,
      payloadFormatVersion = "2.0"
    } } } }
  })
}

resource "aws_lambda_permission" "document" {
  function_name = aws_lambda_function.app.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.document.execution_arn}/*"
}

resource "aws_apigatewayv2_deployment" "document" {
  api_id      = aws_apigatewayv2_api.document.id
  description = local.word
  triggers    = { body = sha1(aws_apigatewayv2_api.document.body) }
  lifecycle { create_before_destroy = true }
}

resource "aws_apigatewayv2_stage" "document" {
  api_id        = aws_apigatewayv2_api.document.id
  name          = "prod"
  deployment_id = aws_apigatewayv2_deployment.document.id
}

resource "aws_apigatewayv2_domain_name" "shop" {
  domain_name = "shop.example.com"
  domain_name_configuration {
    certificate_arn = "arn:aws:acm:us-east-1:000000000000:certificate/7a0f3d6e-0000-4000-8000-000000000000"
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
  tags = { release = local.word }
}

resource "aws_apigatewayv2_api_mapping" "document" {
  api_id          = aws_apigatewayv2_api.document.id
  domain_name     = aws_apigatewayv2_domain_name.shop.id
  stage           = aws_apigatewayv2_stage.document.id
  api_mapping_key = "orders/${local.word}"
}

resource "aws_apigatewayv2_api_mapping" "rest" {
  api_id          = aws_api_gateway_rest_api.document.id
  domain_name     = aws_apigatewayv2_domain_name.shop.id
  stage           = "prod"
  api_mapping_key = "rest"
  depends_on      = [aws_api_gateway_stage.document]
}

output "rest" { value = aws_api_gateway_rest_api.pets.id }
output "document" { value = aws_api_gateway_rest_api.document.id }
output "http" { value = aws_apigatewayv2_api.pets.id }
output "key" { value = nonsensitive(aws_api_gateway_api_key.customer.value) }
