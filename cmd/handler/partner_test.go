package main

import (
	"strings"
	"testing"
)

// TestInactivePartnerSourceIsNotReady: the self-test names each source that does not deliver, and what to do.
func TestInactivePartnerSourceIsNotReady(t *testing.T) {
	const okta, auth0 = "aws.partner/okta.com/example/clientvpn", "aws.partner/auth0.com/example-0a1b2c3d/auth0.logs"
	cloud := cloudWith()
	f := start(t, cloud, "PARTNER_SOURCES="+okta+",,"+auth0+",")
	for _, test := range []struct {
		okta, auth0 string
		want        []string // nothing means ready
	}{
		{"ACTIVE", "ACTIVE", nil},
		{"PENDING", "ACTIVE", []string{okta + " is PENDING, so its events do not arrive: associate it with an event bus"}},
		{"ACTIVE", "DELETED", []string{auth0 + " is DELETED, so its events do not arrive: the provider has deleted it"}},
	} {
		cloud.SetEventSource(okta, test.okta)
		cloud.SetEventSource(auth0, test.auth0)
		got := outcomes(t, invoke(t, f, []byte(selfTest)))[0]
		if (got.Status == "ready") != (test.want == nil) {
			t.Errorf("%+v", got)
		}
		for _, words := range test.want {
			if !strings.Contains(got.Summary, words) {
				t.Errorf("no word about %s in %s", words, got.Summary)
			}
		}
	}
	cloud.Deny("events:DescribeEventSource", "")
	if got := outcomes(t, invoke(t, f, []byte(selfTest)))[0]; got.Status != "not-ready" ||
		!strings.Contains(got.Summary, "asking whether the partner event source "+okta+" is active") {
		t.Errorf("%+v", got)
	}
}
