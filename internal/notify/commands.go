package notify

import (
	"fmt"
	"regexp"

	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// ec2ID matches EC2's ids, which may be part of a command. Nothing else of an event or a client may.
var ec2ID = regexp.MustCompile(`^cvpn-(endpoint|connection)-[0-9a-f]+$`)

// again says what happens to an incomplete outcome.
func again(responder.Outcome) string {
	return "It is tried again by itself, unless you invoked the function by hand. If that fails too, the event waits " +
		"in the dead-letter queue: redrive it when the cause is gone."
}

// doneWith says that nothing is left to terminate.
func doneWith(o responder.Outcome) string {
	if hasSpared(o) {
		return fmt.Sprintf("Done: %s has no active connection left that the policy allows to terminate.", o.Signal.Subject)
	}
	return fmt.Sprintf("Done: %s has no active connection left.", o.Signal.Subject)
}

// stayOut says, after what is done, whether the person can connect again and what to do about it.
func stayOut(done step) step {
	return func(o responder.Outcome) string {
		person := o.Signal.Subject
		switch {
		case isKeptOut(o):
			return fmt.Sprintf("%s The client connect handler turns %s away %s, on the endpoints that have it.",
				done(o), person, o.HowLong())
		case o.Signal.Kind != signal.AccountDisabled && o.Signal.Kind != signal.AccountPurged:
			return fmt.Sprintf("%s A person who can still sign in can connect again. If %s must stay out, disable the user at "+
				"the identity provider, or revoke the certificate.", done(o), person)
		case o.Signal.Provider == signal.Custom:
			return fmt.Sprintf("%s If the account is not closed yet, close it. "+
				"If the VPN accepts certificates, revoke %s's, too.",
				done(o), person)
		}
		return fmt.Sprintf("%s %s reports that the account is closed. If the VPN accepts certificates, revoke %s's, too: it "+
			"outlives the account.", done(o), knownAs(o.Signal.Provider), person)
	}
}

func letIn(when string) step {
	return func(o responder.Outcome) string {
		return fmt.Sprintf("To let %s in %s, send a custom request with the detail-type Reinstate.", o.Signal.Subject, when)
	}
}

func letInEarlier(o responder.Outcome) string {
	if !isKeptOut(o) {
		return ""
	}
	return letIn("earlier")(o)
}

func readFinding(o responder.Outcome) string {
	if !isFinding(o) {
		return ""
	}
	return "Read the finding, and take away what else the credentials open: access keys, sessions, roles."
}

func seeSpared(o responder.Outcome) string {
	if !hasSpared(o) {
		return ""
	}
	return "See below what was left alone, and why."
}

func sendAgain(o responder.Outcome) string {
	return fmt.Sprintf("Then send the event again, or a custom request for %s.", o.Signal.Subject)
}

func onlyByRequest(o responder.Outcome) string {
	return fmt.Sprintf("If %s must be cut off, send a custom request; nothing else will.", o.Signal.Subject)
}

// byHand has the command that terminates the first connection that is left.
func byHand(o responder.Outcome) string {
	connections := left(o)
	if len(connections) == 0 || !ec2ID.MatchString(connections[0].ID) || !ec2ID.MatchString(connections[0].EndpointID) {
		return ""
	}
	c, others := connections[0], ""
	if len(connections) > 1 {
		others = " (this one, the others likewise)"
	}
	return fmt.Sprintf("To end by hand what is up%s: aws ec2 terminate-client-vpn-connections%s "+
		"--client-vpn-endpoint-id %s --connection-id %s", others, prefixed(" --region ", c.Region), c.EndpointID, c.ID)
}

func byHandIfEnforced(o responder.Outcome) string {
	if dryRun(o) {
		return ""
	}
	return byHand(o)
}

// lookYourself has the command that shows the connections that are left.
func lookYourself(o responder.Outcome) string {
	up := left(o)
	if len(up) == 0 || !ec2ID.MatchString(up[0].EndpointID) {
		return ""
	}
	return fmt.Sprintf("To look yourself: aws ec2 describe-client-vpn-connections%s --client-vpn-endpoint-id %s",
		prefixed(" --region ", up[0].Region), up[0].EndpointID)
}
