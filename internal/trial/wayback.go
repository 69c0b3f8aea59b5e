package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
)

// connectBinary is the client connect handler, beside the handler.
const connectBinary = "connect"

// door is the client connect handler of the company's Endpoints. It is started when somebody knocks first.
type door struct {
	binary string
	env    []string

	mu       sync.Mutex
	function *emulator.Function
}

func newDoor(handler string, env []string) *door {
	return &door{binary: filepath.Join(filepath.Dir(handler), connectBinary), env: env}
}

// ask is the cloud's ConnectHandler.
func (d *door) ask(ctx context.Context, request []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.function == nil {
		function, err := emulator.Start(ctx, d.binary, d.env)
		if err != nil {
			return nil, err
		}
		d.function = function
	}
	answer, err := d.function.Invoke(ctx, request)
	if err == nil && answer.Failure != nil {
		err = errors.New(answer.Failure.Message)
	}
	return answer.Payload, err
}

func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.function != nil {
		d.function.Close()
	}
}

// wayBack shows the whole of keep-out, with one person in one company: ended, tries to come back, is turned away, is reinstated, comes
// back; and that nobody else notices. It fails if anything goes another way.
func wayBack(ctx context.Context, out io.Writer, binary, policyFile string) error {
	cloud := NewCompany()
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		return err
	}
	defer stop()
	policyPath, err := filepath.Abs(policyFile)
	if err != nil {
		return err
	}
	env := Environment(url, policyPath, string(policy.Enforce))
	guard := newDoor(binary, env)
	cloud.ConnectHandler = guard.ask
	defer guard.close()
	function, err := emulator.Start(ctx, binary, env)
	if err != nil {
		return err
	}
	defer function.Close()

	var wrong []string
	tell := func(words, want string) {
		fmt.Fprintf(out, "   %s\n", words)
		if !strings.Contains(words, want) {
			wrong = append(wrong, fmt.Sprintf("%q, not %q", words, want))
		}
	}
	happens := func(file, want string) error {
		raw, err := os.ReadFile(filepath.Join("events", file))
		if err != nil {
			return fmt.Errorf("reading the event: %w", err)
		}
		fmt.Fprintf(out, "\n   %s\n", file)
		answer, err := function.Invoke(ctx, MoveToNow(raw))
		if err != nil {
			return err
		}
		var told struct{ Outcomes []Outcome }
		if answer.Failure != nil {
			return fmt.Errorf("%s: %s", answer.Failure.Type, answer.Failure.Message)
		}
		if err := json.Unmarshal(answer.Payload, &told); err != nil || len(told.Outcomes) != 1 {
			return fmt.Errorf("reading the outcome: %w\n%s", err, answer.Payload)
		}
		tell(strings.ToUpper(told.Outcomes[0].Status)+"  "+told.Outcomes[0].Summary, want)
		return nil
	}
	knocks := func(username, commonName string, place int, want string) {
		before := len(cloud.Refused())
		_, in := cloud.Attempt(emulator.Client{EndpointID: Endpoints[place].ID, Username: username, CommonName: commonName})
		answer := "is let in"
		if !in {
			refused := cloud.Refused()[before:]
			answer = fmt.Sprintf("is turned away (%s): %q", refused[0].Reason, refused[0].Message)
		}
		tell(fmt.Sprintf("%s connects to %s, and %s", person(username, commonName), Endpoints[place].Name, answer), want)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()

	const office, plant, field = 0, 1, 2
	const away = "is turned away (client-connect-failed)"
	fmt.Fprintf(out, "\n── the way back: a client connect handler at every endpoint asks the keep-out list\n")
	if err := happens("okta/user-deactivate.json", "TERMINATED  4 VPN connections of alice@example.com ended. alice@example.com is kept out for ever."); err != nil {
		return err
	}
	if len(cloud.Refused()) == 0 {
		wrong = append(wrong, "nobody came back")
	}
	for _, r := range cloud.Refused() {
		tell(fmt.Sprintf("%s comes back to %s by itself, and is turned away (%s)", r.Username, EndpointName(r.EndpointID), r.Reason), away)
	}
	knocks("Alice@Example.com", "", office, away)
	knocks("", "alice.vpn.example.com", field, away)
	knocks("malice@example.com", "", office, "is let in")
	if err := happens("okta/user-activate.json", "NOTIFIED  alice@example.com may connect again"); err != nil {
		return err
	}
	knocks("alice@example.com", "", office, "is let in")
	if err := happens("guardduty/iam-user.json", "bob is kept out until "); err != nil {
		return err
	}
	knocks(`EXAMPLE\bob`, "", plant, away)
	if len(wrong) > 0 {
		return fmt.Errorf("the way back went another way: %s", strings.Join(wrong, "; "))
	}
	return nil
}
