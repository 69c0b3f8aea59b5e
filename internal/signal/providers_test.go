package signal_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

type object = map[string]any

// made gives an event of a provider's that has the event type of a row, made of a file of events/.
func made(t *testing.T, r signal.EventType) []byte {
	word, value, _ := strings.Cut(r.Type, ": ")
	switch r.Source {
	case "aws.guardduty":
		return event(t, iamUser, "detail-type", r.Type)
	case "aws.securityhub":
		if r.Type == "Findings Imported V2" {
			return event(t, "securityhub/v2-guardduty-session.json")
		}
		return event(t, "securityhub/guardduty-iam-user.json", "detail-type", r.Type)
	case "aws.partner/okta.com/":
		return event(t, okta, "detail/eventType", r.Type,
			"detail/target", []any{object{"type": "User", "alternateId": "alice@example.com"}, object{"type": "PolicyAction", "displayName": "TERMINATE_SESSION"}},
			"detail/debugContext", object{"debugData": object{"risk": "{level=HIGH, reasons=New Device}"}})
	case "custom.entra", "custom.microsoftgraph":
		return event(t, "entra/disable-account.json", append([]any{"source", r.Source}, entraChanges(r.Type)...)...)
	case "aws.partner/auth0.com/":
		switch {
		case word == "sapi blocked":
			return event(t, "auth0/user-blocked.json", "detail/data/details/request/body/blocked", value == "true")
		case word == "sapi delete user":
			return event(t, "auth0/user-blocked.json", "detail/data/details/request/method", "delete")
		case word == "sscim active":
			return event(t, "auth0/user-blocked.json", "detail/data/type", "sscim", "detail/data/details/request/path", "/scim/v2/connections/con_1/Users/u1",
				"detail/data/details/request/body", object{"Operations": []any{object{"op": "Replace", "path": "active", "value": strings.ToUpper(value[:1]) + value[1:]}}})
		case word == "sscim delete user":
			return event(t, "auth0/user-blocked.json", "detail/data/type", "sscim", "detail/data/details/request/path", "/scim/v2/connections/con_1/Users/u1",
				"detail/data/details/request/method", "DELETE")
		case r.Type == "sapi":
			return event(t, "auth0/profile-changed.json")
		case word == "user.updated blocked":
			return event(t, "auth0/stream-user-deleted.json", "detail/type", "user.updated", "detail/data/object/blocked", value == "true",
				"detail/data/previous_object", object{"user_id": "u", "blocked": value != "true"})
		case strings.HasPrefix(r.Type, "user."):
			return event(t, "auth0/stream-user-deleted.json", "detail/type", r.Type)
		}
		return event(t, "auth0/user-deleted.json", "detail/data/type", r.Type)
	case "aws.partner/onelogin.com/":
		return event(t, "onelogin/user-deactivated.json", "detail/event_type_id", r.Type)
	case "aws.partner/sailpoint.com/":
		switch {
		case word == "identity-attributes-changed cloudLifecycleState":
			return event(t, "sailpoint/leaver.json", "detail/changes", []any{object{"attribute": "cloudLifecycleState", "oldValue": "inactive", "newValue": value}})
		case r.Type == "identity-attributes-changed":
			return event(t, "sailpoint/department-changed.json")
		case r.Type == "account":
			return event(t, "sailpoint/leaver.json", "detail/account", object{"nativeIdentity": "dave"})
		}
		return event(t, "sailpoint/leaver.json", "detail-type", r.Type)
	case "aws.sso-directory", "aws.identitystore-scim", "aws.identitystore", "aws.iam", "aws.ds-data", "aws.cognito-idp":
		service, call, isCall := strings.Cut(r.Type, " ")
		if !isCall || strings.ToUpper(service[:1]) == service[:1] {
			return event(t, "identity-center/user-updated.json", "source", "aws.identitystore", "detail-type", r.Type)
		}
		return event(t, "identity-center/disable-user.json", "source", r.Source, "detail/eventSource", service+".amazonaws.com", "detail/eventName", call)
	case "custom.googleworkspace":
		return event(t, "google-workspace/suspend-user.json", "detail/events", []any{object{"name": r.Type}})
	case "custom.jumpcloud":
		kind, _, _ := strings.Cut(word, " ")
		changes := []any{object{"field": "suspended", "from": value != "true", "to": value == "true"}}
		if strings.HasSuffix(word, " state") {
			changes = []any{object{"field": "state", "from": map[string]string{"SUSPENDED": "ACTIVATED", "ACTIVATED": "SUSPENDED"}[value], "to": value}}
		}
		if value == "" {
			changes = nil
		}
		return event(t, "jumpcloud/user-suspended.json", "detail/event_type", kind, "detail/changes", changes)
	case "custom.pingone":
		return event(t, "pingone/user-deleted.json", "detail/action/type", r.Type)
	case "custom.duo":
		action, _, _ := strings.Cut(word, " ")
		return event(t, "duo/user-disabled.json", "detail/action", action, "detail/description", fmt.Sprintf(`{"status": %q}`, value))
	case "custom.cyberark":
		return event(t, "cyberark/user-deleted.json", "detail/action", r.Type)
	case "custom.ssf":
		return event(t, "ssf/account-disabled.json", "detail/events", object{"https://schemas.openid.net/secevent/" + r.Type: object{
			"change_type": "revoke", "current_status": "not-compliant", "current_level": "HIGH", "principal": "USER",
		}})
	case "clientvpn-responder":
		return event(t, "custom/reinstate.json", "detail-type", r.Type)
	}
	t.Fatalf("no event of %s is made here", r.Source)
	return nil
}

func entraChanges(meant string) []any {
	properties := "detail/properties/"
	word, value, _ := strings.Cut(meant, ": ")
	switch {
	case word == "Update user AccountEnabled":
		return []any{properties + "activityDisplayName", "Update user", properties + "targetResources", []any{object{"type": "User", "id": "u1",
			"modifiedProperties": []any{object{"displayName": "AccountEnabled", "oldValue": map[string]string{"true": "[false]", "false": "[true]"}[value], "newValue": "[" + value + "]"}}}}}
	case strings.HasSuffix(meant, " by the user"):
		return []any{properties + "activityDisplayName", strings.TrimSuffix(meant, " by the user"), properties + "initiatedBy", object{"user": object{"id": "6f0c2f1e-8d7b-4a57-9c36-5b1f5d9a2e10"}}}
	case meant == "Update user":
		return []any{properties + "activityDisplayName", meant, properties + "targetResources", []any{object{"type": "User", "id": "u1"}}}
	case meant == "riskState":
		return []any{"detail/category", "RiskyUsers", "detail/properties", object{"riskState": "remediated", "riskLevel": "high"}}
	case meant == "riskState atRisk, riskLevel high":
		return []any{"detail/category", "RiskyUsers", "detail/properties", object{"riskState": "atRisk", "riskLevel": "high", "userPrincipalName": "a@example.com"}}
	case meant == "riskState confirmedCompromised":
		return []any{"detail/category", "RiskyUsers", "detail/properties", object{"riskState": "confirmedCompromised", "userPrincipalName": "a@example.com"}}
	case strings.HasPrefix(meant, "Microsoft.Graph.User"):
		return []any{"detail", object{"type": meant, "data": object{"changeType": strings.ToLower(strings.TrimPrefix(meant, "Microsoft.Graph.User")), "resource": "Users/u1"}}}
	}
	return []any{properties + "activityDisplayName", meant}
}

// TestEveryEventTypeMeansWhatItsRowSays: no row of doc/events.md is out of reach, and each is what the parser does.
func TestEveryEventTypeMeansWhatItsRowSays(t *testing.T) {
	rows := signal.EventTypes()
	if len(rows) < 150 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, r := range rows {
		signals, err := signal.Parse(made(t, r))
		switch {
		case r.Kind == "" && (!errors.Is(err, signal.ErrUnsupported) || !strings.Contains(err.Error(), r.Type+": "+r.Note)):
			t.Errorf("%s %s: %+v, %v", r.Source, r.Type, signals, err)
		case r.Kind == "" || err == nil && signals[0].Kind == r.Kind && signals[0].Provider == r.Provider:
		default:
			t.Errorf("%s %s: want %s, got %+v, %v", r.Source, r.Type, r.Kind, signals, err)
		}
	}
}

// TestOneWordAwayAsksForNothing: whatever a provider adds to its event types, nobody is cut off for it.
func TestOneWordAwayAsksForNothing(t *testing.T) {
	for _, r := range signal.EventTypes() {
		if r.Source == "custom.entra" || r.Source == "custom.microsoftgraph" || strings.ContainsAny(r.Type, " ,") || r.Source == "aws.partner/sailpoint.com/" {
			continue // told by more than one word
		}
		r.Type += "x"
		if signals, err := signal.Parse(made(t, r)); !errors.Is(err, signal.ErrUnsupported) || !strings.Contains(err.Error(), r.Provider) {
			t.Errorf("%s %s: %+v, %v", r.Source, r.Type, signals, err)
		}
	}
}

var update = flag.Bool("update", false, "write the tables of doc/events.md anew")

// TestDocTellsEveryEventType: the tables of doc/events.md are those of the code.
func TestDocTellsEveryEventType(t *testing.T) {
	const file = "../../doc/events.md"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]string{}
	seen := map[string]bool{}
	for _, r := range signal.EventTypes() {
		name := r.Provider
		if r.Source == "aws.securityhub" {
			name = "security-hub"
		}
		key := name + "\x00" + r.Type
		if seen[key] {
			continue // by another way
		}
		seen[key] = true
		if tables[name] == "" {
			tables[name] = "| event type | means | |\n|---|---|---|\n"
		}
		kind := "nothing"
		if r.Kind != "" {
			kind = "`" + string(r.Kind) + "`"
		}
		tables[name] += fmt.Sprintf("| `%s` | %s | %s |\n", r.Type, kind, r.Note)
	}
	place := regexp.MustCompile(`(?s)<!-- table ([a-z0-9-]+) -->\n.*?<!-- end -->`)
	placed := 0
	want := place.ReplaceAllStringFunc(string(raw), func(old string) string {
		name := place.FindStringSubmatch(old)[1]
		placed++
		return fmt.Sprintf("<!-- table %s -->\n%s<!-- end -->", name, tables[name])
	})
	if placed != len(tables) {
		t.Errorf("doc/events.md has %d tables, the code %d", placed, len(tables))
	}
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, string(raw)); diff != "" {
		t.Errorf("write it anew with: go test ./internal/signal -update\n%s", diff)
	}
}

// TestWhomProvidersMean: every name of the person, none of the administrator.
func TestWhomProvidersMean(t *testing.T) {
	dave := func(ids ...string) signal.Subject {
		return signal.Subject{Usernames: []string{"dave@example.com"}, IDs: ids}
	}
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
	session := func(name string) signal.Subject {
		return signal.Subject{Session: &signal.Session{Role: "AWSReservedSSO_AdministratorAccess_0123456789abcdef", Name: name}}
	}
	set := func(subject any) []byte { return event(t, ssf, "detail/sub_id", subject) }
	for _, test := range []struct {
		name  string
		event []byte
		want  []signal.Subject
	}{
		{"attack sequence, each of its actors", event(t, sequence), []signal.Subject{
			{Usernames: []string{"bob"}, IDs: []string{"AIDA2LPTCWKBC3EXAMPLE"}}, session("dave@example.com")}},
		{"attack sequence, the same actor twice", event(t, sequence, "detail/service/detection/sequence/actors", []any{
			object{"user": object{"name": "bob", "type": "IAMUser"}}, object{"user": object{"name": "bob", "type": "IAMUser"}}}), []signal.Subject{{Usernames: []string{"bob"}}}},
		{"attack sequence, session in the actor's id alone", event(t, sequence, "detail/service/detection/sequence/actors", []any{
			object{"id": "user:AssumedRole:AROAX:jane", "user": object{"name": "Admin", "uid": "AROAX", "type": "AssumedRole"}, "session": object{"issuer": "arn:aws:iam::111122223333:role/path/Ops"}}}),
			[]signal.Subject{{Session: &signal.Session{Role: "Ops", Name: "jane"}}}},
		{"attack sequence, the actor's id ends in the role", event(t, sequence, "detail/service/detection/sequence/actors", []any{
			object{"id": "user:AssumedRole:AROAX:Admin", "user": object{"name": "Admin", "uid": "AROAX", "type": "AssumedRole"}}}), []signal.Subject{{}}},
		{"attack sequence of processes", event(t, sequence, "detail/service/detection/sequence/actors", []any{object{"id": "p", "process": object{"name": "curl"}}}), []signal.Subject{{}}},
		{"client of a transit gateway's endpoint", event(t, ec2), []signal.Subject{{ClientIP: "10.30.0.10"}}},
		{"the instance attacks", event(t, ec2, "detail/service/resourceRole", "ACTOR"), []signal.Subject{{}}},
		{"the instance connects", event(t, ec2, "detail/service/action/networkConnectionAction/connectionDirection", "OUTBOUND"), []signal.Subject{{}}},
		{"public address", event(t, ec2, "detail/service/action/networkConnectionAction/remoteIpDetails/ipAddressV4", "198.51.100.23"), []signal.Subject{{PublicIP: "198.51.100.23"}}},
		{"shared address space", event(t, ec2, "detail/service/action/networkConnectionAction/remoteIpDetails/ipAddressV4", "100.64.3.4"), []signal.Subject{{ClientIP: "100.64.3.4"}}},
		{"port probe by two", event(t, ec2, "detail/service/action", object{"portProbeAction": object{"portProbeDetails": []any{
			object{"remoteIpDetails": object{"ipAddressV4": "10.30.0.10"}}, object{"remoteIpDetails": object{"ipAddressV4": "198.51.100.23"}}, object{"remoteIpDetails": object{"ipAddressV4": "10.30.0.11"}}}}}),
			[]signal.Subject{{ClientIP: "10.30.0.10"}, {ClientIP: "10.30.0.11"}}},
		{"private caller of an API is some VPC's", event(t, "guardduty/root.json", caller, "10.1.2.3"), []signal.Subject{{}}},
		{"OpenID Connect user of EKS", event(t, eks), []signal.Subject{dave()}},
		{"EKS, service account", event(t, eks, k8sUser, "system:serviceaccount:default:dave@example.com"), []signal.Subject{{}}},
		{"EKS, administrator", event(t, eks, k8sUser, "kubernetes-admin"), []signal.Subject{{}}},
		{"EKS, anonymous", event(t, eks, k8sUser, "system:anonymous"), []signal.Subject{{}}},
		{"EKS, role session", event(t, eks, k8sUser, "arn:aws:sts::111122223333:assumed-role/Ops/jane"), []signal.Subject{{Session: &signal.Session{Role: "Ops", Name: "jane"}}}},
		{"EKS, IAM user", event(t, eks, k8sUser, "arn:aws:iam::111122223333:user/team/jane"), []signal.Subject{{Usernames: []string{"jane"}}}},
		{"EKS, role", event(t, eks, k8sUser, "arn:aws:iam::111122223333:role/jane"), []signal.Subject{{}}},
		{"EKS, IAM user before the cluster's", event(t, eks, "detail/resource/accessKeyDetails", object{"userType": "IAMUser", "userName": "jane"}), []signal.Subject{{Usernames: []string{"jane"}}}},
		{"EKS, sessions of the role", event(t, eks, "detail/resource/accessKeyDetails", object{"userType": "Role", "userName": "Ops", "principalId": "AROAX"},
			"detail/resource/kubernetesDetails/kubernetesUserDetails/sessionName", []any{"jane", "i-0123456789abcdef0"}), []signal.Subject{{Session: &signal.Session{Role: "Ops", Name: "jane"}}}},
		{"EKS, sessions of nobody knows which role", event(t, eks, k8sUser, "admin", "detail/resource/kubernetesDetails/kubernetesUserDetails/sessionName", []any{"jane"}), []signal.Subject{{}}},
		{"database user", event(t, "guardduty/rds-database-user.json"), []signal.Subject{{}}},

		{"ASFF", event(t, asff), []signal.Subject{{Usernames: []string{"bob"}, IDs: []string{"AIDA2LPTCWKBC3EXAMPLE"}}}},
		{"ASFF, role session", event(t, asff, asffKey+"PrincipalType", "AssumedRole", asffKey+"PrincipalName", "Admin", asffKey+"PrincipalId", "AROAX:jane"), []signal.Subject{{Session: &signal.Session{Role: "Admin", Name: "jane"}}}},
		{"ASFF, deprecated name", event(t, asff, asffKey+"PrincipalName", absent, asffKey+"UserName", "bob", asffKey+"PrincipalId", absent), []signal.Subject{{Usernames: []string{"bob"}}}},
		{"ASFF, no key", event(t, asff, "detail/findings/0/Resources", []any{}), []signal.Subject{{}}},
		{"OCSF", event(t, ocsf), []signal.Subject{session("dave@example.com")}},
		{"OCSF, user of a long-term key", event(t, ocsf, resource, []any{object{"type": "AWS::IAM::AccessKey", "uid": "AKIAEXAMPLE", "user": object{"name": "bob"}}}), []signal.Subject{{Usernames: []string{"bob"}}}},
		{"OCSF, user of a short-term key may be a role", event(t, ocsf, resource, []any{object{"type": "AWS::IAM::AccessKey", "uid": "ASIAEXAMPLE", "user": object{"name": "bob"}}}), []signal.Subject{{}}},
		{"OCSF, ASFF in a string", event(t, ocsf, resource, []any{object{"type": "AWS::IAM::AccessKey", "data": `{"Details":{"AwsIamAccessKey":{"PrincipalType":"IAMUser","PrincipalName":"bob"}}}`}}), []signal.Subject{{Usernames: []string{"bob"}}}},
		{"OCSF, its details in a string", event(t, ocsf, resource, []any{object{"type": "AWS::IAM::AccessKey", "data": `{"AwsIamAccessKey":{"PrincipalType":"IAMUser","PrincipalName":"bob"}}`}}), []signal.Subject{{Usernames: []string{"bob"}}}},
		{"OCSF, data is no object", event(t, ocsf, resource, []any{object{"type": "AWS::IAM::AccessKey", "data": "{"}}), []signal.Subject{{}}},
		{"OCSF, another resource", event(t, ocsf, resource+"/0/type", "AWS::EC2::Instance"), []signal.Subject{{}}},

		{"Okta lock-out without target", event(t, "okta/account-lock.json"), []signal.Subject{{Usernames: []string{"alice@example.com"}, IDs: []string{"00u1alice2EXAMPLE3d7"}}}},
		{"Okta lock-out by the system", event(t, "okta/account-lock.json", "detail/actor/type", "SystemPrincipal"), []signal.Subject{{}}},
		{"Entra", event(t, entra), []signal.Subject{dave(entraOID)}},
		{"Entra, as Microsoft Graph gives it", event(t, entra, "detail", object{"id": "a1", "activityDisplayName": "Disable account", "result": "success", "targetResources": []any{object{"type": "User", "id": "u1", "userPrincipalName": "dave@example.com"}}}), []signal.Subject{dave("u1")}},
		{"Entra, deleted", event(t, "entra/delete-user.json"), []signal.Subject{dave(entraOID)}},
		{"Entra, deleted, prefix of another", event(t, "entra/delete-user.json", target+"/0/id", "00000000-0000-4000-8000-000000000000"), []signal.Subject{{
			Usernames: []string{"6f0c2f1e8d7b4a579c365b1f5d9a2e10dave@example.com"}, IDs: []string{"00000000-0000-4000-8000-000000000000"}}}},
		{"Entra, an Event Hub's records", event(t, entra, "detail", object{"records": []any{
			object{"category": "AuditLogs", "properties": object{"activityDisplayName": "Add user", "result": "success"}},
			object{"category": "AuditLogs", "properties": object{"activityDisplayName": "Disable account", "result": "success", "targetResources": []any{object{"type": "User", "userPrincipalName": "dave@example.com"}}}},
		}}), []signal.Subject{dave()}},
		{"Entra, no user", event(t, entra, target, []any{}), []signal.Subject{{}}},
		{"Entra, two, one of them disabled", event(t, entra, "detail/properties/activityDisplayName", "Update user", target, []any{
			object{"type": "User", "userPrincipalName": "erin@example.com", "modifiedProperties": []any{}},
			object{"type": "User", "userPrincipalName": "dave@example.com", "modifiedProperties": []any{object{"displayName": "AccountEnabled", "oldValue": "[\r\n  true\r\n]", "newValue": "[\r\n  false\r\n]"}}},
		}), []signal.Subject{dave()}},
		{"Microsoft Graph's webhook", event(t, entra, "detail", object{"value": []any{object{"changeType": "deleted", "resource": "Users/u1", "resourceData": object{"id": "u1"}}}}), []signal.Subject{{IDs: []string{"u1"}}}},
		{"risky user", event(t, "entra/confirmed-compromised.json"), []signal.Subject{dave(entraOID)}},
		{"risk detection", event(t, "entra/confirmed-compromised.json", "detail/properties/userId", "u1"), []signal.Subject{dave("u1")}},

		{"Auth0", event(t, "auth0/user-deleted.json"), []signal.Subject{dave(auth0ID)}},
		{"Auth0, flat", event(t, "auth0/user-deleted.json", "detail", object{"type": "sdu", "user_name": "dave@example.com"}), []signal.Subject{dave()}},
		{"Auth0, whom the API was asked about", event(t, "auth0/user-blocked.json"), []signal.Subject{dave(auth0ID)}},
		{"Auth0, the id alone", event(t, "auth0/user-blocked.json", "detail/data/details/response", nil), []signal.Subject{{IDs: []string{auth0ID}}}},
		{"Auth0 event stream", event(t, "auth0/stream-user-deleted.json", "detail/data/object/email", "dave@example.com"), []signal.Subject{dave(auth0ID)}},
		{"Auth0, an address that is not verified", event(t, "auth0/user-blocked.json", "detail/data/details/response/body/email_verified", false), []signal.Subject{{IDs: []string{auth0ID}}}},
		{"Auth0, a name that anybody may choose", event(t, "auth0/user-deleted.json", "detail/data/user_name", "alice"), []signal.Subject{{IDs: []string{auth0ID, "alice"}}}},
		{"Auth0 event stream, deleted while blocked", event(t, "auth0/stream-user-deleted.json", "detail/data/object/email", "dave@example.com", "detail/data/object/blocked", true), []signal.Subject{dave(auth0ID)}},
		{"Cognito, a name that anybody may choose", event(t, "cognito/disable-user.json", "detail/requestParameters/username", "alice"), []signal.Subject{{IDs: []string{"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c77", "alice"}}}},
		{"Duo, in another case and decoded", event(t, "duo/user-disabled.json", "detail/description", object{"status": "disabled"}), []signal.Subject{{Usernames: []string{"dave"}}}},
		{"Entra, the type in another case", event(t, entra, target+"/0/type", "user"), []signal.Subject{dave(entraOID)}},
		{"EKS, an address behind a path", event(t, eks, k8sUser, "team/dave@example.com"), []signal.Subject{{}}},
		{"EKS, half an address", event(t, eks, k8sUser, "@"), []signal.Subject{{}}},
		{"role of the instance unknown", event(t, ec2, "detail/service/resourceRole", absent), []signal.Subject{{}}},
		{"OneLogin, not the first and last name", event(t, "onelogin/user-deactivated.json"), []signal.Subject{{IDs: []string{"92345678"}}}},
		{"OneLogin, numbers as texts", event(t, "onelogin/user-deactivated.json", "detail/event_type_id", "15", "detail/user_id", "92345678", "detail/login_name", "dave@example.com"), []signal.Subject{dave("92345678")}},
		{"SailPoint", event(t, "sailpoint/leaver.json"), []signal.Subject{{Usernames: []string{"dave@example.com", "dave"}, IDs: []string{"2c9180a46faadee4016fb4e018c20639"}}}},
		{"SailPoint, deleted", event(t, "sailpoint/leaver.json", "detail-type", "Identity Deleted", "detail/identity", object{"id": "i1", "name": "Dave Example"}, "detail/attributes", object{"email": "dave@example.com"}), []signal.Subject{dave("i1")}},

		{"Identity Center", event(t, "identity-center/disable-user.json"), []signal.Subject{{IDs: []string{"9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"}, IdentityStore: "d-9067123456"}}},
		{"Identity Center, its own notification", event(t, "identity-center/user-updated.json"), []signal.Subject{{IDs: []string{"9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c02"}, IdentityStore: "d-9067123456"}}},
		{"Identity Center, two users", event(t, "identity-center/user-updated.json", "resources", []any{
			"arn:aws:identitystore:::user/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01", "arn:aws:identitystore:::user/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c02", "arn:aws:identitystore:::user/0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"}),
			[]signal.Subject{{IDs: []string{"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"}}, {IDs: []string{"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c02"}}}},
		{"Identity Center, no resources", event(t, "identity-center/user-updated.json", "resources", absent), []signal.Subject{{}}},
		{"IAM, not who called", event(t, "iam/delete-user.json"), []signal.Subject{{Usernames: []string{"bob"}}}},
		{"directory", event(t, "directory-service/disable-user.json"), []signal.Subject{{Usernames: []string{"bob"}}}},
		{"directory, hidden", event(t, "directory-service/disable-user.json", "detail/requestParameters", object{"SAMAccountName": "HIDDEN_DUE_TO_SECURITY_REASONS"}), []signal.Subject{{}}},
		{"Cognito", event(t, "cognito/disable-user.json"), []signal.Subject{{IDs: []string{"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c77"}}}},
		{"call without parameters", event(t, "iam/delete-user.json", "detail/requestParameters", nil), []signal.Subject{{}}},

		{"Google Workspace", event(t, "google-workspace/suspend-user.json"), []signal.Subject{dave()}},
		{"Google Workspace, two events", event(t, "google-workspace/suspend-user.json", "detail/events", []any{
			object{"name": "CHANGE_PASSWORD"}, object{"name": "DELETE_USER", "parameters": []any{object{"name": "ORG_UNIT", "value": []any{}}, object{"name": "USER_EMAIL", "value": "dave@example.com"}}}}), []signal.Subject{dave()}},
		{"JumpCloud", event(t, "jumpcloud/user-suspended.json"), []signal.Subject{{Usernames: []string{"dave"}, IDs: []string{"60a1b2c3d4e5f60718293a4b"}}}},
		{"JumpCloud, words for flags", event(t, "jumpcloud/user-suspended.json", "detail/success", "true", "detail/changes", []any{object{"field": "suspended", "from": "false", "to": "true"}}), []signal.Subject{{Usernames: []string{"dave"}, IDs: []string{"60a1b2c3d4e5f60718293a4b"}}}},
		{"PingOne", event(t, "pingone/user-deleted.json"), []signal.Subject{dave("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c88")}},
		{"PingOne, a group beside", event(t, "pingone/user-deleted.json", "detail/resources", []any{object{"type": "GROUP", "name": "vpn"}, object{"type": "USER", "name": "dave@example.com"}}), []signal.Subject{dave()}},
		{"Duo", event(t, "duo/user-disabled.json"), []signal.Subject{{Usernames: []string{"dave"}}}},
		{"Duo, broken description", event(t, "duo/user-disabled.json", "detail/description", `{"status": "Disabled", "note": "he said "bye""}`), []signal.Subject{{Usernames: []string{"dave"}}}},
		{"CyberArk", event(t, "cyberark/user-deleted.json"), []signal.Subject{dave("0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c99")}},

		{"SET, e-mail", event(t, ssf), []signal.Subject{dave()}},
		{"SET, iss_sub with an address", set(object{"format": "iss_sub", "iss": "i", "sub": "dave@example.com"}), []signal.Subject{dave()}},
		{"SET, iss_sub, opaque", set(object{"format": "iss_sub", "iss": "i", "sub": "00u1"}), []signal.Subject{{IDs: []string{"00u1"}}}},
		{"SET, opaque", set(object{"format": "opaque", "id": "11"}), []signal.Subject{{IDs: []string{"11"}}}},
		{"SET, phone", set(object{"format": "phone_number", "phone_number": "+12065550100"}), []signal.Subject{{IDs: []string{"+12065550100"}}}},
		{"SET, an administrator's words about a logout", event(t, "ssf/session-revoked.json", "detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1session-revoked/reason_admin/en", "Admin-initiated user logout: account compromised"), []signal.Subject{dave()}},
		{"SET, account", set(object{"format": "account", "uri": "acct:dave@example.com"}), []signal.Subject{dave()}},
		{"SET, aliases", set(object{"format": "aliases", "identifiers": []any{object{"format": "email", "email": "dave@example.com"}, object{"format": "opaque", "id": "11"}}}), []signal.Subject{dave("11")}},
		{"SET, complex", event(t, "ssf/session-revoked.json"), []signal.Subject{dave()}},
		{"SET, complex, a device alone", set(object{"format": "complex", "device": object{"format": "opaque", "id": "d1"}}), []signal.Subject{{}}},
		{"SET, a session's token", set(object{"format": "jwt_id", "iss": "i", "jti": "j"}), []signal.Subject{{}}},
		{"SET, an assertion", set(object{"format": "saml_assertion_id", "issuer": "i", "assertion_id": "a"}), []signal.Subject{{}}},
		{"SET, earlier draft", event(t, ssf, "detail/sub_id", absent, setEvent, object{"subject": object{"subject_type": "iss-sub", "iss": "i", "sub": "00u1"}}), []signal.Subject{{IDs: []string{"00u1"}}}},
		{"SET, Google's", event(t, ssf, "detail/sub_id", absent, setEvent, object{"subject": object{"subject_type": "id_token_claims", "iss": "i", "sub": "7375626A656374", "email": "dave@example.com"}}), []signal.Subject{dave("7375626A656374")}},
		{"SET, complex without a format", event(t, ssf, "detail/sub_id", absent, setEvent, object{"subject": object{"user": object{"format": "email", "email": "dave@example.com"}, "tenant": object{"format": "opaque", "id": "t"}}}), []signal.Subject{dave()}},
		{"SET, subject is a text", set("dave@example.com"), []signal.Subject{{}}},
	} {
		t.Run(test.name, func(t *testing.T) { mean(t, test.event, test.want) })
	}
}

// TestNobodyIsCutOffForHavingActed: in every file of events/ the administrator is helpdesk@example.com, or Helen Desk.
func TestNobodyIsCutOffForHavingActed(t *testing.T) {
	files, err := filepath.Glob("../../events/*/*.json")
	if err != nil || len(files) < 50 {
		t.Fatal(len(files), err)
	}
	actors := 0
	for _, file := range files {
		raw := event(t, strings.TrimPrefix(filepath.ToSlash(file), "../../events/"))
		if regexp.MustCompile(`(?i)help(desk@|en desk)`).Match(raw) {
			actors++
		}
		signals, _ := signal.Parse(raw)
		for _, s := range signals {
			if strings.Contains(strings.ToLower(fmt.Sprintf("%+v %+v", s.Subject, s.Subject.Session)), "help") {
				t.Errorf("%s: %+v", file, s.Subject)
			}
		}
	}
	if actors < 25 {
		t.Errorf("only %d files name the administrator", actors)
	}
}

// TestOnlyTheStoreKnows: where CloudTrail hides what changed, the signal says so.
func TestOnlyTheStoreKnows(t *testing.T) {
	const scim = "identity-center/scim-deactivate.json"
	for _, test := range []struct {
		event []byte
		want  bool
	}{
		{event(t, scim), true},
		{event(t, scim, "detail/eventName", "PutUser", "detail/requestParameters/httpBody", object{"active": "HIDDEN_DUE_TO_SECURITY_REASONS"}), true},
		{event(t, scim, "detail/eventName", "PutUser", "detail/requestParameters/httpBody", object{"active": "false"}), false},
		{event(t, scim, "detail/eventName", "DeleteUser"), false},
		{event(t, "identity-center/user-updated.json"), true},
		{event(t, "identity-center/user-updated.json", "detail-type", "User Deleted"), false},
		{event(t, "identity-center/disable-user.json"), false},
	} {
		signals, err := signal.Parse(test.event)
		if err != nil || signals[0].IfDisabled != test.want {
			t.Errorf("%+v, %v", signals, err)
		}
	}
}

func TestFindingsAreTheSameByEveryWay(t *testing.T) {
	const asff, ocsf, types = "securityhub/guardduty-iam-user.json", "securityhub/v2-guardduty-session.json", "detail/findings/0/Types"
	type want struct {
		id, findingType string
		severity        float64
	}
	for name, test := range map[string]struct {
		event []byte
		want  want
	}{
		"ASFF":                   {event(t, asff), want{"aa11bb22cc33dd44ee55ff6677889900", "CredentialAccess:IAMUser/AnomalousBehavior", 8}},
		"ASFF, without purpose":  {event(t, asff, types, []any{"TTPs/Initial Access/IAMUser-AnomalousBehavior"}), want{"aa11bb22cc33dd44ee55ff6677889900", "InitialAccess:IAMUser/AnomalousBehavior", 8}},
		"ASFF, a hyphen more":    {event(t, asff, types, []any{"TTPs/Backdoor:EC2-C&CActivity.B!DNS-x"}), want{"aa11bb22cc33dd44ee55ff6677889900", "Backdoor:EC2/C&CActivity.B!DNS-x", 8}},
		"ASFF, no type":          {event(t, asff, types, absent), want{"aa11bb22cc33dd44ee55ff6677889900", "unknown", 8}},
		"ASFF, label":            {event(t, asff, "detail/findings/0/Severity", object{"Label": "CRITICAL", "Normalized": 40}), want{"aa11bb22cc33dd44ee55ff6677889900", "CredentialAccess:IAMUser/AnomalousBehavior", 9}},
		"ASFF, normalized":       {event(t, asff, "detail/findings/0/Severity", object{"Normalized": 40}), want{"aa11bb22cc33dd44ee55ff6677889900", "CredentialAccess:IAMUser/AnomalousBehavior", 4}},
		"OCSF":                   {event(t, ocsf), want{"bb22cc33dd44ee55ff66778899001122", "Impact:IAMUser/AnomalousBehavior", 7}},
		"OCSF, by its number":    {event(t, ocsf, "detail/findings/0/severity", absent, "detail/findings/0/severity_id", 3), want{"bb22cc33dd44ee55ff66778899001122", "Impact:IAMUser/AnomalousBehavior", 4}},
		"OCSF, informational":    {event(t, ocsf, "detail/findings/0/severity", "Informational"), want{"bb22cc33dd44ee55ff66778899001122", "Impact:IAMUser/AnomalousBehavior", 0}},
		"OCSF, by its ARN alone": {event(t, ocsf, "detail/findings/0/finding_info/uid_alt", absent), want{"bb22cc33dd44ee55ff66778899001122", "Impact:IAMUser/AnomalousBehavior", 7}},
	} {
		signals, err := signal.Parse(test.event)
		if err != nil || signals[0].Provider != "guardduty" || signals[0].Account != "444455556666" || signals[0].Region != "eu-west-1" {
			t.Errorf("%s: %+v, %v", name, signals, err)
			continue
		}
		if got := (want{signals[0].ID, signals[0].Type, signals[0].Severity}); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

// TestAddressHoldsAtTheTimeItWasSeen: a finding is updated long after, when the address may be somebody else's.
func TestAddressHoldsAtTheTimeItWasSeen(t *testing.T) {
	signals, err := signal.Parse(event(t, "guardduty/ec2-from-vpn-client.json", "detail/service/eventLastSeen", "2026-11-20T10:18:52.000Z", "detail/updatedAt", "2026-11-20T12:00:00.000Z"))
	if err != nil || signals[0].Time.Format("15:04:05") != "10:18:52" {
		t.Errorf("%+v, %v", signals, err)
	}
}
