package signal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

// event reads a provider's event and changes values in it, by path: "detail.target.0.type" to a value, or to absent.
func event(t testing.TB, file string, changes ...any) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "events", file))
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) == 0 {
		return raw
	}
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		path := strings.Split(changes[i].(string), "/")
		for j := range path {
			path[j] = strings.ReplaceAll(path[j], "~1", "/") // as in JSON pointers
		}
		at := root
		for _, key := range path[:len(path)-1] {
			at = child(t, at, key)
		}
		last := path[len(path)-1]
		switch m := at.(type) {
		case map[string]any:
			if changes[i+1] == absent {
				if _, ok := m[last]; !ok {
					t.Fatalf("%s has no %s", file, changes[i])
				}
				delete(m, last)
			} else {
				m[last] = changes[i+1]
			}
		default:
			t.Fatalf("%s: %s is in no object", file, changes[i])
		}
	}
	changed, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

const absent = "\x00absent"

func child(t testing.TB, at any, key string) any {
	t.Helper()
	switch v := at.(type) {
	case map[string]any:
		return v[key]
	case []any:
		var i int
		if _, err := fmt.Sscan(key, &i); err == nil && i < len(v) {
			return v[i]
		}
	}
	t.Fatalf("nothing at %s", key)
	return nil
}

const (
	iamUser = "guardduty/iam-user.json"
	sso     = "guardduty/identity-center-session.json"
	key     = "detail/resource/accessKeyDetails/"
	caller  = "detail/service/action/awsApiCallAction/remoteIpDetails/ipAddressV4"
	okta    = "okta/user-deactivate.json"
	custom  = "custom/terminate-username.json"
)

func TestWhoIsMeant(t *testing.T) {
	session := func(role, name string) signal.Subject {
		return signal.Subject{Session: &signal.Session{Role: role, Name: name}}
	}
	people := func(names ...string) signal.Subject { return signal.Subject{Usernames: names} }
	nobody := signal.Subject{PublicIP: "203.0.113.45"} // the caller's address is told
	for _, test := range []struct {
		name  string
		event []byte
		want  []signal.Subject
	}{
		{"IAM user", event(t, iamUser, key+"principalId", "AIDAEXAMPLE"), []signal.Subject{{Usernames: []string{"bob"}, IDs: []string{"AIDAEXAMPLE"}}}},
		{"IAM user, PascalCase", event(t, iamUser, key+"userName", absent, key+"UserName", "bob", key+"principalId", nil), []signal.Subject{people("bob")}},
		{"IAM user without a name", event(t, iamUser, key+"userName", "", key+"principalId", "AIDAX"), []signal.Subject{{IDs: []string{"AIDAX"}}}},
		{"IAM user, hidden", event(t, iamUser, key+"userName", "HIDDEN_DUE_TO_SECURITY_REASONS", key+"principalId", absent), []signal.Subject{nobody}},
		{"what is only told is no text", event(t, iamUser, "detail/title", []any{1}, "detail/updatedAt", map[string]any{}, "detail/region", true, key+"principalId", absent), []signal.Subject{people("bob")}},
		{"role session", event(t, sso, key+"userName", "Admin", key+"principalId", "AROAX:jane@example.com"), []signal.Subject{session("Admin", "jane@example.com")}},
		{"role session with a colon", event(t, sso, key+"userName", "Admin", key+"principalId", "AROAX:a:b"), []signal.Subject{session("Admin", "a:b")}},
		{"role without a session", event(t, sso, key+"principalId", "AROAX", caller, "203.0.113.45"), []signal.Subject{nobody}},
		{"role, session empty", event(t, sso, key+"principalId", "AROAX:", caller, "203.0.113.45"), []signal.Subject{nobody}},
		{"role without a name", event(t, sso, key+"userName", "", key+"principalId", "AROAX:jane", caller, ""), []signal.Subject{{}}},
		{"session named as its role", event(t, sso, key+"userName", "Admin", key+"principalId", "AROAX:Admin", caller, ""), []signal.Subject{{}}},
		{"role of an EKS sample, with a session", event(t, sso, key+"userType", "Role", key+"userName", "Admin", key+"principalId", "AROAX:jane"), []signal.Subject{session("Admin", "jane")}},
		{"instance role", event(t, "guardduty/ec2-instance-role.json", caller, ""), []signal.Subject{{}}},
		{"instance of the short kind", event(t, sso, key+"principalId", "AROAX:i-0abc1234", caller, ""), []signal.Subject{{}}},
		{"SDK session", event(t, sso, key+"principalId", "AROAX:aws-go-sdk-1753152318418995274", caller, ""), []signal.Subject{{}}},
		{"botocore session", event(t, sso, key+"principalId", "AROAX:botocore-session-1753152318", caller, ""), []signal.Subject{{}}},
		{"AWS CLI session", event(t, sso, key+"principalId", "AROAX:AWSCLI-Session", caller, ""), []signal.Subject{{}}},
		{"JavaScript SDK session", event(t, sso, key+"principalId", "AROAX:aws-sdk-js-1753152318", caller, ""), []signal.Subject{{}}},
		{"a person's name with a program's inside", event(t, sso, key+"userName", "Admin", key+"principalId", "AROAX:li-0abc1234"), []signal.Subject{session("Admin", "li-0abc1234")}},
		{"and before", event(t, sso, key+"userName", "Admin", key+"principalId", "AROAX:AWSCLI-Session-jane"), []signal.Subject{session("Admin", "AWSCLI-Session-jane")}},
		{"federated user", event(t, sso, key+"userType", "FederatedUser", key+"userName", "jane", key+"principalId", "111122223333:jane"), []signal.Subject{session("sts:FederatedUser", "jane")}},
		{"root", event(t, "guardduty/root.json", caller, "203.0.113.45"), []signal.Subject{nobody}},
		{"service", event(t, iamUser, key+"userType", "AWSService"), []signal.Subject{nobody}},
		{"account", event(t, iamUser, key+"userType", "AWSAccount"), []signal.Subject{nobody}},
		{"unknown user type", event(t, iamUser, key+"userType", "Unknown"), []signal.Subject{nobody}},
		{"no resource", event(t, iamUser, "detail/resource", absent), []signal.Subject{nobody}},
		{"resource is null", event(t, iamUser, "detail/resource", nil), []signal.Subject{nobody}},

		{"Okta target, not actor", event(t, okta), []signal.Subject{{Usernames: []string{"alice@example.com"}, IDs: []string{"00u1alice2EXAMPLE3d7"}}}},
		{"Okta login unknown", event(t, okta, "detail/target/0/alternateId", "unknown"), []signal.Subject{{IDs: []string{"00u1alice2EXAMPLE3d7"}}}},
		{"Okta without target", event(t, okta, "detail/target", nil), []signal.Subject{{}}},
		{"Okta, target absent", event(t, okta, "detail/target", absent), []signal.Subject{{}}},
		{"Okta, an application", event(t, okta, "detail/target/0/type", "AppInstance"), []signal.Subject{{}}},
		{"Okta, application user", event(t, okta, "detail/target/0/type", "AppUser"), []signal.Subject{{Usernames: []string{"alice@example.com"}, IDs: []string{"00u1alice2EXAMPLE3d7"}}}},
		{"Okta, some other target", event(t, okta, "detail/target/0/type", "UserGroup"), []signal.Subject{{}}},
		{"Okta, two people, order and others", event(t, okta, "detail/target", []any{
			map[string]any{"type": "AppUser", "alternateId": "app"}, map[string]any{"type": "User", "alternateId": "a@example.com"},
			map[string]any{"type": "UserGroup", "alternateId": "g"}, map[string]any{"type": "User", "alternateId": "b@example.com"},
		}), []signal.Subject{people("a@example.com"), people("b@example.com")}},

		{"custom user name", event(t, custom), []signal.Subject{people("frank@example.com")}},
		{"custom, white space", event(t, custom, "detail/username", " frank@example.com\t"), []signal.Subject{people("frank@example.com")}},
		{"custom, a number for a name", event(t, custom, "detail/username", 4711), []signal.Subject{people("4711")}},
		{"custom, with a field of the sender's own", event(t, custom, "detail/employee_id", 7, "detail/updated_at", "2026-01-01", "detail/hire_date", "2020-01-01", "detail/ticket", "SEC-1"), []signal.Subject{people("frank@example.com")}},
		{"custom, several", event(t, custom, "detail/username", absent, "detail/usernames", []any{"a", "b", "a"}), []signal.Subject{people("a"), people("b")}},
		{"custom, null beside", event(t, custom, "detail/usernames", nil, "detail/connection_id", nil), []signal.Subject{people("frank@example.com")}},
		{"custom, camelCase", event(t, custom, "detail/username", absent, "detail/clientIp", "10.0.0.1"), []signal.Subject{{ClientIP: "10.0.0.1"}}},
		{"custom connection", event(t, "custom/terminate-connection.json"), []signal.Subject{{ConnectionID: "cvpn-connection-0e41f00000000000a"}}},
		{"custom address", event(t, "custom/terminate-client-ip.json"), []signal.Subject{{ClientIP: "10.30.0.10"}}},
	} {
		t.Run(test.name, func(t *testing.T) { mean(t, test.event, test.want) })
	}
}

// mean holds the people whom an event means, a signal each, against want.
func mean(t *testing.T, event []byte, want []signal.Subject) {
	t.Helper()
	signals, err := signal.Parse(event)
	if err != nil {
		t.Fatal(err)
	}
	var got []signal.Subject
	for _, s := range signals {
		got = append(got, s.Subject)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSampleAndArchivedAreMarked(t *testing.T) {
	info := "detail/service/additionalInfo"
	for _, test := range []struct {
		name             string
		event            []byte
		sample, archived bool
	}{
		{"real", event(t, iamUser), false, false},
		{"sample", event(t, "guardduty/sample.json"), true, false},
		{"archived", event(t, "guardduty/archived.json"), false, true},
		{"archived, as a word", event(t, iamUser, "detail/service/archived", "true"), false, true},
		{"boolean", event(t, iamUser, info, map[string]any{"sample": true}), true, false},
		{"in a JSON string", event(t, iamUser, info, map[string]any{"Type": "default", "Value": `{"sample":true,"unusual":{}}`}), true, false},
		{"not in a JSON string", event(t, iamUser, info, map[string]any{"type": "default", "value": `{"sample":false}`}), false, false},
		{"value is an object", event(t, iamUser, info, map[string]any{"value": map[string]any{"sample": true}}), true, false},
		{"a neighbour that cannot be read", event(t, iamUser, info, map[string]any{"sample": []any{}, "value": `{"sample":true}`}), true, false},
		{"a number for a flag", event(t, iamUser, "detail/service/archived", 1), false, true},
		{"value is no JSON", event(t, iamUser, info, map[string]any{"value": "sample"}), false, false},
		{"null", event(t, iamUser, info, nil), false, false},
		{"made-up name", event(t, iamUser, key+"userName", "GeneratedFindingUserName"), true, false},
		{"made-up principal", event(t, iamUser, key+"principalId", "GeneratedFindingPrincipalId"), true, false},
		{"ASFF", event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/Sample", true), true, false},
		{"ASFF, archived at GuardDuty", event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/ProductFields/aws~1guardduty~1service~1archived", "true"), false, true},
		{"ASFF, GuardDuty's mark", event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/ProductFields/aws~1guardduty~1service~1additionalInfo~1value", `{"sample":true}`), true, false},
		{"OCSF, made-up name", event(t, "securityhub/v2-guardduty-session.json", "detail/findings/0/resources/0/data/user_name", "GeneratedFindingUserName"), true, false},
	} {
		signals, err := signal.Parse(test.event)
		if err != nil || signals[0].Sample != test.sample || signals[0].Archived != test.archived {
			t.Errorf("%s: sample %v, archived %v, %v", test.name, signals[0].Sample, signals[0].Archived, err)
		}
	}
}

func TestSignalFields(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	admin := event(t, iamUser, "id", "e0", "detail/arn", "arn:aws:guardduty:f1", "detail/id", "f1", "detail/type", "T:IAMUser/X", "detail/severity", "8.5", "detail/title", "Why", "detail/accountId", "444455556666",
		"detail/region", "eu-west-2", "detail/updatedAt", "2026-11-20T09:00:00.042+0000", key+"principalId", absent)
	for _, test := range []struct {
		event []byte
		want  signal.Signal
	}{
		{admin, signal.Signal{ID: "f1", EventID: "e0", ARN: "arn:aws:guardduty:f1", Provider: "guardduty", Kind: signal.Finding, Type: "T:IAMUser/X", Severity: 8.5, Subject: signal.Subject{Usernames: []string{"bob"}},
			Reason: "Why", Time: at("2026-11-20T09:00:00.042Z"), Account: "444455556666", Region: "eu-west-2"}},
		{event(t, custom, "id", "e1", "time", "2026-11-20T10:00:00Z", "detail", map[string]any{"username": "a", "reason": "r", "requestedBy": "b", "effective_at": "2026-11-21T01:00:00+01:00"}),
			signal.Signal{ID: "e1", EventID: "e1", Provider: "custom", Kind: signal.SessionRevoked, Type: "Terminate Connections", Subject: signal.Subject{Usernames: []string{"a"}}, Reason: "r", RequestedBy: "b",
				Time: at("2026-11-20T10:00:00Z"), EffectiveAt: at("2026-11-21T00:00:00Z"), Account: "111122223333", Region: "eu-west-1"}},
		{event(t, okta, "id", "e2", "detail/uuid", "u1", "detail/published", "soon", "time", "2026-11-20T10:00:00Z", "detail/displayMessage", "m", "detail/target/0/id", nil),
			signal.Signal{ID: "u1", EventID: "e2", Provider: "okta", Kind: signal.AccountDisabled, Type: "user.lifecycle.deactivate", Subject: signal.Subject{Usernames: []string{"alice@example.com"}},
				Reason: "m", Time: at("2026-11-20T10:00:00Z"), Account: "111122223333", Region: "eu-west-1"}},
	} {
		signals, err := signal.Parse(test.event)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, signals[0]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNames(t *testing.T) {
	for _, nobody := range []string{"", " ", "-", "NA", "n/a", "Unknown", "anonymized", "HIDDEN_DUE_TO_SECURITY_REASONS", "*", "**", "?", "<redacted>", "GeneratedFindingUserName", "a\nb", "a\x00", "a\xff", "a\ufffd", strings.Repeat("a", 1025)} {
		if got := signal.Name(nobody); got != "" {
			t.Errorf("%q is the name %q", nobody, got)
		}
	}
	for _, somebody := range []string{"a", "nan", "<a", "a*b", "na@example.com", strings.Repeat("a", 1024)} {
		if got := signal.Name(" " + somebody + "\t"); got != somebody {
			t.Errorf("%q is %q", somebody, got)
		}
	}
}

func TestSeverityTakesTheWholeScale(t *testing.T) {
	for _, severity := range []float64{0, 1, 7, 10} {
		signals, err := signal.Parse(event(t, iamUser, "detail/severity", severity))
		if err != nil || signals[0].Severity != severity {
			t.Errorf("%v: %+v, %v", severity, signals, err)
		}
	}
}

func TestLongTextsAreClipped(t *testing.T) {
	long := strings.Repeat("é", 999)
	signals, err := signal.Parse(event(t, custom, "id", long, "detail/reason", long, "detail/requested_by", long))
	if err != nil {
		t.Fatal(err)
	}
	s := signals[0]
	for what, got := range map[string]struct {
		text string
		most int
	}{"id": {s.ID, 300}, "reason": {s.Reason, 500}, "requested_by": {s.RequestedBy, 200}} {
		if got.text != strings.Repeat("é", got.most-1)+"…" {
			t.Errorf("%s: %d runes", what, len([]rune(got.text)))
		}
	}
}

func TestTimesAreReadAsUTC(t *testing.T) {
	for text, want := range map[any]string{
		"2026-11-20T10:00:00+02:00":    "2026-11-20T08:00:00Z",
		"2026-11-20T10:00:00.042+0200": "2026-11-20T08:00:00.042Z",
		"2026-11-20T10:00:00.0420000":  "2026-11-20T10:00:00.042Z",
		"2026-11-20 10:00:00.042":      "2026-11-20T10:00:00.042Z",
		"2026-11-20 10:00:00 UTC":      "2026-11-20T10:00:00Z",
		"11/20/2026 10:00:00 PM":       "2026-11-20T22:00:00Z",
		"9/2/2026 9:59:27 AM":          "2026-09-02T09:59:27Z",
		1795168800:                     "2026-11-20T10:00:00Z",
		1795168800042.0:                "2026-11-20T10:00:00.042Z",
		"1795168800":                   "2026-11-20T10:00:00Z",
		"1e11":                         "2026-11-20T09:09:09Z", // neither seconds nor milliseconds: the envelope's
		7:                              "2026-11-20T09:09:09Z",
		"soon":                         "2026-11-20T09:09:09Z",
	} {
		signals, err := signal.Parse(event(t, iamUser, "detail/updatedAt", text, "time", "2026-11-20T09:09:09Z"))
		if err != nil || signals[0].Time.Format(time.RFC3339Nano) != want {
			t.Errorf("%v: %v, %v", text, signals[0].Time, err)
		}
	}
}

// TestLookAlikesAskForNothing: each is one word away from an event that ends access.
func TestLookAlikesAskForNothing(t *testing.T) {
	for name, raw := range map[string][]byte{
		"another detail-type of GuardDuty": event(t, "guardduty/malware-scan.json"),
		"another source":                   event(t, iamUser, "source", "aws.inspector2"),
		"source one letter longer":         event(t, iamUser, "source", "aws.guardduty2"),
		"custom source with a suffix":      event(t, custom, "source", "clientvpn-responder.evil"),
		"ordinary logout":                  event(t, "okta/session-end.json"),
		"failed attempt":                   event(t, "okta/user-deactivate-failed.json"),
		"skipped":                          event(t, okta, "detail/outcome/result", "SKIPPED"),
		"success in another case":          event(t, okta, "detail/outcome/result", "success"),
		"allowed":                          event(t, okta, "detail/outcome/result", "ALLOW"),
		"Okta, low risk":                   event(t, "okta/user-risk-high.json", "detail/debugContext/debugData/risk", "{level=LOW, previousLevel=HIGH}"),
		"Okta, risk unknown":               event(t, "okta/user-risk-high.json", "detail/debugContext", nil),
		"Okta, high before":                event(t, "okta/user-risk-high.json", "detail/debugContext/debugData", object{"previousRiskLevel": "HIGH", "riskLevel": "LOW"}),
		"Okta policy without an end":       event(t, okta, "detail/eventType", "policy.entity_risk.action"),
		"Entra, not done":                  event(t, "entra/disable-account.json", "detail/properties/result", "failure"),
		"Entra, low risk":                  event(t, "entra/confirmed-compromised.json", "detail/properties/riskState", "atRisk", "detail/properties/riskLevel", "low"),
		"Entra, deleted risky user":        event(t, "entra/confirmed-compromised.json", "detail/properties/isDeleted", true),
		"Entra, a deleted group":           event(t, "entra/graph-user-deleted.json", "detail/data/resource", "Groups/g1"),
		"Entra, still disabled":            event(t, "entra/disable-account.json", append([]any{"detail/properties/targetResources/0/modifiedProperties", []any{object{"displayName": "AccountEnabled", "oldValue": "[false]", "newValue": "[false]"}}}, "detail/properties/activityDisplayName", "Update user")...),
		"Auth0, refused":                   event(t, "auth0/user-blocked.json", "detail/data/details/response/statusCode", 403),
		"Auth0, a tenant member":           event(t, "auth0/user-blocked.json", "detail/data/details/request/path", "/api/v2/tenants/members/u1", "detail/data/details/request/method", "delete"),
		"Auth0, a user's devices":          event(t, "auth0/user-blocked.json", "detail/data/details/request/path", "/api/v2/users/u1/authenticators", "detail/data/details/request/method", "delete"),
		"Auth0, still blocked":             event(t, "auth0/stream-user-deleted.json", "detail/type", "user.updated", "detail/data/object/blocked", true, "detail/data/previous_object", object{"blocked": true}),
		"SCIM, another attribute":          event(t, "auth0/user-blocked.json", "detail/data/type", "sscim", "detail/data/details/request/path", "/scim/v2/Users/u1", "detail/data/details/request/body", object{"Operations": []any{object{"op": "replace", "path": "title", "value": false}}}),
		"SCIM put of an active user":       event(t, "identity-center/scim-deactivate.json", "detail/eventName", "PutUser", "detail/requestParameters/httpBody", object{"active": true}),
		"CloudTrail, only a message":       event(t, "iam/delete-user.json", "detail/errorMessage", "denied"),
		"CloudTrail, service event":        event(t, "iam/delete-user.json", "detail-type", "AWS Service Event via CloudTrail"),
		"JumpCloud, failed":                event(t, "jumpcloud/user-suspended.json", "detail/success", "false"),
		"PingOne, failed":                  event(t, "pingone/user-deleted.json", "detail/result/status", "FAILED"),
		"Duo, broken and two statuses":     event(t, "duo/user-disabled.json", "detail/description", `{"status": "Disabled", "was": {"status": "Active"`),
		"SailPoint, another lifecycle":     event(t, "sailpoint/leaver.json", "detail/changes", []any{object{"attribute": "cloudLifecycleState", "oldValue": "active", "newValue": "leave"}}),
		"Okta, sessions not cleared":       event(t, okta, "detail/eventType", "user.session.clear", "detail/outcome/result", "FAILURE"),
		"Okta policy about a Terminator":   event(t, okta, "detail/eventType", "policy.entity_risk.action", "detail/target/0/displayName", "The Terminator"),
		"Okta rule that logs nobody out":   event(t, okta, "detail/eventType", "policy.entity_risk.action", "detail/target", []any{object{"type": "Rule", "displayName": "No forced logout"}, object{"type": "PolicyAction", "displayName": "RUN_WORKFLOW"}}),
		"Okta, from high to low":           event(t, "okta/user-risk-high.json", "detail/debugContext/debugData", object{"risk": "{previous={level=HIGH}, current={level=LOW}}", "fromRiskLevel": "HIGH"}),
		"Okta, something else is high":     event(t, "okta/user-risk-high.json", "detail/debugContext/debugData", object{"trust": "HIGH"}),
		"ASFF, somebody was told":          event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/Workflow/Status", "NOTIFIED"),
		"ASFF, an import that lies":        event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/ProductArn", "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default"),
		"ASFF, another's product":          event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/ProductArn", "arn:aws:securityhub:eu-west-1::product/acme/guardduty"),
		"OCSF, suppressed, by its number":  event(t, "securityhub/v2-guardduty-session.json", "detail/findings/0/status", absent, "detail/findings/0/status_id", 3),
		"OCSF, closed, by its number":      event(t, "securityhub/v2-guardduty-session.json", "detail/findings/0/activity_name", absent, "detail/findings/0/activity_id", 3),
		"Entra, a risky sign-in":           event(t, "entra/confirmed-compromised.json", "detail/category", "SignInLogs", "detail/properties/activityDisplayName", "Sign-in activity"),
		"Entra, a deleted message":         event(t, "entra/graph-user-deleted.json", "detail/data/resource", "Users/u1/Messages/m1"),
		"Entra, something else off":        event(t, "entra/disable-account.json", "detail/properties/activityDisplayName", "Update user", "detail/properties/targetResources/0/modifiedProperties", []any{object{"displayName": "LicenseAssigned", "oldValue": "[true]", "newValue": "[false]"}}),
		"Auth0, asked and not told":        event(t, "auth0/user-blocked.json", "detail/data/details/request/method", "get"),
		"Auth0, blocked perhaps":           event(t, "auth0/user-blocked.json", "detail/data/details/request/body/blocked", "perhaps"),
		"SCIM, a removal":                  event(t, "auth0/user-blocked.json", "detail/data/type", "sscim", "detail/data/details/request/path", "/scim/v2/Users/u1", "detail/data/details/request/body", object{"Operations": []any{object{"op": "remove", "path": "active", "value": false}}}),
		"SET, a compliant device":          event(t, "ssf/account-disabled.json", "detail/events", object{"https://schemas.openid.net/secevent/caep/event-type/device-compliance-change": object{"current_status": "compliant"}}),
		"JumpCloud, still suspended":       event(t, "jumpcloud/user-suspended.json", "detail/changes", []any{object{"field": "suspended", "from": true, "to": true}}),
		"Duo, an administrator disabled":   event(t, "duo/user-disabled.json", "detail/action", "admin_update"),
		"SailPoint, inactive department":   event(t, "sailpoint/leaver.json", "detail/changes", []any{object{"attribute": "department", "oldValue": "active", "newValue": "inactive"}}),
		"SET, a logout":                    event(t, "ssf/session-revoked.json", "detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1session-revoked/initiating_entity", "user"),
		"SET, a logout by its reason":      event(t, "ssf/ordinary-logout.json", "detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1session-revoked/initiating_entity", absent),
		"SET, risk goes down":              event(t, "ssf/risk-high.json", "detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1risk-level-change/current_level", "LOW"),
		"SET, risk of a device":            event(t, "ssf/risk-high.json", "detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1risk-level-change/principal", "DEVICE"),
		"ASFF, archived":                   event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/RecordState", "ARCHIVED"),
		"OCSF, suppressed":                 event(t, "securityhub/v2-guardduty-session.json", "detail/findings/0/status", "Suppressed"),
		"OCSF, closed":                     event(t, "securityhub/v2-guardduty-session.json", "detail/findings/0/activity_name", "Close"),
		"OCSF, another product":            event(t, "securityhub/v2-guardduty-session.json", "detail/findings/0/metadata/product", object{"name": "Inspector", "uid": "arn:aws:securityhub:eu-west-1::productv2/aws/inspector"}),
	} {
		if signals, err := signal.Parse(raw); !errors.Is(err, signal.ErrUnsupported) {
			t.Errorf("%s: %+v, %v", name, signals, err)
		}
	}
}

// TestUnreadableNamesTheField: an event that is wanted and cannot be read is an error, never silence.
func TestUnreadableNamesTheField(t *testing.T) {
	for _, test := range []struct {
		field string
		event []byte
	}{
		{"event", []byte("")},
		{"event", []byte("{")},
		{"event", []byte(`"text"`)},
		{"event", []byte(`[]`)},
		{"source", []byte(`{}`)},
		{"source", event(t, iamUser, "source", []any{"aws.guardduty"})},
		{"detail-type", event(t, iamUser, "detail-type", absent)},
		{"detail", event(t, iamUser, "detail", absent)},
		{"detail", event(t, iamUser, "detail", []any{})},
		{"detail", event(t, iamUser, "detail", nil)},
		{"detail.id", event(t, iamUser, "detail/id", absent)},
		{"detail.type", event(t, iamUser, "detail/type", "")},
		{"detail.severity", event(t, iamUser, "detail/severity", absent)},
		{"detail.severity", event(t, iamUser, "detail/severity", "high")},
		{"detail.severity", event(t, iamUser, "detail/severity", "Infinity")},
		{"detail.severity", event(t, iamUser, "detail/severity", "0x1p3")},
		{"detail.severity", event(t, iamUser, "detail/severity", 10.5)},
		{"detail.severity", event(t, iamUser, "detail/severity", -1)},
		{"detail.resource.accessKeyDetails.userName", event(t, iamUser, key+"userName", map[string]any{})},
		{"detail.resource", event(t, iamUser, "detail/resource", "AccessKey")},
		{"detail.service.archived", event(t, iamUser, "detail/service/archived", "perhaps")},
		{"detail.eventType", event(t, okta, "detail/eventType", absent)},
		{"detail.outcome.result", event(t, okta, "detail/outcome", absent)},
		{"detail.uuid", event(t, okta, "detail/uuid", nil)},
		{"detail.target", event(t, okta, "detail/target", "alice@example.com")},
		{"detail.target.alternateId", event(t, okta, "detail/target", []any{map[string]any{"type": "User", "alternateId": []any{"a"}}})},
		{"detail.reason", event(t, "custom/without-reason.json")},
		{"detail.reason", event(t, custom, "detail/reason", "  ")},
		{"detail.reason", event(t, custom, "detail/reason", map[string]any{})},
		{"id", event(t, custom, "id", absent)},
		{"detail", event(t, custom, "detail/username", absent)},
		{"detail.username", event(t, custom, "detail/username", "")},
		{"detail.username", event(t, custom, "detail/username", "N/A")},
		{"detail.username", event(t, custom, "detail/username", "*")},
		{"detail.username", event(t, custom, "detail/username", "a\nb")},
		{"detail.username", event(t, custom, "detail/username", strings.Repeat("a", 1025))},
		{"detail.username", event(t, custom, "detail/username", []any{"a"})},
		{"detail.usernames", event(t, custom, "detail/usernames", []any{"a"})},
		{"detail.usernames", event(t, custom, "detail/username", absent, "detail/usernames", "a")},
		{"detail.usernames[1]", event(t, custom, "detail/username", absent, "detail/usernames", []any{"a", ""})},
		{"detail", event(t, custom, "detail/connection_id", "cvpn-connection-1")},
		{"detail", event(t, custom, "detail/client_ip", "10.0.0.1")},
		{"detail.username", event(t, custom, "detail/userName", "b")},
		{"detail.connection_id", event(t, custom, "detail/username", absent, "detail/connection_id", "cvpn-endpoint-1")},
		{"detail.client_ip", event(t, custom, "detail/username", absent, "detail/client_ip", "10.0.0.0/24")},
		{"detail.kind", event(t, custom, "detail/kind", "fired")},
		{"detail.effective_at", event(t, custom, "detail/effective_at", "tomorrow")},
		{"detail.effective_at", event(t, custom, "detail/effectiveAt", "2026-12-01")},
		{"detail.effective_at", event(t, custom, "detail/effective_at", "")},
		{"detail.effectivedate", event(t, custom, "detail/effectiveDate", "2099-12-01T00:00:00Z")},
		{"detail.terminationdate", event(t, custom, "detail/termination_date", "2099-12-01")},
		{"detail.dryrun", event(t, custom, "detail/dry-run", true)},
		{"detail.lastday", event(t, custom, "detail/last_day", "2099-12-01")},
		{"detail.leavedate", event(t, custom, "detail/leave_date", "2099-12-01")},
		{"detail.terminateat", event(t, custom, "detail/terminate_at", "2099-12-01")},
		{"detail.scheduledfor", event(t, custom, "detail/scheduled_for", "2099-12-01")},
		{"detail.when", event(t, custom, "detail/when", "later")},
		{"detail.findings.severity", event(t, "securityhub/v2-guardduty-session.json", "detail/findings/0/severity", "Dire", "detail/findings/0/severity_id", absent)},
		{"detail.connection_id", event(t, custom, "detail/username", absent, "detail/connection_id", "cvpn-connection-*")},
		{"detail.connection_id", event(t, custom, "detail/username", absent, "detail/connection_id", "cvpn-connection-0a,cvpn-connection-0b")},
		{"detail.connection_id", event(t, custom, "detail/username", absent, "detail/connection_id", "x-cvpn-connection-0a")},
		{"detail", event(t, custom, "detail/username", absent, "detail/connection_id", "cvpn-connection-0a", "detail/client_ip", "10.0.0.1")},
		{"detail.mode", event(t, custom, "detail/mode", "dry-run")},
		{"detail.date", event(t, custom, "detail/date", "2099-12-01")},
		{"detail.notbefore", event(t, custom, "detail/not_before", "2099-12-01T00:00:00Z")},
		{"detail.client_ip", event(t, custom, "detail/username", absent, "detail/client_ip", "fe80::1%eth0")},
		{"detail.reason", event(t, "custom/reinstate.json", "detail/reason", absent)},
		{"detail.kind", event(t, "custom/reinstate.json", "detail/kind", "account-disabled")},
		{"detail", event(t, "custom/reinstate.json", "detail/username", absent, "detail/client_ip", "10.0.0.1")},
		{"detail.findings", event(t, "securityhub/guardduty-iam-user.json", "detail/findings", []any{})},
		{"detail.findings.Id", event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/Id", absent)},
		{"detail.findings.Severity", event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/Severity", object{})},
		{"detail.findings.Severity", event(t, "securityhub/guardduty-iam-user.json", "detail/findings/0/Severity/Product", 11)},
		{"detail.findings.severity", event(t, "securityhub/v2-guardduty-session.json", "detail/findings/0/severity", absent, "detail/findings/0/severity_id", absent)},
		{"detail.findings.finding_info.uid", event(t, "securityhub/v2-guardduty-session.json", "detail/findings/0/finding_info", nil)},
		{"detail.activityDisplayName", event(t, "entra/disable-account.json", "detail/properties", object{}, "detail/operationName", absent)},
		{"detail.result", event(t, "entra/disable-account.json", "detail/properties/result", absent)},
		{"detail.data.type", event(t, "auth0/user-deleted.json", "detail/data/type", absent)},
		{"detail.event_type_id", event(t, "onelogin/user-deactivated.json", "detail/event_type_id", nil)},
		{"detail.eventName", event(t, "iam/delete-user.json", "detail/eventName", absent)},
		{"detail.events", event(t, "google-workspace/suspend-user.json", "detail/events", nil)},
		{"detail.events[0].name", event(t, "google-workspace/suspend-user.json", "detail/events/0/name", absent)},
		{"detail.event_type", event(t, "jumpcloud/user-suspended.json", "detail/event_type", absent)},
		{"detail.action.type", event(t, "pingone/user-deleted.json", "detail/action", nil)},
		{"detail.result.status", event(t, "pingone/user-deleted.json", "detail/result", absent)},
		{"detail.action", event(t, "duo/user-disabled.json", "detail/action", absent)},
		{"detail.action", event(t, "cyberark/user-deleted.json", "detail/action", absent)},
		{"detail.events", event(t, "ssf/account-disabled.json", "detail/events", object{})},
		{"id", event(t, "duo/user-disabled.json", "id", absent)}, // Duo's log has no id of its own
	} {
		signals, err := signal.Parse(test.event)
		var unreadable *signal.UnreadableError
		if !errors.As(err, &unreadable) || unreadable.Field != test.field || len(unreadable.Problem) < 5 {
			t.Errorf("%s: %+v, %v", test.field, signals, err)
		}
	}
}

func TestFoldKeepsForeignLettersForeign(t *testing.T) {
	for in, want := range map[string]string{
		"ALICE": "alice", "Émile": "émile", "ÅSA": "åsa", "ΣΊΣΥΦΟΣ": "σίσυφοσ",
		"\u212Aate": "\u212Aate", "\u0130van": "\u0130van",
	} {
		if got := signal.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzParse holds whatever the input: no panic, a signal or an error, no empty or placeholder name, and no name that the
// event does not have.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../events/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no events", err)
	}
	for _, file := range files {
		f.Add(event(f, strings.TrimPrefix(filepath.ToSlash(file), "../../events/")))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		signals, err := signal.Parse(raw)
		if (err == nil) == (len(signals) == 0) {
			t.Fatalf("%d signals, error %v", len(signals), err)
		}
		var root any
		if err == nil {
			document := json.NewDecoder(bytes.NewReader(raw))
			document.UseNumber() // one that nobody reads may be too large for any type
			if err := document.Decode(&root); err != nil {
				t.Fatal(err)
			}
		}
		words := texts(root)
		for _, s := range signals {
			all := slices.Concat(s.Subject.Usernames, s.Subject.IDs)
			for _, address := range []string{s.Subject.ClientIP, s.Subject.PublicIP} {
				if _, err := netip.ParseAddr(address); address != "" && err != nil {
					t.Errorf("%q is no address", address)
				}
			}
			if s.Subject.Session != nil {
				all = append(all, s.Subject.Session.Name)
			}
			for _, name := range all {
				if signal.Name(name) != name || name == "" {
					t.Errorf("%q is no name", name)
				}
				if !slices.ContainsFunc(words, func(w string) bool {
					decoded, _ := url.PathUnescape(w) // Auth0 has the id in a path
					return strings.Contains(w, name) || strings.Contains(decoded, name) || name == strings.TrimSpace(decoded[strings.LastIndex(decoded, "/")+1:])
				}) {
					t.Errorf("%q is not in the event", name)
				}
			}
			if s.ID == "" || s.Provider == "" || s.Type == "" || !slices.Contains(signal.Kinds(), s.Kind) && s.Kind != signal.SelfTest || !slices.Contains(signal.Providers(), s.Provider) {
				t.Errorf("incomplete: %+v", s)
			}
		}
	})
}

// texts gives every string and number in a JSON value.
func texts(v any) []string {
	var all []string
	switch v := v.(type) {
	case string:
		all = append(all, v)
	case json.Number:
		all = append(all, v.String())
		if f, err := v.Float64(); err == nil {
			all = append(all, fmt.Sprint(f), fmt.Sprintf("%f", f))
		}
	case []any:
		for _, child := range v {
			all = append(all, texts(child)...)
		}
	case map[string]any:
		for _, child := range v {
			all = append(all, texts(child)...)
		}
	}
	return all
}

// BenchmarkParse256KiB reads events as large as EventBridge delivers, with the person at the end of a long list.
func BenchmarkParse256KiB(b *testing.B) {
	var targets []any
	for range 1500 {
		targets = append(targets, object{"id": "0oa1vpnEXAMPLEapp001", "type": "AppInstance", "alternateId": "AWS Client VPN", "displayName": "AWS Client VPN", "detailEntry": nil, "pad": strings.Repeat("x", 60)})
	}
	raw := event(b, okta, "detail/target", append(targets, object{"type": "User", "alternateId": "alice@example.com"}))
	if len(raw) < 250<<10 {
		b.Fatal(len(raw))
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if signals, err := signal.Parse(raw); err != nil || signals[0].Subject.Usernames[0] != "alice@example.com" {
			b.Fatal(signals, err)
		}
	}
}
