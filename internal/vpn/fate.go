package vpn

import (
	"slices"
	"time"
)

// Fate says how far a connection is on its way to its end. EC2's answers to requests and its listings change it; the
// transitions are in [Tracked.Answered], [Tracked.Observe] and [Tracked.Reappeared].
type Fate uint8

// The fates.
const (
	FateFound      Fate = iota // a search listed it, and nobody has asked EC2 to terminate it
	FateAsked                  // EC2 accepted a request, ours or an earlier one, and has not listed the end
	FateUnanswered             // EC2 got a request and did not answer
	FateDenied                 // EC2 says that there is no such connection; no listing has confirmed it
	FateRefused                // EC2 refused the request, or it was not sent. Final
	FateFeasible               // dry-run: EC2 would have terminated it. Final
	FateMissing                // one listing did not show it, which may have lagged
	FateStuck                  // EC2 failed to terminate it. Final
	FateEnded                  // EC2 listed it as terminated, or lists it no more
	FateReappeared             // a search listed it again after it counted as ended
)

var fates = []string{
	"found", "asked", "unanswered", "denied", "refused", "feasible", "missing", "stuck", "ended", "reappeared",
}

func (f Fate) String() string { return fates[f] }

// Tracked is what the program knows of one connection. One goroutine owns it. [VPN.Terminate] and [VPN.Verify] get
// copies, and return what the owner applies to it.
type Tracked struct {
	// Connection is what EC2 has shown of it, and what an outcome says.
	Connection
	Fate Fate
	// Requests is how often EC2 was asked to terminate it since it was found, or since it reappeared.
	Requests int
	// Reappearances is how often a search listed it although it counted as ended. After the first, only a row that says
	// terminated proves its end: a missing row does not.
	Reappearances int
	// Err is why it was refused, or why there is no answer; nil otherwise.
	Err error

	byUsername bool // its user name is one of the person's names
	account    *account
}

// Track begins to track a match.
func Track(m Match) *Tracked {
	t := &Tracked{Connection: m.Connection, byUsername: m.byUsername, account: m.account}
	t.RequestIDs = slices.Clone(m.RequestIDs)
	if t.Current == Terminating {
		t.Fate = FateAsked
	}
	return t
}

// Pending reports whether EC2 was asked to terminate the connection, by us or before us, and its fate is open.
func (t *Tracked) Pending() bool {
	switch t.Fate {
	case FateAsked, FateUnanswered, FateDenied, FateMissing, FateReappeared:
		return true
	default:
		return false
	}
}

// afterAnswer is the fate after EC2's answer to a request.
var afterAnswer = map[Said]Fate{
	Accepted:         FateAsked,
	WouldAccept:      FateFeasible,
	NoSuchConnection: FateDenied,
	NoAnswer:         FateUnanswered,
	NotAccepted:      FateRefused,
}

// Answered takes in EC2's answer to a request to terminate the connection. After the end an answer says nothing new.
func (t *Tracked) Answered(a Answer) {
	if t.Fate == FateEnded {
		return
	}
	t.Fate, t.Err, t.Error = afterAnswer[a.Said], a.Err, ""
	t.RequestIDs = append(t.RequestIDs, a.RequestIDs...)
	if a.How != "" {
		t.How = a.How
	}
	if a.Said != WouldAccept {
		t.Requests++
	}
	switch a.Said {
	case Accepted:
		t.RequestedAt, t.Previous = a.At, a.Previous
		t.show(Connection{Current: a.Current, StatusMessage: a.Message}, a.At)
	case NoSuchConnection, NoAnswer:
		t.RequestedAt = a.At
	case NotAccepted:
		t.Error = a.Err.Error()
	}
}

// Observe takes in what a listing shows of the connection, and EC2's answer to a second request if Verify sent one.
func (t *Tracked) Observe(s Shown) {
	if !t.Pending() {
		return
	}
	if s.Listed {
		t.learn(s.Row)
	}
	switch {
	case !s.Listed:
		t.missed(s.At)
	case s.Again != nil:
		t.Answered(*s.Again)
	default:
		t.show(s.Row, s.At)
	}
	if t.Fate == FateEnded {
		t.RequestIDs = append(t.RequestIDs, s.Requests...)
	}
}

// show takes in the status of the connection, which is pending, and EC2's words beside it. seen is when EC2 showed it.
func (t *Tracked) show(row Connection, seen time.Time) {
	t.Current, t.StatusMessage = row.Current, row.StatusMessage
	switch {
	case t.Current == Terminated:
		t.end(seen, row.EndedAt)
	case t.Current == FailedToTerminate:
		t.Fate = FateStuck
	case t.Fate == FateMissing:
		t.Fate = t.beforeMissing()
	}
}

// end records the end of the connection.
func (t *Tracked) end(seen, ended time.Time) {
	t.Fate, t.Current, t.EndSeenAt, t.EndedAt = FateEnded, Terminated, seen, ended
	if ended.IsZero() {
		t.EndedAt = seen
	}
}

// missed takes in a listing without the connection. EC2 lists ended connections for an hour, so a connection that it
// does not list has ended. One listing may lag, unless EC2 said before that there is no such connection.
func (t *Tracked) missed(at time.Time) {
	switch {
	case t.Reappearances > 0:
	case t.Fate == FateDenied || t.Fate == FateMissing:
		t.end(at, time.Time{})
	default:
		t.Fate = FateMissing
	}
}

// beforeMissing is the fate of a missing connection before it was missing. Only an unanswered request leaves an error.
func (t *Tracked) beforeMissing() Fate {
	if t.Err != nil {
		return FateUnanswered
	}
	return FateAsked
}

// learn takes in figures, and the details that an answer to a request does not have.
func (t *Tracked) learn(row Connection) {
	t.IngressBytes, t.EgressBytes = row.IngressBytes, row.EgressBytes
	if t.EstablishedAt.IsZero() {
		t.CommonName, t.EstablishedAt = row.CommonName, row.EstablishedAt
		t.ClientIP, t.ClientIPv6 = row.ClientIP, row.ClientIPv6
	}
}

// asksAgain reports whether to send EC2 a second request, now that it lists the connection with this status. It does so
// where EC2 said that there is no such connection, or did not answer, and the connection is active.
func (t *Tracked) asksAgain(listed Status) bool {
	fate := t.Fate
	if fate == FateMissing {
		fate = t.beforeMissing()
	}
	return t.Requests == 1 && listed == Active && (fate == FateDenied || fate == FateUnanswered)
}

// Reappeared records that a search lists the connection again, with this status, although it counted as ended.
func (t *Tracked) Reappeared(status Status) {
	t.Fate, t.Current, t.Err = FateReappeared, status, nil
	t.EndedAt, t.EndSeenAt = time.Time{}, time.Time{}
	if status == Terminating {
		t.Fate = FateAsked
	}
	t.Requests = 0
	t.Reappearances++
}
