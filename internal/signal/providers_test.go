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
		if r.Source == "custom.entra" || r.Source == "custom.microsoftgraph" || strings.ContainsAny(r.Type, " ,") ||
			r.Source == "aws.partner/sailpoint.com/" {
			continue // more than one word says what it is
		}
		if r.Source == "aws.partner/onelogin.com/" && strings.HasPrefix(r.Type, "state") {
			continue // no number of OneLogin's
		}
		r.Type += "x"
		if signals, err := signal.Parse(made(t, r)); !errors.Is(err, signal.ErrUnsupported) ||
			!strings.Contains(err.Error(), r.Provider) {
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
		{
			event(
				t, scim, "detail/eventName", "PutUser", "detail/requestParameters/httpBody",
				object{"active": "HIDDEN_DUE_TO_SECURITY_REASONS"},
			),
			true,
		},
		{
			event(
				t, scim, "detail/eventName", "PutUser", "detail/requestParameters/httpBody", object{"active": "false"},
			),
			false,
		},
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
	const asff, ocsf = "securityhub/guardduty-iam-user.json", "securityhub/v2-guardduty-session.json"
	const types = "detail/findings/0/Types"
	type want struct {
		id, findingType string
		severity        float64
	}
	for name, test := range map[string]struct {
		event []byte
		want  want
	}{
		"ASFF": {
			event(t, asff), want{"aa11bb22cc33dd44ee55ff6677889900", "CredentialAccess:IAMUser/AnomalousBehavior", 8},
		},
		"ASFF, without purpose": {
			event(t, asff, types, []any{"TTPs/Initial Access/IAMUser-AnomalousBehavior"}),
			want{"aa11bb22cc33dd44ee55ff6677889900", "InitialAccess:IAMUser/AnomalousBehavior", 8},
		},
		"ASFF, a hyphen more": {
			event(t, asff, types, []any{"TTPs/Backdoor:EC2-C&CActivity.B!DNS-x"}),
			want{"aa11bb22cc33dd44ee55ff6677889900", "Backdoor:EC2/C&CActivity.B!DNS-x", 8},
		},
		"ASFF, no type": {
			event(t, asff, types, absent), want{"aa11bb22cc33dd44ee55ff6677889900", "unknown", 8},
		},
		"ASFF, label": {
			event(t, asff, "detail/findings/0/Severity", object{"Label": "CRITICAL", "Normalized": 40}),
			want{"aa11bb22cc33dd44ee55ff6677889900", "CredentialAccess:IAMUser/AnomalousBehavior", 9},
		},
		"ASFF, normalized": {
			event(t, asff, "detail/findings/0/Severity", object{"Normalized": 40}),
			want{"aa11bb22cc33dd44ee55ff6677889900", "CredentialAccess:IAMUser/AnomalousBehavior", 4},
		},
		"OCSF": {
			event(t, ocsf), want{"bb22cc33dd44ee55ff66778899001122", "Impact:IAMUser/AnomalousBehavior", 7},
		},
		"OCSF, by its number": {
			event(t, ocsf, "detail/findings/0/severity", absent, "detail/findings/0/severity_id", 3),
			want{"bb22cc33dd44ee55ff66778899001122", "Impact:IAMUser/AnomalousBehavior", 4},
		},
		"OCSF, informational": {
			event(t, ocsf, "detail/findings/0/severity", "Informational"),
			want{"bb22cc33dd44ee55ff66778899001122", "Impact:IAMUser/AnomalousBehavior", 0},
		},
		"OCSF, by its ARN alone": {
			event(t, ocsf, "detail/findings/0/finding_info/uid_alt", absent),
			want{"bb22cc33dd44ee55ff66778899001122", "Impact:IAMUser/AnomalousBehavior", 7},
		},
	} {
		signals, err := signal.Parse(test.event)
		if err != nil || signals[0].Provider != "guardduty" || signals[0].Account != "444455556666" ||
			signals[0].Region != "eu-west-1" {
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
	signals, err := signal.Parse(
		event(
			t, "guardduty/ec2-from-vpn-client.json", "detail/service/eventLastSeen", "2026-11-20T10:18:52.000Z",
			"detail/updatedAt", "2026-11-20T12:00:00.000Z",
		),
	)
	if err != nil || signals[0].Time.Format("15:04:05") != "10:18:52" {
		t.Errorf("%+v, %v", signals, err)
	}
}
