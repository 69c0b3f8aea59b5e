package signal_test

import (
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

func TestSignalFields(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	admin := event(t, iamUser, "id", "e0", "detail/arn", "arn:aws:guardduty:f1", "detail/id", "f1", "detail/type",
		"T:IAMUser/X", "detail/severity", "8.5", "detail/title", "Why", "detail/accountId", "444455556666",
		"detail/region", "eu-west-2", "detail/updatedAt", "2026-11-20T09:00:00.042+0000", key+"principalId", absent)
	for _, test := range []struct {
		event []byte
		want  signal.Signal
	}{
		{admin, signal.Signal{ID: "f1", EventID: "e0", ARN: "arn:aws:guardduty:f1", Provider: "guardduty",
			Kind: signal.Finding, Type: "T:IAMUser/X", Severity: 8.5, Subject: signal.Subject{Usernames: []string{"bob"}},
			Reason: "Why", Time: at("2026-11-20T09:00:00.042Z"), Account: "444455556666", Region: "eu-west-2"}},
		{event(t, custom, "id", "e1", "time", "2026-11-20T10:00:00Z", "detail", map[string]any{"username": "a",
			"reason": "r", "requestedBy": "b", "effective_at": "2026-11-21T01:00:00+01:00"}),
			signal.Signal{ID: "e1", EventID: "e1", Provider: "custom", Kind: signal.SessionRevoked,
				Type: "Terminate Connections", Subject: signal.Subject{Usernames: []string{"a"}}, Reason: "r", RequestedBy: "b",
				Time: at("2026-11-20T10:00:00Z"), EffectiveAt: at("2026-11-21T00:00:00Z"),
				Account: "111122223333", Region: "eu-west-1"}},
		{event(t, okta, "id", "e2", "detail/uuid", "u1", "detail/published", "soon", "time", "2026-11-20T10:00:00Z",
			"detail/displayMessage", "m", "detail/target/0/id", nil),
			signal.Signal{ID: "u1", EventID: "e2", Provider: "okta", Kind: signal.AccountDisabled,
				Type: "user.lifecycle.deactivate", Subject: signal.Subject{Usernames: []string{"alice@example.com"}},
				Reason: "m", Time: at("2026-11-20T10:00:00Z"), Account: "111122223333", Region: "eu-west-1"}},
	} {
		signals, err := signal.Parse(test.event)
		if err != nil {
			t.Fatal(err)
		}
		signals[0].Subject.Names = nil
		test.want.SentAt = signals[0].SentAt // TestSentAtIsTheEnvelopes
		if diff := cmp.Diff(test.want, signals[0]); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNames(t *testing.T) {
	for _, nobody := range []string{"", " ", "-", "NA", "n/a", "Unknown", "anonymized",
		"HIDDEN_DUE_TO_SECURITY_REASONS", "*", "**", "?", "<redacted>", "GeneratedFindingUserName",
		"a\nb", "a\x00", "a\xff", "a\ufffd", strings.Repeat("a", 1025)} {
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

// BenchmarkParse256KiB reads events as large as EventBridge delivers, with the person at the end of a long list.
func BenchmarkParse256KiB(b *testing.B) {
	var targets []any
	for range 1500 {
		targets = append(
			targets,
			object{
				"id": "0oa1vpnEXAMPLEapp001", "type": "AppInstance", "alternateId": "AWS Client VPN",
				"displayName": "AWS Client VPN", "detailEntry": nil, "pad": strings.Repeat("x", 60),
			},
		)
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

// TestSampleAndArchivedAreMarked: in each way in which a finding can be marked.
func TestSampleAndArchivedAreMarked(t *testing.T) {
	for _, test := range marks {
		signals, err := signal.Parse(test.event.event(t))
		if err != nil || signals[0].Sample != test.sample || signals[0].Archived != test.archived {
			t.Errorf("%s: sample %v, archived %v, %v", test.name, signals[0].Sample, signals[0].Archived, err)
		}
	}
}

const info = "detail/service/additionalInfo"

var marks = []struct {
	name             string
	event            input
	sample, archived bool
}{
	{"real", edited(iamUser), false, false},
	{"sample", edited("guardduty/sample.json"), true, false},
	{"archived", edited("guardduty/archived.json"), false, true},
	{"archived, as a word", edited(iamUser, "detail/service/archived", "true"), false, true},
	{"boolean", edited(iamUser, info, map[string]any{"sample": true}), true, false},
	{
		"in a JSON string",
		edited(iamUser, info, map[string]any{"Type": "default", "Value": `{"sample":true,"unusual":{}}`}), true, false,
	},
	{
		"not in a JSON string", edited(iamUser, info, map[string]any{"type": "default", "value": `{"sample":false}`}),
		false, false,
	},
	{"value is an object", edited(iamUser, info, map[string]any{"value": map[string]any{"sample": true}}), true, false},
	{
		"a neighbour that cannot be read",
		edited(iamUser, info, map[string]any{"sample": []any{}, "value": `{"sample":true}`}), true, false,
	},
	{"a number for a flag", edited(iamUser, "detail/service/archived", 1), false, true},
	{"value is no JSON", edited(iamUser, info, map[string]any{"value": "sample"}), false, false},
	{"null", edited(iamUser, info, nil), false, false},
	{"made-up name", edited(iamUser, key+"userName", "GeneratedFindingUserName"), true, false},
	{"made-up principal", edited(iamUser, key+"principalId", "GeneratedFindingPrincipalId"), true, false},
	{"ASFF", edited("securityhub/guardduty-iam-user.json", "detail/findings/0/Sample", true), true, false},
	{
		"ASFF, archived at GuardDuty",
		edited(
			"securityhub/guardduty-iam-user.json", "detail/findings/0/ProductFields/aws~1guardduty~1service~1archived",
			"true",
		),
		false, true,
	},
	{
		"ASFF, GuardDuty's mark",
		edited(
			"securityhub/guardduty-iam-user.json",
			"detail/findings/0/ProductFields/aws~1guardduty~1service~1additionalInfo~1value", `{"sample":true}`,
		),
		true, false,
	},
	{
		"OCSF, made-up name",
		edited(
			"securityhub/v2-guardduty-session.json", "detail/findings/0/resources/0/data/user_name",
			"GeneratedFindingUserName",
		),
		true, false,
	},
}
