// Package signal turns the events of GuardDuty and of identity providers into one form, the [Signal].
//
// It promises three things. A provider's JSON ends here: no other package knows it. Parsing is pure: it reads no clock,
// no file and no network. And Parse invents no name: every name in a Signal is written in the event, and is
// never empty or a placeholder. It belongs to the person the event is about, never to the administrator who acted.
package signal

import (
	"cmp"
	"fmt"
	"time"

	"clientvpn-responder/internal/identity"
)

// Kind says what an event means for a person's access. The words are those of OpenID RISC 1.0 and CAEP 1.0 event
// types, and "finding" for what a detector such as GuardDuty reports.
type Kind string

// The kinds.
const (
	AccountDisabled                 Kind = "account-disabled"
	AccountEnabled                  Kind = "account-enabled"
	AccountPurged                   Kind = "account-purged"
	CredentialCompromise            Kind = "credential-compromise"
	AccountCredentialChangeRequired Kind = "account-credential-change-required"
	SessionRevoked                  Kind = "session-revoked"
	CredentialChange                Kind = "credential-change"
	DeviceComplianceChange          Kind = "device-compliance-change"
	RiskLevelChange                 Kind = "risk-level-change"
	// TokenClaimsChange means that a person gained or lost a group or an application, and keeps the account.
	TokenClaimsChange Kind = "token-claims-change"
	Finding           Kind = "finding"
)

// SelfTest is the kind of the signal that asks whether everything is ready. It is about nobody, and the policy does not
// see it.
const SelfTest Kind = "self-test"

// SourceInterrupted is the kind of a signal which says that events of its source may be missing. It is about nobody.
// The policy reports it without asking a rule.
const SourceInterrupted Kind = "source-interrupted"

// Kinds lists every kind that a policy can name.
func Kinds() []Kind {
	return []Kind{
		AccountDisabled, AccountEnabled, AccountPurged, CredentialCompromise, AccountCredentialChangeRequired,
		SessionRevoked, CredentialChange, DeviceComplianceChange, RiskLevelChange, TokenClaimsChange, Finding,
	}
}

// Closes reports whether the kind says that the account is closed or has lost the VPN, which its opening takes back.
func (k Kind) Closes() bool {
	return k == AccountDisabled || k == AccountPurged || k == TokenClaimsChange
}

// Signal is what one event says about one person.
type Signal struct {
	// ID is the provider's own id of what happened. GuardDuty sends the same finding again, with the same id.
	ID string `json:"id"`
	// EventID is EventBridge's id of the event. ARN is the finding's. Both are empty where there is none.
	EventID  string `json:"event_id,omitempty"`
	ARN      string `json:"arn,omitempty"`
	Provider string `json:"provider"`
	Kind     Kind   `json:"kind"`
	// Type is the provider's own word for the event, such as a finding type or an Okta event type.
	Type string `json:"type"`
	// Severity is GuardDuty's, from 1.0 to 10.0; 0 where the provider has none.
	Severity float64 `json:"severity"`
	Subject  Subject `json:"subject"`
	Reason   string  `json:"reason,omitempty"`
	// RequestedBy is the person who asked, where a person asked.
	RequestedBy string `json:"requested_by,omitempty"`
	// Time is when it happened, as the provider says. It is zero where the provider says nothing readable.
	Time time.Time `json:"time,omitzero"`
	// EffectiveAt is the time before which nothing may be done. The zero time is at once.
	EffectiveAt time.Time `json:"effective_at,omitzero"`
	// Account and Region are where it happened. For a delegated administrator's findings, that is not where EventBridge
	// delivered the event.
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	// DryRun marks a request that only asks what would be done.
	DryRun bool `json:"dry_run,omitempty"`
	// Sample marks a finding made to try things out. Archived marks one that somebody has put aside.
	Sample   bool `json:"sample,omitempty"`
	Archived bool `json:"archived,omitempty"`
	// IfDisabled marks an event that says only that something about the account changed. It asks for something only if
	// the identity store says that the account is disabled.
	IfDisabled bool `json:"if_disabled,omitempty"`
	// StoreSilent says that the identity store was asked, and did not say whether the account is disabled.
	StoreSilent bool `json:"-"`
	// Unanswered says that the identity store or Microsoft Graph did not answer about the names. Another try may do
	// better.
	Unanswered error `json:"-"`
	// Replay is the name of the replay of an archive that sent the event again; empty for an event that is new.
	Replay string `json:"replay,omitempty"`
	// SAMLProvider is the ARN of the provider in IAM whose certificate signed the request. It may act only on the
	// endpoints that use it.
	SAMLProvider string `json:"saml_provider,omitempty"`
	// ClosedBy is the provider and id of the event that closed the account, for what the sweep finds.
	ClosedBy string `json:"closed_by,omitempty"`
	// SentAt is when EventBridge got the event, as the envelope says. It is zero where the envelope does not say.
	SentAt time.Time `json:"-"`
	// Scope is what a ruling is about; nil for every other kind.
	Scope *Scope `json:"scope,omitempty"`
	// Membership is what a person gained or lost, for [TokenClaimsChange].
	Membership *Membership `json:"membership,omitempty"`
	// State is a change of a state in the customer's own words, which the policy knows.
	State *StateChange `json:"state,omitempty"`
	// Lookup says what the identity store answered about the subject's names. It is empty if nobody asked.
	Lookup string `json:"lookup,omitempty"`
	// TenantLookup says the same of Microsoft Graph.
	TenantLookup string `json:"tenant_lookup,omitempty"`
}

// Opens reports whether the person has access again.
func (s *Signal) Opens() bool {
	return s.Kind == AccountEnabled || s.Membership != nil && s.Membership.Change == Added
}

// IsAboutNobody reports whether the signal asks something of the function itself. The policy asks no rule about it.
func (s *Signal) IsAboutNobody() bool {
	return s.Kind == SelfTest || s.Kind == Sweep || s.Kind.IsRuling()
}

// Subject is the person a signal is about, under all names in the event. The zero Subject is nobody.
type Subject struct {
	// Usernames are names of one person: login, e-mail, user principal name.
	Usernames []string `json:"usernames,omitempty"`
	// IDs are opaque identifiers of the same person. Only a policy's aliases map them to a name.
	IDs []string `json:"ids,omitempty"`
	// Names are Usernames, IDs and the session's name again, each with its issuer and form.
	Names []identity.Name `json:"names,omitempty"`
	// IdentityStore is the IAM Identity Center directory of the IDs, "d-…". It is empty if the event does not say.
	IdentityStore string `json:"identity_store,omitempty"`
	// Session is a role session. The policy decides whether its name is a person's, since that depends on the role.
	Session *Session `json:"session,omitempty"`
	// ConnectionID is one Client VPN connection, "cvpn-connection-…".
	ConnectionID string `json:"connection_id,omitempty"`
	// ClientIP is an address from a Client VPN endpoint's client CIDR.
	ClientIP string `json:"client_ip,omitempty"`
	// SeenAt is when ClientIP was seen; zero is the signal's time. Later, somebody else may have the address.
	SeenAt time.Time `json:"seen_at,omitzero"`
	// PublicIP is a public address from which somebody acted. It is only reported: it identifies nobody.
	PublicIP string `json:"public_ip,omitempty"`
}

// Session is a session of an IAM role. The caller chooses its name, unless only an identity provider may assume the
// role.
type Session struct {
	Role string `json:"role"`
	Name string `json:"name"`
}

// IsNobody reports whether the subject names no person, connection or client address.
func (s Subject) IsNobody() bool {
	return len(s.Usernames) == 0 && len(s.IDs) == 0 && s.Session == nil && s.ConnectionID == "" && s.ClientIP == ""
}

// String returns the subject for people: the surest of its names, or an id or an address, or "nobody".
func (s Subject) String() string {
	switch {
	case len(s.Usernames) > 0:
		return surest(s.Usernames)
	case s.Session != nil:
		return fmt.Sprintf("%s (session of role %s)", s.Session.Name, s.Session.Role)
	case s.ConnectionID != "":
		return s.ConnectionID
	case s.ClientIP != "":
		return s.ClientIP
	case len(s.IDs) > 0:
		return "id " + s.IDs[0]
	case s.PublicIP != "":
		return "somebody at " + s.PublicIP
	}
	return "nobody"
}

// surest returns the name by which people know the person: the first, unless that is a login and an e-mail address says
// another name. The login's own address may be another person's.
func surest(names []string) string {
	login, domain := identity.BareName(names[0])
	if domain != "" {
		return names[0]
	}
	other := ""
	for _, name := range names[1:] {
		switch bare, domain := identity.BareName(name); {
		case domain != "" && bare == login:
			return names[0]
		case domain != "" && other == "":
			other = name
		}
	}
	return cmp.Or(other, names[0])
}

// Name returns s without surrounding white space if it can be somebody's name, and "" otherwise.
// See [identity.Clean].
func Name(s string) string { return identity.Clean(s) }

// Fold returns the normal form under which names compare. See [identity.Fold].
func Fold(s string) string { return identity.Fold(s) }
