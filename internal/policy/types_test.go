package policy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestTypesThatNobodySendsAreRefused: with what is probably meant.
func TestTypesThatNobodySendsAreRefused(t *testing.T) {
	for _, test := range []struct{ when, says string }{
		{"{types: [user.lifecycle.deactivat]}", `"user.lifecycle.deactivat" fits no type that any provider sends; ` +
			"did you mean user.lifecycle.deactivate?"},
		{"{types: ['user.lifecycl.*']}", "did you mean user.lifecycle.*?"},
		{"{providers: [okta], types: [SUSPEND_USER]}", `"SUSPEND_USER" fits no type that okta sends`},
		{"{providers: [okta, auth0], types: ['*:IAMUser/*']}", "fits no type that okta or auth0 sends"},
		{"{types: ['Stelth:IAMUser/*']}", "GuardDuty has no Stelth; did you mean Stealth?"},
		{"{providers: [okta], types: [user.session.start]}", `"user.session.start" fits "user.session.start", which ` +
			"asks for nothing, so no signal has it; remove it"},
		{"{types: ['^user.*$']}", "fits no type"},
	} {
		_, err := Parse("policy.yaml", []byte("version: 1\nrules: [{name: a, then: notify, when: "+test.when+"}]\n"))
		if err == nil || !strings.Contains(err.Error(), "policy.yaml:2:") || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.when, err)
		}
	}
}

// TestTypesThatProvidersSendAreTaken: every type of every event in events/, and AWS may add to those of findings.
func TestTypesThatProvidersSendAreTaken(t *testing.T) {
	taken := func(provider, pattern string) {
		document, err := json.Marshal(map[string]any{"version": 1, "rules": []any{map[string]any{
			"name": "a", "then": "notify",
			"when": map[string]any{"providers": []string{provider}, "types": []string{pattern}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse("policy.yaml", document); err != nil {
			t.Errorf("%s: %v", provider, err)
		}
	}
	for _, pattern := range []string{
		"*", "*:IAMUser/*", "AttackSequence:*", "attacksequence:*", "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B",
		"NewPurpose:IAMUser/Whatever", "Cred*", "*/AnomalousBehavior",
	} {
		taken("guardduty", pattern)
	}
	files, err := filepath.Glob("../../events/*/*.json")
	if err != nil || len(files) < 100 {
		t.Fatal(err, len(files))
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		signals, _ := signal.Parse(raw)
		for _, s := range signals {
			if s.Kind != signal.SelfTest && s.Kind != signal.Sweep {
				taken(s.Provider, s.Type)
			}
		}
	}
}
