package vpn

import "strings"

// maxByUsername is how many connections of a user one call terminates at most.
// Source: EC2 API reference, TerminateClientVpnConnections.
const maxByUsername = 5

// request is one call of TerminateClientVpnConnections.
type request struct {
	username    string // by name if not empty, by id otherwise
	connections []Tracked
}

// sameName is what connections have in common that one request may terminate.
type sameName struct{ endpoint, username string }

// plan returns the fewest requests. Two to five connections that carry the very same user name on the same endpoint go
// into one, by that name. Each other one has a request by its id. A request by name would also terminate connections in
// keep, so if one of them carries the name, plan uses ids.
func plan(end []Tracked, keep []Connection) []request {
	byName := groups(end)
	for _, c := range keep {
		for k := range byName {
			// Whether EC2 reads case in a user name is not documented either.
			if k.endpoint == c.EndpointID && fold(k.username) == fold(c.Username) {
				delete(byName, k)
			}
		}
	}
	var requests []request
	for _, t := range end {
		same := byName[sameName{t.EndpointID, t.Username}]
		switch {
		case !t.byUsername || len(same) < 2 || len(same) > maxByUsername:
			requests = append(requests, request{connections: []Tracked{t}})
		case same[0].ID == t.ID:
			requests = append(requests, request{username: t.Username, connections: same})
		}
	}
	return requests
}

// groups returns the connections that a request by user name may name.
func groups(end []Tracked) map[sameName][]Tracked {
	byName := map[sameName][]Tracked{}
	for _, t := range end {
		// Whether EC2 reads * and ? in a user name is not documented.
		if t.byUsername && !strings.ContainsAny(t.Username, "*?") {
			k := sameName{t.EndpointID, t.Username}
			byName[k] = append(byName[k], t)
		}
	}
	return byName
}
