package identity

import (
	"slices"
	"strings"
)

// settle decides who is meant. A name with one of the policy's domains says most, then a name with another domain,
// then a login. A login becomes an address only where nothing in the event contradicts that.
func (r *resolver) settle() {
	if len(r.aliased) > 1 {
		r.Conflict = &Conflict{r.aliased[0], r.aliased[1],
			"identity.aliases lead to two people, " + string(r.aliased[0]) + " and " + string(r.aliased[1])}
	}
	var ours, foreign []Person
	for _, p := range r.addresses {
		if strings.ContainsAny(string(p), `@\`) {
			foreign = append(foreign, p)
		} else {
			ours = append(ours, p)
		}
	}
	for _, kind := range [][]Person{ours, foreign, r.logins} {
		if len(r.People) == 0 {
			r.People = slices.Clone(kind)
			r.twoOf(kind)
		}
	}
	r.twoOf(r.typed)
	for _, p := range r.aliased {
		r.People = addPerson(r.People, p)
	}
	var others []Person
	for _, p := range slices.Concat(foreign, r.logins) {
		if len(r.People) > 0 && !r.contradicts(p) {
			r.People = addPerson(r.People, p)
		} else {
			others = append(others, p)
		}
	}
	for _, p := range r.People {
		r.look(r.Book.Names(p))
	}
	r.lookLiterally(others)
}

// contradicts reports whether the name may be another person's. Its bare name differs, or it is a login that a domain
// would make an address of.
func (r *resolver) contradicts(p Person) bool {
	name, domain := BareName(string(p))
	known, _ := BareName(string(r.People[0]))
	return name != known || domain == "" && len(r.domains) > 0
}

// twoOf notes a conflict if there are two people of one kind of name.
func (r *resolver) twoOf(people []Person) {
	for _, p := range people {
		name, _ := BareName(string(p))
		first, _ := BareName(string(people[0]))
		if name != first && r.Conflict == nil {
			r.Conflict = &Conflict{people[0], p, "the event names " + string(people[0]) + " and " + string(p)}
		}
	}
}

func (r *resolver) look(names []string) {
	for _, name := range names {
		if !slices.Contains(r.Resolution.Names, name) {
			r.Resolution.Names = append(r.Resolution.Names, name)
		}
	}
}

// lookLiterally adds the names of people who are not among People, as they are. Another address in the event
// contradicts any conclusion from them.
func (r *resolver) lookLiterally(people []Person) {
	for _, p := range people {
		if slices.Contains(r.People, p) || slices.Contains(r.Resolution.Names, string(p)) || Clean(string(p)) == "" {
			continue
		}
		r.Literal = append(r.Literal, string(p))
		r.look([]string{string(p)})
		r.note(Note{Kind: OnlyLiteral, Name: Name{Value: string(p)}, Person: r.People[0]})
	}
}
