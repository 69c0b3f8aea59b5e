package vpn

import "strings"

// KnownBy says by what people on the endpoint are known, as its authentication says.
func (e Endpoint) KnownBy() string {
	switch users, certificates := e.knowsUsers(), e.knowsCertificates(); {
	case len(e.Authentication) == 0:
		return "user name, or common name without one"
	case users && certificates:
		return "user name; with a certificate as well, which may be the device's"
	case users:
		return "user name"
	}
	return "common name of the certificate"
}

// Authenticates says how clients of the endpoint prove who they are, and who vouches for them. It is empty where EC2
// does not say.
func (e Endpoint) Authenticates() string {
	var all []string
	for _, a := range e.Authentication {
		words := string(a.Method)
		if a.Authority != "" {
			words += " by " + a.Authority
		}
		all = append(all, words)
	}
	return strings.Join(all, " and ")
}
