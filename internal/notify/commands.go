package notify

import (
	"fmt"
	"strings"

	"clientvpn-responder/internal/lazyregexp"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
)

// ec2ID matches EC2's ids, which may be part of a command. Nothing else of an event or a client may.
var ec2ID = lazyregexp.New(`^cvpn-(endpoint|connection)-[0-9a-f]+$`)

// repairs returns what must be mended before a further try can do more.
func repairs(o responder.Outcome) []string {
	var todo []string
	for _, p := range first(5, o.MissingPermissions()) {
		on := p.Resource
		if strings.HasSuffix(on, "/*") {
			on = "all resources"
		}
		todo = append(todo, fmt.Sprintf("Grant %s on %s to the function's role. The role, a permissions boundary or a "+
			"service control policy lacks it.", p.Action, on))
	}
	if o.PolicyProblem != "" {
		todo = append(todo, "Correct the policy, as the newest cannot be used, and put it again: clientvpn policy put. "+
			"The last good one decides until then.")
	}
	if o.Has(responder.NoEndpoint) {
		todo = append(todo, "Deploy the function in the account and Region of the Client VPN endpoints; there is none "+
			"where it is.")
	}
	if o.Has(responder.CannotTerminate) {
		todo = append(todo, "EC2 could not terminate the connection. If it stays, remove the person's route or "+
			"authorization rule from the endpoint, and open a case with AWS Support.")
	}
	return todo
}

// again says what happens to an incomplete outcome.
func again(responder.Outcome) string {
	return "The function tries again by itself, unless you invoked it by hand. If that fails too, the event waits " +
		"in the dead-letter queue. When the cause is gone: clientvpn redrive"
}

// doneWith says that nothing is left to terminate.
func doneWith(o responder.Outcome) string {
	if hasSpared(o) {
		return fmt.Sprintf("Done: %s has no active connection left that the policy allows to terminate.", person(o))
	}
	return fmt.Sprintf("Done: %s has no active connection left.", person(o))
}

// stayOut says, after what is done, whether the person can connect again and what to do about it.
func stayOut(done step) step {
	return func(o responder.Outcome) string {
		return strings.TrimSpace(done(o) + " " + comeBack(o))
	}
}

// comeBack says whether the person can connect again, and what to do about it.
func comeBack(o responder.Outcome) string {
	them := person(o)
	switch {
	case isKeptOut(o):
		return fmt.Sprintf("The client connect handler denies %s %s, on the endpoints that have it.",
			them, o.HowLong())
	case o.Signal.Kind != signal.AccountDisabled && o.Signal.Kind != signal.AccountPurged:
		return fmt.Sprintf("A person who can still sign in can connect again. If %s must stay out, disable the user at "+
			"the identity provider, or revoke the certificate.", them)
	case o.Signal.Provider == signal.Custom:
		return fmt.Sprintf("If the account is not closed yet, close it. If the VPN accepts certificates, revoke %s's, "+
			"too.", them)
	}
	return fmt.Sprintf("%s reports that the account is closed. If the VPN accepts certificates, revoke %s's, too: it "+
		"outlives the account.", knownAs(o.Signal.Provider), them)
}

func letIn(when string) step {
	return func(o responder.Outcome) string {
		return fmt.Sprintf("To let %s connect %s: %s", person(o), when, byName("lift", o))
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
	return "Read the finding; revoke other stolen keys, sessions and roles."
}

func seeSpared(o responder.Outcome) string {
	if !hasSpared(o) {
		return ""
	}
	return "See below what was left alone, and why."
}

func sendAgain(o responder.Outcome) string { return "Then: " + byName("cut", o) }

// thenCut is a step after which the person can be cut off.
func thenCut(words string) step {
	return func(o responder.Outcome) string { return words + ". Then: " + byName("cut", o) }
}

func onlyByRequest(o responder.Outcome) string {
	return fmt.Sprintf("To cut %s off, which nothing else will: %s", person(o), byName("cut", o))
}

// byHand has the command that terminates the first connection that is left.
func byHand(o responder.Outcome) string {
	connections := left(o)
	if len(connections) == 0 {
		return ""
	}
	c, which := connections[0], "it"
	if !ec2ID().MatchString(c.ID) || !ec2ID().MatchString(c.EndpointID) {
		return ""
	}
	if len(connections) > 1 {
		which = "the first of them"
	}
	return fmt.Sprintf("To terminate %s by hand: aws ec2 terminate-client-vpn-connections%s "+
		"--client-vpn-endpoint-id %s --connection-id %s", which, prefixed(" --region ", c.Region), c.EndpointID, c.ID)
}

func byHandIfEnforced(o responder.Outcome) string {
	if dryRun(o) {
		return ""
	}
	return byHand(o)
}

// lookYourself has the command that shows where the person is connected.
func lookYourself(o responder.Outcome) string { return "To look yourself: clientvpn who " + nameIn(o) }
