package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"clientvpn-responder/internal/identity"
)

type identityDocument struct {
	Domains      []string            `yaml:"domains"`
	Issuers      issuerList          `yaml:"issuers"`
	Endpoints    map[string][]string `yaml:"endpoints"`
	Aliases      aliasDocument       `yaml:"aliases"`
	AliasesFile  string              `yaml:"aliases_file"`
	CommonNames  []string            `yaml:"common_names"`
	SessionRoles *[]string           `yaml:"session_roles"`
}

// defaultSessionRoles are the roles that IAM Identity Center makes: it names their sessions after its user.
var defaultSessionRoles = []string{"AWSReservedSSO_*"}

// newBook makes the book of the document, and reports what means nothing in it.
func newBook(d identityDocument, c *checker, file []byte) *identity.Book {
	b := identity.NewBook()
	c.each("identity.domains", d.Domains, b.AddDomain)
	c.each("identity.common_names", d.CommonNames, b.AddTemplate)
	c.each("identity.issuers", d.Issuers, func(s string) error { return b.AddIssuer(identity.ReadIssuer(s)) })
	roles := defaultSessionRoles
	if d.SessionRoles != nil {
		roles = *d.SessionRoles
	}
	c.each("identity.session_roles", roles, func(role string) error {
		if strings.Trim(role, "*? ") == "" {
			return fmt.Errorf("%q would trust every role, and anyone who assumes a role chooses the name of the session", role)
		}
		b.TrustRole(newGlob(role).fitsExactly)
		return notRegular(role)
	})
	c.aliases(b, slices.Concat(d.Aliases, c.aliasFile(d.AliasesFile, file)))
	c.bind(b, d.Endpoints)
	return b
}

// each adds the entries of a list, and reports an error at the entry's line.
func (c *checker) each(path string, entries []string, add func(string) error) {
	for i, entry := range entries {
		if err := add(entry); err != nil {
			c.add(fmt.Sprintf("%s[%d]", path, i), "%v", err)
		}
	}
}

// bind reads on which endpoints an issuer's people connect.
func (c *checker) bind(b *identity.Book, endpoints map[string][]string) {
	for _, issuer := range slices.Sorted(maps.Keys(endpoints)) {
		i, ids := identity.ReadIssuer(issuer), endpoints[issuer]
		switch {
		case !identity.Known(i.Provider):
			c.add("identity.endpoints", "%q is not an issuer like okta:acme", issuer)
		case !b.MayCount(i):
			c.add("identity.endpoints", "%q is not among identity.issuers, so its names are nobody's, and the line limits "+
				"nobody; correct it, or add it there", issuer)
		}
		if len(ids) == 0 {
			c.add(
				"identity.endpoints", "%q has no endpoint, so its people could be found nowhere; name one, or remove the line",
				issuer,
			)
		}
		for _, id := range ids {
			if !endpointID().MatchString(id) {
				c.add("identity.endpoints", "%q is not an endpoint id like cvpn-endpoint-0123456789abcdef0", id)
			}
		}
		b.Bind(i, ids)
	}
}

// personGlob reads a pattern for people, and refuses one that every person fits without saying so.
func personGlob(report *checker, path, pattern string, b *identity.Book) glob {
	pattern = strings.TrimSpace(pattern)
	err := notRegular(pattern)
	switch {
	case strings.EqualFold(pattern, everyone):
		return newGlob("*")
	case pattern == "":
		report.add(path, "is empty; name a person")
	case err != nil:
		report.add(path, "%v", err)
	case fitsAll(b, newGlob(pattern)):
		report.add(path, "%q fits everyone; if that is meant, write %s", pattern, everyone)
	}
	return newGlob(pattern)
}

// fitsAll reports whether a pattern fits every person under one of the person's names. It tests two invented people
// whose names and domains share no letter. A pattern that matches both matches everyone.
func fitsAll(b *identity.Book, g glob) bool {
	for _, nobody := range [][2]string{{"zq0jx7", "bdfgh.nt"}, {"kvw58", "mrs12.yp"}} {
		name, domain := nobody[0], nobody[1]
		names := append(b.Names(identity.Person(name)), name+"@"+domain, domain+`\`+name)
		if !slices.ContainsFunc(append(names, b.CommonNames(names)...), g.fits) {
			return false
		}
	}
	return true
}
