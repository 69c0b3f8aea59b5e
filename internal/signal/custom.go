package signal

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/lazyregexp"
)

// customEvents are the detail-types of our own form.
var customEvents = []meaning{
	{"Terminate Connections", SessionRevoked, "or the kind in the event"},
	{"Reinstate", AccountEnabled, "undoes what an earlier event asked for"},
	{"Release Held", ReleaseHeld, "sends events that the brake holds on their way"},
	{"Drop Held", DropHeld, "deletes events that the brake holds"},
	{"Self Test", SelfTest,
		"asks whether everything is ready; searches for nobody and ignores the detail"},
}

// parseCustom reads our own form, for people, HR systems and every provider without a parser: source
// "clientvpn-responder", detail-type "Terminate Connections", and a detail of
//
//	username        whom to cut off; or
//	usernames       several people, a signal for each; or
//	connection_id   one connection; or
//	client_ip       the holder of this address of a client CIDR, and with it
//	seen_at         RFC 3339; when the holder had the address
//	reason          required
//	requested_by    who asks
//	kind            one of [Kinds]; session-revoked if absent
//	effective_at    RFC 3339; nothing is done before
//	dry_run         true to ask what would be done; nothing is
//
// Keys may be in camelCase or with hyphens, too. The parser ignores other keys. It refuses keys that look like a
// condition, such as a date: to act without it would cut somebody off too early.
//
// The detail-type "Reinstate" takes the same form, for people and without a kind. parseRuling reads rulings.
func parseCustom(e event) ([]Signal, error) {
	meant, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
	base := Signal{ID: string(e.ID), Kind: meant, Type: string(e.DetailType)}
	if meant == SelfTest {
		return []Signal{base}, e.checkDetail()
	}
	fields, err := readCustomFields(e.Detail)
	if err != nil {
		return nil, err
	}
	form, err := fields.form()
	if err == nil {
		err = form.complete(e, meant)
	}
	if err != nil {
		return nil, err
	}
	base.DryRun, base.Reason, base.RequestedBy = form.dryRun, form.reason, clip(form.requestedBy, 200)
	if meant.IsRuling() {
		return parseRuling(base, form)
	}
	if base.Kind, err = form.kindOf(meant); err != nil {
		return nil, err
	}
	if base.EffectiveAt, err = form.effectiveTime(); err != nil {
		return nil, err
	}
	subjects, err := form.subjects()
	if err != nil {
		return nil, err
	}
	if meant == AccountEnabled && len(subjects[0].Usernames) == 0 {
		return nil, unreadable("detail", "only people are reinstated; give username or usernames")
	}
	return eachSubject(base, subjects), nil
}

// customForm is the detail of our own form. A nil effectiveAt is absent.
type customForm struct {
	people                    []Subject
	connectionID, clientIP    string
	reason, requestedBy, kind string
	source                    string // of a ruling
	effectiveAt               *string
	seenAt                    string
	dryRun                    bool
}

// complete returns an error for what every form must have, and for what this one must not have.
func (f customForm) complete(e event, meant Kind) error {
	switch {
	case e.ID == "":
		return unreadable("id", "missing; EventBridge gives every event an id, which identifies repeats")
	case f.dryRun && meant != SessionRevoked:
		return unreadable("detail.dry_run", "only a termination can be tried; remove it")
	case f.reason == "":
		return unreadable("detail.reason", "missing; say why, it goes into the outcome")
	}
	return nil
}

// kindOf returns the form's kind, or the one that the detail-type means.
func (f customForm) kindOf(meant Kind) (Kind, error) {
	switch kind := Kind(f.kind); {
	case kind == "":
		return meant, nil
	case meant == AccountEnabled && kind != meant:
		return "", unreadable("detail.kind", "%q contradicts the detail-type Reinstate; remove it", clip(f.kind, 40))
	case !slices.Contains(Kinds(), kind):
		return "", unreadable("detail.kind", "%q is not one of %s", clip(f.kind, 40), joinKinds(Kinds()))
	default:
		return kind, nil
	}
}

// effectiveTime returns the time before which nothing may be done, or the zero time.
func (f customForm) effectiveTime() (time.Time, error) {
	if f.effectiveAt == nil {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, *f.effectiveAt)
	if err != nil {
		return at, unreadable("detail.effective_at", "%q is not a time like 2026-11-30T17:00:00Z", clip(*f.effectiveAt, 40))
	}
	return at.UTC(), nil
}

// seenTime returns when the address was seen. Without that, it could be another person's by now.
func (f customForm) seenTime() (time.Time, error) {
	if f.seenAt == "" {
		return time.Time{}, unreadable("detail.seen_at",
			"missing; say when client_ip was seen, as addresses are used again, such as 2026-11-30T17:00:00Z")
	}
	at, err := time.Parse(time.RFC3339, f.seenAt)
	if err != nil {
		return at, unreadable("detail.seen_at", "%q is not a time like 2026-11-30T17:00:00Z", clip(f.seenAt, 40))
	}
	return at.UTC(), nil
}

// connectionID matches the id of a Client VPN connection.
var connectionID = lazyregexp.New(`^cvpn-connection-[0-9a-f]+$`)

// subjects returns the people, the connection or the address that the form names.
func (f customForm) subjects() ([]Subject, error) {
	const choose = "give exactly one of username, usernames, connection_id, client_ip"
	connection, address := f.connectionID, f.clientIP
	switch {
	case len(f.people) > 0 && connection == "" && address == "":
		return f.people, nil
	case len(f.people) == 0 && connection != "" && address == "":
		if !connectionID().MatchString(connection) {
			return nil, unreadable("detail.connection_id",
				"%q is not like cvpn-connection-0123456789abcdef0", clip(connection, 40))
		}
		return []Subject{{ConnectionID: connection}}, nil
	case len(f.people) == 0 && connection == "" && address != "":
		ip, err := netip.ParseAddr(address)
		if err != nil || ip.Zone() != "" {
			return nil, unreadable("detail.client_ip", "%q is not an IP address", clip(address, 40))
		}
		seen, err := f.seenTime()
		return []Subject{{ClientIP: address, SeenAt: seen}}, err
	case len(f.people) == 0:
		return nil, unreadable("detail", "names nobody; %s", choose)
	default:
		return nil, unreadable("detail", "names more than one thing; %s", choose)
	}
}

func joinKinds(kinds []Kind) string {
	var words []string
	for _, k := range kinds {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}
