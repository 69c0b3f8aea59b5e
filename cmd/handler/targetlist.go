package main

import (
	"context"
	"fmt"
	"slices"

	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/policysource"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// targetList is the accounts and Regions to guard, if S3 has a list of them. It keeps the VPN that leads there, with
// the credentials of each role, until the list changes.
type targetList struct {
	cfg      aws.Config
	settings settings
	list     *policysource.List[target]
	targets  []target // of the list, that the VPN has
	vpn      *vpn.VPN
}

func newTargetList(cfg aws.Config, s settings) *targetList {
	list := policysource.NewList(lambdaenv.WithAttempt(cfg, policyAttempt), s.targetsAt, readTargets)
	return &targetList{cfg: cfg, settings: s, list: list}
}

// inForce sets the responder's VPN to that of the targets in force. If S3 does not say which they are, nobody is cut
// off: an answer would leave out accounts without a word. The event is tried again.
func (l *targetList) inForce(ctx context.Context, r *responder.Responder) {
	now := l.list.InForce(ctx)
	if now.Err != nil {
		r.Policy, r.PolicyError = nil, fmt.Errorf("the list of targets is not known: %w", now.Err)
		return
	}
	if l.vpn == nil || !slices.Equal(now.Entries, l.targets) {
		all := otherAccounts(l.cfg, l.settings, now.Entries...)
		l.vpn, l.targets = vpn.New(l.cfg, l.settings.endpointIDs, all...), now.Entries
	}
	r.VPN, r.TargetsProblem = l.vpn, now.Problem
}
