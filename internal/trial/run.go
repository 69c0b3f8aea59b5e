package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"clientvpn-responder/internal/policy"
)

// sideBySide is how many events are played at a time.
const sideBySide = 8

// Events returns the files of events/, or an error where there are none.
func Events() ([]string, error) {
	files, err := filepath.Glob("events/*/*.json")
	if err != nil || len(files) == 0 {
		return nil, errors.New("no events/*/*.json here; run it from the repository's root")
	}
	return files, nil
}

// RunAll sends every event of events/ through the binary and prints what became of it. It fails if anything is not as
// the goldens say; with update it writes them anew.
func RunAll(ctx context.Context, out io.Writer, policyFile string, update bool) error {
	files, err := Events()
	if err != nil {
		return err
	}
	binary, err := BuildHandler(ctx, out)
	if err != nil {
		return err
	}
	introduce(out, len(files))
	var way bytes.Buffer
	var wrongWay error
	var wait sync.WaitGroup
	wait.Go(func() { wrongWay = wayBack(ctx, &way, binary, policyFile) })
	plays, err := playAll(ctx, binary, policyFile, files)
	wait.Wait()
	if err != nil {
		return err
	}
	wrong, err := tellAll(out, plays, update)
	if err != nil {
		return err
	}
	if _, err := way.WriteTo(out); err != nil {
		return fmt.Errorf("telling of the way back: %w", err)
	}
	if err := summarize(out, plays, wrong); err != nil {
		return err
	}
	return wrongWay
}

// introduce prints who is connected before anything happens.
func introduce(out io.Writer, events int) {
	fmt.Fprintf(out, "\nA small company on its VPN, with %d events to come. EC2, SNS, the identity store and Lambda are "+
		"stand-ins on loopback; the binary is the one that is deployed.\n\n", events)
	for _, e := range Endpoints {
		fmt.Fprintf(out, "  %-7s %s (%s)\n", e.Name, e.How, e.ID)
		for _, c := range NewCompany().Connections() {
			if c.EndpointID == e.ID {
				fmt.Fprintf(out, "            %s\n", person(c.Username, c.CommonName))
			}
		}
	}
}

// playAll plays the events, some at a time, and returns what became of them in their order.
func playAll(ctx context.Context, binary, policyFile string, files []string) ([]*played, error) {
	plays, errs := make([]*played, len(files)), make([]error, len(files))
	slots := make(chan struct{}, sideBySide)
	var wait sync.WaitGroup
	for i, file := range files {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			plays[i], errs[i] = play(ctx, binary, policyFile, string(policy.Enforce), file)
		})
	}
	wait.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", files[i], err)
		}
	}
	return plays, nil
}

// tellAll prints the stories, then the events that take a line, and returns how many are not as their goldens say.
func tellAll(out io.Writer, plays []*played, update bool) (wrong int, err error) {
	stories := slices.DeleteFunc(slices.Clone(plays), func(p *played) bool { return !p.concernsConnections() })
	rest := slices.DeleteFunc(slices.Clone(plays), (*played).concernsConnections)
	for i, p := range slices.Concat(stories, rest) {
		if i == len(stories) {
			fmt.Fprintf(out, "\n── and %d that concerned no connection\n", len(rest))
		}
		p.tell(out)
		if update {
			if err := p.writeGolden(); err != nil {
				return 0, err
			}
		} else if diff := p.difference(); diff != "" {
			wrong++
			fmt.Fprintf(out, "   NOT AS ITS GOLDEN SAYS (-golden +seen):\n%s\n", diff)
		}
	}
	return wrong, nil
}

// summarize prints how many were cut off. It is an error if events did not go as their goldens say.
func summarize(out io.Writer, plays []*played, wrong int) error {
	cut, unreadable := 0, 0
	for _, p := range plays {
		if p.answer.Failure != nil {
			unreadable++
		}
		for _, o := range p.outcomes {
			if o.Status == "terminated" || o.Status == "reconnecting" {
				cut++
			}
		}
	}
	alone := len(plays) - cut - unreadable
	fmt.Fprintf(out, "\n%d events: %d cut off, %d left alone, %d unreadable.", len(plays), cut, alone, unreadable)
	if wrong > 0 {
		fmt.Fprintln(out)
		return fmt.Errorf("%d events did not go as their goldens say", wrong)
	}
	fmt.Fprintln(out, " Each went as its golden says.")
	return nil
}

// Invoke sends one event through the binary, in the mode of the environment variable MODE, and prints its outcomes,
// mails and answer.
func Invoke(ctx context.Context, out io.Writer, policyFile, file string) error {
	binary, err := BuildHandler(ctx, out)
	if err != nil {
		return err
	}
	p, err := play(ctx, binary, policyFile, os.Getenv("MODE"), file)
	if err != nil {
		return err
	}
	p.tell(out)
	for _, m := range p.mails {
		fmt.Fprintf(out, "\n── the e-mail\nSubject: %s\n\n%s", m.Subject, m.Body)
	}
	if p.answer.Failure != nil {
		return nil
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, p.answer.Payload, "", "  "); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	_, err = fmt.Fprintf(out, "\n%s\n", &pretty)
	return err
}
