package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/trial"
)

// load measures a soak. Neither latency nor limits are on, so that it is the function's work that is measured, and not
// EC2's twenty reading calls a second.
func (b *bench) load(ctx context.Context) error {
	const events, processes = 10_000, 4
	s, err := soak(ctx, b.program("cmd/handler"), b.environment, events, processes)
	if err != nil {
		return err
	}
	b.figures = append(b.figures, figure{"10,000 mixed events in batches of ten: lost", fmt.Sprintf("%d (%d answered, %d asked for nothing, %d went back to the queue; %d connections ended)",
		len(s.lost), s.answered, s.nothing, s.back, s.ended), "0", len(s.lost) == 0})
	b.figures = append(b.figures, figure{what: "events a second, four processes side by side", measured: fmt.Sprintf("%.0f", events/s.took.Seconds())})
	b.add("memory after the last against after the first tenth", "%.2f ×", float64(s.late)/float64(s.early), 1.5, fmt.Sprintf(" (%.1f MiB, %.1f MiB)", mebibytes(s.late), mebibytes(s.early)))
	return nil
}

// soaked is what came of a soak.
type soaked struct {
	// An event is answered by the outcomes of its signals, asks for nothing, or goes back to the queue. Otherwise it is lost.
	answered, nothing, back int
	lost                    []string
	ended                   int // connections
	took                    time.Duration
	// early is the most memory that a process held after the first tenth of the events, late after the last, in bytes.
	early, late int64
}

// soak hands so many events of all kinds of events/, each about somebody else, in batches of ten to processes side by side.
// Every other person has a connection. It is the same mixture in every run.
func soak(ctx context.Context, binary string, env func(url string) []string, events, processes int) (soaked, error) {
	var s soaked
	files, err := filepath.Glob("events/*/*.json")
	if err != nil || len(files) == 0 {
		return s, errors.New("no events/*/*.json here; run it from the repository's root")
	}
	cloud := trial.NewCompany()
	cloud.TerminateTime = time.Millisecond
	addBystanders(cloud, trial.Endpoints[0].ID, 300)
	random := rand.New(rand.NewPCG(7, 7))
	var messages []message
	signalsOf := map[string][]string{} // by message, their ids
	known := map[string]bool{}
	for n := range events {
		raw, err := os.ReadFile(files[random.IntN(len(files))])
		if err != nil {
			return s, fmt.Errorf("reading the events: %w", err)
		}
		body, signals := another(raw, n)
		m := message{ID: fmt.Sprint("message-", n), Body: string(body)}
		messages = append(messages, m)
		for _, some := range signals {
			if known[some.ID] && !slices.Contains(signalsOf[m.ID], some.ID) {
				return s, fmt.Errorf("two events have the id %q", some.ID)
			}
			known[some.ID] = true
			signalsOf[m.ID] = append(signalsOf[m.ID], some.ID)
			if len(some.Subject.Usernames) > 0 && random.IntN(2) == 0 {
				cloud.Connect(emulator.Client{EndpointID: trial.Endpoints[n%len(trial.Endpoints)].ID, Username: some.Subject.Usernames[0]})
			}
		}
	}

	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		return s, err
	}
	defer stop()
	functions := make([]*emulator.Function, processes)
	for i := range functions {
		if functions[i], err = emulator.Start(ctx, binary, env(url)); err != nil {
			return s, err
		}
		defer functions[i].Close()
	}
	back := map[string]bool{}
	hand := func(messages []message) (most int64, err error) {
		batches := make(chan []byte, len(messages))
		for batch := range slices.Chunk(messages, 10) {
			batches <- batchOf(batch)
		}
		close(batches)
		var mu sync.Mutex
		var wait sync.WaitGroup
		for _, f := range functions {
			wait.Go(func() {
				for batch := range batches {
					ids, failure := invokeBatch(ctx, f, batch)
					mu.Lock()
					err = errors.Join(err, failure)
					for _, id := range ids {
						back[id] = true
					}
					mu.Unlock()
					if failure != nil {
						return
					}
				}
			})
		}
		wait.Wait()
		for _, f := range functions {
			most = max(most, f.MaxRSS())
		}
		return most, err
	}
	began := time.Now()
	if s.early, err = hand(messages[:events/10]); err != nil {
		return s, err
	}
	if s.late, err = hand(messages[events/10:]); err != nil {
		return s, err
	}
	s.took = time.Since(began)

	outcomes, nothing := map[string]int{}, map[string]int{}
	for _, f := range functions {
		f.Close() // which completes its log
		for line := range bytes.Lines(f.Logs()) {
			var entry struct {
				Message, MessageID string
				Outcome            struct{ Signal struct{ ID string } }
			}
			if json.Unmarshal(line, &entry) != nil {
				continue
			}
			switch entry.Message {
			case "outcome":
				outcomes[entry.Outcome.Signal.ID]++
			case "nothing to do":
				nothing[entry.MessageID]++
			}
		}
	}
	for _, m := range messages {
		seen := nothing[m.ID]
		ids := slices.Compact(slices.Sorted(slices.Values(signalsOf[m.ID])))
		for _, id := range ids {
			seen += outcomes[id]
		}
		switch {
		case back[m.ID]:
			s.back++
		case seen < max(1, len(signalsOf[m.ID])):
			s.lost = append(s.lost, m.Body)
		case nothing[m.ID] > 0:
			s.nothing++
		default:
			s.answered++
		}
	}
	for _, c := range cloud.Connections() {
		if c.ByRequest {
			s.ended++
		}
	}
	return s, bystandersAreUp(cloud)
}

// people are those in events/ who are not administrators.
var people = regexp.MustCompile(`(?i)\b(alice|bob|carol|dave|erin|frank|mallory)\b`)

// another gives the event as if it happened just now, to somebody else, with ids of its own, and its signals, if it has any.
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
