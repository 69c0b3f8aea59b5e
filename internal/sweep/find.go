package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/signal"
)

const (
	// perRecall is how many people one call asks the ledger about. recalls is how many calls run side by side.
	perRecall, recalls = 100, 8
)

// Found is an event about somebody who is connected although the account is closed.
type Found struct {
	ID   string
	Body []byte
}

// recall asks the ledger who closed the accounts of connected people.
func (w *sweep) recall(ctx context.Context) {
	chunks := slices.Collect(slices.Chunk(w.names(), perRecall))
	known, errs := make([]ledger.Recalled, len(chunks)), make([]error, len(chunks))
	slots := make(chan struct{}, recalls)
	var group sync.WaitGroup
	for i, chunk := range chunks {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			known[i], errs[i] = w.Ledger.Recall(ctx, ledger.Query{People: chunk})
		})
	}
	group.Wait()
	for i, k := range known {
		if errs[i] != nil {
			w.problem(errs[i])
			return // one that does not answer will not answer about the others either
		}
		for name, access := range k.People {
			w.people[name].closings = access.StillClosed()
		}
	}
}

// find makes an event of each person who is connected although the account is closed.
func (w *sweep) find(ctx context.Context) {
	var found []finding
	for _, name := range w.names() {
		f, closed := w.finding(name, w.people[name])
		if !closed {
			continue
		}
		found = append(found, f)
		if w.report.Closed++; len(w.report.ClosedFirst) < mostListed {
			w.report.ClosedFirst = append(w.report.ClosedFirst, StillUp{name, f.Issuer, f.ClosedAt})
		}
	}
	done := w.answered(ctx, found)
	for _, f := range found {
		switch {
		case done[f.id]:
			w.report.Answered++
		case len(w.report.Found) < mostFound:
			w.report.Found = append(w.report.Found, w.event(f))
		}
	}
}

// finding is the detail of an event, as [signal.Parse] reads it.
type finding struct {
	Username string      `json:"username"`
	Issuer   string      `json:"issuer"`
	Kind     signal.Kind `json:"kind"`
	ClosedAt time.Time   `json:"closed_at"`
	ClosedBy string      `json:"closed_by,omitempty"`
	Reason   string      `json:"reason"`

	id string
}

// finding returns who closed the person's account, and false if it is open as far as is known. A store's word of today
// goes before its event of yesterday.
func (w *sweep) finding(name string, p *person) (finding, bool) {
	closings := slices.DeleteFunc(slices.Clone(p.closings), func(c ledger.Closing) bool {
		return w.now.Sub(c.Arrived) < grace || w.isEnabled(p, c.Issuer)
	})
	if len(closings) > 0 {
		c := slices.MaxFunc(closings, func(a, b ledger.Closing) int { return a.EventAt.Compare(b.EventAt) })
		f := finding{
			name, c.Issuer, signal.Kind(c.Kind), c.EventAt.UTC(), c.OutcomeID,
			fmt.Sprintf("%s closed the account: %s", c.Provider, c.Reason), "still-connected-" + short(c.OutcomeID, name),
		}
		if own, found := strings.CutPrefix(c.OutcomeID, signal.SweepProvider+" "); found {
			f.id, f.ClosedBy = own, "" // an earlier sweep closed it, on a store's word
		}
		return f, true
	}
	for i, s := range w.stores() {
		if in := p.standings[i]; in.status == disabled {
			issuer := s.Issuer().String()
			return finding{
				name, issuer, signal.AccountDisabled, w.now.UTC(), "",
				fmt.Sprintf("%s says that user %s is disabled", storeNames[i], in.userID),
				"still-connected-" + short(issuer, in.userID),
			}, true
		}
	}
	return finding{}, false
}

// storeNames are for people.
var storeNames = [2]string{"the identity store", "Microsoft Entra ID"}

// isEnabled reports whether the issuer is a store that says today that the person's account is enabled.
func (w *sweep) isEnabled(p *person, issuer string) bool {
	for i, s := range w.stores() {
		if s.Issuer().String() == issuer && p.standings[i].status == enabled {
			return true
		}
	}
	return false
}

func short(parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "\n"))))[:16]
}

// answered returns the findings that want no event now: SNS got their outcome within a day, and it did not cut the
// person off; or the brake holds them.
func (w *sweep) answered(ctx context.Context, found []finding) map[string]bool {
	var keys []ledger.EventKey
	for _, f := range found {
		keys = append(keys, f.key())
	}
	known, err := w.Ledger.Recall(ctx, ledger.Query{Events: keys})
	if err != nil {
		w.problem(err)
	}
	done := map[string]bool{}
	for _, f := range found {
		e := known.Events[f.key()]
		// What was cut off, or still has to be, is up again, and is done again.
		quiet := !e.AnsweredAt.IsZero() && !e.Settled && w.now.Sub(e.AnsweredAt) < sayAgain
		done[f.id] = quiet || e.Status == "held"
	}
	return done
}

func (f finding) key() ledger.EventKey {
	return ledger.EventKey{Provider: signal.SweepProvider, ID: f.id, Subject: f.Username}
}

// event returns the finding as an event, which is what the queue of held events keeps.
func (w *sweep) event(f finding) Found {
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": f.id, "source": signal.SweepSource, "detail-type": signal.StillConnected,
		"account": w.account, "time": w.now.UTC().Format(time.RFC3339), "region": w.region,
		"resources": []string{}, "detail": f,
	})
	if err != nil {
		panic(err) // texts and times alone
	}
	return Found{f.id, body}
}

// sourcesToHear are the providers that may fall silent: people and the sweep itself come as they come.
func sourcesToHear() []string {
	return slices.DeleteFunc(signal.Providers(), func(name string) bool {
		return name == signal.Custom || name == signal.SweepProvider
	})
}
