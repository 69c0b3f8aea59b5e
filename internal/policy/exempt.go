package policy

import (
	"fmt"
	"slices"
	"strings"

	"clientvpn-responder/internal/identity"
)

// exemption is who and what is never cut off.
type exemption struct {
	people map[identity.Person]bool
	globs  []glob
	places map[string]bool // connections and endpoints, by id
	all    bool            // also connections without a name
}

func newExemption(entries []string, b *identity.Book, c *checker) exemption {
	e := exemption{people: map[identity.Person]bool{}, places: map[string]bool{}}
	for i, entry := range entries {
		path := fmt.Sprintf("exempt[%d]", i)
		entry = strings.TrimSpace(entry)
		err := notRegular(entry)
		switch folded := identity.Fold(entry); {
		case strings.HasPrefix(folded, "cvpn-"):
			if connectionID().MatchString(entry) || endpointID().MatchString(entry) {
				e.places[entry] = true
				continue
			}
			c.add(path, "%q is not the id of a connection or an endpoint, like cvpn-endpoint-0123456789abcdef0", entry)
		case folded == everyone:
			e.all = true
		case err != nil:
			c.add(path, "%v", err)
		case isGlob(entry) || entry == "":
			e.globs = append(e.globs, personGlob(c, path, entry, b))
		case b.Person(entry) == "":
			c.add(path, "%q cannot be somebody's name", entry)
		default:
			e.people[b.Person(entry)] = true
		}
	}
	return e
}

// Exempt reports whether the person of a user name, in an event or on a connection, is never cut off.
func (p *Policy) Exempt(username string) bool {
	person := p.book.Person(username)
	if p.exempt.all || person == "" {
		return p.exempt.all
	}
	if p.exempt.people[person] || len(p.exempt.globs) == 0 {
		return p.exempt.people[person]
	}
	return slices.ContainsFunc(append(p.book.Names(person), username), func(name string) bool {
		return slices.ContainsFunc(p.exempt.globs, func(pattern glob) bool { return pattern.fits(name) })
	})
}

// ExemptPlace reports whether a connection or an endpoint, by its id, is never touched.
func (p *Policy) ExemptPlace(id string) bool { return p.exempt.places[id] }

// ExemptCertificate reports the same as Exempt of a certificate's common name.
func (p *Policy) ExemptCertificate(commonName string) bool {
	if p.exempt.all {
		return true
	}
	return slices.ContainsFunc(
		p.book.OfCertificate(commonName), func(person identity.Person) bool { return p.Exempt(string(person)) },
	)
}

// SamePerson reports whether two connections' user names, or where they have none their common names, are one person's.
func (p *Policy) SamePerson(usernameA, commonNameA, usernameB, commonNameB string) bool {
	b := p.book.OfConnection(usernameB, commonNameB)
	return slices.ContainsFunc(
		p.book.OfConnection(usernameA, commonNameA),
		func(person identity.Person) bool { return slices.Contains(b, person) },
	)
}
