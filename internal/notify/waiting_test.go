package notify

import (
	"path/filepath"
	"testing"
	"time"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/responder"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/sweep"
)

// TestWhatPeopleReadOfTheBrakeAndTheSweep: the whole mail of what the brake holds, and of what a sweep has seen.
func TestWhatPeopleReadOfTheBrakeAndTheSweep(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 19, 41, 0, time.UTC)
	held := responder.Outcome{
		Status: responder.Braked,
		Summary: "The brake holds 280 events of okta, about alice, bob and 278 others: with them more than 25 people would " +
			"be cut off within 1h; 20 already were.",
		Signal: signal.Signal{
			ID: "64c3ff73", Provider: "okta", Kind: signal.AccountDisabled, Type: "user.lifecycle.deactivate", Time: at,
			Subject: signal.Subject{Usernames: []string{"alice@example.com"}},
		},
		Decision: policy.Decision{Mode: policy.Enforce, Gate: policy.GateBrake, Names: []string{"alice"}},
		Brake: &responder.Brake{
			Lane: "okta", Since: at, Events: 280, People: []string{"alice", "bob"}, Passed: 20, Limit: 25, Within: "1h",
			Announces: true,
		},
	}
	more, grown := held, *held.Brake
	grown.Events, grown.Said = 2800, 280
	more.Brake = &grown
	more.Summary = "The brake holds 2800 events of okta (280 when the last message said so), about alice, bob and at " +
		"least 198 others: with them more than 25 people would be cut off within 1h; 20 already were."
	swept := responder.Outcome{
		Status:  responder.Notified,
		Summary: "41 people are connected, and all of them could be found by name if they left now; svc-backup could not.",
		Signal: signal.Signal{
			ID: "7d1c2a9e", Provider: signal.SweepProvider, Kind: signal.Sweep, Type: "Sweep", Time: at,
		},
		Decision: policy.Decision{Mode: policy.Enforce},
		Sweep: &sweep.Report{
			People: 41, NotFindable: 1, Closed: 1, Forever: 1,
			NotFindableFirst: []sweep.Unfindable{{
				EndpointID: field, ConnectionID: "cvpn-connection-1", Name: "svc-backup",
				Why: "no template of identity.common_names reads it",
			}},
			ClosedFirst:  []sweep.StillUp{{Person: "dave", Issuer: "okta:acme", ClosedAt: at}},
			Silent:       []sweep.Silence{{Source: "entra", Since: at, Longest: "48h"}},
			ForeverFirst: []string{"carol, since 2026-07-01, by okta"},
		},
	}
	for name, o := range map[string]responder.Outcome{"held": held, "held-more": more, "swept": swept} {
		title, body, err := writer{}.text(o)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, filepath.Join("testdata", name+".txt"), "Subject: "+title+"\n\n"+body)
	}
}
