package identity

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Person is one folded name in place of all names of a person. The empty Person is nobody.
type Person string

// Book is what a policy says about names: whose names are people's, and which names are one person's.
//
//   - With a domain d, the names alice, alice@d and d\alice are one person, and nothing else is.
//   - An alias is the person it leads to. An alias of an issuer holds for that issuer's names alone.
//   - A certificate's common name, and no other name, that fits a template is the person in it.
//
// The zero Book knows one name for each person, and trusts what [Trusted] says.
type Book struct {
	domains   []domain
	templates []template
	issuers   []Issuer
	bound     map[Issuer][]string // the endpoints that the issuer's people use
	roles     []func(role string) bool

	names   map[string]Person // an alias of every issuer, as the person it would be without, to the person
	scoped  map[scopedName]Person
	aliases map[Person][]string // the same from the person to the aliases, sorted
	written map[string][]string // how the policy writes names, by their key
}

type domain struct{ folded, written string }

// template is the text before and after {user}, folded.
type template struct{ before, after string }

// scopedName is a name of one issuer.
type scopedName struct {
	issuer Issuer
	key    string
}

// NewBook returns a book without entries.
func NewBook() *Book {
	return &Book{
		bound: map[Issuer][]string{}, names: map[string]Person{}, scoped: map[scopedName]Person{},
		aliases: map[Person][]string{}, written: map[string][]string{},
	}
}

// AddDomain adds a domain such as example.com, or EXAMPLE for Windows names.
func (b *Book) AddDomain(s string) error {
	switch {
	case strings.Contains(s, "://"):
		return fmt.Errorf("%q is a URL; write the domain alone, such as example.com", s)
	case strings.Contains(s, "@"):
		return fmt.Errorf("%q is an address; write what is behind the @, such as example.com", s)
	case Clean(s) != s || s == "" || strings.ContainsAny(s, `\*?/^$[]() `) || Fold(s) != strings.ToLower(s):
		return fmt.Errorf("%q is not a domain like example.com or EXAMPLE", s)
	}
	b.domains = append(b.domains, domain{Fold(s), s})
	return nil
}

// User is the place of the person's name in a template.
const User = "{user}"

// AddTemplate adds a form of certificates' common names, such as {user}.vpn.example.com.
func (b *Book) AddTemplate(s string) error {
	before, after, found := strings.Cut(Fold(s), User)
	certificate := before + "x" + after
	switch {
	case strings.HasPrefix(before, "cn="):
		return fmt.Errorf("%q has CN=, which Client VPN does not report; write what is behind it", s)
	case !found || Fold(Clean(certificate)) != certificate || certificate == "x" || strings.Contains(after, User):
		return fmt.Errorf("%q must hold {user} once, and more than it", s)
	}
	b.templates = append(b.templates, template{before, after})
	return nil
}

// TrustRole trusts the session names of the roles for which the predicate is true.
func (b *Book) TrustRole(fits func(role string) bool) { b.roles = append(b.roles, fits) }

// AddIssuer has an issuer's names count as people's. Of a provider that is trusted by itself, it leaves out the others.
func (b *Book) AddIssuer(i Issuer) error {
	t, known := trusts[i.Provider]
	switch {
	case !known:
		return fmt.Errorf("%q is not the provider of names; write an entry like okta:acme or iam:111122223333", i.Provider)
	case strings.ContainsAny(i.Within, "*?"):
		return fmt.Errorf("%q is a pattern; name each %s", i, t.noun)
	case i.Within == "" && !t.always:
		return fmt.Errorf(
			"%q would count the names of every %s, and so of everybody who can make one; write %s:<%s>", i, t.noun,
			i.Provider, t.noun,
		)
	}
	b.issuers = append(b.issuers, i)
	return nil
}

// Bind says on which endpoints an issuer's people connect. Without it, that is every endpoint.
func (b *Book) Bind(i Issuer, endpoints []string) { b.bound[i] = endpoints }

// AddAlias has a name lead to a person. An issuer without a provider means every issuer; such an alias does not hold
// for opaque ids. Every domain must have been added before.
func (b *Book) AddAlias(i Issuer, name, person string) error {
	if Clean(name) == "" || Clean(person) == "" {
		return fmt.Errorf("%q: %q: neither side may be empty or a placeholder", name, person)
	}
	for _, written := range []string{name, person} {
		key := Fold(written)
		if !slices.Contains(b.written[key], written) {
			b.written[key] = append(b.written[key], written)
		}
	}
	target := b.base(person)
	if i.Provider != "" {
		return b.addScoped(i, name, target)
	}
	alias := string(b.base(name))
	if before, twice := b.names[alias]; twice && before != target {
		return fmt.Errorf("%q means two people, in two spellings", name)
	}
	b.names[alias] = target
	if alias != string(target) && !slices.Contains(b.aliases[target], alias) {
		b.aliases[target] = append(b.aliases[target], alias)
		slices.Sort(b.aliases[target])
	}
	return nil
}

func (b *Book) addScoped(i Issuer, name string, target Person) error {
	t, known := trusts[i.Provider]
	switch {
	case !known:
		return fmt.Errorf("%q is not the provider of names", i.Provider)
	case i.Within == "" && !t.always && i.Provider != Auth0:
		return fmt.Errorf("%s:%s would hold for every %s, and so for everybody who can make one; nest it under %q",
			i.Provider, name, t.noun, i.Provider+":<"+t.noun+">")
	}
	for _, key := range []string{Name{Value: name}.Key(), Name{Form: OpaqueID, Value: name}.Key()} {
		n := scopedName{i, key}
		if before, twice := b.scoped[n]; twice && before != target {
			return fmt.Errorf("%q of %s means two people", name, i)
		}
		b.scoped[n] = target
	}
	return nil
}

// Hiding returns the aliases that hide a person: an alias, of whichever issuer, leads to the name, and the alias makes
// another person of it. The value is an alias that leads there.
func (b *Book) Hiding() map[string]string {
	hiding := map[string]string{}
	find := func(alias string, target Person) {
		if hidden, ok := b.names[string(target)]; ok && hidden != target {
			hiding[string(target)] = alias
		}
	}
	for alias, target := range b.names {
		find(alias, target)
	}
	for n, target := range b.scoped {
		find(n.key, target)
	}
	return hiding
}

// Domains lists the domains as they were added.
func (b *Book) Domains() []string {
	var all []string
	for _, d := range b.domains {
		all = append(all, d.written)
	}
	return all
}

// Issuers lists the issuers that the book names, for counting, for aliases or for endpoints, sorted.
func (b *Book) Issuers() []Issuer {
	all := map[Issuer]bool{}
	for _, i := range b.issuers {
		all[i] = true
	}
	for n := range b.scoped {
		all[n.issuer] = true
	}
	for i := range b.bound {
		all[i] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b Issuer) int { return strings.Compare(a.String(), b.String()) })
}
