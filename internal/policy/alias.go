package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/lazyregexp"

	"github.com/goccy/go-yaml/ast"
)

// alias is one entry of identity.aliases, or a line of the file of aliases.
type alias struct {
	issuer       identity.Issuer // without a provider for every issuer
	name, person string
	file         string // empty for the policy itself
	line, column int
}

// aliasDocument is the YAML form: a map from names to people, in which the names of one issuer may be a map of their
// own.
type aliasDocument []alias

func (d *aliasDocument) read(c *checker, n ast.Node) {
	entries, ok := mapEntries(n)
	if !ok {
		c.addNode(n, "must be a map of names to people")
	}
	for _, e := range entries {
		name := keyOf(e)
		inner, nested := mapEntries(e.Value)
		if !nested {
			*d = append(*d, newAlias(e, flatIssuer(name)).mended())
		}
		for _, i := range inner {
			*d = append(*d, newAlias(i, aliasKey{identity.ReadIssuer(name), keyOf(i)}))
		}
	}
}

type aliasKey struct {
	issuer identity.Issuer
	name   string
}

// flatIssuer takes the provider off a key such as onelogin:92345678.
func flatIssuer(key string) aliasKey {
	provider, name, found := strings.Cut(strings.TrimSpace(key), ":")
	if !found || !identity.Known(provider) {
		return aliasKey{name: key}
	}
	return aliasKey{identity.Issuer{Provider: provider}, name}
}

func newAlias(e *ast.MappingValueNode, key aliasKey) alias {
	at := e.Key.GetToken().Position
	a := alias{issuer: key.issuer, name: key.name, line: at.Line, column: at.Column}
	a.person, _ = textOf(e.Value) // whatever else it is, is nobody
	return a
}

// mended returns the alias as the author meant it. In braces, the library ends the key at its first colon.
func (a alias) mended() alias {
	name, person, found := strings.Cut(a.person, ": ")
	if found && identity.Known(a.name) && a.issuer.Provider == "" {
		a.issuer, a.name, a.person = identity.Issuer{Provider: a.name}, name, person
	}
	return a
}

// issuerList is a list of issuers.
type issuerList []string

// read reads the list. In braces, the library takes okta:acme for a map.
func (l *issuerList) read(c *checker, n ast.Node) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		c.addNode(n, "must be a list, such as [iam:111122223333]")
		return
	}
	for _, entry := range list.Values {
		text, ok := textOf(entry)
		if pair, isMap := mapEntries(entry); isMap && len(pair) == 1 {
			var part string
			part, ok = textOf(pair[0].Value)
			text = keyOf(pair[0]) + ":" + part
		}
		if !ok {
			c.addNode(entry, "must be an issuer, such as iam:111122223333")
			continue
		}
		*l = append(*l, text)
	}
}

// opaque are forms of ids that no person types.
var opaque = lazyregexp.New(
	`^([0-9a-f]{10}-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|\||^00u[0-9A-Za-z]{17}$`,
)

// aliases adds the aliases to the book.
func (c *checker) aliases(b *identity.Book, all []alias) {
	for _, a := range all {
		switch {
		case a.issuer.Provider != "" && !identity.Known(a.issuer.Provider):
			c.alias(
				a, "%q is not an issuer like okta or okta:acme%s", a.issuer, didYouMean(a.issuer.Provider, identity.Providers()),
			)
		case a.issuer.Provider != "" && a.issuer.Within == "" && strings.Contains(a.name, ":") && a.file == "":
			c.alias(
				a, "it is unclear where the issuer of %q ends; nest it: %s:<part>: {<id>: %s}", a.issuer.Provider+":"+a.name,
				a.issuer.Provider, a.person,
			)
		case a.issuer.Provider == "" && opaque().MatchString(strings.ToLower(a.name)):
			c.alias(
				a, "%q is an id, and an id is only its issuer's; write it behind the provider, such as okta:%s", a.name, a.name,
			)
		default:
			if err := b.AddAlias(a.issuer, a.name, a.person); err != nil {
				c.alias(a, "%v", err)
			}
		}
	}
	hiding := b.Hiding()
	for _, a := range all {
		if from, hides := hiding[string(b.Person(a.name))]; hides {
			c.alias(a, "%q leads to another alias", from)
		}
		if from, hides := hiding[identity.Fold(a.name)]; hides && a.issuer.Provider == "" {
			c.alias(
				a, "%q hides a person: %s leads to that name, and this alias makes %s of it; let both lead to one person",
				a.name, from, a.person,
			)
		}
	}
}

func (c *checker) alias(a alias, format string, args ...any) {
	problem := fmt.Sprintf(format, args...)
	if a.file != "" {
		c.problems = append(c.problems, fmt.Errorf("%s:%d: %s", a.file, a.line, problem))
		return
	}
	c.addAt(a.line, a.column, "identity.aliases", problem)
}

// csvHeader is the first line of a file of aliases.
const csvHeader = "issuer,name,person"

// aliasFile reads the file of aliases: a header, and a line for each alias. The issuer may be empty for every one.
func (c *checker) aliasFile(name string, data []byte) []alias {
	if name == "" {
		return nil
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = 3, true, '#'
	var all []alias
	for first := true; ; first = false {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			if first {
				c.problems = append(c.problems, fmt.Errorf("%s:1: is empty; begin with %s", name, csvHeader))
			}
			return all
		}
		line, _ := r.FieldPos(0)
		var form *csv.ParseError
		switch {
		case errors.As(err, &form):
			c.problems = append(c.problems, fmt.Errorf("%s:%d: %w; each line is %s", name, form.Line, form.Err, csvHeader))
			return all
		case err != nil:
			c.problems = append(c.problems, fmt.Errorf("reading %s: %w", name, err))
			return all
		case first && strings.Join(fields, ",") != csvHeader:
			c.problems = append(c.problems, fmt.Errorf("%s:1: begin with the line %s", name, csvHeader))
			return all
		case !first:
			all = append(
				all,
				alias{
					issuer: identity.ReadIssuer(strings.TrimSpace(fields[0])), name: fields[1], person: fields[2], file: name,
					line: line,
				},
			)
		}
	}
}
