package house

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestOneWayToTerminate: one file calls vpn.Terminate, and inside vpn three files send requests to EC2: Terminate, the
// second request by id, and the self-test's dry run.
func TestOneWayToTerminate(t *testing.T) {
	for pattern, want := range map[string][]string{
		`\.VPN\.Terminate\(`:                   {"internal/responder/executor.go"},
		`\.api\.TerminateClientVpnConnections`: {"internal/vpn/probe.go", "internal/vpn/request.go"},

		`\bv\.ask\(`: {"internal/vpn/request.go", "internal/vpn/terminate.go", "internal/vpn/verify.go"},
	} {
		var found []string
		for _, files := range packages(t) {
			for _, file := range files {
				code := read(t, file)
				if !strings.HasSuffix(file, "_test.go") && regexp.MustCompile(pattern).MatchString(code) {
					found = append(found, file)
				}
			}
		}
		slices.Sort(found)
		if !slices.Equal(found, want) {
			t.Errorf("%s stands in %q, want %q", pattern, found, want)
		}
	}
	if probe := read(t, "internal/vpn/probe.go"); !strings.Contains(probe, "DryRun: aws.Bool(true)") {
		t.Error("the self-test terminates in earnest")
	}
}
