package house

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// TestRunbookHasEveryAlarm: an alarm's name is a section of the runbook, and its description names the section.
func TestRunbookHasEveryAlarm(t *testing.T) {
	runbook := read(t, "doc/runbook.md")
	name := regexp.MustCompile(`AlarmName: !Sub \$\{AWS::StackName\}-(\S+)\n +AlarmDescription: .* Runbook, (\S+)\.\n`)
	found := name.FindAllStringSubmatch(read(t, "template.yaml"), -1)
	if n := strings.Count(read(t, "template.yaml"), "Type: AWS::CloudWatch::Alarm"); len(found) != n || n < 20 {
		t.Errorf("%d of %d alarms name their section", len(found), n)
	}
	for _, m := range found {
		if !strings.HasPrefix(m[1], m[2]) || !strings.Contains(runbook, "\n## "+m[2]+"\n") {
			t.Errorf("the runbook has no section %s for the alarm %s", m[2], m[1])
		}
	}
}

// TestRunbookFigures: the runbook counts as the template does.
func TestRunbookFigures(t *testing.T) {
	runbook := strings.Join(strings.Fields(read(t, "doc/runbook.md")), " ")
	queue, function := block(t, "Events"), block(t, "Responder")
	dead, held := block(t, "DeadLetters"), block(t, "HeldEvents")
	for _, f := range []struct{ in, setting, sentence string }{
		{queue, "maxReceiveCount: 5", "Each is tried 5 times in all"},
		{queue, "VisibilityTimeout: 300", "300 seconds apart"},
		{queue, "MessageRetentionPeriod: 345600", "events wait in the queue, for 4 days"},
		{dead, "MessageRetentionPeriod: 1209600", "Events stay there for 14 days"},
		{held, "MessageRetentionPeriod: 1209600", "Held events stay for 14 days"},
		{function, "BatchSize: 10", "4 batches of 10 events are in work at a time"},
		{function, "MaximumConcurrency: 4", "4 batches of 10 events are in work at a time"},
		{read(t, "template.yaml"), "AllowedPattern: ^([5-9]|[1-9][0-9]{1,3})?$", "set `ReservedConcurrency` to 5: 4"},
		{function, "Timeout: 150", "300 seconds apart"}, // Lambda wants at least the function's timeout
	} {
		if !strings.Contains(f.in, f.setting) || !strings.Contains(runbook, f.sentence) {
			t.Errorf("the template no longer has %q, or the runbook %q", f.setting, f.sentence)
		}
	}
}

// TestCostsCountTheAlarms that every stack has. An alarm on a sum is paid for by its metrics.
func TestCostsCountTheAlarms(t *testing.T) {
	alarms, metrics := 0, 0
	for _, m := range regexp.MustCompile(`(?m)^  (\w+Alarm):\n`).FindAllStringSubmatch(read(t, "template.yaml"), -1) {
		alarm := block(t, m[1])
		if strings.Contains(alarm, "    Condition: ") {
			continue
		}
		alarms++
		metrics += max(1, strings.Count(alarm, "MetricStat:"))
	}
	said := fmt.Sprintf("| CloudWatch, %d alarms on %d metrics (10 free) | $0.10 a metric | %.2[3]f | %.2[3]f |",
		alarms, metrics, float64(metrics)/10)
	if !strings.Contains(read(t, "doc/costs.md"), said) {
		t.Errorf("doc/costs.md does not say %q", said)
	}
}

// TestBenchmarkRunsAsDeployed: 200 accounts and Regions are measured with the settings of the garbage collector that a
// stack with targets has.
func TestBenchmarkRunsAsDeployed(t *testing.T) {
	set := variables(t, "Responder")
	percent := regexp.MustCompile(`^!If \[HasTargets, "(\d+)", "100"\]`).FindStringSubmatch(set["GOGC"])
	if percent == nil {
		t.Fatalf("GOGC is %s", set["GOGC"])
	}
	measured := read(t, "internal/bench/targets.go")
	for _, setting := range []string{"GOGC=" + percent[1], "GOMEMLIMIT=" + set["GOMEMLIMIT"]} {
		if !strings.Contains(measured, `"`+setting+`"`) {
			t.Errorf("the benchmark of many accounts runs without %s", setting)
		}
	}
}

// TestGuards: the template protects the stack and its evidence.
func TestGuards(t *testing.T) {
	for _, g := range []struct{ resource, has string }{
		{"Events", "RedriveAllowPolicy: {redrivePermission: denyAll}"},
		{"HeldEvents", "RedriveAllowPolicy: {redrivePermission: denyAll}"},
		{"DeadLetters", "redrivePermission: byQueue"},
		// Not within an !If, which would be further in.
		{"QueuesPolicy", "          - Sid: NobodyElse\n            Effect: Deny\n            Principal: \"*\"\n"},
		{"HeldEventsPolicy", "ArnNotLike: {aws:PrincipalArn: !GetAtt ResponderRole.Arn}"},
		{"QueueAgeAlarm", "MetricName: ApproximateNumberOfMessagesVisible\n"},
		{"QueueAgeAlarm", "Statistic: Minimum"},
		{"MissingPermissions", "$.outcome.error"},
		{"PoliciesRejected", "$.message"},
		{"PolicyBucket", "Status: Enabled"},
		{"PolicyBucket", "DeletionPolicy: Retain"},
		{"LedgerTable", "DeletionPolicy: Retain"},
		{"LedgerTable", "KMSMasterKeyId: !Ref DataKmsKeyArn"},
		{"Responder", "ReservedConcurrentExecutions: !If [HasReservedConcurrency"},
	} {
		if !strings.Contains(block(t, g.resource), g.has) {
			t.Errorf("%s lacks %q", g.resource, g.has)
		}
	}
	for _, name := range []string{"ResponderLogs", "ConnectLogs", "ReceiveLogs", "PollLogs"} {
		logs := block(t, name)
		if !strings.Contains(logs, "KmsKeyId: !If [HasDataKey") || !strings.Contains(logs, "DeletionPolicy: Retain") {
			t.Errorf("%s has no key or is not kept", name)
		}
	}
	for _, name := range []string{"Responder", "Connect", "Receive", "Poll"} {
		function := block(t, name)
		if !strings.Contains(function, "VpcConfig: !If") || !strings.Contains(function, "KmsKeyArn: !If [HasDataKey") {
			t.Errorf("%s has no VPC or no key for its environment", name)
		}
	}
	for _, name := range []string{
		"Unmapped", "Partial", "Held", "Stale", "Reconnecting", "OverLimit", "FailedOutcomes", "Errors",
	} {
		if !strings.Contains(block(t, name+"Alarm"), "DatapointsToAlarm: 1") {
			t.Errorf("%sAlarm ends between two retries", name)
		}
	}
}
