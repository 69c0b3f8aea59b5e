package directory

import (
	"errors"
	"fmt"
	"strings"

	"clientvpn-responder/internal/identity"
)

// Provisioner is a provider that makes the users of an identity store by SCIM. The store keeps the provider's ids as
// external ids.
type Provisioner struct {
	// Issuer is the provider, and may name the tenant.
	Issuer identity.Issuer
	// SCIM is the word for it in the store: the Issuer among a user's ExternalIds.
	SCIM string
}

// ReadProvisioners reads provisioners, separated by commas: PROVIDER=ISSUER or PROVIDER:TENANT=ISSUER. The error
// lists every mistake. Only providers whose names count by themselves can be provisioners, because a stranger could
// choose the ids of any other.
func ReadProvisioners(list string) ([]Provisioner, error) {
	var all []Provisioner
	var problems []error
	for entry := range strings.SplitSeq(list, ",") {
		provider, scim, _ := strings.Cut(strings.TrimSpace(entry), "=")
		issuer := identity.ReadIssuer(provider)
		switch {
		case provider == "" || scim == "":
			problems = append(problems, fmt.Errorf(
				"%q is not PROVIDER=ISSUER, like entra=https://scim.example.com; separate several by commas", entry))
		case !provisions(issuer.Provider):
			problems = append(problems, fmt.Errorf(
				"%q is not a provider that makes users, like entra, okta or onelogin", issuer.Provider))
		default:
			all = append(all, Provisioner{issuer, scim})
		}
	}
	return all, errors.Join(problems...)
}

// provisions reports whether a provider can make users in an identity store.
func provisions(provider string) bool {
	return identity.Trusted(provider) && provider != identity.IdentityCenter && provider != identity.Custom
}
