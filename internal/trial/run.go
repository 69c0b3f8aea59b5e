package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"clientvpn-responder/internal/console"
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

// RunOptions say what [RunAll] plays and prints.
type RunOptions struct {
	Policy  string // the file
	Update  bool   // write the goldens anew
	Stories bool   // print every story, not two
	JSON    bool   // one object a line for each event
}

// RunAll sends every event of events/ through the deployed programs and prints what became of it. It fails if anything
// is not as the goldens say.
func RunAll(ctx context.Context, c *console.Console, options RunOptions) error {
	files, err := Events()
	if err != nil {
		return err
	}
	began := time.Now()
	binary, err := BuildHandler(ctx, c)
	if err != nil {
		return err
	}
	built := time.Since(began)
	var way bytes.Buffer
	var wrongWay error
	var wait sync.WaitGroup
	wait.Go(func() {
		out := c.To(&way)
		wrongWay = errors.Join(wayBack(ctx, out, binary, options.Policy), polled(ctx, out, binary, options.Policy))
	})
	plays, err := playAll(ctx, c, binary, options.Policy, files)
	wait.Wait()
	if err != nil {
		return err
	}
	if options.Update {
		if err := updateAll(plays); err != nil {
			return err
		}
	}
	r := newReport(plays)
	if options.JSON {
		return errors.Join(r.writeJSON(c.Out), r.err(), wrongWay)
	}
	took := fmt.Sprintf("It took %s, of which %s to build.", seconds(time.Since(began)), seconds(built))
	r.print(c, options.Stories, way.Bytes(), took)
	return errors.Join(r.err(), wrongWay)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }

// playAll plays the events, some at a time, and returns what became of them in their order.
func playAll(ctx context.Context, c *console.Console, binary, policyFile string, files []string) ([]*played, error) {
	progress := c.Progress("Playing the events", len(files))
	defer progress.Stop()
	plays, errs := make([]*played, len(files)), make([]error, len(files))
	slots := make(chan struct{}, sideBySide)
	var wait sync.WaitGroup
	for i, file := range files {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			var err error
			if plays[i], err = play(ctx, binary, policyFile, string(policy.Enforce), file); err != nil {
				errs[i] = fmt.Errorf("%s: %w", file, err)
			}
			progress.Add(1)
		})
	}
	wait.Wait()
	return plays, errors.Join(errs...)
}

func updateAll(plays []*played) error {
	for _, p := range plays {
		if err := p.writeGolden(); err != nil {
			return err
		}
	}
	return nil
}

// Invoke sends one event through the deployed programs, in the mode of the environment variable MODE, and prints its
// story, mails and answer; with asJSON the answer alone.
func Invoke(ctx context.Context, c *console.Console, policyFile, file string, asJSON bool) error {
	binary, err := BuildHandler(ctx, c)
	if err != nil {
		return err
	}
	p, err := play(ctx, binary, policyFile, os.Getenv("MODE"), file)
	if err != nil {
		return err
	}
	if !asJSON {
		p.story(c, "In the small company, in mode "+string(mode())+":")
		if p.nothing != "" {
			c.Item("  nothing  ", p.nothing)
		}
		for _, m := range p.mails {
			c.Print("\n%s\nSubject: %s\n\n%s", c.In(console.Bold, "The e-mail"), m.Subject, m.Body)
		}
	}
	if p.answer.Failure != nil {
		return fmt.Errorf("the function says %s: %s", p.answer.Failure.Type, p.answer.Failure.Message)
	}
	if asJSON {
		c.Print("%s", bytes.TrimSpace(p.answer.Payload))
		return nil
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, p.answer.Payload, "", "  "); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	c.Print("%s", &pretty)
	return nil
}
