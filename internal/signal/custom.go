package signal

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// customEvents are the detail-types of our own form.
var customEvents = []meaning{
	{"Terminate Connections", SessionRevoked, "or the kind that the event gives"},
	{"Reinstate", AccountEnabled, "takes back what an earlier event asked for"},
	{"Self Test", SelfTest, "asks whether everything is ready; nobody is looked for, and the detail is not read"},
}

// parseCustom reads our own form, for people, HR systems and every provider without a parser: source
// "clientvpn-responder", detail-type "Terminate Connections", and a detail of
//
//	username        whom to cut off; or
//	usernames       several people, a signal for each; or
//	connection_id   one connection; or
//	client_ip       whoever holds this address of a client CIDR
//	reason          required
//	requested_by    who asks
//	kind            one of [Kinds]; session-revoked if absent
//	effective_at    RFC 3339; nothing is done before
//
// Keys may be in camelCase or with hyphens too. Others are left alone, except those that look like a condition, such as a
// date: to act as if they were not there would cut somebody off too early.
//
// The detail-type "Reinstate" takes the same form, for people and without a kind.
func parseCustom(e event) ([]Signal, error) {
	meant, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
	if meant == SelfTest {
		return []Signal{{ID: string(e.ID), Kind: SelfTest, Type: string(e.DetailType)}}, nil
	}
	var detail map[string]json.RawMessage
	if err := decode("detail", e.Detail, &detail); err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	for key, value := range detail {
		if string(value) == "null" {
			continue
		}
		key = separators.Replace(strings.ToLower(key))
		if _, twice := fields[key]; twice {
			return nil, unreadable("detail."+key, "given twice, in two spellings; keep one")
		}
		if !slices.Contains(customFields, key) && condition().MatchString(key) && !history().MatchString(key) {
			return nil, unreadable("detail."+key, "looks like a condition and is none that is known; see effective_at and the policy's modes, or remove it")
		}
		fields[key] = value
	}
	var firstErr error
	get := func(name string) string {
		var t requiredString
		if raw, ok := fields[separators.Replace(name)]; ok {
			if err := decode("detail."+name, raw, &t); err != nil && firstErr == nil {
				firstErr = err
			}
		}
		return strings.TrimSpace(string(t))
	}
	base := Signal{
		ID: string(e.ID), Kind: Kind(get("kind")), Type: string(e.DetailType),
		Reason: get("reason"), RequestedBy: clip(get("requested_by"), 200),
	}
	effectiveAt, connection, address := get("effective_at"), get("connection_id"), get("client_ip")
	people, err := customPeople(fields)
	switch {
	case firstErr != nil:
		return nil, firstErr
	case err != nil:
		return nil, err
	case e.ID == "":
		return nil, unreadable("id", "missing; EventBridge gives every event one, and repeats are known by it")
	case base.Reason == "":
		return nil, unreadable("detail.reason", "missing; say why, it goes into the outcome")
	}
	switch {
	case base.Kind == "":
		base.Kind = meant
	case meant == AccountEnabled && base.Kind != meant:
		return nil, unreadable("detail.kind", "%q contradicts the detail-type Reinstate; remove it", clip(string(base.Kind), 40))
	case !slices.Contains(Kinds(), base.Kind):
		return nil, unreadable("detail.kind", "%q is none of %s", clip(string(base.Kind), 40), join(Kinds()))
	}
	if _, given := fields["effectiveat"]; given {
		if base.EffectiveAt, err = time.Parse(time.RFC3339, effectiveAt); err != nil {
			return nil, unreadable("detail.effective_at", "%q is not a time like 2026-11-30T17:00:00Z", clip(effectiveAt, 40))
		}
		base.EffectiveAt = base.EffectiveAt.UTC()
	}

	const choose = "give exactly one of username, usernames, connection_id, client_ip"
	switch {
	case len(people) > 0 && connection == "" && address == "":
	case len(people) == 0 && connection != "" && address == "":
		if !connectionID().MatchString(connection) {
			return nil, unreadable("detail.connection_id", "%q is not like cvpn-connection-0123456789abcdef0", clip(connection, 40))
		}
		people = []Subject{{ConnectionID: connection}}
	case len(people) == 0 && connection == "" && address != "":
		ip, err := netip.ParseAddr(address)
		if err != nil || ip.Zone() != "" {
			return nil, unreadable("detail.client_ip", "%q is not an IP address", clip(address, 40))
		}
		people = []Subject{{ClientIP: address}}
	case len(people) == 0:
		return nil, unreadable("detail", "names nobody; %s", choose)
	default:
		return nil, unreadable("detail", "names more than one thing; %s", choose)
	}
	if meant == AccountEnabled && len(people[0].Usernames) == 0 {
		return nil, unreadable("detail", "only people are reinstated; give username or usernames")
	}
	var signals []Signal
	for _, subject := range people {
		s := base
		s.Subject = subject
		signals = append(signals, s)
	}
	return signals, nil
}

// customPeople reads username and usernames. A name that is no name is an error, not a gap: the sender meant somebody.
func customPeople(fields map[string]json.RawMessage) ([]Subject, error) {
	var people []Subject
	seen := map[string]bool{}
	add := func(path string, raw json.RawMessage) error {
		var t requiredString
		if err := decode(path, raw, &t); err != nil {
			return err
		}
		name := Name(string(t))
		if name == "" {
			return unreadable(path, "%q cannot be somebody's name", clip(string(t), 40))
		}
		if !seen[name] {
			seen[name] = true
			people = append(people, Subject{Usernames: []string{name}})
		}
		return nil
	}
	one, hasOne := fields["username"]
	several, hasSeveral := fields["usernames"]
	if hasOne && hasSeveral {
		return nil, unreadable("detail.usernames", "given beside username; put all names into usernames")
	}
	if hasOne {
		err := add("detail.username", one)
		return people, err
	}
	if hasSeveral {
		var list []json.RawMessage
		if err := decode("detail.usernames", several, &list); err != nil {
			return nil, err
		}
		for i, raw := range list {
			if err := add(fmt.Sprintf("detail.usernames[%d]", i), raw); err != nil {
				return nil, err
			}
		}
	}
	return people, nil
}

// customFields are the keys of the form, as they are compared.
var customFields = []string{"username", "usernames", "connectionid", "clientip", "reason", "requestedby", "kind", "effectiveat"}

var (
	separators   = strings.NewReplacer("_", "", "-", "")
	condition    = lazy(`effective|date|day$|(start|end|ends|terminate|leave|leaves|expire|expires|run|execute|valid)(at|on|from|until)$|^(when|at|on|from|until)$|schedul|delay|notbefore|notafter|until|dryrun|^mode$`)
	history      = lazy(`^(last)?(updated?|created?|modified|changed|hired?|birth|start)(at|on|date|day)?$`)
	connectionID = lazy(`^cvpn-connection-[0-9a-f]+$`)
)

func join(kinds []Kind) string {
	var words []string
	for _, k := range kinds {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}
