package identity

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestOneNormalForm: however somebody types a name, it is the same name; and another letter is another name.
func TestOneNormalForm(t *testing.T) {
	for written, want := range map[string]string{
		"Alice": "alice", " alice\t": "alice", "alice.": "alice", "alice. ": "alice",
		"al\u00ADice": "alice", "\uFEFFalice": "alice", "ali\u200Bce": "alice", "a\u200Dlice": "alice",
		"alice\uFE0F": "alice", "alice\u00A0": "alice", "alice@example.com.": "alice@example.com",
		"ａｌｉｃｅ": "alice", "ALICE＠example．com": "alice@example.com", "o\uFB03ce": "office",
		"Zoe\u0308": "zoë", "ZOË": "zoë", "J\u030Can": "\u01F0an", "\u01F0an": "\u01F0an",
		"\u212Aate": "\u212Aate", "\u0130van": "\u0130van", "alíce": "alíce", "": "", ".": "",
	} {
		if got := Fold(written); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}

func TestPlaceholdersAreNobody(t *testing.T) {
	for _, s := range []string{
		"", " ", "-", "NA", "n/a", "None", "null", "NULL ", "undefined", "nil", "unknown", "*", "?*", "<redacted>",
		"GeneratedFindingUserName", "HIDDEN_DUE_TO_SECURITY_REASONS", "Anonymized", "a\x00b", "a\nb", "\xff",
		strings.Repeat("x", 1025), "ｎｕｌｌ", "nu\u200Bll", "N/A.",
	} {
		if got := Clean(s); got != "" {
			t.Errorf("%q is %q", s, got)
		}
		if key := (Name{Form: Login, Value: s}).Key(); key != "" {
			t.Errorf("%q has the key %q", s, key)
		}
	}
	for _, s := range []string{"na@example.com", `EXAMPLE\na`, "nano", "nullable", "nona"} {
		if Clean(s) != s {
			t.Errorf("%q is nobody", s)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Al\u00ADice. ")
	f.Add("J\u030C\u212A.\u00A0.")
	f.Fuzz(func(t *testing.T, s string) {
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Errorf("%q: %q, then %q", s, once, twice)
		}
	})
}

func TestIssuersAreWrittenAsInAPolicy(t *testing.T) {
	for text, want := range map[string]Issuer{
		"okta": {Provider: Okta}, "okta:acme": {Okta, "acme"},
		"kubernetes:111122223333/prod": {Kubernetes, "111122223333/prod"},
		"ssf:https://idp.example.com/": {SSF, "https://idp.example.com/"}, "": {},
	} {
		if got := ReadIssuer(text); got != want || got.String() != text {
			t.Errorf("%q: %+v, %q", text, got, got)
		}
	}
	raw, err := json.Marshal(Name{Issuer{Okta, "acme"}, VerifiedAddress, "Alice@example.com"})
	want := `{"issuer":"okta:acme","form":"verified-address","value":"Alice@example.com"}`
	if err != nil || string(raw) != want {
		t.Errorf("%s, %v", raw, err)
	}
}

// TestOpaqueIDsKeepTheirCase: two ids that differ in case are two ids.
func TestOpaqueIDsKeepTheirCase(t *testing.T) {
	if a, b := (Name{
		Form: OpaqueID, Value: "00uAb",
	}).Key(), (Name{Form: OpaqueID, Value: "00uaB"}).Key(); a == b || a != "00uAb" {
		t.Errorf("%q, %q", a, b)
	}
}
