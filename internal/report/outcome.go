// Package report makes pages of outcomes for people: what became of one event, and what happened in a week.
//
// It reads outcomes in their public JSON form, as the function's log has them. A page is one HTML file. It promises to
// load nothing and to run nothing, and that words of an event are text in it, whatever they contain.
package report

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// Outcome is what is read here of an outcome's JSON form.
type Outcome struct {
	Status   string        `json:"status"`
	Summary  string        `json:"summary"`
	Signal   signal.Signal `json:"signal"`
	Decision struct {
		Rule    string          `json:"rule"`
		Action  string          `json:"action"`
		Mode    string          `json:"mode"`
		Gate    string          `json:"gate"`
		Names   []string        `json:"names"`
		People  []string        `json:"people"`
		Reasons []policy.Reason `json:"reasons"`
	} `json:"decision"`
	PolicyHash string `json:"policy_hash"`
	Timing     struct {
		EventAt     time.Time `json:"event_at"`
		ReceivedAt  time.Time `json:"received_at"`
		DecidedAt   time.Time `json:"decided_at"`
		RequestedAt time.Time `json:"requested_at"`
		EndedAt     time.Time `json:"ended_at"`
	} `json:"timing"`
	KeptOutUntil  time.Time    `json:"kept_out_until"`
	Connections   []Connection `json:"connections"`
	Spared        []Connection `json:"spared"`
	Omitted       int          `json:"omitted"`
	Reconnections int          `json:"reconnections"`
	LeftToDo      []string     `json:"left_to_do"`
	Error         string       `json:"error"`
	Listings      []string     `json:"listings"`
}

// Reasons returns the decision's reasons, each once.
func (o *Outcome) Reasons() []policy.Reason {
	d := policy.Decision{Reasons: o.Decision.Reasons}
	return d.EachOnce()
}

// Connection is one that was to be terminated, or was left alone for a reason.
type Connection struct {
	EndpointID     string    `json:"endpoint_id"`
	EndpointName   string    `json:"endpoint_name"`
	ConnectionID   string    `json:"connection_id"`
	Username       string    `json:"username"`
	CommonName     string    `json:"common_name"`
	ClientIP       string    `json:"client_ip"`
	EstablishedAt  time.Time `json:"established_at"`
	PreviousStatus string    `json:"previous_status"`
	CurrentStatus  string    `json:"current_status"`
	How            string    `json:"how"`
	IngressBytes   int64     `json:"ingress_bytes"`
	EgressBytes    int64     `json:"egress_bytes"`
	RequestedAt    time.Time `json:"requested_at"`
	EndedAt        time.Time `json:"ended_at"`
	EndSeenAt      time.Time `json:"end_seen_at"`
	RequestIDs     []string  `json:"request_ids"`
	Error          string    `json:"error"`
	Reason         string    `json:"reason"`
	Account        string    `json:"account"`
	Region         string    `json:"region"`
}

// Who returns the user name, or the certificate where there is none.
func (c Connection) Who() string {
	if c.Username != "" {
		return c.Username
	}
	return "certificate " + cmp.Or(c.CommonName, "without a name")
}

// Where returns the endpoint's name and id.
func (c Connection) Where() string {
	if c.EndpointName == "" {
		return c.EndpointID
	}
	return c.EndpointName + " (" + c.EndpointID + ")"
}

// Logged is an outcome in a line of the function's log.
type Logged struct {
	Outcome     Outcome   `json:"outcome"`
	Published   bool      `json:"published"`
	Unpublished []string  `json:"unpublished"`
	Time        time.Time `json:"time"`
}

// ReadLog reads a line of the function's log. It reports false for a line without an outcome.
func ReadLog(line []byte) (Logged, bool) {
	var read struct {
		Message   string    `json:"message"`
		Timestamp time.Time `json:"timestamp"`
		Logged
	}
	if err := json.Unmarshal(line, &read); err != nil || read.Message != "outcome" || read.Outcome.Status == "" {
		return Logged{}, false
	}
	if read.Time.IsZero() {
		read.Time = read.Timestamp
	}
	return read.Logged, true
}

// Key identifies the signal: an event may be about several people, and may come several times.
func (o Outcome) Key() string {
	return o.Signal.Provider + "\x00" + o.Signal.ID + "\x00" + o.Signal.Subject.String()
}

// IsEvent reports whether the outcome is about the event with this id, which is the provider's own or EventBridge's.
func (o Outcome) IsEvent(id string) bool {
	return id != "" && (o.Signal.ID == id || o.Signal.EventID == id)
}

// About reports whether the outcome is about the person, by a name in the event, a name that the policy knows, or a
// connection.
func (o Outcome) About(name string) bool {
	names := slices.Concat(o.Signal.Subject.Usernames, o.Signal.Subject.IDs, o.Decision.Names, o.Decision.People)
	for _, c := range slices.Concat(o.Connections, o.Spared) {
		names = append(names, c.Username, c.CommonName)
	}
	folded := signal.Fold(strings.TrimSpace(name))
	return folded != "" && slices.ContainsFunc(names, func(n string) bool { return signal.Fold(n) == folded })
}

// IsAboutSomebody reports whether it is of an event about people, and not of a self-test, a sweep or a ruling.
func (o Outcome) IsAboutSomebody() bool {
	kind := o.Signal.Kind
	return kind != signal.SelfTest && kind != signal.Sweep && !kind.IsRuling()
}

// needing are the statuses that ask a person to do something.
var needing = []string{
	"failed", "partial", "unverified", "reconnecting", "held", "over-limit", "ambiguous", "unmapped", "not-ready",
}

// NeedsPerson reports whether a person must do something about it.
func (o Outcome) NeedsPerson() bool { return slices.Contains(needing, o.Status) }

// cutOff reports whether somebody was cut off, or would have been.
func (o Outcome) cutOff() bool {
	return slices.Contains([]string{"terminated", "reconnecting", "would-terminate", "partial", "unverified"}, o.Status)
}

// Final returns, for each signal, the outcome that counts, in the order in which the signals came first. This is the
// last one, except where a repeat found nobody after somebody was cut off.
func Final(all []Logged) []Logged {
	var final []Logged
	at := map[string]int{}
	for _, l := range all {
		i, seen := at[l.Outcome.Key()]
		switch {
		case !seen:
			at[l.Outcome.Key()] = len(final)
			final = append(final, l)
		case !final[i].Outcome.cutOff() || l.Outcome.Status != "not-connected":
			final[i] = l
		}
	}
	return final
}
