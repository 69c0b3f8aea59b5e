package identity

import (
	"slices"
	"strings"
)

// Person returns the person of a name, whatever its issuer. It is empty for a placeholder.
func (b *Book) Person(name string) Person {
	p := b.base(name)
	if target, ok := b.names[string(p)]; ok {
		return target
	}
	return p
}

// base returns the person without looking at aliases.
func (b *Book) base(name string) Person {
	name = Fold(Clean(name))
	for _, d := range b.domains {
		// alice@partner.com@example.com is nobody of ours: a bare name must remain.
		if inner, ok := strings.CutSuffix(name, "@"+d.folded); ok && bare(inner) {
			return Person(inner)
		}
		if inner, ok := strings.CutPrefix(name, d.folded+`\`); ok && bare(inner) {
			return Person(inner)
		}
	}
	return Person(name)
}

// bare reports whether s is a folded name without a domain. A placeholder is somebody's name if it has a domain.
func bare(s string) bool {
	return s != "" && s == Fold(s) && !strings.ContainsAny(s, `@\`) && (Clean(s) == s || placeholders[s] && s != "-")
}

// OfCertificate returns the people of a certificate's common name: the name itself, and what the templates find in
// it.
func (b *Book) OfCertificate(commonName string) []Person {
	if Clean(commonName) == "" {
		return nil
	}
	people := []Person{b.Person(commonName)}
	key := Fold(commonName)
	for _, t := range b.templates {
		inner, ok := strings.CutPrefix(key, t.before)
		if !ok {
			continue
		}
		if inner, ok = strings.CutSuffix(inner, t.after); ok && Fold(Clean(inner)) == inner && inner != "" {
			people = addPerson(people, b.Person(inner))
		}
	}
	return people
}

// OfConnection returns the people a connection may be: the user's, or where it has no user the certificate's.
func (b *Book) OfConnection(username, commonName string) []Person {
	if Clean(username) != "" {
		return []Person{b.Person(username)}
	}
	return b.OfCertificate(commonName)
}

func addPerson(people []Person, p Person) []Person {
	if p == "" || slices.Contains(people, p) {
		return people
	}
	return append(people, p)
}

// Names lists every folded name under which Client VPN may know the person, apart from the templates of certificates.
func (b *Book) Names(p Person) []string {
	if p == "" {
		return nil
	}
	all := b.ownNames(string(p))
	for _, alias := range b.aliases[p] {
		all = append(all, b.ownNames(alias)...)
	}
	return all
}

// ownNames lists a name, and what the domains make of it.
func (b *Book) ownNames(name string) []string {
	var all []string
	if Clean(name) != "" {
		all = append(all, name)
	}
	if strings.ContainsAny(name, `@\`) {
		return all
	}
	for _, d := range b.domains {
		all = append(all, name+"@"+d.folded, d.folded+`\`+name)
	}
	return all
}

// CommonNames lists the common names of certificates that the templates make of names.
func (b *Book) CommonNames(names []string) []string {
	var all []string
	for _, t := range b.templates {
		for _, name := range names {
			if !strings.Contains(name, `\`) {
				all = append(all, t.before+name+t.after)
			}
		}
	}
	return all
}

// maxKeys is the most keys that one read of a list can ask for. Source: Amazon DynamoDB API reference, BatchGetItem.
const maxKeys = 100

// Keys lists the keys under which a list of people may know a client. They are the person, the person's names, and the
// name as written, with and without its domain. So a change of domains or aliases loses nobody. The surest come first.
func (b *Book) Keys(username, commonName string) []string {
	var keys []string
	add := func(key string) {
		if key != "" && len(keys) < maxKeys && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	people := b.OfConnection(username, commonName)
	raw := username
	if Clean(username) == "" {
		raw = commonName
	}
	for _, p := range people {
		add(string(p))
	}
	add(Fold(Clean(raw)))
	bareName, _ := BareName(Clean(raw))
	add(bareName)
	for _, p := range people {
		for _, name := range b.ownNames(string(p)) {
			add(name)
		}
		for _, alias := range b.aliases[p] {
			add(alias)
		}
	}
	return keys
}

// Likely lists the names in the cases in which they are probably written: as in the event, as in the policy, and in
// lower case. names are folded, and only they are meant.
func (b *Book) Likely(given, names []string) []string {
	all := make([]string, 0, 4*len(names))
	add := func(name string) {
		if !slices.Contains(all, name) && slices.Contains(names, Fold(name)) {
			all = append(all, name)
		}
	}
	given = slices.Clone(given)
	for _, name := range names {
		given = append(given, b.written[name]...)
	}
	for _, name := range append(given, names...) {
		add(name)
		inner, _, _ := strings.Cut(name[strings.Index(name, `\`)+1:], "@")
		add(inner)
		for _, d := range b.domains {
			add(inner + "@" + d.written)
			add(d.written + `\` + inner)
		}
	}
	return all
}

// Endpoints lists the endpoints on which the people of the names connect, as far as the policy binds their issuers. It
// reports false if they may connect everywhere, since an issuer is bound to none.
func (b *Book) Endpoints(names []Name) ([]string, bool) {
	var all []string
	for _, n := range names {
		endpoints, bound := b.boundTo(n.Issuer)
		if !bound {
			return nil, false
		}
		for _, id := range endpoints {
			if !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	return all, len(names) > 0
}

// boundTo returns the endpoints of the closest entry that covers the issuer.
func (b *Book) boundTo(i Issuer) (endpoints []string, bound bool) {
	closest := -1
	for entry, ids := range b.bound {
		if entry.Covers(i) && len(entry.Within) > closest {
			endpoints, bound, closest = ids, true, len(entry.Within)
		}
	}
	return endpoints, bound
}

// BoundOn returns the issuers that the policy binds to an endpoint, and those that it binds to others only, sorted.
func (b *Book) BoundOn(endpointID string) (on, elsewhere []Issuer) {
	for _, i := range b.Issuers() {
		switch ids, bound := b.bound[i]; {
		case bound && slices.Contains(ids, endpointID):
			on = append(on, i)
		case bound:
			elsewhere = append(elsewhere, i)
		}
	}
	return on, elsewhere
}
