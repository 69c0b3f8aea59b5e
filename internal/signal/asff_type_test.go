package signal_test

import (
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestTypesAreGuardDutysOwn: by AWS's table of finding types.
// Source: AWS Security Hub user guide, "Integration with GuardDuty".
func TestTypesAreGuardDutysOwn(t *testing.T) {
	for _, test := range [][2]string{
		{"TTPs/AttackSequence:IAM/CompromisedCredentials", "AttackSequence:IAM/CompromisedCredentials"},
		{"TTPs/PenTest:IAMUser/KaliLinux", "PenTest:IAMUser/KaliLinux"},
		{"TTPs/PenTest:S3-KaliLinux", "PenTest:S3/KaliLinux"},
		{"TTPs/Discovery/Recon:IAMUser-TorIPCaller", "Recon:IAMUser/TorIPCaller"},
		{"TTPs/Initial Access/IAMUser-AnomalousBehavior", "InitialAccess:IAMUser/AnomalousBehavior"},
		{" TTPs/Privilege Escalation/IAMUser-AnomalousBehavior ", "PrivilegeEscalation:IAMUser/AnomalousBehavior"},
		{"TTPs/Discovery/RDS-MaliciousIPCaller", "Discovery:RDS/MaliciousIPCaller"},
		{"TTPs/Defense Evasion/Stealth:IAMUser-CloudTrailLoggingDisabled", "Stealth:IAMUser/CloudTrailLoggingDisabled"},
		{"TTPs/Policy:IAMUser-RootCredentialUsage", "Policy:IAMUser/RootCredentialUsage"},
		{
			"Unusual Behaviors/User/ResourceConsumption:IAMUser-ComputeResources",
			"ResourceConsumption:IAMUser/ComputeResources",
		},
		{
			"TTPs/AnomalousBehavior/Discovery:Kubernetes-PermissionChecked",
			"Discovery:Kubernetes/AnomalousBehavior.PermissionChecked",
		},
		{"TTPs/DefenseEvasion/EC2:Unusual-DNS-Resolver", "DefenseEvasion:EC2/UnusualDNSResolver"},
		{
			"TTPs/Command and Control/CryptoCurrency:Runtime-BitcoinTool.B!DNS",
			"CryptoCurrency:Runtime/BitcoinTool.B!DNS",
		},
		{
			"Software and Configuration Checks/AWS Security Best Practices/Policy:Kubernetes-ExposedDashboard",
			"Policy:Kubernetes/ExposedDashboard",
		},
		{"TTPs", "TTPs"},
		{"", "unknown"},
		{"a/b/-", "b:/"},
	} {
		asff, want := test[0], test[1]
		signals, err := signal.Parse(
			event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/Types", []any{asff}),
		)
		if err != nil || signals[0].Type != want {
			t.Errorf("%s: %+v, %v; want %s", asff, signals, err, want)
		}
	}
}

// TestActorsOfSequencesThroughSecurityHub: in both of its formats; and no actor of another finding.
func TestActorsOfSequencesThroughSecurityHub(t *testing.T) {
	const ocsf = "securityhub/v2-guardduty-session.json"
	actor := object{
		"user": object{"name": "bob", "type": "IAMUser", "uid": "AIDAX", "account": object{"uid": "444455556666"}},
	}
	evidence := []any{object{"actor": actor}, object{"actor": "odd"}, object{"actor": actor}}
	sequence := []any{"Threats", "AttackSequence:IAM/CompromisedCredentials"}
	checkField(t, []fieldTest{
		{"OCSF", edited(ocsf, "detail/findings/0/finding_info/types", sequence,
			"detail/findings/0/resources", []any{}, "detail/findings/0/evidences", evidence), signal.Finding, "bob", ""},
		{"OCSF, another type", edited(ocsf, "detail/findings/0/resources", []any{}, "detail/findings/0/evidences", evidence),
			signal.Finding, "nobody", ""},
		{"ASFF", edited("securityhub/attack-sequence.json"), signal.Finding, "bob", ""},
		{"a key with nothing but a name", edited("securityhub/pentest.json",
			"detail/findings/0/Resources/0/Details/AwsIamAccessKey", object{"UserName": "Admin"}),
			signal.Finding, "id Admin", ""},
		{
			"called GuardDuty", edited("securityhub/pentest.json", "detail/findings/0/ProductArn", absent), "", "",
			"not of GuardDuty",
		},
		{"called GuardDuty by an account", edited("securityhub/pentest.json", "detail/findings/0/ProductArn",
			"arn:aws:securityhub:eu-west-1:111122223333:product/aws/guardduty"), "", "", "not of GuardDuty"},
		{"GuardDuty in China", edited("securityhub/pentest.json", "detail/findings/0/ProductArn",
			"arn:aws-cn:securityhub:cn-north-1::product/aws/guardduty"), signal.Finding, "bob", ""},
	})
}
