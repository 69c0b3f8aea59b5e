package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
)

// scene is a story of several events and connects in one company, with what must be said at each.
type scene struct {
	*stage
	out   *console.Console
	wrong []string
}

// wayBack shows the whole of keep-out with one person in one company. The person is cut off, tries to reconnect and is
// denied; then the person is reinstated, and reconnects. Nobody else notices. It fails if anything goes another way.
func wayBack(ctx context.Context, out *console.Console, binary, policyFile string) error {
	stage, err := newStage(ctx, NewCompany(), binary, policyFile, string(policy.Enforce))
	if err != nil {
		return err
	}
	defer stage.close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s := &scene{stage: stage, out: out}
	out.Print("\n%s", out.In(console.Bold, "They try to reconnect. At every endpoint a handler asks the keep-out list."))
	if err := s.play(ctx); err != nil {
		return err
	}
	if len(s.wrong) > 0 {
		return fmt.Errorf("the way back went another way: %s", strings.Join(s.wrong, "; "))
	}
	return nil
}

func (s *scene) play(ctx context.Context) error {
	const (
		denied  = "is denied (client-connect-failed)"
		allowed = "is allowed"
	)
	office, plant, field := Endpoints[0], Endpoints[1], Endpoints[2]
	err := s.happens(ctx, "okta/user-deactivate.json",
		"TERMINATED  4 VPN connections of alice@example.com ended. alice@example.com is kept out for ever.")
	if err != nil {
		return err
	}
	if len(s.cloud.Refused()) == 0 {
		s.wrong = append(s.wrong, "nobody tried to reconnect")
	}
	for _, r := range s.cloud.Refused() {
		at := EndpointName(r.EndpointID)
		s.tell(fmt.Sprintf("%s reconnects to %s by itself, and is denied (%s)", r.Username, at, r.Reason), denied)
	}
	s.connects("Alice@Example.com", "", office, denied)
	s.connects("", "alice.vpn.example.com", field, denied)
	s.connects("malice@example.com", "", office, allowed)
	if err := s.happens(ctx, "okta/user-activate.json", "NOTIFIED  alice@example.com may connect again"); err != nil {
		return err
	}
	s.connects("alice@example.com", "", office, allowed)
	if err := s.happens(ctx, "guardduty/iam-user.json", "bob is kept out until "); err != nil {
		return err
	}
	s.connects(`EXAMPLE\bob`, "", plant, denied)
	return nil
}

// tell prints the words, in which the wanted ones must be.
func (s *scene) tell(words, want string) {
	s.out.Item("           ", console.Safe(words))
	if !strings.Contains(words, want) {
		s.wrong = append(s.wrong, fmt.Sprintf("%q, not %q", words, want))
	}
}

// happens sends an event of events/ through the function, which must have one outcome.
func (s *scene) happens(ctx context.Context, file, want string) error {
	raw, err := os.ReadFile(filepath.Join("events", file))
	if err != nil {
		return fmt.Errorf("reading the event: %w", err)
	}
	s.out.Print("  event    %s", file)
	return s.answers(ctx, MoveToNow(raw), want)
}

// answers has the function answer an event, with one outcome.
func (s *scene) answers(ctx context.Context, event []byte, want string) error {
	answer, err := s.function.Invoke(ctx, event)
	if err != nil {
		return err
	}
	if answer.Failure != nil {
		return fmt.Errorf("%s: %s", answer.Failure.Type, answer.Failure.Message)
	}
	var told struct{ Outcomes []Outcome }
	if err := json.Unmarshal(answer.Payload, &told); err != nil || len(told.Outcomes) != 1 {
		return fmt.Errorf("reading the outcome: %w\n%s", err, answer.Payload)
	}
	s.tell(strings.ToUpper(told.Outcomes[0].Status)+"  "+told.Outcomes[0].Summary, want)
	return nil
}

// connects has a client try to connect, and prints whether the endpoint allows it.
func (s *scene) connects(username, commonName string, to Endpoint, want string) {
	before := len(s.cloud.Refused())
	_, in := s.cloud.Attempt(emulator.Client{EndpointID: to.ID, Username: username, CommonName: commonName})
	answer := "is allowed"
	if !in {
		refused := s.cloud.Refused()[before:]
		answer = fmt.Sprintf("is denied (%s): %q", refused[0].Reason, refused[0].Message)
	}
	s.tell(fmt.Sprintf("%s connects to %s, and %s", person(username, commonName), to.Name, answer), want)
}
