package responder

import (
	"context"
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// asItIs returns what a self-test reports though it is no problem. That is the mode, the endpoints that are left out,
// and the last word of each source.
func (r *Responder) asItIs(ctx context.Context) (all []policy.Reason) {
	if r.Mode != policy.Enforce {
		all = append(all, policy.Because(policy.NoRuleAsked, "mode dry-run: nobody is cut off"))
	}
	if left, err := r.VPN.Unguarded(ctx); err == nil && len(left) > 0 {
		all = append(all, policy.Because(policy.NoRuleAsked,
			"not guarded, as ENDPOINT_IDS leaves them out: %s", someOf(left)))
	}
	if heard := r.lastHeard(ctx); len(heard) > 0 {
		all = append(all, policy.Because(policy.NoRuleAsked, "last heard: %s", strings.Join(heard, ", ")))
	}
	return all
}

// lastHeard says when each source was heard last.
func (r *Responder) lastHeard(ctx context.Context) (all []string) {
	if r.Ledger == nil {
		return nil
	}
	part, cancel := forRecall(ctx)
	defer cancel()
	known, err := r.Ledger.Sources(part, signal.Providers())
	if err != nil {
		return nil // the sweep reports a ledger that does not answer
	}
	for _, s := range known {
		all = append(all, fmt.Sprintf("%s at %s UTC", s.Name, s.Last.UTC().Format(time.DateTime)))
	}
	return all
}
