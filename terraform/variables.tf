# A variable for each parameter of template.yaml, with its type, its default and its pattern. A test compares them.

variable "mode" {
  description = "dry-run only says who would be cut off; enforce cuts off."
  type        = string
  default     = "dry-run"
  nullable    = false

  validation {
    condition     = contains(["dry-run", "enforce"], var.mode)
    error_message = "mode must be one of dry-run, enforce."
  }
}

variable "endpoint_ids" {
  description = "Endpoints to guard, separated by commas. Empty guards every endpoint of the Region, new ones too."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(cvpn-endpoint-[0-9a-f]+(,cvpn-endpoint-[0-9a-f]+)*)?$", var.endpoint_ids))
    error_message = "endpoint_ids must be endpoint ids like cvpn-endpoint-0123456789abcdef0, separated by commas without spaces."
  }
}

variable "endpoint_tag" {
  description = "The role may act only on endpoints whose tag \"clientvpn-responder\" has this value. Needs the list of endpoints, which must all carry it. Empty asks for no tag."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{0,256}$", var.endpoint_tag))
    error_message = "endpoint_tag must be the value of a tag."
  }
}

variable "watch" {
  description = "How long to watch for a reconnection, after the last connection has ended or none was found. 15s catches clients on TCP, which are back in 2 to 6 s. Clients on UDP that do not learn of the end take 21 to 26 s: set 30s, or better attach the keep-out list. 0 is off. Keep it well below the function's 150 seconds. doc/settings.md has the figures."
  type        = string
  default     = "15s"
  nullable    = false

  validation {
    condition     = can(regex("^(0|([0-9]+(\\.[0-9]+)?(ms|s|m))+)$", var.watch))
    error_message = "watch must be a duration like 15s or 1m30s; 0 is off."
  }
}

variable "sweep_every" {
  description = "How often the function compares everybody who is connected with the ledger and the identity store, to find people whom an event missed."
  type        = string
  default     = "rate(1 hour)"
  nullable    = false

  validation {
    condition     = can(regex("^(rate\\([1-9][0-9]* (minutes|hours?|days?)\\)|cron\\([^)]+\\))$", var.sweep_every))
    error_message = "sweep_every must be a schedule like rate(1 hour) or cron(0 6 * * ? *)."
  }
}

variable "keep_out" {
  description = "on puts people who are cut off on a list, and makes a client connect handler that denies them. The handler does nothing until you attach it to an endpoint. Before you turn it off again, detach it there: AWS denies everybody whose handler is gone."
  type        = string
  default     = "off"
  nullable    = false

  validation {
    condition     = contains(["off", "on"], var.keep_out)
    error_message = "keep_out must be one of off, on."
  }
}

variable "keep_out_on_error" {
  description = "What the connect handler answers where the list cannot be read. With deny nobody at all can connect then. Either way there is an alarm."
  type        = string
  default     = "allow"
  nullable    = false

  validation {
    condition     = contains(["allow", "deny"], var.keep_out_on_error)
    error_message = "keep_out_on_error must be one of allow, deny."
  }
}

variable "keep_out_message" {
  description = "The message to people who may not connect. If it is empty, they read that they should contact their IT service desk."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[^\\t\\r\\n]*$", var.keep_out_message))
    error_message = "keep_out_message must be a line of at most 255 characters."
  }

  validation {
    condition     = length(var.keep_out_message) <= 255
    error_message = "keep_out_message must have 255 characters at most."
  }
}

variable "connect_provisioned_concurrency" {
  description = "How many connect handlers Lambda keeps started, which AWS recommends; each is paid for by the hour. With 0 the first connection after a pause waits for a start, some tenths of a second."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.connect_provisioned_concurrency >= 0 && var.connect_provisioned_concurrency <= 1000
    error_message = "connect_provisioned_concurrency must be between 0 and 1000."
  }
}

variable "targets" {
  description = "What to guard beside this account and Region: a Region like eu-west-2 of this account, or a role of another account and a Region, like arn:aws:iam::444455556666:role/clientvpn-responder-member@eu-west-1. member-role.yaml makes the role."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9-]+|arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+@[a-z0-9-]+)?(,([a-z0-9-]+|arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+@[a-z0-9-]+))*$", var.targets))
    error_message = "targets must be Regions, or ARNs of roles with @ and a Region behind, separated by commas without spaces."
  }
}

variable "targets_in_bucket" {
  description = "yes reads further targets from targets/targets.txt in the policy's bucket, one on a line. Targets has room for some 50. The output TargetsPutCommand puts the list there."
  type        = string
  default     = "no"
  nullable    = false

  validation {
    condition     = contains(["no", "yes"], var.targets_in_bucket)
    error_message = "targets_in_bucket must be one of no, yes."
  }
}

variable "target_accounts" {
  description = "The function may assume roles of these accounts only. Empty leaves that to the roles' trust and to the external id."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for value in var.target_accounts : can(regex("^([0-9]{12})?$", value))])
    error_message = "target_accounts must be ids of accounts, separated by commas."
  }
}

variable "organization_id" {
  description = "Accounts of this organization may put AWS's own events on the default bus here, and no others. forward-events.yaml passes them on. Empty admits nobody."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(o-[a-z0-9]{10,32})?$", var.organization_id))
    error_message = "organization_id must be the id of an organization, like o-a1b2c3d4e5."
  }
}

variable "external_id" {
  description = "The external id that the roles of other accounts require; the same as the parameter ExternalId of member-role.yaml. Empty sends none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@:/-]*$", var.external_id)) && length(var.external_id) != 1 && length(var.external_id) <= 1224
    error_message = "external_id must be 2 to 1224 letters, digits and the signs +=,.@:/_-."
  }
}

variable "member_role_name" {
  description = "The roles of other accounts are called so, and no other role may be assumed."
  type        = string
  default     = "clientvpn-responder-member"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.member_role_name))
    error_message = "member_role_name must match ^[A-Za-z0-9_+=,.@-]{1,64}$."
  }
}

variable "okta_event_source_name" {
  description = "Name of the partner event bus that Okta's log stream arrives on. Associate the partner event source with a bus first. Empty leaves Okta out."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(aws\\.partner/okta\\.com/[.A-Za-z0-9_/-]+)?$", var.okta_event_source_name))
    error_message = "okta_event_source_name must be the bus's name, like aws.partner/okta.com/example/clientvpn."
  }
}

variable "auth0_event_source_name" {
  description = "The same for Auth0, of its log stream or of an event stream. Empty leaves Auth0 out."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(aws\\.partner/auth0\\.com/[.A-Za-z0-9_/-]+)?$", var.auth0_event_source_name))
    error_message = "auth0_event_source_name must be the bus's name, like aws.partner/auth0.com/example-0a1b2c3d/auth0.logs."
  }
}

variable "onelogin_event_source_name" {
  description = "The same for OneLogin. Empty leaves OneLogin out."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(aws\\.partner/onelogin\\.com/[.A-Za-z0-9_/-]+)?$", var.onelogin_event_source_name))
    error_message = "onelogin_event_source_name must be the bus's name, like aws.partner/onelogin.com/US-123456/0a1b2c3d4e."
  }
}

variable "sailpoint_event_source_name" {
  description = "The same for SailPoint Identity Security Cloud. Empty leaves SailPoint out."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(aws\\.partner/sailpoint\\.com/[.A-Za-z0-9_/-]+)?$", var.sailpoint_event_source_name))
    error_message = "sailpoint_event_source_name must be the bus's name, like aws.partner/sailpoint.com/0a1b2c3d/offboarding."
  }
}

variable "forwarder_bus_name" {
  description = "Name of the event bus on which your own forwarders put events of Microsoft Entra ID, Google Workspace, JumpCloud, PingOne, Duo, CyberArk and OpenID Shared Signals. Anybody who may put events on it can have people cut off. Empty leaves these out."
  type        = string
  default     = ""
  nullable    = false
}

variable "own_form_bus" {
  description = "The bus that our own form (doc/custom-events.md) arrives on. own is a bus of the stack, on which only SenderArns and OperatorArns may put events. default is the account's default bus, where your IAM policies alone decide who may."
  type        = string
  default     = "own"
  nullable    = false

  validation {
    condition     = contains(["own", "default"], var.own_form_bus)
    error_message = "own_form_bus must be one of own, default."
  }
}

variable "sender_arns" {
  description = "Principals that may ask for terminations in our own form, such as the role of your HR system. They need events:PutEvents, too. They may not reinstate people. Empty lets nobody but OperatorArns ask."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for value in var.sender_arns : can(regex("^(arn:[a-z-]+:iam::[0-9]{12}:(user|role)/[A-Za-z0-9_+=,.@*?/-]+)?$", value))])
    error_message = "sender_arns must be ARNs of users and roles, separated by commas without spaces."
  }
}

variable "own_form_closes" {
  description = "Whether they may say that an account is closed (account-disabled, account-purged, token-claims-change), which can keep a person out for ever. With no, such an event ends in the dead letters."
  type        = string
  default     = "no"
  nullable    = false

  validation {
    condition     = contains(["no", "yes"], var.own_form_closes)
    error_message = "own_form_closes must be one of no, yes."
  }
}

variable "identity_store_id" {
  description = "IAM Identity Center's events know people by their user ids only. With the id of its identity store, the names are looked up there. For another account's, name IdentityStoreRoleArn, too. Empty asks nobody, and the policy's aliases have to know the ids."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(d-[0-9a-f]{10})?$", var.identity_store_id))
    error_message = "identity_store_id must be the id of an identity store, like d-1234567890."
  }
}

variable "identity_store_region" {
  description = "Region of the identity store. Empty is the stack's own."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z]{2,}(-[a-z]+)+-[0-9]+)?$", var.identity_store_region))
    error_message = "identity_store_region must be a Region, like eu-central-1."
  }
}

variable "identity_store_role_arn" {
  description = "Role of the account that has the identity store, which is assumed with ExternalId to ask it. member-role.yaml makes it with its parameter IdentityStoreId. Empty asks this account's."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+)?$", var.identity_store_role_arn))
    error_message = "identity_store_role_arn must be the ARN of a role."
  }
}

variable "scim_issuers" {
  description = "Comma-separated PROVIDER=ISSUER or PROVIDER:TENANT=ISSUER. Ids of these providers, such as entra, okta or onelogin, are looked up in the identity store, too. \"aws identitystore describe-user\" shows the issuer among a user's ExternalIds. Empty looks up none of them."
  type        = string
  default     = ""
  nullable    = false
}

variable "iam_and_cognito" {
  description = "Whether a user who is deleted in IAM, or disabled, deleted or signed out in Amazon Cognito, is a person on the VPN. Say no where a user pool holds an application's customers."
  type        = string
  default     = "yes"
  nullable    = false

  validation {
    condition     = contains(["yes", "no"], var.iam_and_cognito)
    error_message = "iam_and_cognito must be one of yes, no."
  }
}

variable "doors" {
  description = "Doors for Okta's Universal Logout, Shared Signals and signed webhooks, as a list in JSON; doc/doors.md describes it. It makes a function with a public URL, which verifies each request. Empty makes none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(\\[[^\\r\\n]*\\])?$", var.doors))
    error_message = "doors must be a list of doors in JSON, on one line."
  }
}

variable "saml_provider_arns" {
  description = "The SAML providers that doors name, whose certificates the function may read, separated by commas. Empty lets it read none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:[a-z-]+:iam::[0-9]{12}:saml-provider/[A-Za-z0-9._-]+(,arn:[a-z-]+:iam::[0-9]{12}:saml-provider/[A-Za-z0-9._-]+)*)?$", var.saml_provider_arns))
    error_message = "saml_provider_arns must be ARNs of SAML providers in IAM, separated by commas without spaces."
  }
}

variable "entra_tenant_id" {
  description = "The Microsoft Entra tenant that a function asks every minute, through Microsoft Graph, who has lost access. doc/sources.md says what to enter there. Empty asks nobody."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$", var.entra_tenant_id))
    error_message = "entra_tenant_id must be the id of a tenant, like 72f988bf-0000-4000-8000-2d7cd011db47."
  }
}

variable "entra_client_id" {
  description = "The (client) id of the application that the function signs in as."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$", var.entra_client_id))
    error_message = "entra_client_id must be the (client) id of an application."
  }
}

variable "entra_secret_arn" {
  description = "Secret of AWS Secrets Manager whose text is the application's client secret. Empty signs in with a federated credential, for which there is no secret."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+)?$", var.entra_secret_arn))
    error_message = "entra_secret_arn must be the ARN of a secret."
  }
}

variable "entra_group_ids" {
  description = "Object ids of the groups that the policy's access names, so that somebody who leaves one is seen at once."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.entra_group_ids == "" || alltrue([for id in split(",", var.entra_group_ids) : can(regex("^[0-9a-fA-F-]{36}$", id))])
    error_message = "entra_group_ids must be object ids of groups, separated by commas without spaces."
  }
}

variable "alert_email" {
  description = "Where to send every outcome, as text for people, and every alarm. The address has to confirm both subscriptions. Empty sends no e-mail."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([^@\\s]+@[^@\\s]+)?$", var.alert_email))
    error_message = "alert_email must be an e-mail address."
  }
}

variable "chat_topic" {
  description = "yes makes a topic with custom notifications for Amazon Q Developer in chat applications; add it to a channel's configuration there."
  type        = string
  default     = "no"
  nullable    = false

  validation {
    condition     = contains(["no", "yes"], var.chat_topic)
    error_message = "chat_topic must be one of no, yes."
  }
}

variable "kms_key_arn" {
  description = "Customer managed KMS key for the topics. Its key policy must let IAM policies of this account decide, and let cloudwatch.amazonaws.com use kms:Decrypt and kms:GenerateDataKey*. Empty makes one."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, and not of an alias."
  }
}

variable "data_kms_key_arn" {
  description = "Customer managed KMS key for logs, the ledger, the policy and the functions' environment. Its key policy must let IAM policies of this account decide, and let logs.REGION.amazonaws.com use it. Empty uses AWS's keys."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$", var.data_kms_key_arn))
    error_message = "data_kms_key_arn must be the ARN of a key, and not of an alias."
  }
}

variable "subnet_ids" {
  description = "Subnets for the functions, with a way to the services that doc/deploying.md lists. Empty uses no VPC."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for value in var.subnet_ids : can(regex("^(subnet-[0-9a-f]+)?$", value))])
    error_message = "subnet_ids must be ids of subnets, separated by commas without spaces."
  }
}

variable "security_group_ids" {
  description = "Security groups for the functions, which let HTTPS out. Lambda refuses subnets without any."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for value in var.security_group_ids : can(regex("^(sg-[0-9a-f]+)?$", value))])
    error_message = "security_group_ids must be ids of security groups, separated by commas without spaces."
  }
}

variable "reserved_concurrency" {
  description = "Concurrency that Lambda reserves for the responder, which nothing else of the account can use up. The queue uses 4; the rest is for calls by hand. Empty reserves none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([5-9]|[1-9][0-9]{1,3})?$", var.reserved_concurrency))
    error_message = "reserved_concurrency must be 5 or more, or empty."
  }
}

variable "operator_arns" {
  description = "Principals that may put dead letters back into the queue, and every event of our own form on the stack's bus, reinstatements too. For example arn:aws:iam::111122223333:role/operators; * matches anything. Everybody else is denied, whatever their own policies say. Empty lets nobody do it."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for value in var.operator_arns : can(regex("^(arn:[a-z-]+:iam::[0-9]{12}:(user|role)/[A-Za-z0-9_+=,.@*?/-]+)?$", value))])
    error_message = "operator_arns must be ARNs of users and roles, separated by commas without spaces."
  }
}

variable "log_retention_in_days" {
  description = "The log says who was cut off, and why. It is kept when the stack is deleted."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_in_days)
    error_message = "log_retention_in_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of the function's role, where your account asks for one. Empty sets none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+)?$", var.permissions_boundary_arn))
    error_message = "permissions_boundary_arn must be the ARN of a managed policy."
  }
}
