package identity

import (
	"fmt"
	"strings"
)

// Note says how a name in an event led to a person, or why it did not.
type Note struct {
	Kind   NoteKind
	Name   Name
	Person Person
	Role   string // of a role session

	ids string // all ids of a NoAlias
}

// NoteKind is what a note is about.
type NoteKind uint8

// The kinds of notes.
const (
	Alias            NoteKind = iota + 1 // an alias of every issuer led from the name to the person
	AliasOfIssuer                        // an alias of the name's issuer did
	AliasOfID                            // the same of an opaque id
	AliasOfNoIssuer                      // there is an alias for the id, and it names no issuer
	NoAlias                              // there is none
	SessionTrusted                       // the policy trusts the role of a session
	SessionUntrusted                     // it does not
	NotCounted                           // the policy does not take the issuer's names for people's
	OnlyLiteral                          // the name may be another person's, as the event says another address
)

// String says it to people, with the line to add to the policy where one is missing.
func (n Note) String() string {
	value := n.Name.Value
	switch n.Kind {
	case Alias, AliasOfIssuer:
		return fmt.Sprintf("alias: %s is %s", value, n.Person)
	case AliasOfID:
		return fmt.Sprintf("alias: id %s is %s", value, n.Person)
	case AliasOfNoIssuer:
		return fmt.Sprintf("the alias %s holds for no id, as it names no issuer; write %s", value, n.line(string(n.Person)))
	case NoAlias:
		return fmt.Sprintf("id %s has no entry in identity.aliases; to map it, add %s", n.ids, n.line("<name>"))
	case SessionTrusted:
		return fmt.Sprintf("session name %s counts, role %s is in identity.session_roles", value, n.Role)
	case SessionUntrusted:
		return fmt.Sprintf(
			"session name %s does not count: anyone who may assume role %s can choose it, "+
				"and identity.session_roles does not list the role",
			value, n.Role,
		)
	case NotCounted:
		return value + " " + n.notCounted()
	case OnlyLiteral:
		return fmt.Sprintf("%s is looked for only as it is written, since the event says the address of %s", value, n.Person)
	}
	return ""
}

// line returns the entry of identity.aliases that would map the id.
func (n Note) line(person string) string {
	provider := n.Name.Issuer.Provider
	if strings.Contains(n.Name.Value, ":") || !trusts[provider].always && provider != Auth0 {
		return fmt.Sprintf("%q: {%q: %s}", n.Name.Issuer, n.Name.Value, person)
	}
	return fmt.Sprintf("%q: %s", provider+":"+n.Name.Value, person)
}

// notCounted says why a name does not count, to go behind the name.
func (n Note) notCounted() string {
	issuer := n.Name.Issuer
	t, known := trusts[issuer.Provider]
	switch {
	case !known:
		return "does not count: the event does not say who issues the name"
	case issuer.Within == "":
		return fmt.Sprintf(
			"does not count: it is a name of %s, and the event does not say of which %s", issuer.Provider, t.noun,
		)
	case t.verified:
		return fmt.Sprintf(
			"does not count: %s does not say that it verified the address; "+
				"if nobody can sign up there, add %s to identity.issuers",
			issuer.Provider, issuer,
		)
	case t.always:
		return fmt.Sprintf(
			"does not count: identity.issuers names other issuers of %s; add %s if its names are your people's",
			issuer.Provider, issuer,
		)
	}
	return fmt.Sprintf("does not count: anyone who can create a name in %s %s could choose it; "+
		"if the names there are your people's, add %s to identity.issuers",
		t.noun, issuer.Within, issuer)
}
