package signal_test

import (
	"testing"

	"clientvpn-responder/internal/signal"
)

const (
	sequence = "guardduty/attack-sequence.json"
	ec2      = "guardduty/ec2-from-vpn-client.json"
	eks      = "guardduty/eks-oidc-user.json"
	k8sUser  = "detail/resource/kubernetesDetails/kubernetesUserDetails/username"
	asff     = "securityhub/guardduty-iam-user.json"
	asffKey  = "detail/findings/0/Resources/0/Details/AwsIamAccessKey/"
	ocsf     = "securityhub/v2-guardduty-session.json"
	resource = "detail/findings/0/resources"
	entraOID = "6f0c2f1e-8d7b-4a57-9c36-5b1f5d9a2e10"
	entra    = "entra/disable-account.json"
	target   = "detail/properties/targetResources"
	auth0ID  = "auth0|6a1b2c3d4e5f60718293a4b5"
	ssf      = "ssf/account-disabled.json"
	setEvent = "detail/events/https:~1~1schemas.openid.net~1secevent~1risc~1event-type~1account-disabled"
)

// nobody has the caller's address, which the outcome reports.
var nobody = signal.Subject{PublicIP: "203.0.113.45"}

// TestWhomFindingsMean: each person whom a finding names, and nobody else.
func TestWhomFindingsMean(t *testing.T) { checkSubjects(t, whomFindingsMean) }

var whomFindingsMean = []subjectTest{
	{
		"IAM user", edited(iamUser, key+"principalId", "AIDAEXAMPLE"),
		[]signal.Subject{{Usernames: []string{"bob"}, IDs: []string{"AIDAEXAMPLE"}}},
	},
	{
		"IAM user, PascalCase", edited(iamUser, key+"userName", absent, key+"UserName", "bob", key+"principalId", nil),
		[]signal.Subject{people("bob")},
	},
	{
		"IAM user without a name", edited(iamUser, key+"userName", "", key+"principalId", "AIDAX"),
		[]signal.Subject{{IDs: []string{"AIDAX"}}},
	},
	{
		"IAM user, hidden",
		edited(iamUser, key+"userName", "HIDDEN_DUE_TO_SECURITY_REASONS", key+"principalId", absent),
		[]signal.Subject{nobody},
	},
	{
		"what is only told is no text",
		edited(
			iamUser, "detail/title", []any{1}, "detail/updatedAt", map[string]any{}, "detail/region", true,
			key+"principalId", absent,
		),
		[]signal.Subject{people("bob")},
	},
	{
		"role session", edited(sso, key+"userName", "Admin", key+"principalId", "AROAX:jane@example.com"),
		[]signal.Subject{session("Admin", "jane@example.com")},
	},
	{
		"role session with a colon", edited(sso, key+"userName", "Admin", key+"principalId", "AROAX:a:b"),
		[]signal.Subject{session("Admin", "a:b")},
	},
	{
		"role without a session", edited(sso, key+"principalId", "AROAX", caller, "203.0.113.45"),
		[]signal.Subject{nobody},
	},
	{"role, session empty", edited(sso, key+"principalId", "AROAX:", caller, "203.0.113.45"), []signal.Subject{nobody}},
	{
		"role without a name", edited(sso, key+"userName", "", key+"principalId", "AROAX:jane", caller, ""),
		[]signal.Subject{{}},
	},
	{
		"session named as its role", edited(sso, key+"userName", "Admin", key+"principalId", "AROAX:Admin", caller, ""),
		[]signal.Subject{{}},
	},
	{
		"role of an EKS sample, with a session",
		edited(sso, key+"userType", "Role", key+"userName", "Admin", key+"principalId", "AROAX:jane"),
		[]signal.Subject{session("Admin", "jane")},
	},
	{"instance role", edited("guardduty/ec2-instance-role.json", caller, ""), []signal.Subject{{}}},
	{
		"instance of the short kind", edited(sso, key+"principalId", "AROAX:i-0abc1234", caller, ""),
		[]signal.Subject{{}},
	},
	{
		"SDK session", edited(sso, key+"principalId", "AROAX:aws-go-sdk-1753152318418995274", caller, ""),
		[]signal.Subject{{}},
	},
	{
		"botocore session", edited(sso, key+"principalId", "AROAX:botocore-session-1753152318", caller, ""),
		[]signal.Subject{{}},
	},
	{"AWS CLI session", edited(sso, key+"principalId", "AROAX:AWSCLI-Session", caller, ""), []signal.Subject{{}}},
	{
		"JavaScript SDK session", edited(sso, key+"principalId", "AROAX:aws-sdk-js-1753152318", caller, ""),
		[]signal.Subject{{}},
	},
	{
		"a person's name with a program's inside",
		edited(sso, key+"userName", "Admin", key+"principalId", "AROAX:li-0abc1234"),
		[]signal.Subject{session("Admin", "li-0abc1234")},
	},
	{
		"and before", edited(sso, key+"userName", "Admin", key+"principalId", "AROAX:AWSCLI-Session-jane"),
		[]signal.Subject{session("Admin", "AWSCLI-Session-jane")},
	},
	{
		"federated user",
		edited(sso, key+"userType", "FederatedUser", key+"userName", "jane", key+"principalId", "111122223333:jane"),
		[]signal.Subject{session("sts:FederatedUser", "jane")},
	},
	{"root", edited("guardduty/root.json", caller, "203.0.113.45"), []signal.Subject{nobody}},
	{"service", edited(iamUser, key+"userType", "AWSService"), []signal.Subject{nobody}},
	{"account", edited(iamUser, key+"userType", "AWSAccount"), []signal.Subject{nobody}},
	{"unknown user type", edited(iamUser, key+"userType", "Unknown"), []signal.Subject{nobody}},
	{"no resource", edited(iamUser, "detail/resource", absent), []signal.Subject{nobody}},
	{"resource is null", edited(iamUser, "detail/resource", nil), []signal.Subject{nobody}},

	{"attack sequence, each of its actors", edited(sequence), []signal.Subject{
		{Usernames: []string{"bob"}, IDs: []string{"AIDA2LPTCWKBC3EXAMPLE"}}, ssoSession("dave@example.com")}},
	{"attack sequence, the same actor twice", edited(sequence, "detail/service/detection/sequence/actors", []any{
		object{"user": object{"name": "bob", "type": "IAMUser"}}, object{"user": object{"name": "bob",
			"type": "IAMUser"}}}), []signal.Subject{{Usernames: []string{"bob"}}}},
	{"attack sequence, session in the actor's id alone", edited(sequence, "detail/service/detection/sequence/actors",
		[]any{
			object{"id": "user:AssumedRole:AROAX:jane", "user": object{"name": "Admin", "uid": "AROAX",
				"type": "AssumedRole"}, "session": object{"issuer": "arn:aws:iam::111122223333:role/path/Ops"}}}),
		[]signal.Subject{{Session: &signal.Session{Role: "Ops", Name: "jane"}}}},
	{"attack sequence, the actor's id ends in the role", edited(sequence, "detail/service/detection/sequence/actors",
		[]any{
			object{"id": "user:AssumedRole:AROAX:Admin", "user": object{"name": "Admin", "uid": "AROAX",
				"type": "AssumedRole"}}}), []signal.Subject{{}}},
	{
		"attack sequence of processes",
		edited(
			sequence, "detail/service/detection/sequence/actors",
			[]any{object{"id": "p", "process": object{"name": "curl"}}},
		),
		[]signal.Subject{{}},
	},
	{"client of a transit gateway's endpoint", edited(ec2), []signal.Subject{{ClientIP: "10.30.0.10"}}},
	{"the instance attacks", edited(ec2, "detail/service/resourceRole", "ACTOR"), []signal.Subject{{}}},
	{
		"the instance connects",
		edited(ec2, "detail/service/action/networkConnectionAction/connectionDirection", "OUTBOUND"),
		[]signal.Subject{{}},
	},
	{
		"public address",
		edited(ec2, "detail/service/action/networkConnectionAction/remoteIpDetails/ipAddressV4", "198.51.100.23"),
		[]signal.Subject{{PublicIP: "198.51.100.23"}},
	},
	{
		"shared address space",
		edited(ec2, "detail/service/action/networkConnectionAction/remoteIpDetails/ipAddressV4", "100.64.3.4"),
		[]signal.Subject{{ClientIP: "100.64.3.4"}},
	},
	{"port probe by two", edited(ec2, "detail/service/action", object{"portProbeAction": object{"portProbeDetails": []any{
		object{"remoteIpDetails": object{"ipAddressV4": "10.30.0.10"}},
		object{"remoteIpDetails": object{"ipAddressV4": "198.51.100.23"}},
		object{"remoteIpDetails": object{"ipAddressV4": "10.30.0.11"}}}}}),
		[]signal.Subject{{ClientIP: "10.30.0.10"}, {ClientIP: "10.30.0.11"}}},
	{"private caller of an API is some VPC's", edited("guardduty/root.json", caller, "10.1.2.3"), []signal.Subject{{}}},
	{"OpenID Connect user of EKS", edited(eks), []signal.Subject{dave()}},
	{
		"EKS, service account", edited(eks, k8sUser, "system:serviceaccount:default:dave@example.com"),
		[]signal.Subject{{}},
	},
	{"EKS, administrator", edited(eks, k8sUser, "kubernetes-admin"), []signal.Subject{{}}},
	{"EKS, anonymous", edited(eks, k8sUser, "system:anonymous"), []signal.Subject{{}}},
	{
		"EKS, role session", edited(eks, k8sUser, "arn:aws:sts::111122223333:assumed-role/Ops/jane"),
		[]signal.Subject{{Session: &signal.Session{Role: "Ops", Name: "jane"}}},
	},
	{
		"EKS, IAM user", edited(eks, k8sUser, "arn:aws:iam::111122223333:user/team/jane"),
		[]signal.Subject{{Usernames: []string{"jane"}}},
	},
	{"EKS, role", edited(eks, k8sUser, "arn:aws:iam::111122223333:role/jane"), []signal.Subject{{}}},
	{
		"EKS, IAM user before the cluster's",
		edited(eks, "detail/resource/accessKeyDetails", object{"userType": "IAMUser", "userName": "jane"}),
		[]signal.Subject{{Usernames: []string{"jane"}}},
	},
	{"EKS, sessions of the role", edited(eks, "detail/resource/accessKeyDetails", object{"userType": "Role",
		"userName": "Ops", "principalId": "AROAX"},
		"detail/resource/kubernetesDetails/kubernetesUserDetails/sessionName", []any{"jane",
			"i-0123456789abcdef0"}), []signal.Subject{{Session: &signal.Session{Role: "Ops", Name: "jane"}}}},
	{
		"EKS, sessions of nobody knows which role",
		edited(
			eks, k8sUser, "admin", "detail/resource/kubernetesDetails/kubernetesUserDetails/sessionName", []any{"jane"},
		),
		[]signal.Subject{{}},
	},
	{"database user", edited("guardduty/rds-database-user.json"), []signal.Subject{{}}},

	{"ASFF", edited(asff), []signal.Subject{{Usernames: []string{"bob"}, IDs: []string{"AIDA2LPTCWKBC3EXAMPLE"}}}},
	{
		"ASFF, role session",
		edited(
			asff, asffKey+"PrincipalType", "AssumedRole", asffKey+"PrincipalName", "Admin", asffKey+"PrincipalId",
			"AROAX:jane",
		),
		[]signal.Subject{{Session: &signal.Session{Role: "Admin", Name: "jane"}}},
	},
	{
		"ASFF, deprecated name",
		edited(asff, asffKey+"PrincipalName", absent, asffKey+"UserName", "bob", asffKey+"PrincipalId", absent),
		[]signal.Subject{{Usernames: []string{"bob"}}},
	},
	{"ASFF, no key", edited(asff, "detail/findings/0/Resources", []any{}), []signal.Subject{{}}},
	{"OCSF", edited(ocsf), []signal.Subject{ssoSession("dave@example.com")}},
	{
		"OCSF, user of a long-term key",
		edited(
			ocsf, resource,
			[]any{object{"type": "AWS::IAM::AccessKey", "uid": "AKIAEXAMPLE", "user": object{"name": "bob"}}},
		),
		[]signal.Subject{{Usernames: []string{"bob"}}},
	},
	{
		"OCSF, user of a short-term key may be a role",
		edited(
			ocsf, resource,
			[]any{object{"type": "AWS::IAM::AccessKey", "uid": "ASIAEXAMPLE", "user": object{"name": "bob"}}},
		),
		[]signal.Subject{{IDs: []string{"bob"}}},
	},
	{
		"OCSF, ASFF in a string",
		edited(
			ocsf, resource,
			[]any{
				object{
					"type": "AWS::IAM::AccessKey",
					"data": `{"Details":{"AwsIamAccessKey":{"PrincipalType":"IAMUser","PrincipalName":"bob"}}}`,
				},
			},
		),
		[]signal.Subject{{Usernames: []string{"bob"}}},
	},
	{
		"OCSF, its details in a string",
		edited(
			ocsf, resource,
			[]any{
				object{
					"type": "AWS::IAM::AccessKey",
					"data": `{"AwsIamAccessKey":{"PrincipalType":"IAMUser","PrincipalName":"bob"}}`,
				},
			},
		),
		[]signal.Subject{{Usernames: []string{"bob"}}},
	},
	{
		"OCSF, data is no object", edited(ocsf, resource, []any{object{"type": "AWS::IAM::AccessKey", "data": "{"}}),
		[]signal.Subject{{}},
	},
	{"OCSF, another resource", edited(ocsf, resource+"/0/type", "AWS::EC2::Instance"), []signal.Subject{{}}},
}
