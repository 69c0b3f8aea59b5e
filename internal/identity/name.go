// Package identity knows names: their issuers, their forms, and how two spellings compare.
//
// It promises that a name never loses its issuer, that two names compare equal only in one normal form, and that a
// placeholder is nobody. The package is pure: it reads no file, no clock and no network.
package identity

import (
	"fmt"
	"strings"
)

// Issuer is the source of a name: a provider, and the tenant, account, directory, pool, organisation or "iss" inside
// it. The zero Issuer is unknown.
type Issuer struct {
	// Provider is a word such as "okta" or "iam".
	Provider string
	// Within is the part of the provider in which the name is unique, as in the event. It is empty where the event does
	// not say. The parts of a path are separated by slashes: "111122223333/prod" is a cluster of an account.
	Within string
}

// String returns the issuer as a policy writes it: "okta", or "okta:acme" with the part inside.
func (i Issuer) String() string {
	if i.Within == "" {
		return i.Provider
	}
	return i.Provider + ":" + i.Within
}

// MarshalText returns what String returns.
func (i Issuer) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads what MarshalText wrote. It returns no error.
func (i *Issuer) UnmarshalText(text []byte) error {
	*i = ReadIssuer(string(text))
	return nil
}

// ReadIssuer returns the issuer that s names: the text before the first colon is the provider.
func ReadIssuer(s string) Issuer {
	provider, within, _ := strings.Cut(s, ":")
	return Issuer{Provider: provider, Within: within}
}

// The issuers' providers. The part inside, as the signals give it, follows each.
const (
	Auth0            = "auth0"             // tenant "/" connection
	Cognito          = "cognito"           // user pool
	Custom           = "custom"            // nothing: a person or a program that may put our own form on the bus
	CyberArk         = "cyberark"          // tenant
	DirectoryService = "directory-service" // directory, "d-…"
	Duo              = "duo"               // account or host
	Entra            = "entra"             // tenant
	GoogleWorkspace  = "google-workspace"  // customer
	IAM              = "iam"               // account
	IdentityCenter   = "identity-center"   // identity store, "d-…"
	JumpCloud        = "jumpcloud"         // organisation
	Kubernetes       = "kubernetes"        // account "/" cluster
	Okta             = "okta"              // the organisation's subdomain
	OneLogin         = "onelogin"          // account
	PingOne          = "pingone"           // environment
	SailPoint        = "sailpoint"         // organisation
	SSF              = "ssf"               // the "iss" of the token
)

// Form says what a name is for its issuer, and so what else may be concluded from it.
type Form string

// The forms.
const (
	// Login is what the person types to sign in, and no address.
	Login Form = "login"
	// Address is an e-mail address that may be unchecked.
	Address Form = "address"
	// VerifiedAddress is an e-mail address that the issuer says it has verified.
	VerifiedAddress Form = "verified-address"
	// UPN is a user principal name: it looks like an address, and its domain is the directory's.
	UPN Form = "upn"
	// SAMAccount is a Windows account name, with or without its domain.
	SAMAccount Form = "sam-account"
	// RoleSession is the name of a session of an IAM role. The subject's session has the role.
	RoleSession Form = "role-session"
	// CommonName is the common name of a certificate.
	CommonName Form = "common-name"
	// OpaqueID is an identifier that means nothing outside the issuer. It compares in its very case.
	OpaqueID Form = "id"
)

// Name is one name in an event.
type Name struct {
	Issuer Issuer `json:"issuer"`
	Form   Form   `json:"form"`
	// Value is the name as written.
	Value string `json:"value"`
}

// Key returns the spelling under which names compare: [Fold] of the value, and of an opaque id the very value. It is
// empty if the value is nobody's name.
func (n Name) Key() string {
	if n.Form == OpaqueID {
		return strings.TrimSpace(Clean(n.Value))
	}
	return Fold(Clean(n.Value))
}

// String returns the name for people, with its issuer: `alice of okta:acme`.
func (n Name) String() string {
	if n.Issuer == (Issuer{}) {
		return n.Value
	}
	return fmt.Sprintf("%s of %s", n.Value, n.Issuer)
}
