package identity

import (
	"slices"
	"testing"
)

// TestNameCountsForItsIssuerAlone: the same name is a person's where the book counts its issuer's names, and nobody's
// from every other issuer.
func TestNameCountsForItsIssuerAlone(t *testing.T) {
	tests := []struct {
		listed []string // issuers of the policy
		name   Name
		counts bool
	}{
		{nil, Name{ReadIssuer("okta:acme"), Login, "alice"}, true},
		{[]string{"okta:acme"}, Name{ReadIssuer("okta:acme"), Login, "alice"}, true},
		{[]string{"okta:acme"}, Name{ReadIssuer("okta:subsidiary"), Login, "alice"}, false},
		{[]string{"entra"}, Name{ReadIssuer("okta:acme"), Login, "alice"}, true},
		{nil, Name{ReadIssuer("iam:111122223333"), Login, "alice"}, false},
		{[]string{"iam:111122223333"}, Name{ReadIssuer("iam:111122223333"), Login, "alice"}, true},
		{[]string{"iam:111122223333"}, Name{ReadIssuer("iam:444455556666"), Login, "alice"}, false},
		{[]string{"kubernetes:111122223333/prod"}, Name{ReadIssuer("kubernetes:111122223333/prod"), Login, "alice"}, true},
		{[]string{"kubernetes:111122223333/prod"}, Name{ReadIssuer("kubernetes:111122223333/test"), Login, "alice"}, false},
		{[]string{"kubernetes:111122223333"}, Name{ReadIssuer("kubernetes:111122223333/test"), Login, "alice"}, true},
		{[]string{"kubernetes:11112222"}, Name{ReadIssuer("kubernetes:111122223333/test"), Login, "alice"}, false},
		{nil, Name{ReadIssuer("directory-service:d-9067test00"), SAMAccount, "alice"}, false},
		{nil, Name{ReadIssuer("cognito:eu-west-1_Customers"), Login, "alice"}, false},
		{nil, Name{ReadIssuer("ssf:https://issuer.example.org"), Address, "alice"}, false},
		{nil, Name{ReadIssuer("auth0:acme/customers"), Address, "alice"}, false},
		{nil, Name{ReadIssuer("auth0:acme/customers"), VerifiedAddress, "alice"}, true},
		{[]string{"auth0:acme/staff"}, Name{ReadIssuer("auth0:acme/staff"), Address, "alice"}, true},
		{nil, Name{ReadIssuer("unheard-of:x"), VerifiedAddress, "alice"}, false},
		{nil, Name{Form: Login, Value: "alice"}, false},
	}
	for _, test := range tests {
		b := NewBook()
		for _, issuer := range test.listed {
			if err := b.AddIssuer(ReadIssuer(issuer)); err != nil {
				t.Fatal(err)
			}
		}
		r := b.Resolve([]Name{test.name}, "")
		if got := slices.Equal(r.People, []Person{"alice"}) && len(r.Uncounted) == 0; got != test.counts {
			t.Errorf("%v, where %v count: counts %t; want %t", test.name, test.listed, got, test.counts)
		}
		if !test.counts && (len(r.People) > 0 || len(r.Names) > 0 || len(r.Uncounted) != 1) {
			t.Errorf("%v, where %v count: %+v; want nobody", test.name, test.listed, r)
		}
	}
}

// TestAliasHoldsForItsIssuer: an id that is somebody's at one issuer is nobody's at another.
func TestAliasHoldsForItsIssuer(t *testing.T) {
	b := NewBook()
	if err := b.AddAlias(ReadIssuer("onelogin:acme"), "92345678", "alice"); err != nil {
		t.Fatal(err)
	}
	if err := b.AddIssuer(ReadIssuer("ssf:https://issuer.example.org")); err != nil {
		t.Fatal(err)
	}
	for issuer, want := range map[string][]Person{
		"onelogin:acme": {"alice"}, "onelogin:other": nil, "ssf:https://issuer.example.org": nil, "okta:acme": nil,
	} {
		r := b.Resolve([]Name{{ReadIssuer(issuer), OpaqueID, "92345678"}}, "")
		if !slices.Equal(r.People, want) {
			t.Errorf("92345678 of %s: %v; want %v", issuer, r.People, want)
		}
	}
}

// TestTwoPeopleInOneEventAreAConflict: the names of an event are one person's, or nobody is certain.
func TestTwoPeopleInOneEventAreAConflict(t *testing.T) {
	b := NewBook()
	if err := b.AddDomain("example.com"); err != nil {
		t.Fatal(err)
	}
	okta := ReadIssuer("okta:acme")
	one := b.Resolve([]Name{{okta, Login, "alice"}, {okta, Address, "Alice@Example.com"}}, "")
	if one.Conflict != nil || !slices.Equal(one.People, []Person{"alice"}) {
		t.Errorf("alice twice: %+v", one)
	}
	two := b.Resolve([]Name{{okta, Address, "alice@example.com"}, {okta, Address, "bob@example.com"}}, "")
	if two.Conflict == nil {
		t.Errorf("alice and bob: %+v", two)
	}
}
