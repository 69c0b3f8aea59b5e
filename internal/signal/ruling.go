package signal

import "slices"

// The kinds of our own form that are about the brake and not about a person's access. A policy does not see them.
const (
	ReleaseHeld Kind = "release-held"
	DropHeld    Kind = "drop-held"
)

// IsRuling reports whether the kind is a person's decision about what the brake holds.
func (k Kind) IsRuling() bool { return k == ReleaseHeld || k == DropHeld }

// Scope is which of the events that the brake holds a ruling is about: those of a source, of some people, or all.
type Scope struct {
	Source string   `json:"source,omitempty"`
	People []string `json:"people,omitempty"`
}

// parseRuling reads the detail-types "Release Held" and "Drop Held" of our own form:
//
//	source          whose events; a provider, findings, or all
//	username        or
//	usernames       limits it to these people
//	reason          required
//	requested_by    required: it goes on record
func parseRuling(base Signal, form customForm) ([]Signal, error) {
	switch {
	case form.requestedBy == "":
		return nil, unreadable("detail.requested_by", "missing; say who decides, it goes on record")
	case form.source == "":
		return nil, unreadable("detail.source", "missing; name the source whose events are meant, such as okta, or all")
	case form.connectionID != "" || form.clientIP != "":
		return nil, unreadable("detail", "the brake holds people; give source, and username or usernames to limit it")
	case form.effectiveAt != nil || form.kind != "":
		return nil, unreadable("detail", "a ruling holds at once and has no kind; remove effective_at and kind")
	}
	scope := Scope{Source: form.source}
	for _, person := range form.people {
		scope.People = append(scope.People, person.Usernames...)
	}
	base.Scope = &scope
	return []Signal{base}, nil
}

// everySource is the word for the events of every source.
const everySource = "all"

// findingsLane is the brake of findings from all providers.
const findingsLane = "findings"

// Lane returns the brake that counts the signal: findings have one of their own, and every provider has.
func (s *Signal) Lane() string {
	if s.Kind == Finding {
		return findingsLane
	}
	return s.Provider
}

// Lanes returns every brake that there can be.
func Lanes() []string { return append(Providers(), findingsLane) }

// Lanes returns the brakes that a scope is about; none for a source that there is not.
func (s Scope) Lanes() []string {
	if s.Source == everySource {
		return Lanes()
	}
	return slices.DeleteFunc(Lanes(), func(lane string) bool { return lane != s.Source })
}
