package notify

import (
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/responder"
)

// What "not connected" rests on.

// lookedAt says where, when and among how many connections the person was searched for; nothing for other outcomes.
func lookedAt(o responder.Outcome) []string {
	e := o.Evidence
	if e == nil {
		return nil
	}
	const most = 4
	return []string{fmt.Sprintf("%s listed %s, from %s to %s UTC, with %s: %s%s",
		count(len(e.Endpoints), "endpoint"), count(e.Searches, "time"),
		e.From.UTC().Format(time.DateTime), e.Until.UTC().Format(time.TimeOnly),
		count(e.Connections, "connection"), strings.Join(first(most, e.Endpoints), ", "), more(len(e.Endpoints)-most))}
}

// similar returns the connections under similar names.
func similar(o responder.Outcome) []responder.SimilarName {
	if o.Evidence == nil {
		return nil
	}
	return o.Evidence.Similar
}

// evidence writes what the outcome rests on.
func (l *letter) evidence(o responder.Outcome) {
	lines := lookedAt(o)
	if len(lines) > 0 {
		l.part("WHERE WE LOOKED")
	}
	for _, line := range lines {
		l.line("%s", line)
	}
	found := similar(o)
	l.list("SIMILAR NAMES, LEFT ALONE", len(found), func(i int) string {
		s := found[i]
		return fmt.Sprintf("%s on %s: %s", s.ConnectionID, s.EndpointID, s.Explain(o.Signal.Subject.String()))
	})
}

func seeSimilar(o responder.Outcome) string {
	if len(similar(o)) == 0 {
		return ""
	}
	return fmt.Sprintf(
		"See below whether a connection under a similar name is %s's. If so, terminate it by its id, and correct "+
			"the policy's identity as it says there.",
		o.Signal.Subject,
	)
}

func listDomains(o responder.Outcome) string {
	if o.Evidence == nil || len(o.Evidence.UnknownDomains) == 0 {
		return ""
	}
	return fmt.Sprintf("If names of %s are your people's, add it to identity.domains: clientvpn policy put. "+
		"Then: %s", strings.Join(o.Evidence.UnknownDomains, ", "), byName("cut", o))
}

// briefly returns the evidence without most of the endpoints. There may be hundreds.
func briefly(e *responder.Evidence) *responder.Evidence {
	if e == nil {
		return nil
	}
	short := *e
	short.Endpoints = first(50, short.Endpoints)
	return &short
}
