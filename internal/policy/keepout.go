package policy

import (
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"
)

// KeepOut is for how long somebody who is cut off may not reconnect: a duration such as "24h", or [Forever]. The zero
// KeepOut is not at all.
type KeepOut string

// Forever keeps somebody out until a reinstatement lifts it.
const Forever KeepOut = "forever"

// Until returns the end of a keep-out that begins at from; the zero time for none.
func (k KeepOut) Until(from time.Time) time.Time {
	d, err := time.ParseDuration(string(k))
	if err != nil {
		return time.Time{}
	}
	return from.Add(d)
}

// Words says it to go behind "keeps somebody out".
func (k KeepOut) Words() string {
	if k == Forever {
		return "for ever"
	}
	return "for " + string(k)
}

// checkKeepOut refuses to keep out a person whom the rule does not cut off. It refuses to keep a person out for ever
// whom nothing would reinstate. An account that was closed may be opened, but nothing takes back a finding.
func (r *rule) checkKeepOut(c *checker, path string) {
	if r.KeepOut == "" {
		return
	}
	path += ".keep_out"
	switch d, err := time.ParseDuration(string(r.KeepOut)); {
	case r.Then != Terminate:
		c.add(path, "keeps out who is cut off, and this rule cuts off nobody; remove it")
	case r.Endpoints != nil:
		c.add(path, "keeps the person out of every endpoint that asks, and this rule acts on some; remove one of the two")
	case r.KeepOut == Forever:
		if r.When == nil || r.When.Kinds == nil || slices.ContainsFunc(
			r.When.Kinds, func(k signal.Kind) bool { return !k.Closes() },
		) {
			c.add(
				path, "forever is for accounts that are closed; limit the rule to kinds: [%s, %s, %s], or give a duration like 24h",
				signal.AccountDisabled, signal.AccountPurged, signal.TokenClaimsChange,
			)
		}
	case err != nil || d <= 0:
		c.add(path, "%q is neither a duration like 24h or 90m nor forever%s", r.KeepOut, inHours(string(r.KeepOut)))
	}
}

// keepOut completes a decision to terminate: who may not reconnect.
func (d *Decision) keepOut(q *question) {
	r := q.rule
	switch people := words(q.who.People); {
	case r == nil || r.KeepOut == "":
	case len(people) == 0:
		d.because(KeptOut, "nobody is kept out, as the event names no person")
	case r.KeepOut == Forever && q.Provider == identity.IAM && !slices.Contains(r.When.Providers, identity.IAM):
		d.because(KeptOut, "%s is not kept out: an IAM user is often deleted when its person moves to IAM Identity Center; "+
			"only a rule with providers: [iam] keeps out for ever", strings.Join(people, " and "))
	default:
		d.KeepOut, d.People = r.KeepOut, people
		d.because(KeptOut, "rule %s keeps %s out %s", r.Name, strings.Join(people, " and "), r.KeepOut.Words())
	}
}

// reinstate completes the decision about a signal that takes back an earlier one: who may reconnect. The rules have
// no say in it.
func (d *Decision) reinstate(people []string) {
	d.Reinstates, d.People = true, people
	d.because(Reinstated, "reinstates %s, if kept out, whatever the rules say", strings.Join(people, " and "))
}
