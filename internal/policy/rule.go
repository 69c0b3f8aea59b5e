package policy

import (
	"fmt"
	"strings"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/lazyregexp"
)

var (
	endpointID   = lazyregexp.New(`^cvpn-endpoint-[0-9a-f]+$`)
	connectionID = lazyregexp.New(`^cvpn-connection-[0-9a-f]+$`)
)

func (c *checker) document(d document, book *identity.Book) {
	if d.Version != 1 {
		c.add("version", "must be 1")
	}
	if d.MaxConnections != nil && *d.MaxConnections < 1 {
		c.add("max_connections", "must be at least 1; to terminate nothing, use then: notify")
	}
	oneOf(c, "default", d.Default, Terminate, Notify, Ignore)
	seen := map[string]bool{}
	for i, r := range d.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		switch {
		case strings.TrimSpace(r.Name) == "":
			c.add(path+".name", "missing; outcomes name the rule that decided")
		case seen[r.Name]:
			c.add(path+".name", "%q is the name of an earlier rule", r.Name)
		}
		seen[r.Name] = true
		before := len(c.problems)
		r.check(c, path, book)
		if r.When == nil || len(c.problems) > before {
			continue
		}
		for _, earlier := range d.Rules[:i] {
			if earlier.When != nil && earlier.When.covers(r.When) {
				c.add(
					path, "never decides: whatever fits %q fits the earlier rule %q; put it before that, or remove it", r.Name,
					earlier.Name,
				)
				break
			}
		}
	}
}

// check reports what is wrong with the rule by itself.
func (r *rule) check(c *checker, path string, book *identity.Book) {
	oneOf(c, path+".then", r.Then, Terminate, Notify, Ignore)
	if r.Mode != "" {
		oneOf(c, path+".mode", r.Mode, DryRun, Enforce)
	}
	if r.When == nil {
		c.add(path+".when", "missing; a rule for every signal says so with when: {}")
		return
	}
	r.When.check(c, path+".when", book)
	r.checkEndpoints(c, path+".endpoints")
	r.checkKeepOut(c, path)
}

func (r *rule) checkEndpoints(c *checker, path string) {
	if r.Endpoints == nil {
		return
	}
	if len(r.Endpoints) == 0 {
		c.add(path, "is empty, so the rule acts nowhere; remove the line or name an endpoint")
	}
	for i, endpoint := range r.Endpoints {
		if !endpointID().MatchString(endpoint) {
			c.add(fmt.Sprintf("%s[%d]", path, i), "%q is not an endpoint id like cvpn-endpoint-0123456789abcdef0", endpoint)
		}
	}
	if r.Then != Terminate {
		c.add(path, "limits where connections are ended, and this rule ends none; remove it")
	}
}
