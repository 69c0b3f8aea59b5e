package door_test

import (
	"strings"
	"testing"

	"clientvpn-responder/internal/door"
)

// TestWrongDoorsAreRefused: each mistake would open a door to somebody else, or to nobody. The error names the field.
func TestWrongDoorsAreRefused(t *testing.T) {
	const (
		logout = `{"path": "/logout", "accepts": "universal-logout", "issuer": "i", "keys": "https://i.example/keys"}`
		saml   = `{"path": "/saml", "accepts": "universal-logout", "issuer": "i", "saml_provider": "` + provider + `"}`
		ssf    = `{"path": "/ssf", "accepts": "shared-signals", "issuer": "i", "audience": "a",
			"keys": "https://i.example/keys"}`
		signed = `{"path": "/google", "accepts": "signed-webhook", "issuer": "i", "audience": "a", "subject": "s",
			"source": "custom.googleworkspace", "keys": "https://i.example/keys"}`
	)
	for _, test := range []struct{ door, old, new, field string }{
		{door: logout}, {door: saml}, {door: ssf}, {door: signed},
		{logout, `https://i.example`, `http://127.0.0.1:8080`, ""},
		{logout, `"issuer": "i"`, `"issuer": "i", "silence": "72h"`, ""},
		{logout + "," + logout, `"issuer": "i"`, `"issuer": "j"`, ""},

		{logout, `"/logout"`, `"logout"`, "path"},
		{logout, `universal-logout`, `logout`, "accepts"},
		{logout, `"issuer": "i", `, ``, "issuer"},
		{logout, `, "keys": "https://i.example/keys"`, ``, "keys"},
		{logout, `"keys"`, `"saml_provider": "` + provider + `", "keys"`, "keys"},
		{logout, `https`, `http`, "keys"},
		{logout, `https:`, `file:`, "keys"},
		{logout, `https://i.example`, `ftp://127.0.0.1`, "keys"},
		{logout, `/keys`, `/keys?kid=1`, "keys"},
		{logout, `https://`, `https://user@`, "keys"},
		{saml, provider, "arn:aws:iam::111122223333:role/okta", "saml_provider"},
		{saml, `universal-logout`, `shared-signals", "audience": "a`, "saml_provider"},
		{saml, `universal-logout"`, `signed-webhook", "audience": "a", "subject": "s", "source": "custom.duo"`,
			"saml_provider"},
		{ssf, `"audience": "a",`, ``, "audience"},
		{ssf, `"audience"`, `"source": "custom.duo", "audience"`, "source"},
		{signed, `"audience": "a", `, ``, "audience"},
		{signed, `"subject": "s",`, ``, "subject"},
		{signed, `custom.googleworkspace`, `custom.ssf`, "source"},
		{signed, `custom.googleworkspace`, `clientvpn-responder`, "source"},
		{logout, `"issuer": "i"`, `"issuer": "i", "silence": "59m"`, "silence"},
		{logout, `"issuer": "i"`, `"issuer": "i", "silence": "-72h"`, "silence"},
		{logout, `"issuer": "i"`, `"issuer": "i", "subjct": "s"`, "subjct"},
		{logout + "," + logout, "", "", "issuer"},
		{logout + "," + strings.ReplaceAll(ssf, "/ssf", "/logout"), "", "", "path"},
		{"", "", "", "no door"},
	} {
		_, err := door.Read("[" + strings.Replace(test.door, test.old, test.new, 1) + "]")
		if (err == nil) != (test.field == "") || err != nil && !strings.Contains(err.Error(), test.field) {
			t.Errorf("%s, %s in place of %s: %v", test.door, test.new, test.old, err)
		}
	}
	if _, err := door.Read("[" + logout + "] []"); err == nil {
		t.Error("what comes after the list is ignored")
	}
}
