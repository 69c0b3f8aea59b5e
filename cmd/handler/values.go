package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/lazyregexp"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/policy"
)

func parseMode(s *settings, value string) error {
	switch mode := policy.Mode(value); mode {
	case policy.DryRun, policy.Enforce:
		s.mode = mode
		return nil
	default:
		return fmt.Errorf("%q is neither dry-run nor enforce", mode)
	}
}

var endpointID = lazyregexp.New(`^cvpn-endpoint-[0-9a-f]+$`)

func parseEndpointIDs(s *settings, value string) error {
	var problems []error
	for id := range strings.SplitSeq(value, ",") {
		switch id = strings.TrimSpace(id); {
		case !endpointID().MatchString(id):
			problems = append(problems, fmt.Errorf(
				"%q is not an endpoint id like cvpn-endpoint-0123456789abcdef0; separate several by commas", id))
		case !slices.Contains(s.endpointIDs, id):
			s.endpointIDs = append(s.endpointIDs, id)
		}
	}
	return errors.Join(problems...)
}

func parseWatch(s *settings, value string) error {
	watch, err := time.ParseDuration(value)
	if err != nil || watch < 0 {
		return fmt.Errorf("%q is not a duration like 15s; 0 is off", value)
	}
	s.watch = watch
	return nil
}

func parsePartners(s *settings, value string) error {
	for name := range strings.SplitSeq(value, ",") {
		switch name = strings.TrimSpace(name); {
		case name == "": // the template leaves gaps
		case !strings.HasPrefix(name, "aws.partner/"):
			return fmt.Errorf("%q is not the name of a partner event source, like aws.partner/okta.com/example/clientvpn", name)
		default:
			s.partners = append(s.partners, name)
		}
	}
	return nil
}

func parseKeepOut(s *settings, value string) error {
	if value != "on" && value != "off" {
		return fmt.Errorf("%q is neither on nor off", value)
	}
	s.keepOut = value == "on"
	return nil
}

// place returns where the function runs, for the commands and links in e-mails.
func (s *settings) place() notify.Place {
	return notify.Place{Stack: s.stack, Region: s.region, LogGroup: s.logGroup, Stop: s.stopCommand()}
}

// stopCommand returns the command that switches everything off, for e-mails. The template's output StopCommand also
// says who did it and when.
func (s *settings) stopCommand() string {
	if s.table == "" {
		return ""
	}
	const command = `aws dynamodb put-item --region %s --table-name %s --item '{"id":{"S":"switch#off"}}'`
	return fmt.Sprintf(command, s.region, s.table)
}
