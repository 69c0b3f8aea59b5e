package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"clientvpn-responder/internal/signal"
)

type identityDocument struct {
	Domains      []string          `yaml:"domains"`
	Aliases      map[string]string `yaml:"aliases"`
	CommonNames  []string          `yaml:"common_names"`
	SessionRoles *[]string         `yaml:"session_roles"`
}

// identity knows which names are one person's. Names are folded first; then
//
//   - with domains d: name, name@d and d\name are one person, and nothing else is;
//   - an alias is the person it stands for;
//   - a certificate's common name, and no other name, that fits a template is the person in it.
//
// The zero identity only folds.
type identity struct {
	domains      []string            // folded
	places       []string            // the domains as the document spells them
	written      map[string][]string // how the document spells aliases and whom they stand for, by folded name
	names        map[string]string   // alias, as a person, to person
	ids          map[string]string   // alias, as written, to person: opaque ids are case-sensitive
	spelled      map[string][]string // person to aliases, sorted
	commonNames  [][2]string         // what stands before and after {user}, folded
	sessionRoles []glob
}

// defaultSessionRoles are the roles that IAM Identity Center makes: it names their sessions after its user.
var defaultSessionRoles = []string{"AWSReservedSSO_*"}

const user = "{user}"

func newIdentity(d identityDocument, c *checker) identity {
	id := identity{names: map[string]string{}, ids: map[string]string{}, spelled: map[string][]string{}, written: map[string][]string{}}
	for i, domain := range d.Domains {
		if signal.Name(domain) != domain || domain == "" || strings.ContainsAny(domain, `@\*? `) {
			c.add(fmt.Sprintf("identity.domains[%d]", i), "%q is not a domain like example.com or EXAMPLE", domain)
			continue
		}
		id.domains = append(id.domains, signal.Fold(domain))
		id.places = append(id.places, domain)
	}
	for i, template := range d.CommonNames {
		before, after, found := strings.Cut(signal.Fold(template), user)
		certificate := before + "x" + after
		if !found || signal.Name(certificate) != certificate || certificate == "x" || strings.Contains(after, user) {
			c.add(fmt.Sprintf("identity.common_names[%d]", i), "%q must hold {user} once, and more than it", template)
			continue
		}
		id.commonNames = append(id.commonNames, [2]string{before, after})
	}
	roles := defaultSessionRoles
	if d.SessionRoles != nil {
		roles = *d.SessionRoles
	}
	for i, role := range roles {
		if strings.Trim(role, "*? ") == "" {
			c.add(fmt.Sprintf("identity.session_roles[%d]", i), "%q would trust every role, and whoever assumes a role chooses the session's name", role)
		}
		id.sessionRoles = append(id.sessionRoles, newGlob(role))
	}
	aliases := slices.Sorted(maps.Keys(d.Aliases)) // the same mistakes in the same order each time
	for _, alias := range aliases {
		for _, name := range []string{alias, d.Aliases[alias]} {
			id.written[signal.Fold(name)] = append(id.written[signal.Fold(name)], name)
		}
	}
	for _, alias := range aliases {
		if signal.Name(alias) == "" || signal.Name(d.Aliases[alias]) == "" {
			c.addAlias(alias, "%q: %q: neither side may be empty or a placeholder", alias, d.Aliases[alias])
			continue
		}
		name, target := id.base(alias), id.base(d.Aliases[alias])
		if before, twice := id.names[name]; twice && before != target {
			c.addAlias(alias, "%q stands for two people, in two spellings", alias)
		}
		id.names[name], id.ids[strings.TrimSpace(alias)] = target, target
	}
	for _, alias := range aliases {
		target := id.base(d.Aliases[alias])
		if _, chained := id.names[target]; chained && id.base(alias) != target {
			c.addAlias(alias, "%q leads to another alias; let it lead to the person", alias)
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(id.names)) {
		if target := id.names[alias]; alias != target {
			id.spelled[target] = append(id.spelled[target], alias)
		}
	}
	return id
}

// fitsAll reports whether a pattern fits every person under one of the person's spellings, judged by two people that there
// are not. They and where they are from have no letter in common, so that what fits both asks for none of their own.
func (id identity) fitsAll(g glob) bool {
	for _, nobody := range [][2]string{{"zq0jx7", "bdfgh.nt"}, {"kvw58", "mrs12.yp"}} {
		name, domain := nobody[0], nobody[1]
		spellings := append(id.spellings(name), name+"@"+domain, domain+`\`+name)
		if !slices.ContainsFunc(append(spellings, id.templated(spellings)...), g.fits) {
			return false
		}
	}
	return true
}

// base gives the person behind a name without looking at aliases.
func (id identity) base(name string) string {
	name = signal.Fold(strings.TrimSpace(name))
	for _, domain := range id.domains {
		for _, form := range [][2]string{{"", "@" + domain}, {domain + `\`, ""}} {
			// alice@partner.com@example.com is nobody of ours: what is left must be a bare name.
			if inner, ok := between(name, form[0], form[1]); ok && !strings.ContainsAny(inner, `@\`) {
				return inner
			}
		}
	}
	return name
}

// person gives the one name that stands for all names of a person.
func (id identity) person(name string) string {
	name = id.base(name)
	if target, ok := id.names[name]; ok {
		return target
	}
	return name
}

// certified gives the people that a certificate's common name may stand for: itself, and what the templates find in it.
func (id identity) certified(commonName string) []string {
	people := []string{id.person(commonName)}
	for _, t := range id.commonNames {
		if inner, ok := between(signal.Fold(commonName), t[0], t[1]); ok {
			people = append(people, id.person(inner))
		}
	}
	return people
}

// connected gives the people that a user name stands for, or where there is none a certificate's common name.
func (id identity) connected(username, commonName string) []string {
	if signal.Name(username) != "" {
		return []string{id.person(username)}
	}
	return id.certified(commonName)
}

// named leaves of people those who have a name, each once.
func named(people []string) []string {
	var all []string
	for _, person := range people {
		if signal.Name(person) != "" && !slices.Contains(all, person) {
			all = append(all, person)
		}
	}
	return all
}

// between returns what stands between prefix and suffix, if that is a name.
func between(s, prefix, suffix string) (string, bool) {
	inner, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, suffix)
	return inner, ok && signal.Name(inner) == inner && inner != ""
}

// spellings lists every folded name under which Client VPN may know the person, the templates for certificates aside.
func (id identity) spellings(person string) []string {
	if signal.Name(person) == "" {
		return nil
	}
	var all []string
	for _, p := range append([]string{person}, id.spelled[person]...) {
		all = append(all, p)
		if strings.ContainsAny(p, `@\`) {
			continue
		}
		for _, domain := range id.domains {
			all = append(all, p+"@"+domain, domain+`\`+p)
		}
	}
	return all
}

// cased lists the names in the cases in which they are probably written: as the event does, as the document does, and in
// lower case. names are folded, and no other is meant.
func (id identity) cased(s signal.Subject, names []string) []string {
	all := make([]string, 0, 4*len(names))
	add := func(name string) {
		if slices.Contains(names, signal.Fold(name)) && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	given := slices.Clone(s.Usernames)
	if s.Session != nil {
		given = append(given, s.Session.Name)
	}
	for _, name := range names {
		given = append(given, id.written[name]...)
	}
	for _, name := range append(given, names...) {
		add(name)
		bare, _, _ := strings.Cut(name[strings.Index(name, `\`)+1:], "@")
		add(bare)
		for _, domain := range id.places {
			add(bare + "@" + domain)
			add(domain + `\` + bare)
		}
	}
	return all
}

// templated lists the common names of certificates that the templates make of names.
func (id identity) templated(names []string) []string {
	var all []string
	for _, t := range id.commonNames {
		for _, name := range names {
			if !strings.Contains(name, `\`) {
				all = append(all, t[0]+name+t[1])
			}
		}
	}
	return all
}

// resolution is what the policy makes of a subject's names.
type resolution struct {
	people []string // each under the one name that stands for all of theirs
	names  []string // the folded names to look for
	notes  []string // what a reader should know about how they came to be
	// ambiguous says why the names belong to two people; it is empty if they do not.
	ambiguous string
}

func (r *resolution) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// resolve returns the people whom the subject's names stand for.
func (id identity) resolve(s signal.Subject) resolution {
	var r resolution
	aliased := id.resolveUsernames(&r, s.Usernames)
	if s.Session != nil {
		id.resolveSession(&r, *s.Session)
	}
	aliased = append(aliased, id.resolveIDs(&r, s.IDs)...)
	for _, person := range aliased {
		if person != aliased[0] {
			r.ambiguous = fmt.Sprintf("identity.aliases lead to two people, %s and %s", aliased[0], person)
		}
		if !slices.Contains(r.people, person) {
			r.people = append(r.people, person)
		}
	}
	for _, person := range r.people {
		for _, name := range id.spellings(person) {
			if !slices.Contains(r.names, name) {
				r.names = append(r.names, name)
			}
		}
	}
	if len(r.names) == 0 && len(s.IDs) > 0 {
		r.note("id %s has no entry in identity.aliases; add one to map it", strings.Join(s.IDs, ", "))
	}
	r.people = named(r.people)
	return r
}

// resolveUsernames adds the people of user names, and returns those whom an alias led to.
func (id identity) resolveUsernames(r *resolution, usernames []string) (aliased []string) {
	for _, name := range usernames {
		person := id.person(name)
		if person != id.base(name) {
			r.note("alias: %s is %s", name, person)
			aliased = append(aliased, person)
		}
		r.people = append(r.people, person)
	}
	return aliased
}

// resolveSession adds the person of a role session, if the policy trusts the role. The case of the role counts: another
// spelling is a role that somebody else may have made.
func (id identity) resolveSession(r *resolution, s signal.Session) {
	if !slices.ContainsFunc(id.sessionRoles, func(pattern glob) bool { return pattern.fitsExactly(s.Role) }) {
		r.note("session name %s does not count: whoever assumes role %s can choose it, and identity.session_roles does not list the role", s.Name, s.Role)
		return
	}
	r.note("session name %s counts, role %s is in identity.session_roles", s.Name, s.Role)
	r.people = append(r.people, id.person(s.Name))
}

// resolveIDs returns the people whom aliases of opaque ids lead to. It notes a conflict with those who are known by name.
func (id identity) resolveIDs(r *resolution, ids []string) (aliased []string) {
	known := slices.Clone(r.people)
	for _, opaque := range ids {
		person, ok := id.ids[opaque]
		if !ok {
			continue
		}
		r.note("alias: id %s is %s", opaque, person)
		if len(known) > 0 && !slices.Contains(known, person) {
			r.ambiguous = fmt.Sprintf("id %s is %s, but the event names %s", opaque, person, strings.Join(known, ", "))
		}
		aliased = append(aliased, person)
	}
	return aliased
}

// exemption is who and what is never cut off.
type exemption struct {
	people map[string]bool
	globs  []glob
	places map[string]bool // connections and endpoints, by id
	all    bool            // also who has no name
}

func newExemption(entries []string, id identity, c *checker) exemption {
	e := exemption{people: map[string]bool{}, places: map[string]bool{}}
	for i, entry := range entries {
		path := fmt.Sprintf("exempt[%d]", i)
		entry = strings.TrimSpace(entry)
		switch folded := signal.Fold(entry); {
		case connectionID.MatchString(entry), endpointID.MatchString(entry):
			e.places[entry] = true
		case strings.HasPrefix(folded, "cvpn-"):
			c.add(path, "%q is not the id of a connection or an endpoint, like cvpn-endpoint-0123456789abcdef0", entry)
		case folded == everyone:
			e.all = true
		case isGlob(entry) || entry == "":
			e.globs = append(e.globs, personGlob(c, path, entry, id))
		case signal.Name(entry) == "":
			c.add(path, "%q cannot be somebody's name", entry)
		default:
			e.people[id.person(entry)] = true
		}
	}
	return e
}

// Exempt reports whether the person of a user name, as an event or a connection gives it, is never cut off.
func (p *Policy) Exempt(username string) bool {
	if p.exempt.all || signal.Name(username) == "" {
		return p.exempt.all
	}
	person := p.identity.person(username)
	if p.exempt.people[person] {
		return true
	}
	return slices.ContainsFunc(append(p.identity.spellings(person), username), func(spelling string) bool {
		return slices.ContainsFunc(p.exempt.globs, func(pattern glob) bool { return pattern.fits(spelling) })
	})
}

// ExemptPlace reports whether a connection or an endpoint, by its id, is never touched.
func (p *Policy) ExemptPlace(id string) bool { return p.exempt.places[id] }

// ExemptCertificate reports the same of a certificate's common name.
func (p *Policy) ExemptCertificate(commonName string) bool {
	return slices.ContainsFunc(p.identity.certified(commonName), p.Exempt)
}

// SamePerson reports whether two connections' user names, or where they have none their common names, are one person's.
func (p *Policy) SamePerson(usernameA, commonNameA, usernameB, commonNameB string) bool {
	b := named(p.identity.connected(usernameB, commonNameB))
	return slices.ContainsFunc(named(p.identity.connected(usernameA, commonNameA)), func(person string) bool { return slices.Contains(b, person) })
}
