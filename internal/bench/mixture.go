package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/trial"
)

// mixture is messages with events of all kinds, each about somebody else.
type mixture struct {
	messages  []message
	signalsOf map[string][]string // by message, their ids
}

// mix returns so many events of all kinds of events/. Every other person has a connection in the cloud. It is the same
// mixture in every run.
func mix(cloud *emulator.Cloud, events int) (mixture, error) {
	m := mixture{signalsOf: map[string][]string{}}
	files, err := trial.Events()
	if err != nil {
		return m, err
	}
	// Pub/Sub's data is in base64, so its ids and names would stay the same.
	files = slices.DeleteFunc(files, func(file string) bool { return strings.Contains(file, "pubsub") })
	random := rand.New(rand.NewPCG(7, 7))
	known := map[string]bool{}
	for n := range events {
		raw, err := os.ReadFile(files[random.IntN(len(files))])
		if err != nil {
			return m, fmt.Errorf("reading the events: %w", err)
		}
		body, signals := another(raw, n)
		id := fmt.Sprint("message-", n)
		m.messages = append(m.messages, message{ID: id, Body: string(body)})
		for _, some := range signals {
			if known[some.ID] && !slices.Contains(m.signalsOf[id], some.ID) {
				return m, fmt.Errorf("two events have the id %q", some.ID)
			}
			known[some.ID] = true
			m.signalsOf[id] = append(m.signalsOf[id], some.ID)
			if len(some.Subject.Usernames) > 0 && random.IntN(2) == 0 {
				endpoint := trial.Endpoints[n%len(trial.Endpoints)].ID
				cloud.Connect(emulator.Client{EndpointID: endpoint, Username: some.Subject.Usernames[0]})
			}
		}
	}
	return m, nil
}

// people are those in events/ who are not administrators.
var people = regexp.MustCompile(`(?i)\b(alice|bob|carol|dave|erin|frank|mallory)\b`)

// another returns the event as if it had happened just now, to somebody else, with ids of its own, and its signals.
func another(raw []byte, n int) ([]byte, []signal.Signal) {
	body := people.ReplaceAll(trial.MoveToNow(raw), fmt.Appendf(nil, "${1}%06d", n))
	var envelope struct{ ID string }
	_ = json.Unmarshal(body, &envelope) // without one, only the signals' are renewed
	signals, _ := signal.Parse(body)    // what cannot be read has none
	ids := []string{envelope.ID}
	for _, s := range signals {
		ids = append(ids, s.ID)
	}
	var renew []string
	for _, id := range ids {
		if id != "" {
			renew = append(renew, id, id[:max(len(id)-6, 0)]+fmt.Sprintf("%06d", n))
		}
	}
	body = []byte(strings.NewReplacer(renew...).Replace(string(body)))
	signals, _ = signal.Parse(body)
	return body, signals
}
