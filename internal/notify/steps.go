package notify

import (
	"fmt"
	"slices"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
)

// advice is a row of the table of advice: what is left to do about an outcome for which a condition holds.
type advice struct {
	// status is the outcome's, one of these; none for any.
	status []responder.Status
	// when must hold of it, too; nil for always.
	when  func(responder.Outcome) bool
	steps []step
}

// step says one thing that is left to do and how; it is empty where there is no need.
type step func(responder.Outcome) string

// steps returns what is left to do, the most urgent first: every repair that is needed, and the first advice that fits.
func steps(o responder.Outcome) []string {
	todo := repairs(o)
	i := slices.IndexFunc(advices, func(a advice) bool {
		return (a.status == nil || slices.Contains(a.status, o.Status)) && (a.when == nil || a.when(o))
	})
	if i < 0 {
		return todo
	}
	for _, step := range advices[i].steps {
		if words := step(o); words != "" {
			todo = append(todo, words)
		}
	}
	return todo
}

func is(statuses ...responder.Status) []responder.Status { return statuses }

// advices is the table. The first row that fits is taken.
var advices = []advice{
	// A reinstatement.
	{is(responder.Failed), isReinstatement, []step{aboutWho("%s may still be denied."), again}},
	{nil, both(isReinstatement, isKeptOut), []step{letIn("all the same")}},
	{nil, both(isReinstatement, hasLifted), []step{
		orElse("Nothing. If this is a mistake"),
	}},
	{is(responder.Stale, responder.Ambiguous), isReinstatement, []step{
		func(o responder.Outcome) string {
			return "See who is meant and since when, and lift the entry: " + byName("lift", o)
		},
	}},

	// Done.
	{is(responder.Terminated), takenBack, []step{
		orElse("Nothing: the event was taken back meanwhile, so the person may connect. If that was a mistake"), seeSpared,
	}},
	{is(responder.Terminated), nil, []step{
		stayOut(doneWith), letInEarlier, readFinding, seeSpared,
	}},
	{
		is(responder.NotConnected), nil,
		[]step{stayOut(say("")), seeSimilar, listDomains, letInEarlier, readFinding},
	},
	{is(responder.WouldTerminate), isSwitchedOff, []step{
		say("Nobody was cut off, as somebody has switched everything off. The command of the stack's output StartCommand " +
			"switches it on again."),
		byHand,
	}},
	{is(responder.WouldTerminate), nil, []step{
		say("Nobody was cut off, as this is a dry-run. See whether these are the right person's connections."),
		say("To cut people off from now on, deploy with the parameter Mode=enforce, and without mode: dry-run in the " +
			"rule."),
		byHand,
	}},

	// Not all could be done.
	{is(responder.Partial, responder.Failed), has(responder.PolicyUnreadable), []step{
		say("Correct the policy where the error below says, and put it again: clientvpn policy put. Nobody is cut off " +
			"until then."), again, byHandIfEnforced,
	}},
	{is(responder.Partial, responder.Failed), both(responder.Outcome.AccessOnly, hasSpared), []step{
		say("So many people share this name that the policy keeps nobody out by it. Until it is off the list, all of " +
			"them are kept out."),
		again, byHandIfEnforced,
	}},
	{is(responder.Partial, responder.Failed), responder.Outcome.AccessOnly, []step{
		aboutWho("%s is not kept out, and can connect again."), again, byHandIfEnforced,
	}},
	{is(responder.Partial), noneLeft, []step{
		aboutWho("%s may be connected where nobody could look."), again, byHandIfEnforced,
	}},
	{is(responder.Partial, responder.Failed), nil, []step{again, byHandIfEnforced}},
	{is(responder.Reconnecting), nil, []step{
		say("Disable the user at the identity provider, or revoke the certificate."), sendAgain, attachHandler, readFinding,
	}},
	{is(responder.Unverified), nil, []step{again, lookYourself}},

	// Nothing was done.
	{is(responder.Exempt), nil, []step{
		thenCut("The policy exempts this person. To cut them off all the same, remove the entry from the policy's exempt " +
			"list: clientvpn policy put"),
	}},
	{is(responder.OverLimit), nil, []step{
		thenCut("See whose the connections are. If the policy's identity section merges several people, correct it. If all " +
			"names are one person's, raise max_connections: clientvpn policy put"),
	}},
	{is(responder.Ambiguous), nil, []step{
		say("See under WHY, and in the first line, who may be meant. The function cannot tell them apart."),
		say("Then terminate the right connection by its id: aws ec2 terminate-client-vpn-connections " +
			"--client-vpn-endpoint-id ENDPOINT --connection-id CONNECTION"),
	}},
	{is(responder.Unmapped), lostByAll, []step{askForAll}},
	{is(responder.Unmapped), namesSession, []step{func(o responder.Outcome) string {
		return fmt.Sprintf("The session's name counts only for roles that the policy trusts. If an identity provider alone "+
			"names the sessions of %s, add the role to identity.session_roles: clientvpn policy put. Then, or "+
			"once you know who it was: clientvpn cut NAME --reason WHY", o.Signal.Subject.Session.Role)
	}}},
	{is(responder.Unmapped), namesUser, []step{func(o responder.Outcome) string {
		issuer := o.Signal.Subject.Names[0].Issuer
		return fmt.Sprintf(
			"If only your people have names at %s, add it to identity.issuers: clientvpn policy put. Then, or once "+
				"you know who it was: clientvpn cut NAME --reason WHY",
			issuer,
		)
	}}},
	{is(responder.Unmapped), namesID, []step{func(o responder.Outcome) string {
		return fmt.Sprintf("Find out whose id %s is, and cut them off: clientvpn cut NAME --reason WHY. To have it known "+
			"the next time, add it to identity.aliases: clientvpn policy put", o.Signal.Subject.IDs[0])
	}}},
	{is(responder.Unmapped), nil, []step{
		say("Find out who it was. To cut them off: clientvpn cut NAME --reason WHY"),
	}},
	{is(responder.Sample), nil, []step{say("Nothing. Somebody made a sample finding to try things out.")}},
	{is(responder.Stale), blockedBy(policy.GateReplay), []step{
		orElse("Nothing, if the replay was meant. To act on one of its events"),
	}},
	{is(responder.Stale), blockedBy(policy.GateReinstated), []step{
		orElse("Nothing, if the person was reinstated on purpose. If not"),
	}},
	{is(responder.Braked), nil, []step{
		say("Find out whether so many people are meant to lose access."),
		func(o responder.Outcome) string { return "If they are: " + rulingCommand("release", o.Brake.Lane) },
		func(o responder.Outcome) string {
			return "If they are not: " + rulingCommand("drop", o.Brake.Lane)
		},
		say("To decide about some people alone, add --user NAME. Nothing is lost for 14 days."),
	}},
	{is(responder.Notified), isSweep, []step{sweepFound, sweepLost, sweepSilent, sweepForever}},
	{is(responder.Notified), isRuling, []step{say("Nothing. The outcome of each event follows.")}},
	{is(responder.Notified), blockedBy(policy.GateLifted), []step{
		orElse("Nothing. To act on it all the same"),
	}},
	{is(responder.Notified), blockedBy(policy.GateDropped), []step{
		orElse("Nothing. To act on it all the same"),
	}},
	{is(responder.Stale), nil, []step{
		orElse("Decide by hand, as the event is older than its rule's max_age allows. To cut the person off"),
	}},
	{is(responder.Notified), blockedBy(policy.GateArchived), []step{
		say("Nothing. Somebody has put the finding aside in GuardDuty."),
	}},
	{is(responder.Notified), blockedBy(policy.GateNotYet), []step{func(o responder.Outcome) string {
		return fmt.Sprintf("Send the request again at %s UTC; it is not kept until then.",
			o.Signal.EffectiveAt.UTC().Format(time.DateTime))
	}}},
	{is(responder.Notified), isSilentStore, []step{
		orElse("Look in the identity store whether the account is disabled. If it is"),
	}},
	{is(responder.Notified), blockedBy(policy.GateUnasked), []step{
		say("Set IDENTITY_STORE_ID, so that the function can ask whether the account is disabled. Until then, look " +
			"yourself."),
	}},
	{is(responder.Notified), isFinding, []step{say("Read the finding and decide."), onlyByRequest}},
	{is(responder.Notified), nil, []step{say("Look into it and decide."), onlyByRequest}},
	{is(responder.Ignored, responder.Ready), nil, []step{say("Nothing.")}},
	{is(responder.NotReady), isSweep, []step{
		say("Correct what the first line says. The next sweep looks again."),
		sweepFound, sweepLost, sweepSilent, sweepForever,
	}},
	{is(responder.NotReady), nil, []step{
		say("Correct it before somebody must be cut off. Then test again: clientvpn ready"),
	}},
}

// attachHandler says what to do about a person who is kept out and connects all the same.
func attachHandler(o responder.Outcome) string {
	if !isKeptOut(o) {
		return ""
	}
	return "Attach the client connect handler, or see its log."
}

// rulingCommand is what releases or drops the events that the brake of a lane holds.
func rulingCommand(verb, lane string) string {
	return fmt.Sprintf("clientvpn %s %s --reason WHY", verb, lane)
}

func say(words string) step { return func(responder.Outcome) string { return words } }

// aboutWho puts the person into the words.
func aboutWho(words string) step {
	return func(o responder.Outcome) string { return fmt.Sprintf(words, person(o)) }
}
