package emulator

import (
	"net/http"
	"regexp"
	"slices"
	"sync"
)

// Accounts are several accounts and Regions behind one URL, as an [http.Handler]. A request's signature says which
// one it is for: by the Region that it was signed for, and by the access key. STS's AssumeRole returns keys that lead
// to the role's account; all other keys lead to the home.
type Accounts struct {
	Home   *Cloud
	Others []*Cloud
	// Roles are the roles that can be assumed, by ARN, with the external id that each requires; empty for none.
	Roles map[string]string

	mu      sync.Mutex
	assumed []string
}

// Assumed returns the roles that were assumed, in order.
func (a *Accounts) Assumed() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.assumed)
}

// signature finds access key, Region and service in a signature.
// Source: AWS API reference, "Signature Version 4", Authorization header.
var signature = regexp.MustCompile(`Credential=([^/]+)/[0-9]+/([^/]+)/([^/]+)/aws4_request`)

// assumedKey matches the keys of assumed roles, which contain the account.
var assumedKey = regexp.MustCompile(`^ASIA([0-9]{12})ROLE$`)

func (a *Accounts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signed := signature.FindStringSubmatch(r.Header.Get("Authorization"))
	if signed == nil {
		http.Error(w, "the request is not signed", http.StatusForbidden)
		return
	}
	key, region, service := signed[1], signed[2], signed[3]
	if service == "sts" {
		a.serveSTS(w, r)
		return
	}
	account := a.Home.account()
	if role := assumedKey.FindStringSubmatch(key); role != nil {
		account = role[1]
	}
	for _, c := range append([]*Cloud{a.Home}, a.Others...) {
		if c.account() == account && c.region() == region {
			c.ServeHTTP(w, r)
			return
		}
	}
	(&Cloud{Account: account, Region: region}).ServeHTTP(w, r) // nothing is there
}
