package signal

import (
	"slices"
	"strings"

	"clientvpn-responder/internal/identity"
)

// AllNames returns the subject's names with issuer and form. A user name or an id that Names does not have, such as one
// that the identity store added, is the provider's.
func (s *Signal) AllNames() []identity.Name {
	all := slices.Clone(s.Subject.Names)
	has := func(value string) bool {
		return slices.ContainsFunc(all, func(n identity.Name) bool { return n.Value == value })
	}
	issuer := identity.Issuer{Provider: s.Provider}
	if s.Provider == guardDuty {
		issuer = identity.Issuer{Provider: identity.IAM, Within: s.Account}
	}
	for _, name := range s.Subject.Usernames {
		if !has(name) {
			all = append(all, identity.Name{Issuer: issuer, Form: formOf(name), Value: name})
		}
	}
	for _, id := range s.Subject.IDs {
		if !has(id) {
			all = append(all, identity.Name{Issuer: issuer, Form: identity.OpaqueID, Value: id})
		}
	}
	if session := s.Subject.Session; session != nil && !has(session.Name) {
		issuer := identity.Issuer{Provider: identity.IAM, Within: s.Account}
		all = append(all, identity.Name{Issuer: issuer, Form: identity.RoleSession, Value: session.Name})
	}
	return all
}

// guardDuty reports IAM's names.
const guardDuty = "guardduty"

func formOf(name string) identity.Form {
	if strings.Contains(name, "@") {
		return identity.Address
	}
	return identity.Login
}
