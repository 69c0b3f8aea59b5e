package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"clientvpn-responder/internal/emulator"
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
	b.figures = append(b.figures, figure{
		"10,000 mixed events in batches of ten: lost",
		fmt.Sprintf("%d (%d answered, %d asked for nothing, %d went back to the queue; %d connections ended)",
			len(s.lost), s.answered, s.nothing, s.back, s.ended),
		"0", len(s.lost) == 0,
	})
	b.figures = append(b.figures, figure{
		what: "events a second, four processes side by side", measured: fmt.Sprintf("%.0f", events/s.took.Seconds()),
	})
	b.add("memory after the last against after the first tenth", "%.2f ×", float64(s.late)/float64(s.early), 1.5,
		fmt.Sprintf(" (%.1f MiB, %.1f MiB)", mebibytes(s.late), mebibytes(s.early)))
	return nil
}

// soaked is what came of a soak.
type soaked struct {
	// An event is answered by its signals' outcomes, asks for nothing, or goes back to the queue. Otherwise it is lost.
	answered, nothing, back int
	lost                    []string
	ended                   int // connections
	took                    time.Duration
	// early is the most memory that a process held after the first tenth of the events, late after the last, in bytes.
	early, late int64
}

// soak passes a mixture of so many events, in batches of ten, to processes side by side.
func soak(ctx context.Context, binary string, env func(url string) []string, events, processes int) (soaked, error) {
	var s soaked
	cloud := trial.NewCompany()
	cloud.TerminateTime = time.Millisecond
	addBystanders(cloud, trial.Endpoints[0].ID, 300)
	m, err := mix(cloud, events)
	if err != nil {
		return s, err
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
	back, err := s.pass(ctx, functions, m.messages)
	if err != nil {
		return s, err
	}
	s.judge(m, back, readLogs(functions))
	for _, c := range cloud.Connections() {
		if c.ByRequest {
			s.ended++
		}
	}
	return s, bystandersAreUp(cloud)
}

// pass passes the functions all messages, measures time and memory, and returns which messages go back to the queue.
func (s *soaked) pass(
	ctx context.Context, functions []*emulator.Function, messages []message,
) (map[string]bool, error) {
	began := time.Now()
	early, err := share(ctx, functions, messages[:len(messages)/10])
	if err != nil {
		return nil, err
	}
	s.early = most(functions)
	late, err := share(ctx, functions, messages[len(messages)/10:])
	if err != nil {
		return nil, err
	}
	s.late, s.took = most(functions), time.Since(began)
	back := map[string]bool{}
	for _, id := range append(early, late...) {
		back[id] = true
	}
	return back, nil
}

// share passes batches of ten messages to whichever function has time, and returns which messages go back to the queue.
func share(ctx context.Context, functions []*emulator.Function, messages []message) ([]string, error) {
	batches := make(chan []byte, len(messages))
	for batch := range slices.Chunk(messages, 10) {
		batches <- batchOf(batch)
	}
	close(batches)
	back, errs := make([][]string, len(functions)), make([]error, len(functions))
	var wait sync.WaitGroup
	for i, f := range functions {
		wait.Go(func() {
			for batch := range batches {
				var ids []string
				if ids, errs[i] = invokeBatch(ctx, f, batch); errs[i] != nil {
					return
				}
				back[i] = append(back[i], ids...)
			}
		})
	}
	wait.Wait()
	return slices.Concat(back...), errors.Join(errs...)
}

// most returns the most memory that one of the functions held.
func most(functions []*emulator.Function) (bytes int64) {
	for _, f := range functions {
		bytes = max(bytes, f.MaxRSS())
	}
	return bytes
}

// logged counts the lines of the functions' logs.
type logged struct {
	outcomes map[string]int // by signal
	nothing  map[string]int // by message
}

// readLogs ends the functions, which completes their logs.
func readLogs(functions []*emulator.Function) logged {
	l := logged{map[string]int{}, map[string]int{}}
	for _, f := range functions {
		f.Close()
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
				l.outcomes[entry.Outcome.Signal.ID]++
			case "nothing to do":
				l.nothing[entry.MessageID]++
			}
		}
	}
	return l
}

// judge counts what became of the messages.
func (s *soaked) judge(m mixture, back map[string]bool, l logged) {
	for _, message := range m.messages {
		signals := m.signalsOf[message.ID]
		seen := l.nothing[message.ID]
		for _, id := range slices.Compact(slices.Sorted(slices.Values(signals))) {
			seen += l.outcomes[id]
		}
		switch {
		case back[message.ID]:
			s.back++
		case seen < max(1, len(signals)):
			s.lost = append(s.lost, message.Body)
		case l.nothing[message.ID] > 0:
			s.nothing++
		default:
			s.answered++
		}
	}
}
