package responder

import (
	"cmp"
	"context"
	"fmt"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/vpn"
)

// whom says for a self-test whom each endpoint can carry, and what an edit of the policy's identity changed for people
// who are kept out. Reading the list may fail, which is a problem of the self-test.
func (r *Responder) whom(ctx context.Context) ([]policy.Reason, error) {
	var all []policy.Reason
	endpoints, _ := r.VPN.Endpoints(ctx, true) // vpn.Probe reports the error
	for _, e := range endpoints {
		all = append(all, policy.Because(policy.Carries, "%s", carries(r.Policy, e)))
	}
	if r.KeepOut == nil || r.Policy == nil {
		return all, nil
	}
	entries, err := r.KeepOut.List(ctx)
	for _, e := range entries {
		if edited := r.Policy.Edited(Listed(e)); edited != "" && len(all) < mostEdited {
			all = append(all, policy.Because(policy.Access, "%s", edited))
		}
	}
	return all, err
}

// mostEdited limits what one outcome says.
const mostEdited = 100

// carries says whom an endpoint can carry.
func carries(p *policy.Policy, e vpn.Endpoint) string {
	words := fmt.Sprintf("%s: %s, so people are known by %s", e.ID,
		cmp.Or(e.Authenticates(), "EC2 does not say how it authenticates"), e.KnownBy())
	if p != nil {
		words += p.BoundOn(e.ID)
	}
	return words
}

// Listed returns what the policy looks at of an entry of the keep-out list.
func Listed(e ledger.Entry) policy.Listed {
	return policy.Listed{Person: e.Person, Names: e.Names, Known: e.Known, CommonNames: e.CommonNames}
}
