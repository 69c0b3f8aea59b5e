package vpn

import (
	"context"
	"iter"
)

// Everyone yields the connections of an endpoint that have not ended, page by page. It terminates nothing. After an
// error there is no further page.
func (v *VPN) Everyone(ctx context.Context, e Endpoint) iter.Seq2[[]Connection, error] {
	e.account = v.accountOf(e.account)
	return func(yield func([]Connection, error) bool) {
		for page, err := range (query{endpoint: e}).pages(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			var all []Connection
			for _, row := range page.connections {
				if c := e.account.connection(row, page.requestID); !c.Ended() {
					all = append(all, c)
				}
			}
			if !yield(all, nil) {
				return
			}
		}
	}
}

// Ways returns how each of a person's connections would be named in a request to terminate all of them.
func Ways(connections []Connection) map[string]How {
	var all []Tracked
	for _, c := range connections {
		all = append(all, Tracked{Connection: c, byUsername: fold(c.Username) != ""})
	}
	ways := map[string]How{}
	for _, r := range plan(all, nil) {
		how := ByConnectionID
		if r.username != "" {
			how = ByUsername
		}
		for _, t := range r.connections {
			ways[t.ID] = how
		}
	}
	return ways
}
