package trial

import (
	"fmt"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// Outcome is what is read here of the function's answer: its public JSON form, as anybody else would read it.
type Outcome struct {
	Status   string `json:"status"`
	Summary  string `json:"summary"`
	Decision struct {
		Rule    string          `json:"rule"`
		Action  string          `json:"action"`
		Reasons []policy.Reason `json:"reasons"`
	} `json:"decision"`
	Signal struct {
		Provider string         `json:"provider"`
		Type     string         `json:"type"`
		Kind     string         `json:"kind"`
		Reason   string         `json:"reason"`
		Subject  signal.Subject `json:"subject"`
	} `json:"signal"`
	Connections []connection `json:"connections"`
	Spared      []connection `json:"spared"`
	Timing      struct {
		ReceivedAt  time.Time `json:"received_at"`
		RequestedAt time.Time `json:"requested_at"`
		EndedAt     time.Time `json:"ended_at"`
	} `json:"timing"`
	KeptOutUntil time.Time `json:"kept_out_until"`
}

type connection struct {
	EndpointID     string `json:"endpoint_id"`
	ConnectionID   string `json:"connection_id"`
	Username       string `json:"username"`
	CommonName     string `json:"common_name"`
	PreviousStatus string `json:"previous_status"`
	CurrentStatus  string `json:"current_status"`
	How            string `json:"how,omitempty"`
	Reason         string `json:"reason,omitempty"`
}

func (c connection) String() string {
	words := fmt.Sprintf("%-7s %-24s", EndpointName(c.EndpointID), person(c.Username, c.CommonName))
	if c.Reason != "" {
		return words + " " + c.Reason
	}
	return fmt.Sprintf("%s by %-13s  %s -> %s", words, c.How, c.PreviousStatus, c.CurrentStatus)
}

func (c connection) who() string { return person(c.Username, c.CommonName) }
