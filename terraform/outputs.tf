# The outputs of the stack; null where the parameters leave one out.

output "stop_command" {
  description = "Stops everything within seconds. From the next event on nobody is cut off, and the client connect handler denies nobody. Events are still reported."
  value       = lookup(aws_cloudformation_stack.this.outputs, "StopCommand", null)
}

output "start_command" {
  description = "Lets everything go on after StopCommand or \"clientvpn stop\", and shows who had stopped it."
  value       = lookup(aws_cloudformation_stack.this.outputs, "StartCommand", null)
}

output "policy_location" {
  description = "Where the policy is kept. While nothing was ever put there, the one in the functions' code holds."
  value       = lookup(aws_cloudformation_stack.this.outputs, "PolicyLocation", null)
}

output "policy_put_command" {
  description = "Has policy.yaml decide from the next minute on, without a deployment. \"clientvpn check\" tests it first."
  value       = lookup(aws_cloudformation_stack.this.outputs, "PolicyPutCommand", null)
}

output "targets_put_command" {
  description = "Has the accounts and Regions of targets.txt guarded, too, from the next minute on. \"clientvpn ready\" says how many they are."
  value       = lookup(aws_cloudformation_stack.this.outputs, "TargetsPutCommand", null)
}

output "dashboard_url" {
  description = "What it did, at a glance."
  value       = lookup(aws_cloudformation_stack.this.outputs, "DashboardUrl", null)
}

output "invoke_command" {
  description = "Tries an event; every file of events/ will do. In dry-run nobody is cut off."
  value       = lookup(aws_cloudformation_stack.this.outputs, "InvokeCommand", null)
}

output "log_command" {
  description = "Follows the log."
  value       = lookup(aws_cloudformation_stack.this.outputs, "LogCommand", null)
}

output "outcomes_command" {
  description = "Starts a query for the outcomes of the last day; aws logs get-query-results shows them."
  value       = lookup(aws_cloudformation_stack.this.outputs, "OutcomesCommand", null)
}

output "connect_handler_arn" {
  description = "The client connect handler, for the endpoints."
  value       = lookup(aws_cloudformation_stack.this.outputs, "ConnectHandlerArn", null)
}

output "attach_command" {
  description = "Has the endpoint $ENDPOINT ask the client connect handler before each new connection. An endpoint has one handler, so this takes the place of yours. doc/keepout.md says what to know first."
  value       = lookup(aws_cloudformation_stack.this.outputs, "AttachCommand", null)
}

output "detach_command" {
  description = "Has the endpoint $ENDPOINT let in everybody again. Do this before you turn KeepOut off or delete the stack."
  value       = lookup(aws_cloudformation_stack.this.outputs, "DetachCommand", null)
}

output "connect_log_group_name" {
  description = "The connect handler's log, which stays when the stack is deleted."
  value       = lookup(aws_cloudformation_stack.this.outputs, "ConnectLogGroupName", null)
}

output "ledger_table_name" {
  description = "What became of each event, who closed and opened whose access, and who may not connect."
  value       = lookup(aws_cloudformation_stack.this.outputs, "LedgerTableName", null)
}

output "keep_out_list_command" {
  description = "Shows who is on the list, and until when for each cause."
  value       = lookup(aws_cloudformation_stack.this.outputs, "KeepOutListCommand", null)
}

output "keep_out_lift_command" {
  description = "Takes $PERSON off the list, whatever put the person there, and shows what that was."
  value       = lookup(aws_cloudformation_stack.this.outputs, "KeepOutLiftCommand", null)
}

output "doors_url" {
  description = "The URL of the doors; a door's path follows it."
  value       = lookup(aws_cloudformation_stack.this.outputs, "DoorsUrl", null)
}

output "entra_subject" {
  description = "The subject of the federated credential in Entra. doc/sources.md says where its issuer is."
  value       = lookup(aws_cloudformation_stack.this.outputs, "EntraSubject", null)
}

output "poll_log_group_name" {
  description = "The log of the poll, which stays when the stack is deleted."
  value       = lookup(aws_cloudformation_stack.this.outputs, "PollLogGroupName", null)
}

output "doors_log_group_name" {
  description = "The log of the doors, which stays when the stack is deleted."
  value       = lookup(aws_cloudformation_stack.this.outputs, "DoorsLogGroupName", null)
}

output "dead_letters_command" {
  description = "Shows dead letters without taking them away for longer than half a minute."
  value       = lookup(aws_cloudformation_stack.this.outputs, "DeadLettersCommand", null)
}

output "redrive_command" {
  description = "Puts all dead letters back into the queue, once their cause is gone. OperatorArns must name who calls it."
  value       = lookup(aws_cloudformation_stack.this.outputs, "RedriveCommand", null)
}

output "event_bus_arn" {
  description = "The default bus, for forward-events.yaml in other accounts and Regions."
  value       = lookup(aws_cloudformation_stack.this.outputs, "EventBusArn", null)
}

output "topic_arn" {
  description = "Outcomes are published here, as JSON."
  value       = lookup(aws_cloudformation_stack.this.outputs, "TopicArn", null)
}

output "message_topic_arn" {
  description = "Outcomes are published here, as text for people. Subscribe further addresses to it."
  value       = lookup(aws_cloudformation_stack.this.outputs, "MessageTopicArn", null)
}

output "chat_topic_arn" {
  description = "Outcomes are published here for Amazon Q Developer in chat applications."
  value       = lookup(aws_cloudformation_stack.this.outputs, "ChatTopicArn", null)
}

output "own_form_bus_name" {
  description = "The bus for events of our own form."
  value       = lookup(aws_cloudformation_stack.this.outputs, "OwnFormBusName", null)
}

output "who_may_send" {
  description = "Who may put events of our own form on its bus, and dead letters back into the queue."
  value       = lookup(aws_cloudformation_stack.this.outputs, "WhoMaySend", null)
}

output "who_is_told" {
  description = "Who gets the outcomes and alarms."
  value       = lookup(aws_cloudformation_stack.this.outputs, "WhoIsTold", null)
}

output "alarm_topic_arn" {
  description = "Alarms are published here."
  value       = lookup(aws_cloudformation_stack.this.outputs, "AlarmTopicArn", null)
}

output "log_group_name" {
  description = "The log, which stays when the stack is deleted."
  value       = lookup(aws_cloudformation_stack.this.outputs, "LogGroupName", null)
}

output "responder_role_arn" {
  description = "The function's role, which member-role.yaml trusts in other accounts."
  value       = lookup(aws_cloudformation_stack.this.outputs, "ResponderRoleArn", null)
}

output "function_name" {
  description = "The function, for invoking it by hand."
  value       = lookup(aws_cloudformation_stack.this.outputs, "FunctionName", null)
}

output "queue_url" {
  description = "The events that wait."
  value       = lookup(aws_cloudformation_stack.this.outputs, "QueueUrl", null)
}

output "dead_letter_queue_url" {
  description = "Events that were not answered. Anything in it needs a person."
  value       = lookup(aws_cloudformation_stack.this.outputs, "DeadLetterQueueUrl", null)
}
