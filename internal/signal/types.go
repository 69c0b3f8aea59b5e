package signal

import (
	"slices"
	"strings"
	"sync"
)

// Word is a word of a provider's event types: as the provider writes it, and as [Fold] returns it.
type Word struct{ Text, Folded string }

// Types lists the words of a provider's event types. asking has the words that [Signal.Type] can have. idle has the
// words of events that ask for nothing; no signal has one that is not in asking, too. open says that AWS adds to the
// types of findings, so that there are more. The caller must not change the lists.
func Types(provider string) (asking, idle []Word, open bool) {
	t := types()[provider]
	return t.asking, t.idle, t.open
}

type typesOf struct {
	asking, idle []Word
	open         bool
}

// types has the types of each provider, put together once: reading a policy looks at them for every pattern.
var types = sync.OnceValue(func() map[string]typesOf {
	of := map[string]typesOf{}
	for _, p := range providers {
		t := of[p.name]
		t.open = t.open || p.name == guardDuty
		for _, m := range p.known {
			list := &t.asking
			if m.kind == "" {
				list = &t.idle
			}
			for _, word := range wordsOf(m.eventType) {
				*list = append(*list, Word{word, Fold(word)})
			}
		}
		of[p.name] = t
	}
	return of
})

// wordsOf returns the words of an event type. The signal can have each of them. A row may have the service before it,
// and behind it what the event must say besides.
func wordsOf(eventType string) []string {
	first, rest, found := strings.Cut(eventType, " ")
	if !found {
		return []string{eventType}
	}
	return []string{eventType, first, rest}
}

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
