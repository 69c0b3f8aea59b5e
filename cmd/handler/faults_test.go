package main

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"

	"github.com/google/go-cmp/cmp"
)

// elsewhere are faults that tests of their own hold.
var elsewhere = []struct {
	fault, out string
	test       func(*testing.T)
}{
	{"the process is killed, after any of its calls",
		"the next one gets the event again and finishes; what was published just before may come twice",
		TestKilledAtEveryStage},
	{"the same event in two processes at once", "both answer; nothing is terminated that was not up",
		TestTwoProcessesAtOnce},
	{"a TCP connection is reset", "`terminated`", TestConnectionsResetByTCP},
	{"an account's role cannot be assumed", "the other accounts are acted on; `partial`, naming account, Region and role",
		TestTargetsAreGuardedToo},
	{"one of three topics fails",
		"the event fails; when it comes again, that topic gets what it is owed, and the others nothing",
		TestOneTopicThatFailsIsMadeUpFor},
	{"`TOPIC_ARN` is not set, or any other setting is wrong",
		"the function does not start, and names every problem at once", TestSettingsReportAllProblemsAtOnce},
	{"all of these, at random and at once", "the four promises hold, and the two below", TestRandomDays},
}

var update = flag.Bool("update", false, "write the table of doc/faults.md anew")

// TestPageIsTheTable: doc/faults.md says what the tests hold, and nothing else.
func TestPageIsTheTable(t *testing.T) {
	var table strings.Builder
	table.WriteString("| fault | what comes out | test |\n|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&table, "| %s | %s | `TestFaults` |\n", r.fault, r.out)
	}
	for _, e := range elsewhere {
		name := runtime.FuncForPC(reflect.ValueOf(e.test).Pointer()).Name()
		fmt.Fprintf(&table, "| %s | %s | `%s` |\n", e.fault, e.out, name[strings.LastIndex(name, ".")+1:])
	}
	const page, begin, end = "../../doc/faults.md", "<!-- table -->\n", "<!-- end -->"
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(raw), begin)
	shown, after, found := strings.Cut(rest, end)
	switch {
	case !found:
		t.Fatalf("%s has no table", page)
	case *update:
		if err := os.WriteFile(page, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case shown != table.String():
		t.Errorf("write %s anew, with: go test ./cmd/handler -run TestPageIsTheTable -update\n%s", page,
			cmp.Diff(shown, table.String()))
	}
}

// TestFaults holds each row, and the promises of the world at every call.
func TestFaults(t *testing.T) {
	for _, r := range rows {
		t.Run(r.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				w.cloud.Latency = 150 * time.Millisecond
				w.connect("alice", emulator.Client{EndpointID: saml, Username: "alice@example.com"})
				w.connect("alice", emulator.Client{EndpointID: ad, Username: `EXAMPLE\alice`})
				w.connect("bob", emulator.Client{EndpointID: saml, Username: "bob"})
				time.Sleep(time.Minute) // so that they were up before the event
				if r.prepare != nil {
					r.prepare(w)
				}
				if r.events == nil {
					w.send(w.add("e1", forEnd, "alice:alice"))
				} else {
					w.send(r.events(w)...)
				}
				failed := w.drain(max(r.instances, 1), r.broken)
				time.Sleep(10 * time.Second) // a person who reconnects is there
				w.settle()
				if w.keepOut {
					w.settleList()
				}
				slices.Sort(w.statuses) // they are published side by side
				got := row{failed: failed, published: w.statuses, up: w.up()}
				for _, m := range w.dead {
					got.dead = append(got.dead, m.id)
				}
				if !slices.Equal(got.failed, r.failed) || !slices.Equal(got.published, r.published) ||
					!slices.Equal(got.up, r.up) || !slices.Equal(got.dead, r.dead) {
					t.Errorf("failed at first %q, published %q, up %q, dead %q;\nwant %q, %q, %q, %q", got.failed, got.published,
						got.up, got.dead, r.failed, r.published, r.up, r.dead)
				}
			})
		})
	}
}

// drain has instances work until the queue is empty, and returns what failed at the first delivery. Only that one has
// less time than in the template.
func (w *world) drain(instances int, broken bool) (failedFirst []string) {
	var working sync.WaitGroup
	for range instances {
		working.Go(func() {
			i := w.start(broken)
			for first := true; ; first = false {
				most := 10
				if instances > 1 {
					most = 1
				}
				batch, when := w.receive(most, nil)
				if len(batch) == 0 {
					if when.IsZero() {
						return
					}
					time.Sleep(time.Until(when))
					continue
				}
				within := timeout
				if first {
					within = w.timeout
				}
				if within < timeout {
					w.trouble("")
				}
				failed := w.deliver(i, batch, within)
				if first {
					w.mu.Lock()
					failedFirst = append(failedFirst, failed...)
					w.mu.Unlock()
				}
			}
		})
	}
	working.Wait()
	return failedFirst
}
