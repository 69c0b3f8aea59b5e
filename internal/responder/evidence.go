package responder

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/vpn"
)

const (
	// maxSimilar is how many similar names an outcome has.
	maxSimilar = 5
	// maxUnknownDomains is how many unknown domains it has.
	maxUnknownDomains = 5
)

// Evidence is what the status not-connected rests on. The names that were searched for are in the decision.
type Evidence struct {
	// From is when the first search began, Until when the last was over, and Searches how many there were.
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	Searches int       `json:"searches"`
	// Endpoints are those that the last complete search listed. Connections is how many connections it looked at
	// there, of everybody, with those that ended within the hour before.
	Endpoints   []string `json:"endpoints"`
	Connections int      `json:"connections"`
	// Similar are connections that were up under similar names: the same in another domain, or one letter apart.
	Similar []SimilarName `json:"similar,omitempty"`
	// UnknownDomains are domains of the event's names that the policy's identity.domains does not list.
	UnknownDomains []string `json:"unknown_domains,omitempty"`
}

// SimilarName is a connection under a name that resembles the person's. Nothing is done about it.
type SimilarName struct {
	Name         string `json:"name"`
	ConnectionID string `json:"connection_id"`
	EndpointID   string `json:"endpoint_id"`
}

// Explain says how the name resembles the one that was sought, and what to add to the policy if both are one person's.
func (s SimilarName) Explain(sought string) string {
	return vpn.SimilarName{Connected: s.Name, Sought: sought}.String()
}

// note takes in the last batch of a search. target is the case's place among the targets. A later search that was not
// complete, as the time was up, says less than the one before.
func (e *Evidence) note(b vpn.Batch, target int) {
	if e.Endpoints == nil || len(b.Failed) == 0 {
		e.look(b.Looked)
	}
	for _, s := range b.Similar {
		known := slices.ContainsFunc(e.Similar, func(other SimilarName) bool { return other.ConnectionID == s.ConnectionID })
		if s.Target == target && !known && len(e.Similar) < maxSimilar {
			e.Similar = append(e.Similar, SimilarName{s.Name, s.ConnectionID, s.EndpointID})
		}
	}
}

// look records which endpoints a search listed, and how many connections.
func (e *Evidence) look(looked map[string]int) {
	e.Endpoints, e.Connections = slices.AppendSeq([]string{}, maps.Keys(looked)), 0
	slices.Sort(e.Endpoints)
	for _, n := range looked {
		e.Connections += n
	}
}

// notConnected says that nothing was found, and what may explain it.
func notConnected(f *facts) string {
	words := f.who + " has no active VPN connection."
	if n := len(f.endedBefore); n > 0 {
		words += fmt.Sprintf(" %s ended within the last hour, the latest at %s.",
			count(n), slices.MaxFunc(f.endedBefore, time.Time.Compare).Format(time.DateTime))
	}
	if domains := f.evidence.UnknownDomains; len(domains) > 0 {
		words += fmt.Sprintf(" The policy's identity.domains does not list %s.", strings.Join(domains, ", "))
	}
	var similar []string
	for _, s := range f.evidence.Similar {
		if !slices.Contains(similar, s.Name) {
			similar = append(similar, s.Name)
		}
	}
	if len(similar) > 0 {
		words += fmt.Sprintf(" %s connected: %s.",
			plural(len(similar), "A similar name is", "Similar names are"), strings.Join(similar, ", "))
	}
	return words
}
