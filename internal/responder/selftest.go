package responder

import (
	"context"
	"errors"
	"fmt"

	"clientvpn-responder/internal/vpn"
)

// selfTest returns whether a person could be cut off now, and every problem. It terminates nobody.
func (r *Responder) selfTest(ctx context.Context, c *Case) Outcome {
	ctx, cancel := forSelfTest(ctx)
	defer cancel()
	endpoints, accounts, problems := r.VPN.Probe(ctx)
	if c.off.Off {
		problems = append(problems, fmt.Errorf("%s, so nobody is cut off or denied; "+
			"the command of the stack's output StartCommand switches it on", c.off))
	}
	problems = append(problems, r.policyProblems()...)
	if r.Probe != nil {
		problems = append(problems, r.Probe(ctx)...)
	}
	problems = append(problems, r.probeAccess(ctx)...)
	whom, err := r.whom(ctx)
	if err != nil {
		problems = append(problems, err)
	}
	c.addReasons(append(whom, r.asItIs(ctx)...)...)
	return c.readiness(endpoints, accounts, problems)
}

// readiness returns the outcome of a self-test that counted endpoints and accounts and met problems.
func (c *Case) readiness(endpoints, accounts int, problems []error) Outcome {
	o := c.outcome()
	if len(problems) == 0 {
		o.Status = Ready
		o.Summary = fmt.Sprintf("Ready: %s of %s can be listed, and connections terminated there.",
			plural(endpoints, "1 endpoint", fmt.Sprintf("%d endpoints", endpoints)),
			plural(accounts, "this account and Region", fmt.Sprintf("%d accounts and Regions", accounts)))
		return o
	}
	for _, problem := range problems {
		code := SelfTestFailed
		if errors.Is(problem, vpn.ErrNoEndpoint) {
			code = NoEndpoint
		}
		o.Problems = append(o.Problems, Problem{Code: code, Cause: problem})
	}
	o.Status, o.Error = NotReady, inFull(o.Problems)
	o.Summary = fmt.Sprintf("Not everybody can be cut off: %s.", o.Problems[0].Brief())
	if more := len(problems) - 1; more > 0 {
		o.Summary += fmt.Sprintf(" And %s.", plural(more, "1 more problem", fmt.Sprintf("%d more problems", more)))
	}
	return o
}

// policyProblems returns what is wrong with the policy and the list of targets.
func (r *Responder) policyProblems() []error {
	var problems []error
	if r.PolicyError != nil {
		problems = append(problems, r.PolicyError)
	}
	if r.PolicyProblem != nil {
		problems = append(problems, fmt.Errorf("the newest policy cannot be used: %w", r.PolicyProblem))
	}
	if r.TargetsProblem != nil {
		problems = append(problems, fmt.Errorf("%s: %w", noTargets, r.TargetsProblem))
	}
	if r.Policy != nil {
		for _, problem := range r.Policy.NotReady() {
			problems = append(problems, errors.New(problem))
		}
	}
	return problems
}

// probeAccess returns what keeps the keep-out list from working: that it cannot be read or written, or that no client
// connect handler asks it. It says nothing of endpoints elsewhere: a handler serves its own account and Region.
func (r *Responder) probeAccess(ctx context.Context) []error {
	if r.KeepOut == nil {
		return nil
	}
	var problems []error
	if err := r.KeepOut.Probe(ctx); err != nil {
		problems = append(problems, err)
	}
	endpoints, err := r.VPN.Endpoints(ctx, true)
	if err != nil {
		return problems // vpn.Probe reports it
	}
	for _, e := range endpoints {
		if e.ConnectHandler == "" && !e.Elsewhere() {
			problems = append(problems,
				fmt.Errorf("no client connect handler is attached to %s, so nobody is kept out there", e.ID))
		}
	}
	return problems
}
