package signal

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/lazyregexp"
)

// customFields are the members of the form's detail, without those that are null. Keys are in lower case and without
// separators.
type customFields map[string]json.RawMessage

// customKeys are the keys of the form.
var customKeys = []string{
	"username", "usernames", "connectionid", "clientip", "seenat", "reason", "requestedby", "kind", "effectiveat",
	"source", "dryrun",
}

var (
	customSeparators = replacer("_", "", "-", "")
	// condition matches keys that look like a condition.
	condition = lazyregexp.New(`effective|date|day$|` +
		`(start|end|ends|terminate|leave|leaves|expire|expires|run|execute|valid)(at|on|from|until)$|` +
		`^(when|at|on|from|until)$|schedul|delay|notbefore|notafter|until|dryrun|^mode$|` +
		`^(after|before|expires|expiry|expiration|deadline)$`)
	// history matches keys of the past, which are no condition.
	history = lazyregexp.New(`^(last)?(updated?|created?|modified|changed|hired?|birth|start)(at|on|date|day)?$`)
)

func readCustomFields(detail json.RawMessage) (customFields, error) {
	var members map[string]json.RawMessage
	if err := decode("detail", detail, &members); err != nil {
		return nil, err
	}
	fields := customFields{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := members[name]
		if string(value) == "null" {
			continue
		}
		key := customSeparators().Replace(strings.ToLower(name))
		if _, twice := fields[key]; twice {
			return nil, unreadable("detail."+name, "given twice, in two spellings; keep one")
		}
		known := slices.Contains(customKeys, key)
		if !known && condition().MatchString(key) && !history().MatchString(key) {
			return nil, unreadable("detail."+name,
				"looks like a condition, which this form does not have; use effective_at or the policy's modes, or remove it")
		}
		fields[key] = value
	}
	return fields, nil
}

// form reads all fields. Its error is about the first one that cannot be read.
func (fields customFields) form() (customForm, error) {
	var form customForm
	var effectiveAt string
	for _, field := range []struct {
		name string
		to   *string
	}{
		{"kind", &form.kind},
		{"reason", &form.reason},
		{"requested_by", &form.requestedBy},
		{"effective_at", &effectiveAt},
		{"connection_id", &form.connectionID},
		{"client_ip", &form.clientIP},
		{"seen_at", &form.seenAt},
		{"source", &form.source},
	} {
		raw, ok := fields[customSeparators().Replace(field.name)]
		if !ok {
			continue
		}
		var value requiredString
		if err := decode("detail."+field.name, raw, &value); err != nil {
			return customForm{}, err
		}
		*field.to = strings.TrimSpace(string(value))
	}
	if _, ok := fields["effectiveat"]; ok {
		form.effectiveAt = &effectiveAt
	}
	if raw, ok := fields["dryrun"]; ok {
		// Only a plain true or false: what somebody means as a trial must never be carried out.
		if err := decode("detail.dry_run", raw, &form.dryRun); err != nil {
			return customForm{}, err
		}
	}
	var err error
	form.people, err = fields.people()
	return form, err
}

// people reads username and usernames. A text that cannot be a name is an error, not a gap: the sender meant somebody.
func (fields customFields) people() ([]Subject, error) {
	one, hasOne := fields["username"]
	several, hasSeveral := fields["usernames"]
	switch {
	case hasOne && hasSeveral:
		return nil, unreadable("detail.usernames", "given beside username; put all names into usernames")
	case hasOne:
		person, err := customPerson("detail.username", one)
		return []Subject{person}, err
	case !hasSeveral:
		return nil, nil
	}
	var list []json.RawMessage
	if err := decode("detail.usernames", several, &list); err != nil {
		return nil, err
	}
	var people subjects
	for i, raw := range list {
		person, err := customPerson(fmt.Sprintf("detail.usernames[%d]", i), raw)
		if err != nil {
			return nil, err
		}
		people.add(person)
	}
	return people, nil
}

func customPerson(path string, raw json.RawMessage) (Subject, error) {
	var value requiredString
	if err := decode(path, raw, &value); err != nil {
		return Subject{}, err
	}
	name := Name(string(value))
	if name == "" {
		return Subject{}, unreadable(path, "%q cannot be somebody's name", clip(string(value), 40))
	}
	return subjectOf(identity.Issuer{Provider: identity.Custom}, login(requiredString(name))), nil
}
