package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// TestEditOfIdentityLetsNobodyIn: another policy made the entries, through an alias, a domain or a template. The
// connect handler's policy has lost these, and denies all the same. It denies nobody else.
func TestEditOfIdentityLetsNobodyIn(t *testing.T) {
	cloud, list := cloudWith(t)
	before, err := policy.Parse("policy.yaml", []byte(`version: 1
identity:
  domains: [example.com, EXAMPLE, old.test]
  aliases: {dsmith: dora, "okta:00u1": erin}
  common_names: ["{user}.vpn.example.com", "vpn-{user}"]
rules: [{name: leavers, when: {kinds: [account-disabled]}, then: terminate, keep_out: 24h}]
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{"dsmith@example.com", "carol@old.test", "frank"} {
		s := signal.Signal{Provider: "okta", Kind: signal.AccountDisabled, Time: time.Now()}
		s.Subject.Usernames = []string{given}
		d := before.Decide(s, policy.Enforce, time.Now())
		put(t, list, ledger.Entry{
			Person: d.People[0], Cause: ledger.Deprovisioning, Issuer: "okta:acme", Names: s.Subject.Usernames,
			Known: d.Names, CommonNames: d.CommonNames,
		})
	}
	f := start(t, cloud)
	for _, test := range []struct {
		username, commonName string
		denied               bool
	}{
		{username: "dsmith", denied: true}, {username: "DSmith@Example.com", denied: true},
		{username: `EXAMPLE\dsmith`, denied: true}, {username: "dora", denied: true},
		{commonName: "dsmith.vpn.example.com", denied: true},
		{username: "carol@old.test", denied: true}, {username: `OLD.test\carol`, denied: true},
		{username: "carol@example.com", denied: true}, {username: "carol", denied: true},
		{commonName: "vpn-frank", denied: true}, {commonName: "frank.vpn.example.com", denied: true},
		{username: "dsmith@partner.test"}, {username: "carol@new.test"}, {username: "vpn-frank"},
		{commonName: "vpn-grace"},
		{username: "grace", commonName: "vpn-frank"},
	} {
		got := invoke(t, f, from(test.username, test.commonName))
		if strings.Contains(got, `"allow":false`) != test.denied {
			t.Errorf("%q %q: %s", test.username, test.commonName, got)
		}
	}
}

// TestCertificateDoesNotOpenWhatANameCloses: whatever certificate a person has whose user name is kept out. Without a
// user name, an exempt certificate is exempt.
func TestCertificateDoesNotOpenWhatANameCloses(t *testing.T) {
	cloud, list := cloudWith(t, "alice", "breakglass")
	put(t, list, ledger.Entry{Person: "leaver", Cause: ledger.Deprovisioning})
	f := start(t, cloud)
	for _, username := range []string{"alice", "Alice@Example.com", `EXAMPLE\alice`, "al", "leaver"} {
		for _, commonName := range []string{"breakglass.vpn.example.com", "BREAKGLASS", "breakglass", "laptop-7", ""} {
			if got := invoke(t, f, from(username, commonName)); !strings.Contains(got, `"allow":false`) {
				t.Errorf("%q %q: %s", username, commonName, got)
			}
		}
	}
	for _, username := range []string{"", "-", "N/A"} {
		if got := invoke(t, f, from(username, "breakglass.vpn.example.com")); !strings.Contains(got, `"allow":true`) {
			t.Errorf("%q: %s", username, got)
		}
	}
}

// TestEntryHoldsWhereItsIssuersPeopleConnect: identity.endpoints binds Okta's people to one endpoint, so what Okta
// closed is open elsewhere. Another issuer's entry holds everywhere.
func TestEntryHoldsWhereItsIssuersPeopleConnect(t *testing.T) {
	const elsewhere = "cvpn-endpoint-0123456789abcdef1"
	cloud, list := cloudWith(t)
	put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Deprovisioning, Issuer: "okta:acme"})
	put(t, list, ledger.Entry{Person: "bob", Cause: ledger.Deprovisioning, Issuer: "duo"})
	file := filepath.Join(t.TempDir(), "policy.yaml")
	bound := "version: 1\nidentity: {domains: [example.com], endpoints: {'okta:acme': [" + endpoint + "]}}\nrules: []\n"
	if err := os.WriteFile(file, []byte(bound), 0o600); err != nil {
		t.Fatal(err)
	}
	f := start(t, cloud, "POLICY_FILE="+file)
	for _, test := range []struct {
		username, on string
		denied       bool
	}{
		{"alice", endpoint, true}, {"alice", elsewhere, false}, {"bob", endpoint, true}, {"bob", elsewhere, true},
	} {
		got := invoke(t, f, bytes.Replace(from(test.username, ""), []byte(endpoint), []byte(test.on), 1))
		if strings.Contains(got, `"allow":false`) != test.denied {
			t.Errorf("%s on %s: %s", test.username, test.on, got)
		}
	}
}
