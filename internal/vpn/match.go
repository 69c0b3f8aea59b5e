package vpn

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Target says whom to find: a person by one of the names, one connection, or the holder of an address. The zero Target
// finds nobody.
type Target struct {
	// Names are compared with user names and common names, CommonNames with common names alone; folded and whole.
	Names, CommonNames []string
	// LikelyUsernames are the user names as they are probably written. EC2's filter, which is sensitive to case, is
	// asked for them.
	LikelyUsernames []string
	ConnectionID    string
	// ClientIP counts only on endpoints that keep it as a source address. At is when the person had it: a connection
	// established later may be another person's.
	ClientIP string
	At       time.Time
}

// Match is a connection that a target led to.
type Match struct {
	// Target is the target's index among those that [VPN.Search] was asked for.
	Target int
	Connection
	// Doubt says why the connection may be another person's, so that it must not be terminated. It is nil if there is
	// no doubt.
	Doubt Doubt

	byUsername bool // its user name is one of the target's names
	account    *account
}

// Doubt is why a connection may be another person's.
type Doubt interface{ String() string }

// OnlyCertificate is the doubt about a connection whose user is another: with a certificate and a user together, the
// certificate may be the device's.
type OnlyCertificate struct{ Username, CommonName string }

func (d OnlyCertificate) String() string {
	return fmt.Sprintf("its user is %s; only its certificate is %s", d.Username, d.CommonName)
}

// SimilarName is the doubt about a connection whose name resembles the target's, with another domain, another
// separator or accents. Both may be one person's, and the policy does not say so.
type SimilarName = identity.Similarity

// LaterHolder is the doubt about a connection that has the address, and was not established before the event.
// EstablishedAt is in EC2's words.
type LaterHolder struct{ EstablishedAt string }

func (d LaterHolder) String() string {
	return fmt.Sprintf("it was established at %q, not before the event, "+
		"so another person may have had the address then", d.EstablishedAt)
}

// matcher maps names, ids and addresses to the targets that look for them.
type matcher struct {
	names       map[string][]int
	commonNames map[string][]int
	ids         map[string][]int
	addresses   map[netip.Addr][]int
	similar     map[string][]int // the names without domain and accents, of targets with a name of no domain
	targets     []Target
	likeness    *likeness
}

// hit is a target that a connection belongs to.
type hit struct {
	target     int
	doubt      Doubt
	byUsername bool
}

func newMatcher(targets []Target) *matcher {
	m := &matcher{
		names: map[string][]int{}, commonNames: map[string][]int{}, ids: map[string][]int{},
		addresses: map[netip.Addr][]int{}, similar: map[string][]int{}, targets: targets,
		likeness: newLikeness(targets),
	}
	for i, t := range targets {
		for _, name := range t.Names {
			addName(m.names, name, i)
			addName(m.commonNames, name, i)
			if !strings.ContainsAny(name, `@\`) && fold(name) != "" {
				m.similar[identity.Skeleton(name)] = append(m.similar[identity.Skeleton(name)], i)
			}
		}
		for _, name := range t.CommonNames {
			addName(m.commonNames, name, i)
		}
		if t.ConnectionID != "" {
			m.ids[t.ConnectionID] = append(m.ids[t.ConnectionID], i)
		}
		if ip, err := netip.ParseAddr(t.ClientIP); err == nil {
			m.addresses[ip.Unmap()] = append(m.addresses[ip.Unmap()], i)
		}
	}
	return m
}

func addName(to map[string][]int, name string, target int) {
	if folded := fold(name); folded != "" {
		to[folded] = append(to[folded], target)
	}
}

// fold returns the spelling for comparison, "" for an empty name or a placeholder.
func fold(name string) string { return identity.Fold(identity.Clean(name)) }

func (m *matcher) empty() bool { return len(m.commonNames)+len(m.ids)+len(m.addresses) == 0 }

// likelyUsernames returns those of all targets, each once.
func (m *matcher) likelyUsernames() []string {
	var all []string
	for _, t := range m.targets {
		for _, name := range t.LikelyUsernames {
			// To ask for "" may list everybody, and to ask for * may too.
			if identity.Clean(name) != "" && !strings.ContainsAny(name, "*?") && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// rowFilter returns a filter that keeps every row a target may want. It is nil if an address is wanted, which can be
// written in many ways.
func (m *matcher) rowFilter() *ec2call.RowFilter {
	if len(m.addresses) > 0 {
		return nil
	}
	wanted := map[string]bool{}
	for name := range m.commonNames {
		wanted[name] = true
	}
	for id := range m.ids {
		wanted[identity.Fold(id)] = true
	}
	similar := map[string]bool{}
	for skeleton := range m.similar {
		similar[skeleton] = true
	}
	return &ec2call.RowFilter{Wanted: wanted, Similar: similar, Alike: m.likeness.has, MaxAlike: maxAlike}
}

// match returns the targets that the row may belong to, each once. The endpoint's authentication says by what its
// people are known. Where that is unknown, both names may be a person's.
func (m *matcher) match(row types.ClientVpnConnection, e Endpoint) []hit {
	var hits []hit
	certificates := e.knowsCertificates()
	username, commonName := fold(aws.ToString(row.Username)), fold(aws.ToString(row.CommonName))
	for _, t := range m.names[username] {
		hits = addHit(hits, hit{target: t, byUsername: true})
	}
	for _, t := range m.ids[aws.ToString(row.ConnectionId)] {
		hits = addHit(hits, hit{target: t})
	}
	named := m.names // without certificates, EC2 may write the user's name into this field alone
	if certificates {
		named = m.commonNames
	}
	for _, t := range named[commonName] {
		h := hit{target: t}
		if username != "" && certificates {
			h.doubt = OnlyCertificate{aws.ToString(row.Username), aws.ToString(row.CommonName)}
		}
		if username == "" || certificates {
			hits = addHit(hits, h)
		}
	}
	if e.KeepsClientIP {
		hits = m.matchAddresses(hits, row)
	}
	if username != "" {
		return m.matchSimilar(hits, aws.ToString(row.Username))
	}
	return m.matchSimilar(hits, aws.ToString(row.CommonName))
}

// knowsUsers reports whether people on the endpoint have user names, as far as EC2 says.
func (e Endpoint) knowsUsers() bool {
	return len(e.Authentication) == 0 ||
		slices.ContainsFunc(e.Authentication, func(a Authentication) bool { return a.Method != ByCertificate })
}

// knowsCertificates reports whether clients of the endpoint have certificates, as far as EC2 says.
func (e Endpoint) knowsCertificates() bool {
	return len(e.Authentication) == 0 ||
		slices.ContainsFunc(e.Authentication, func(a Authentication) bool { return a.Method == ByCertificate })
}

// matchSimilar adds targets with a name that is only similar, each with that doubt.
func (m *matcher) matchSimilar(hits []hit, name string) []hit {
	if fold(name) == "" {
		return hits
	}
	for _, t := range m.similar[identity.Skeleton(name)] {
		sought, _ := identity.BareName(m.targets[t].Names[0])
		hits = addHit(hits, hit{target: t, doubt: SimilarName{Connected: name, Sought: sought}})
	}
	return hits
}

func (m *matcher) matchAddresses(hits []hit, row types.ClientVpnConnection) []hit {
	at, end := readTime(row.ConnectionEstablishedTime), readTime(row.ConnectionEndTime)
	for _, address := range []*string{row.ClientIp, row.ClientIpv6Address} {
		ip, err := netip.ParseAddr(aws.ToString(address))
		if err != nil {
			continue
		}
		for _, t := range m.addresses[ip.Unmap()] {
			h, then := hit{target: t}, m.targets[t].At
			if at.IsZero() || at.After(then) {
				h.doubt = LaterHolder{aws.ToString(row.ConnectionEstablishedTime)}
			}
			// Who had the address only before that moment does not matter. EC2 says whole seconds.
			if end.IsZero() || !end.Before(then.Truncate(time.Second)) {
				hits = addHit(hits, h)
			}
		}
	}
	return hits
}

// addHit adds the hit unless its target has one already: the first one is the surest.
func addHit(hits []hit, h hit) []hit {
	if slices.ContainsFunc(hits, func(other hit) bool { return other.target == h.target }) {
		return hits
	}
	return append(hits, h)
}
