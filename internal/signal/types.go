package signal

import (
	"iter"
	"slices"
	"strings"
)

// Types yields the words of a provider's event types, and whether the events ask for something. A word of events that
// ask for nothing may come again as one of others. No signal has it if it does not. A row may have the service before
// the word, and behind it what the event must say besides; [Signal.Type] can have each of them.
func Types(provider string) iter.Seq2[string, bool] {
	return func(yield func(word string, asks bool) bool) {
		for _, p := range providers {
			if p.name != provider {
				continue
			}
			for _, m := range p.known {
				first, rest, found := strings.Cut(m.eventType, " ")
				asks := m.kind != ""
				if !yield(m.eventType, asks) || found && (!yield(first, asks) || !yield(rest, asks)) {
					return
				}
			}
		}
	}
}

// MoreTypes reports whether a provider adds to its types, so that there are more than [Types] yields.
func MoreTypes(provider string) bool { return provider == guardDuty }

// purposes are the threat purposes that finding types begin with.
// Source: Amazon GuardDuty user guide, "GuardDuty finding format".
var purposes = []string{
	"AttackSequence", "Backdoor", "Behavior", "CredentialAccess", "CryptoCurrency", "DefenseEvasion", "DefenseImpairment",
	"Discovery", "Execution", "Exfiltration", "Impact", "InitialAccess", "Object", "PenTest", "Persistence", "Policy",
	"PrivilegeEscalation", "Recon", "ResourceConsumption", "Stealth", "Trojan", "UnauthorizedAccess",
}

// Purposes lists the threat purposes that AWS documents for finding types, such as "Stealth" of
// Stealth:IAMUser/PasswordPolicyChange.
func Purposes() []string { return slices.Clone(purposes) }
