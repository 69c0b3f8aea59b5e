package main

import (
	"context"
	"fmt"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/signal"
	"clientvpn-responder/internal/stack"

	"github.com/spf13/cobra"
)

// letter is a dead letter, and what its event says.
type letter struct {
	stack.Letter

	Says []string `json:"says"`
}

func (t *tool) dead() *cobra.Command {
	var most int
	command := &cobra.Command{
		Use: "dead", Short: "Show dead letters: events that failed five times", Args: takes(0, 0),
		Long: `Show the dead letters: events that failed five times, and wait for a person. It
takes none away, and hides each from others for ten seconds. The exit code is 1
if there are any.`,
		Example: `  clientvpn dead
  clientvpn dead --most 10 --json`,
		RunE: func(command *cobra.Command, _ []string) error {
			s, err := t.open(command.Context())
			if err != nil {
				return err
			}
			letters, err := s.DeadLetters(command.Context(), most)
			if err != nil {
				return err
			}
			for _, l := range letters {
				if err := t.printLetter(letter{l, said(l.Body)}); err != nil {
					return err
				}
			}
			if n := len(letters); n > 0 {
				return fmt.Errorf(`%s; when the cause is gone: clientvpn redrive`,
					plural(n, "1 dead letter", "%d dead letters"))
			}
			if !t.json {
				t.Print("There are no dead letters.")
			}
			return nil
		},
	}
	command.Flags().IntVar(&most, "most", 100, "show at most so many")
	return command
}

// said returns what an event says about whom, or why it cannot be read.
func said(event string) (all []string) {
	signals, err := signal.Parse([]byte(event))
	if err != nil {
		all = append(all, err.Error())
	}
	for _, s := range signals {
		all = append(all, fmt.Sprintf("%s: %s about %s, event %s", s.Provider, s.Type, s.Subject, s.ID))
	}
	return all
}

func (t *tool) printLetter(l letter) error {
	if t.json {
		return t.printJSON(l)
	}
	t.Print("%s  sent %s, received %s", t.In(console.Bold, l.ID), l.Sent.Format(time.DateTime),
		plural(l.Receives, "once", "%d times"))
	for _, words := range l.Says {
		t.Item("  ", console.Safe(words))
	}
	return nil
}

// Waits of a redrive: between two looks, and until nobody waits any longer.
const (
	lookEvery   = time.Second
	longestLook = 2 * time.Minute
)

func (t *tool) redrive() *cobra.Command {
	return &cobra.Command{
		Use: "redrive", Short: "Put all dead letters back into the queue, once their cause is gone", Args: takes(0, 0),
		Long: `Put all dead letters back into the queue, so that the function tries them again.
Do it once their cause is gone. A person who was cut off already is not cut off
twice. The exit code is 1 if not all could be moved.`,
		Example: "  clientvpn redrive",
		RunE: func(command *cobra.Command, _ []string) error {
			s, err := t.open(command.Context())
			if err != nil {
				return err
			}
			n, err := s.Depth(command.Context(), "DeadLetterQueueUrl")
			if err != nil {
				return err
			}
			if n == 0 {
				return t.printRedrive(stack.Redrive{Status: "COMPLETED"})
			}
			if err := s.StartRedrive(command.Context()); err != nil {
				return err
			}
			moved, err := t.waitForRedrive(command.Context(), s)
			if err != nil {
				return err
			}
			return t.printRedrive(moved)
		},
	}
}

// waitForRedrive waits until the dead letters are moved.
func (t *tool) waitForRedrive(ctx context.Context, s *stack.Stack) (r stack.Redrive, err error) {
	progress := t.Progress("Moving the dead letters", 0)
	defer progress.Stop()
	for began := time.Now(); time.Since(began) < longestLook; {
		if r, err = s.Redriven(ctx); err != nil || r.Status != "RUNNING" {
			return r, err
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
	return r, nil
}

func (t *tool) printRedrive(r stack.Redrive) error {
	var err error
	switch {
	case t.json:
		err = t.printJSON(r)
	case r.Status == "COMPLETED" && r.Moved == 0:
		t.Print("There are no dead letters.")
	default:
		t.Print("%s back in the queue (%s).", plural(r.Moved, "1 event is", "%d events are"), r.Status)
	}
	if err == nil && r.Status != "COMPLETED" {
		err = fmt.Errorf("the move is %s: %s", r.Status, r.FailureReason)
	}
	return err
}
