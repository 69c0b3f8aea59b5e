package emulator

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// Call is a request that was received.
type Call struct {
	Action string
	Params url.Values // as posted, with Action and Version
	// RequestID is that of the answer.
	RequestID string
	At        time.Time
	// Code is the error code of the answer: empty for success, "dropped" without an answer, "truncated" for a part of one
	// or its header alone.
	Code string
}

// Fault spoils the answers to the calls that match it. Faults are tried in the order in which they were injected, and
// the first that is due takes the call. A Fault with a Code replaces the action. With any of the others alone the
// action is done, and only its answer suffers.
type Fault struct {
	Action     string // for instance TerminateClientVpnConnections; empty for any
	EndpointID string // only calls that name this endpoint, topic (by ARN), user, table or queue; empty for any
	Times      int    // how many calls it takes; 0 for all
	After      int    // how many matching calls it lets pass first

	Code, Message string        // the error answered
	Status        int           // its HTTP status; default 400, or what AWS documents for common server-side codes
	Delay         time.Duration // added before the answer
	Drop          bool          // closes the connection without an answer
	Reset         bool          // the same, with a TCP reset where the connection is one of TCP
	Truncate      bool          // sends the first half of the body, as if that were all
	Cut           bool          // sends the same half as a part of the whole, and closes the connection
	Empty         bool          // sends nothing after the header
}

// Calls returns every request received, in order of arrival.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Call, len(c.calls))
	for i, call := range c.calls {
		list[i] = *call
	}
	return list
}

// Inject adds a fault.
func (c *Cloud) Inject(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, f)
}

// Deny removes the caller's permission for an action ("ec2:TerminateClientVpnConnections", "sns:Publish"). The id is an
// endpoint's, a topic's ARN, a user's, a table's or a queue's; empty is every one.
func (c *Cloud) Deny(action, endpointID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.denied = append(c.denied, [2]string{bare(action), endpointID})
}

// bare removes the service's prefix from an action.
func bare(action string) string {
	_, name, found := strings.Cut(action, ":")
	if !found {
		return action
	}
	return name
}

// resources returns what a request names, as Deny and Fault know it.
func resources(form url.Values) []string {
	named := list(form, "ClientVpnEndpointId")
	for _, key := range []string{"ClientVpnEndpointId", "TopicArn", "UserId", "Bucket", "Key"} {
		if v := form.Get(key); v != "" {
			named = append(named, v)
		}
	}
	if url := queueURL(form); url != "" {
		named = append(named, url, nameOf(url))
	}
	return append(named, tablesOf(form)...)
}

// fault returns the first injected fault that is due for a call, and counts the call.
func (c *Cloud) fault(action string, form url.Values) Fault {
	for i := range c.faults {
		f := &c.faults[i]
		if !f.matches(action, form) {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		due := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				c.faults = slices.Delete(c.faults, i, i+1)
			}
		}
		return due
	}
	return Fault{}
}

func (f *Fault) matches(action string, form url.Values) bool {
	return (f.Action == "" || bare(f.Action) == action) &&
		(f.EndpointID == "" || slices.Contains(resources(form), f.EndpointID))
}

// codeOf returns the code that Call records for an answer.
func (f *Fault) codeOf(refused *refusal) string {
	switch {
	case f.Drop || f.Reset:
		return "dropped"
	case f.Truncate || f.Cut || f.Empty:
		return "truncated"
	case refused != nil:
		return refused.code
	}
	return ""
}
