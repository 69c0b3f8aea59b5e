package identity

import "strings"

// trust says whose names of a provider are people's where a policy does not name the provider.
type trust struct {
	// always counts every name. The owner of the bus set the source up, and trusts its senders with the people's names.
	always bool
	// verified counts verified addresses; other names count only where the policy names the issuer.
	verified bool
	// noun names the part inside the provider, for people.
	noun string
	// path says that an entry for the front of the part inside covers what is behind a slash, too.
	path bool
}

// trusts is whose names count. A provider that is not listed is never trusted by itself.
var trusts = map[string]trust{
	CyberArk:        {always: true, noun: "tenant"},
	Custom:          {always: true, noun: "sender"},
	Duo:             {always: true, noun: "account"},
	Entra:           {always: true, noun: "tenant"},
	GoogleWorkspace: {always: true, noun: "customer"},
	IdentityCenter:  {always: true, noun: "identity store"},
	JumpCloud:       {always: true, noun: "organisation"},
	Okta:            {always: true, noun: "organisation"},
	OneLogin:        {always: true, noun: "account"},
	PingOne:         {always: true, noun: "environment"},
	SailPoint:       {always: true, noun: "organisation"},

	Auth0: {verified: true, noun: "tenant/connection", path: true},

	Cognito:          {noun: "user pool"},
	DirectoryService: {noun: "directory"},
	IAM:              {noun: "account"},
	Kubernetes:       {noun: "account/cluster", path: true},
	SSF:              {noun: "issuer"},
}

// Known reports whether the provider issues names.
func Known(provider string) bool { _, known := trusts[provider]; return known }

// Providers lists the providers that give names, in no order.
func Providers() []string {
	all := make([]string, 0, len(trusts))
	for p := range trusts {
		all = append(all, p)
	}
	return all
}

// Trusted reports whether all names of the provider count where a policy does not name it.
func Trusted(provider string) bool { return trusts[provider].always }

// Covers reports whether other is i, or inside it.
func (i Issuer) Covers(other Issuer) bool {
	if i.Provider != other.Provider {
		return false
	}
	within, inside := strings.TrimSuffix(i.Within, "/"), strings.TrimSuffix(other.Within, "/")
	return within == "" || within == inside || trusts[i.Provider].path && strings.HasPrefix(inside, within+"/")
}

// MayCount reports whether a name of the issuer, or of one inside it, can count as a person's.
func (b *Book) MayCount(i Issuer) bool {
	named := false
	for _, listed := range b.issuers {
		if listed.Covers(i) || i.Covers(listed) {
			return true
		}
		named = named || listed.Provider == i.Provider
	}
	for alias := range b.scoped {
		if alias.issuer.Covers(i) || i.Covers(alias.issuer) {
			return true
		}
	}
	return !named && trusts[i.Provider].always || trusts[i.Provider].verified
}

// counts reports whether the policy takes the issuer's names of this form for people's.
func (b *Book) counts(n Name) bool {
	t := trusts[n.Issuer.Provider]
	named := false
	for _, i := range b.issuers {
		if i.Covers(n.Issuer) {
			return true
		}
		named = named || i.Provider == n.Issuer.Provider
	}
	// To name one tenant of a provider is to leave the others out.
	return !named && t.always || t.verified && n.Form == VerifiedAddress
}
