package responder

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/policy"
)

// verdict is a row of the table of verdicts: the status and summary of a case for which a condition holds.
type verdict struct {
	status Status
	// by returns the status where it depends on the facts; nil where it does not.
	by    func(*facts) Status
	holds func(*facts) bool
	says  func(*facts) string
}

// verdicts is the table. The first row that holds decides, so each row says only what the rows above it leave open.
var verdicts = []verdict{
	{status: Failed,
		holds: func(f *facts) bool { return f.noPolicy },
		says: func(f *facts) string {
			return fmt.Sprintf("Nothing was done about %s: the policy cannot be read.", f.who)
		}},

	// A reinstatement.
	{status: Failed,
		holds: func(f *facts) bool { return f.reinstating && f.incomplete() },
		says: func(f *facts) string {
			return fmt.Sprintf("It is not known whether %s may connect again: %s.", f.who, f.problem())
		}},
	{by: statusOfGate,
		holds: func(f *facts) bool { return f.reinstating && f.decision.Gate != "" },
		says:  func(f *facts) string { return fmt.Sprintf("Nobody was reinstated: %s.", blockedBy(f)) }},
	{status: Notified,
		holds: func(f *facts) bool { return f.reinstating && len(f.still) > 0 },
		says:  func(f *facts) string { return strings.TrimSpace(onTheList(f)) }},
	{status: Notified,
		holds: func(f *facts) bool { return f.reinstating },
		says:  func(f *facts) string { return fmt.Sprintf("%s may connect again; %s.", f.who, wasKeptOut(f)) }},

	// The policy asks for less than a termination, or a gate blocks it.
	{status: Ignored,
		holds: func(f *facts) bool { return f.decision.Action == policy.Ignore },
		says:  func(*facts) string { return "The policy ignores this." }},
	{status: Notified,
		holds: func(f *facts) bool { return f.interrupted != "" },
		says:  func(f *facts) string { return "Events may be missing: " + f.interrupted + "." }},
	{status: Notified,
		holds: func(f *facts) bool { return f.decision.Action == policy.Notify && f.decision.Gate == "" },
		says:  onlyNotifies},
	{status: Braked,
		holds: func(f *facts) bool { return f.braked != nil },
		says:  heldBack},
	{by: statusOfGate,
		holds: func(f *facts) bool { return f.decision.Action == policy.Notify },
		says:  func(f *facts) string { return fmt.Sprintf("Nobody was cut off: %s.", blockedBy(f)) }},

	// Nothing was found that may be terminated.
	{status: Failed,
		holds: func(f *facts) bool { return f.all == 0 && f.accessOnly },
		says: func(f *facts) string {
			return fmt.Sprintf("No connection of %s was terminated, and the keep-out list could not be updated: %s.",
				f.who, f.problem())
		}},
	{status: Failed,
		holds: func(f *facts) bool { return f.all == 0 && f.incomplete() },
		says: func(f *facts) string {
			return fmt.Sprintf("It is not known whether %s is connected: %s.", f.who, f.problem())
		}},
	{by: func(f *facts) Status { return f.spared[0].why },
		holds: func(f *facts) bool { return f.all == 0 && len(f.spared) > 0 },
		says: func(f *facts) string {
			return fmt.Sprintf("Nobody was cut off: %s of %s left alone, as %s.",
				count(len(f.spared)), f.who, f.spared[0].Reason)
		}},
	{status: Unmapped,
		holds: func(f *facts) bool { return f.all == 0 && f.noAddresses },
		says: func(f *facts) string {
			return fmt.Sprintf("Nobody was cut off: %s leads to nobody, as no endpoint keeps client addresses.", f.who)
		}},
	{status: NotConnected,
		holds: func(f *facts) bool { return f.all == 0 },
		says:  notConnected},

	// A dry-run.
	{status: WouldTerminate,
		holds: func(f *facts) bool { return f.dryRun && !f.incomplete() },
		says: func(f *facts) string {
			return fmt.Sprintf("Dry-run: %s of %s would be terminated.", count(f.would), f.who)
		}},
	{status: Partial,
		holds: func(f *facts) bool { return f.dryRun && f.would > 0 },
		says: func(f *facts) string {
			return fmt.Sprintf("Dry-run: %s of %s would be terminated, but not all could be tried: %s.",
				count(f.would), f.who, f.problem())
		}},
	{status: Failed,
		holds: func(f *facts) bool { return f.dryRun },
		says: func(f *facts) string {
			return fmt.Sprintf("Dry-run: the connections of %s could not be terminated: %s.", f.who, f.problem())
		}},

	// Connections were to be terminated.
	{status: Failed,
		holds: func(f *facts) bool { return f.refused == f.all },
		says: func(f *facts) string {
			return fmt.Sprintf("The connections of %s were not terminated: %s.", f.who, f.problem())
		}},
	{status: Partial,
		holds: func(f *facts) bool { return f.accessOnly && f.ended == f.all },
		says: func(f *facts) string {
			return fmt.Sprintf("%s of %s ended, but the keep-out list could not be updated: %s.",
				count(f.ended), f.who, f.problem())
		}},
	{status: Partial,
		holds: (*facts).incomplete,
		says: func(f *facts) string {
			return fmt.Sprintf("%d of %s of %s ended: %s.", f.ended, count(f.all), f.who, f.problem())
		}},
	{status: Unverified,
		holds: func(f *facts) bool { return f.pending > 0 },
		says: func(f *facts) string {
			return fmt.Sprintf("The end of %s of %s was requested; the time was up before EC2 showed it.",
				count(f.pending), f.who)
		}},
	{status: Reconnecting,
		holds: func(f *facts) bool { return f.letIn != "" },
		says: func(f *facts) string {
			return fmt.Sprintf("%s of %s ended, but they keep reconnecting although they are kept out: %s.",
				count(f.ended), f.who, f.letIn)
		}},
	{status: Reconnecting,
		holds: func(f *facts) bool { return f.keepsComing || f.overLimit() },
		says: func(f *facts) string {
			return fmt.Sprintf("%s of %s ended, but they keep reconnecting.", count(f.ended), f.who)
		}},
	// So EC2 has shown every end, every endpoint was listed, the keep-out list is set, and the person stays away.
	{status: Terminated,
		holds: func(*facts) bool { return true },
		says:  func(f *facts) string { return fmt.Sprintf("%s of %s ended.", count(f.ended), f.who) }},
}

// addition is a sentence that follows the summary where it holds.
type addition struct {
	holds func(Status, *facts) bool
	says  func(*facts) string
}

var additions = []addition{
	{func(s Status, f *facts) bool { return s == Terminated && f.reconnections > 0 },
		func(f *facts) string {
			return fmt.Sprintf(" They reconnected %s, and were cut off again.",
				plural(f.reconnections, "once", fmt.Sprintf("%d times", f.reconnections)))
		}},
	{func(_ Status, f *facts) bool { return f.late },
		func(*facts) string { return " They were not connected at first, and connected during the watch." }},
	{func(s Status, f *facts) bool { return f.cutShort && s != Reconnecting && !f.incomplete() },
		func(*facts) string { return " The time was up before the watch for a reconnection was over." }},
	{func(_ Status, f *facts) bool { return len(f.spared) > 0 && (f.all > 0 || f.incomplete()) },
		func(f *facts) string {
			return fmt.Sprintf(" %s left alone, as %s.", count(len(f.spared)), f.spared[0].Reason)
		}},
	{func(s Status, f *facts) bool { return !f.reinstating && (s != Reconnecting || f.letIn == "") }, onTheList},
}

// judge returns the status of a case and its summary, one or a few sentences for people.
func judge(f *facts) (Status, string) {
	i := slices.IndexFunc(verdicts, func(v verdict) bool { return v.holds(f) })
	v := verdicts[i] // the last row always holds
	status := v.status
	if v.by != nil {
		status = v.by(f)
	}
	summary := v.says(f)
	for _, a := range additions {
		if a.holds(status, f) {
			summary += a.says(f)
		}
	}
	return status, summary
}

// wasKeptOut says what the reinstatement lifts.
func wasKeptOut(f *facts) string {
	var all []string
	for _, l := range f.lifted {
		all = append(all, fmt.Sprintf("%s was kept out since %s UTC by %s, %s",
			l.Person, l.Since.Format(time.DateTime), l.By, l.Reason))
	}
	return strings.Join(all, "; ")
}

// onTheList says what the keep-out list has to do with the case; it is empty for nothing.
func onTheList(f *facts) string {
	switch {
	case f.wouldKeep:
		return fmt.Sprintf(" %s would be kept out %s.", f.who, f.decision.KeepOut.Words())
	case len(f.still) > 0:
		e := f.still[0]
		return fmt.Sprintf(" %s stays kept out %s by %s, %s, which this does not lift.", f.who, f.keptOut, e.By, e.Reason)
	case f.keptOut != "":
		return fmt.Sprintf(" %s is kept out %s.", f.who, f.keptOut)
	case len(f.lifted) > 0:
		return fmt.Sprintf(" %s may connect again.", f.who)
	}
	return ""
}

func count(n int) string { return plural(n, "1 VPN connection", fmt.Sprintf("%d VPN connections", n)) }

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
