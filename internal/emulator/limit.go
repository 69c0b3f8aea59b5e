package emulator

import "time"

// Limit is a token bucket: a call takes a token, or gets RequestLimitExceeded where there is none.
type Limit struct {
	Bucket int     // tokens at the start, and at most
	Refill float64 // tokens a second
}

// DocumentedLimits returns EC2's limits of an account in a Region.
// Source: Amazon EC2 developer guide, "Request throttling".
func DocumentedLimits() map[string]Limit {
	return map[string]Limit{
		"DescribeClientVpnConnections":  {100, 20},
		"DescribeClientVpnEndpoints":    {100, 20},
		"TerminateClientVpnConnections": {50, 5},
	}
}

// tokens is the state of a bucket.
type tokens struct {
	left float64
	at   time.Time
}

// throttled takes a token for the action, and reports whether there was none.
func (c *Cloud) throttled(action string) bool {
	limit, limited := c.Limits[action]
	if !limited {
		return false
	}
	now := time.Now()
	if c.tokens == nil {
		c.tokens = map[string]*tokens{}
	}
	if c.tokens[action] == nil {
		c.tokens[action] = &tokens{float64(limit.Bucket), now}
	}
	t := c.tokens[action]
	t.left = min(t.left+now.Sub(t.at).Seconds()*limit.Refill, float64(limit.Bucket))
	t.at = now
	if t.left < 1 {
		return true
	}
	t.left--
	return false
}
