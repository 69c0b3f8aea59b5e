# A Client VPN endpoint that asks the responder before each new connection.

module "clientvpn_responder" {
  source          = "../.."
  release_folder  = "${path.module}/release"
  artifact_bucket = "example-artifacts-eu-west-1"

  mode        = "enforce"
  keep_out    = "on"
  alert_email = "security@example.com"
}

resource "aws_ec2_client_vpn_endpoint" "office" {
  description            = "office"
  client_cidr_block      = "10.20.0.0/16"
  server_certificate_arn = "arn:aws:acm:eu-west-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef"

  authentication_options {
    type              = "federated-authentication"
    saml_provider_arn = "arn:aws:iam::111122223333:saml-provider/okta"
  }

  client_connect_options {
    enabled             = true
    lambda_function_arn = module.clientvpn_responder.connect_handler_arn
  }

  connection_log_options {
    enabled = false
  }
}
