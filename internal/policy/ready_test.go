package policy

import (
	"os"
	"strings"
	"testing"
)

// TestShippedPolicyIsNotReadyUntilItsDomainIsReplaced: and changing the domain is all there is to do. No comment
// matters.
func TestShippedPolicyIsNotReadyUntilItsDomainIsReplaced(t *testing.T) {
	raw, err := os.ReadFile("../../policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shipped := string(raw)
	if !strings.Contains(shipped, "domains: [example.com, EXAMPLE]") {
		return // it is somebody's own by now
	}
	var document []string
	for line := range strings.Lines(shipped) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			document = append(document, line)
		}
	}
	for _, s := range []string{shipped, strings.Join(document, "")} {
		problems := mustParse(t, s).NotReady()
		if len(problems) != 2 || !strings.Contains(problems[0], "the placeholder example.com in identity.domains") {
			t.Errorf("%q", problems)
		}
	}
	own := strings.NewReplacer("example.com", "corp.test", "EXAMPLE", "CORP").Replace(shipped)
	if problems := mustParse(t, own).NotReady(); problems != nil {
		t.Errorf("%q", problems)
	}
}

// TestReservedDomainsAreNobodys: a demonstration may have them, and says so.
func TestReservedDomainsAreNobodys(t *testing.T) {
	for domain, problems := range map[string]int{
		"example.com": 1, "Example.ORG": 1, "ad.example.net": 1, "corp.example": 1, "EXAMPLE": 1,
		"myexample.com": 0, "example.co": 0, "example.com.de": 0, "CORP": 0, "corp.test": 0,
	} {
		document := "version: 1\nidentity: {domains: [" + domain + "]}\n"
		if got := mustParse(t, document).NotReady(); len(got) != problems {
			t.Errorf("%s: %q", domain, got)
		}
		if got := mustParse(t, document+"demonstration: true\n").NotReady(); got != nil {
			t.Errorf("%s, a demonstration: %q", domain, got)
		}
	}
}
