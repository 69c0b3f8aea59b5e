package signal

import (
	"slices"
	"strings"

	"clientvpn-responder/internal/identity"
)

// rawName is a name as it is in the event.
type rawName struct {
	form  identity.Form
	value requiredString
	isID  bool // goes to Subject.IDs
}

// login is a name with which the person signs in. One that looks like an address has the directory's domain.
func login(value requiredString) rawName {
	if strings.Contains(string(value), "@") {
		return rawName{form: identity.UPN, value: value}
	}
	return rawName{form: identity.Login, value: value}
}

// Login returns a name with which the person signs in at the issuer.
func Login(issuer identity.Issuer, value string) identity.Name {
	return identity.Name{Issuer: issuer, Form: login(requiredString(value)).form, Value: value}
}

// upn is a user principal name, or the main address of an account in a directory of addresses.
func upn(value requiredString) rawName { return rawName{form: identity.UPN, value: value} }

// address is an e-mail address that the provider does not claim to have checked.
func address(value requiredString) rawName { return rawName{form: identity.Address, value: value} }

// opaque is an identifier that means nothing outside the issuer.
func opaque(value requiredString) rawName {
	return rawName{form: identity.OpaqueID, value: value, isID: true}
}

// chosen is a name that the person may have chosen, in a directory that can be open to all. One that is no address is
// an id for the policy's aliases to map.
func chosen(value requiredString) rawName {
	if strings.Contains(string(value), "@") {
		return address(value)
	}
	return rawName{form: identity.Login, value: value, isID: true}
}

// subjectOf returns the person with the issuer's names. It drops values that cannot be a name, and duplicates.
func subjectOf(issuer identity.Issuer, names ...rawName) Subject {
	var s Subject
	for _, n := range names {
		s.add(issuer, n)
	}
	return s
}

func (s *Subject) add(issuer identity.Issuer, n rawName) {
	value := Name(string(n.value))
	name := identity.Name{Issuer: issuer, Form: n.form, Value: value}
	if value == "" || slices.Contains(s.Names, name) {
		return
	}
	s.Names = append(s.Names, name)
	list := &s.Usernames
	if n.isID {
		list = &s.IDs
	}
	if !slices.Contains(*list, value) {
		*list = append(*list, value)
	}
}

// Add adds a name of the same person, found elsewhere, unless it is a placeholder or already there.
func (s *Subject) Add(n identity.Name) {
	s.add(n.Issuer, rawName{form: n.Form, value: requiredString(n.Value), isID: n.Form == identity.OpaqueID})
}

// issuer returns the issuer of the subject's first name.
func (s *Subject) issuer() identity.Issuer {
	if len(s.Names) == 0 {
		return identity.Issuer{}
	}
	return s.Names[0].Issuer
}

// issuer returns the event's provider as issuer, with the part of it in which names are unique.
func (e event) issuer(within requiredString) identity.Issuer {
	return identity.Issuer{Provider: e.provider.name, Within: Name(string(within))}
}

// partner returns the part of a partner event source after the provider: the customer's account there.
// Source: Amazon EventBridge user guide, "Receiving events from a SaaS partner".
func (e event) partner() requiredString {
	rest, _ := strings.CutPrefix(string(e.Source), e.provider.source)
	account, _, _ := strings.Cut(rest, "/")
	return requiredString(account)
}

// iamOf is the issuer of IAM's names in an account.
func iamOf(account requiredString) identity.Issuer {
	return identity.Issuer{Provider: identity.IAM, Within: Name(string(account))}
}
