package house

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"clientvpn-responder/internal/identity"
)

// TestSecurityTableSaysWhomThePolicyTrusts: the table of sources in SECURITY.md says what the policy lets each do, as
// the policy decides without an entry in identity.issuers.
func TestSecurityTableSaysWhomThePolicyTrusts(t *testing.T) {
	raw, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	for source, provider := range map[string]string{
		"Okta, Entra ID": identity.Okta, "IAM Identity Center |": identity.IdentityCenter, "our own form |": identity.Custom,
		"GuardDuty, Security Hub: IAM users": identity.IAM, "IAM `DeleteUser`": identity.IAM,
		"GuardDuty: Kubernetes users": identity.Kubernetes, "Directory Service Data": identity.DirectoryService,
		"Cognito": identity.Cognito, "Auth0 |": identity.Auth0, "Shared Signals": identity.SSF,
	} {
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(source) + `.*\| (.*) \|$`).FindStringSubmatch(string(raw))
		if row == nil {
			t.Errorf("SECURITY.md has no row about %s", source)
			continue
		}
		verified, any := identity.VerifiedAddress, identity.UPN
		counts := func(form identity.Form) bool {
			name := identity.Name{Issuer: identity.Issuer{Provider: provider, Within: "x"}, Form: form, Value: "ceo@corp.test"}
			return len(identity.NewBook().Resolve([]identity.Name{name}, "").People) > 0
		}
		want := "nothing, unless `" + provider + ":"
		switch {
		case counts(any):
			want = "the name"
		case counts(verified):
			want = "a verified address counts"
		}
		if !strings.HasPrefix(row[1], want) {
			t.Errorf("%s: SECURITY.md says %q, and the policy %q", source, row[1], want)
		}
	}
}
