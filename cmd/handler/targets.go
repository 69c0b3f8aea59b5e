package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/lazyregexp"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const regionPattern = `^[a-z]{2,}(-[a-z]+)+-[0-9]+$`

var regionName = lazyregexp.New(regionPattern)

func parseTargets(s *settings, value string) error {
	var problems []error
	for entry := range strings.SplitSeq(value, ",") {
		t, err := parseTarget(strings.TrimSpace(entry))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		s.targets = append(s.targets, t)
	}
	return errors.Join(problems...)
}

// readTargets reads a text of targets, one on a line or several with commas between them. "#" begins a comment. The
// error has every mistake, with its line. A text without a target is a mistake: half an upload must not leave out every
// account.
func readTargets(name string, text []byte) (all []target, err error) {
	var problems []error
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		number++
		line, _, _ = strings.Cut(line, "#")
		for entry := range strings.SplitSeq(line, ",") {
			if entry = strings.TrimSpace(entry); entry == "" {
				continue
			}
			t, err := parseTarget(entry)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s:%d: %w", name, number, err))
				continue
			}
			all = append(all, t)
		}
	}
	if len(all) == 0 && len(problems) == 0 {
		return nil, fmt.Errorf("%s names no target; without any, set TargetsInBucket to \"no\"", name)
	}
	return all, errors.Join(problems...)
}

// parseTarget reads a Region, or a role and a Region.
func parseTarget(entry string) (target, error) {
	t := target{region: entry}
	if role, region, found := strings.Cut(entry, "@"); found {
		parsed, err := parseRole(role)
		if err != nil {
			return target{}, fmt.Errorf("%q: %w", entry, err)
		}
		t = target{parsed, region}
	}
	if !regionName().MatchString(t.region) {
		return target{}, fmt.Errorf("%q is neither a Region like eu-west-1 nor a role and a Region, like "+
			"arn:aws:iam::444455556666:role/clientvpn-responder@eu-west-1; separate several by commas", entry)
	}
	return t, nil
}

func parseRole(role string) (arn.ARN, error) {
	parsed, err := arn.Parse(role)
	if err != nil || parsed.Service != "iam" || parsed.AccountID == "" || !strings.HasPrefix(parsed.Resource, "role/") {
		return arn.ARN{}, fmt.Errorf(
			"%q is not the ARN of a role, like arn:aws:iam::444455556666:role/clientvpn-responder", role)
	}
	return parsed, nil
}

// Source: AWS STS API reference, AssumeRole.
var externalID = lazyregexp.New(`^[\w+=,.@:/-]+$`)

func parseExternalID(s *settings, value string) error {
	if n := len(value); n < 2 || n > 1224 || !externalID().MatchString(value) {
		return errors.New("must be 2 to 1224 letters, digits and the signs +=,.@:/_-")
	}
	s.externalID = value
	return nil
}

// otherAccounts returns the accounts and Regions of TARGETS, and more. Each has credentials of its own, which are
// fetched when they are needed and kept until they expire.
func otherAccounts(cfg aws.Config, s settings, more ...target) (all []vpn.Account) {
	seen := map[target]bool{{region: cfg.Region}: true} // the function's own, and each only once
	for _, t := range slices.Concat(s.targets, more) {
		if seen[t] {
			continue
		}
		seen[t] = true
		a := vpn.Account{Region: t.region, Config: cfg.Copy()}
		a.Config.Region = t.region
		if t.role.Resource != "" {
			a.Account, a.Role = t.role.AccountID, t.role.String()
			a.Config.Credentials = assume(cfg, a.Role, s.externalID)
		}
		all = append(all, a)
	}
	return all
}

// openDirectory returns the identity store, which may be another account's; nil if there is none.
func openDirectory(cfg aws.Config, s settings) *directory.Directory {
	if s.store.ID == "" {
		return nil
	}
	if s.storeRole.Resource != "" {
		own := cfg
		cfg = own.Copy()
		cfg.Credentials = assume(own, s.storeRole.String(), s.externalID)
	}
	return directory.New(cfg, s.store)
}

// assume returns the credentials of a role.
func assume(cfg aws.Config, role, externalID string) aws.CredentialsProvider {
	with := func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "clientvpn-responder"
		if externalID != "" {
			o.ExternalID = &externalID
		}
	}
	return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, with))
}
