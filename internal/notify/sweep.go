package notify

import (
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/responder"
)

func isSweep(o responder.Outcome) bool { return o.Sweep != nil }

// sweepFound says who is connected although the account is closed.
func sweepFound(o responder.Outcome) string {
	if o.Sweep.Closed == 0 {
		return ""
	}
	var all []string
	for _, c := range first(10, o.Sweep.ClosedFirst) {
		all = append(all, fmt.Sprintf("%s (closed by %s)", c.Person, c.Issuer))
	}
	return fmt.Sprintf("Connected although the account is closed: %s%s. The outcome of each says what was done. See "+
		"whether the source's events arrive.", strings.Join(all, ", "), more(o.Sweep.Closed-len(all)))
}

// sweepLost says whom no event could find.
func sweepLost(o responder.Outcome) string {
	if o.Sweep.NotFindable == 0 {
		return ""
	}
	var all []string
	for _, u := range first(5, o.Sweep.NotFindableFirst) {
		all = append(all, fmt.Sprintf("%s on %s: %s", u.ConnectionID, u.EndpointID, u.Why))
	}
	return fmt.Sprintf("No event could find these connections%s: %s. If it is a person's, add a template or an alias to "+
		"identity in the policy; if not, add it to exempt.", more(o.Sweep.NotFindable-len(all)), strings.Join(all, "; "))
}

// sweepSilent names the sources that are silent.
func sweepSilent(o responder.Outcome) string {
	if len(o.Sweep.Silent) == 0 {
		return ""
	}
	var all []string
	for _, s := range o.Sweep.Silent {
		all = append(all, fmt.Sprintf("%s since %s UTC", knownAs(s.Source), s.Since.Format(time.DateTime)))
	}
	return fmt.Sprintf("Silent for longer than usual: %s. See whether the event source or the forwarder still runs.",
		strings.Join(all, ", "))
}

// sweepForever names who is kept out for ever since long.
func sweepForever(o responder.Outcome) string {
	if o.Sweep.Forever == 0 {
		return ""
	}
	all := first(10, o.Sweep.ForeverFirst)
	return fmt.Sprintf("Kept out for ever for more than 90 days: %s%s. See whether that is still right.",
		strings.Join(all, "; "), more(o.Sweep.Forever-len(all)))
}
