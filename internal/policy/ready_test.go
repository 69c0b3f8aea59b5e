package policy

import (
	"strings"
	"testing"
)

// TestShippedPolicyIsNotReadyUntilItsDomainIsReplaced: and changing the domain is all there is to do.
func TestShippedPolicyIsNotReadyUntilItsDomainIsReplaced(t *testing.T) {
	shipped := shippedMark + "\nversion: 1\nidentity: {domains: [example.com, EXAMPLE]}\n" +
		"exempt: [breakglass@example.com]\n"
	problems := mustParse(t, shipped).NotReady()
	if len(problems) != 2 || !strings.Contains(problems[0], "the placeholder example.com in identity.domains") {
		t.Errorf("%q", problems)
	}
	own := strings.NewReplacer("example.com", "corp.test", "EXAMPLE", "CORP").Replace(shipped)
	if problems := mustParse(t, own).NotReady(); problems != nil {
		t.Errorf("%q", problems)
	}
	if problems := mustParse(t, strings.TrimPrefix(shipped, shippedMark)).NotReady(); problems != nil {
		t.Errorf("without the mark: %q", problems)
	}
}
