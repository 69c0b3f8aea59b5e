package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

// one measures how soon one person is cut off.
func (b *bench) one(ctx context.Context) error {
	const times = 11
	batch, err := leaving("alice@example.com")
	if err != nil {
		return err
	}
	var took []time.Duration
	var t attempt
	for range times {
		cloud := newCrowd(3, 100)
		connectAlice(cloud)
		if t, err = b.try(ctx, cloud, batch); err != nil {
			return err
		}
		d, err := t.cutOff()
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	calls := fmt.Sprintf("%d listings, %d terminations, %d to verify",
		len(t.made(describe, "")), len(t.made(terminate, "")), len(t.made(describe, "connection-id")))
	b.add("one person with six connections on 3 endpoints, which are discovered: last Terminate answered",
		"%.1f round trips", roundTrips(median(took)), 4, fmt.Sprintf(" (%.0f ms, at most %.0f of %d cold processes; %s)",
			milliseconds(median(took)), milliseconds(slices.Max(took)), times, calls))
	return nil
}

// connectAlice connects her twice to each endpoint, under another form of her name.
func connectAlice(cloud *emulator.Cloud) {
	for i, c := range []emulator.Client{
		{Username: "alice@example.com", CommonName: "alice@example.com"},
		{Username: `EXAMPLE\alice`, CommonName: `EXAMPLE\alice`},
		{CommonName: "alice.vpn.example.com"},
	} {
		c.EndpointID = trial.Endpoints[i].ID
		cloud.Connect(c)
		cloud.Connect(c)
	}
}

// ten measures how many listings a batch of ten events costs.
func (b *bench) ten(ctx context.Context) error {
	cloud := newCrowd(3, 100)
	var people []string
	for i := range 10 {
		people = append(people, leaver(i))
		cloud.Connect(emulator.Client{EndpointID: trial.Endpoints[i%3].ID, Username: people[i]})
	}
	batch, err := leaving(people...)
	if err != nil {
		return err
	}
	t, err := b.try(ctx, cloud, batch)
	if err != nil {
		return err
	}
	if _, err := t.cutOff(); err != nil {
		return err
	}
	b.add("a batch of ten events, ten people, 3 endpoints", "%.0f listings", float64(len(t.made(describe, ""))), 3,
		fmt.Sprintf(" (%d terminations)", len(t.made(terminate, ""))))
	return nil
}
