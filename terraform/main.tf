# Deploys a release: its files go to a bucket of this account and Region, and its template is the stack. So the template stays the one
# source of truth, and a plan shows which parameters change.

terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "name" {
  description = "Name of the stack."
  type        = string
  default     = "clientvpn-responder"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,39}$", var.name))
    error_message = "name must be a letter and up to 39 letters, digits and hyphens."
  }
}

variable "release_folder" {
  description = "Folder with the files of a release, verified against SHA256SUMS."
  type        = string
  nullable    = false
}

variable "artifact_bucket" {
  description = "Bucket of this account and Region for the release's files."
  type        = string
  nullable    = false
}

locals {
  files = toset(concat(["template.json"], tolist(fileset(var.release_folder, "*.zip"))))
}

# A zip's name has its hash. So the files of the release before stay, and a deployment can go back.
resource "aws_s3_object" "release" {
  for_each    = local.files
  bucket      = var.artifact_bucket
  key         = each.value == "template.json" ? "template-${filesha256("${var.release_folder}/template.json")}.json" : each.value
  source      = "${var.release_folder}/${each.value}"
  source_hash = filesha256("${var.release_folder}/${each.value}")
}

data "aws_s3_bucket" "artifacts" {
  bucket = var.artifact_bucket
}

resource "aws_cloudformation_stack" "this" {
  name         = var.name
  template_url = "https://${data.aws_s3_bucket.artifacts.bucket_regional_domain_name}/${aws_s3_object.release["template.json"].key}"
  capabilities = ["CAPABILITY_IAM"]

  parameters = {
    ArtifactBucket                = var.artifact_bucket
    Mode                          = var.mode
    EndpointIds                   = var.endpoint_ids
    EndpointTag                   = var.endpoint_tag
    Watch                         = var.watch
    SweepEvery                    = var.sweep_every
    KeepOut                       = var.keep_out
    KeepOutOnError                = var.keep_out_on_error
    KeepOutMessage                = var.keep_out_message
    ConnectProvisionedConcurrency = var.connect_provisioned_concurrency
    Targets                       = var.targets
    TargetsInBucket               = var.targets_in_bucket
    TargetAccounts                = join(",", var.target_accounts)
    OrganizationId                = var.organization_id
    ExternalId                    = var.external_id
    MemberRoleName                = var.member_role_name
    OktaEventSourceName           = var.okta_event_source_name
    Auth0EventSourceName          = var.auth0_event_source_name
    OneLoginEventSourceName       = var.onelogin_event_source_name
    SailPointEventSourceName      = var.sailpoint_event_source_name
    ForwarderBusName              = var.forwarder_bus_name
    OwnFormBus                    = var.own_form_bus
    SenderArns                    = join(",", var.sender_arns)
    OwnFormCloses                 = var.own_form_closes
    IdentityStoreId               = var.identity_store_id
    IdentityStoreRegion           = var.identity_store_region
    IdentityStoreRoleArn          = var.identity_store_role_arn
    ScimIssuers                   = var.scim_issuers
    IamAndCognito                 = var.iam_and_cognito
    Doors                         = var.doors
    SamlProviderArns              = var.saml_provider_arns
    EntraTenantId                 = var.entra_tenant_id
    EntraClientId                 = var.entra_client_id
    EntraSecretArn                = var.entra_secret_arn
    EntraGroupIds                 = var.entra_group_ids
    AlertEmail                    = var.alert_email
    ChatTopic                     = var.chat_topic
    KmsKeyArn                     = var.kms_key_arn
    DataKmsKeyArn                 = var.data_kms_key_arn
    SubnetIds                     = join(",", var.subnet_ids)
    SecurityGroupIds              = join(",", var.security_group_ids)
    ReservedConcurrency           = var.reserved_concurrency
    OperatorArns                  = join(",", var.operator_arns)
    LogRetentionInDays            = var.log_retention_in_days
    PermissionsBoundaryArn        = var.permissions_boundary_arn
  }

  depends_on = [aws_s3_object.release]
}
