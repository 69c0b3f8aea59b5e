package identity

import (
	"slices"
	"strings"
)

// Resolution is what the book makes of the names in an event.
type Resolution struct {
	// People are the people of the names: one, or several where Conflict says why.
	People []Person
	// Names are the folded names to look for, each whole.
	Names []string
	// Literal are those of Names that may be another person's, since the event itself says another address. They count
	// only where nobody of People is connected.
	Literal []string
	// Counted are the names that count, and Uncounted those that do not.
	Counted, Uncounted []Name
	// Notes say how the names led to the people, for readers.
	Notes []Note
	// Conflict is why the names are two people's; nil if they are not.
	Conflict *Conflict
}

// Conflict says that the names of one event belong to two people.
type Conflict struct {
	A, B Person
	// Text says it for people.
	Text string
}

// resolver collects a Resolution.
type resolver struct {
	*Book
	Resolution

	addresses []Person // of names with a domain
	logins    []Person // of names without one
	typed     []Person // of names without one, and of their aliases
	aliased   []Person // of aliases
}

// Resolve returns the people of an event's names. role is the role of the names in the form [RoleSession].
func (b *Book) Resolve(names []Name, role string) Resolution {
	r := resolver{Book: b}
	for _, n := range names {
		if n.Form != OpaqueID {
			r.take(n, role)
		}
	}
	known := slices.Clone(r.all())
	for _, n := range names {
		if n.Form == OpaqueID {
			r.takeID(n, known)
		}
	}
	r.settle()
	if len(r.People) == 0 && len(r.Uncounted) == 0 {
		r.noteUnknownIDs(names)
	}
	return r.Resolution
}

func (r *resolver) all() []Person {
	return slices.Concat(r.addresses, r.logins)
}

// take adds a name that is no opaque id.
func (r *resolver) take(n Name, role string) {
	key := n.Key()
	if key == "" {
		return
	}
	if person, ok := r.alias(n); ok {
		r.note(Note{Kind: AliasOfIssuer, Name: n, Person: person})
		r.Counted = append(r.Counted, n)
		r.aliased = addPerson(r.aliased, person)
		r.addresses = addPerson(r.addresses, person)
		return
	}
	switch {
	case n.Form == RoleSession && !r.trusts(role):
		r.note(Note{Kind: SessionUntrusted, Name: n, Role: role})
		r.Uncounted = append(r.Uncounted, n)
		return
	case n.Form == RoleSession:
		r.note(Note{Kind: SessionTrusted, Name: n, Role: role})
	case !r.counts(n):
		r.note(Note{Kind: NotCounted, Name: n})
		r.Uncounted = append(r.Uncounted, n)
		return
	}
	r.Counted = append(r.Counted, n)
	person := r.Person(n.Value)
	if person != r.base(n.Value) {
		r.note(Note{Kind: Alias, Name: n, Person: person})
		r.aliased = addPerson(r.aliased, person)
	}
	if !strings.ContainsAny(key, `@\`) {
		r.typed = addPerson(r.typed, person)
	}
	if strings.ContainsAny(key, `@\`) || person != r.base(n.Value) {
		r.addresses = addPerson(r.addresses, person)
	} else {
		r.logins = addPerson(r.logins, person)
	}
}

// alias returns the person whom an alias of the name's issuer leads to.
func (r *resolver) alias(n Name) (Person, bool) {
	if len(r.scoped) == 0 {
		return "", false
	}
	key := n.Key()
	within := n.Issuer.Within
	for {
		if p, ok := r.scoped[scopedName{Issuer{n.Issuer.Provider, within}, key}]; ok {
			return p, true
		}
		if within == "" {
			return "", false
		}
		i := strings.LastIndexByte(within, '/')
		if !trusts[n.Issuer.Provider].path || i < 0 {
			i = 0
		}
		within = within[:i]
	}
}

func (b *Book) trusts(role string) bool {
	// The case of the role counts: another spelling is a role that somebody else may have made.
	return slices.ContainsFunc(b.roles, func(fits func(string) bool) bool { return fits(role) })
}

// takeID adds an opaque id, which only an alias of its issuer leads to a person.
func (r *resolver) takeID(n Name, known []Person) {
	person, ok := r.alias(n)
	if !ok {
		return
	}
	r.note(Note{Kind: AliasOfID, Name: n, Person: person})
	r.Counted = append(r.Counted, n)
	if len(known) > 0 && !slices.Contains(known, person) && r.Conflict == nil {
		r.Conflict = &Conflict{
			known[0], person, "id " + n.Value + " is " + string(person) + ", but the event names " + join(known),
		}
	}
	r.aliased = addPerson(r.aliased, person)
}

// noteUnknownIDs says which alias to add where nothing but opaque ids was left.
func (r *resolver) noteUnknownIDs(names []Name) {
	var ids []Name
	for _, n := range names {
		if n.Form == OpaqueID && n.Key() != "" {
			ids = append(ids, n)
		}
	}
	if len(ids) == 0 {
		return
	}
	r.Uncounted = append(r.Uncounted, ids...)
	for _, n := range ids {
		if target, ok := r.Book.names[string(r.base(n.Value))]; ok {
			r.note(Note{Kind: AliasOfNoIssuer, Name: n, Person: target})
		}
	}
	r.note(Note{Kind: NoAlias, Name: ids[0], ids: joinNames(ids)})
}

func (r *resolver) note(n Note) { r.Notes = append(r.Notes, n) }

func join(people []Person) string {
	words := make([]string, len(people))
	for i, p := range people {
		words[i] = string(p)
	}
	return strings.Join(words, ", ")
}

func joinNames(names []Name) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = n.Value
	}
	return strings.Join(words, ", ")
}
