package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/schema"
	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

// Golden is what an event must lead to: beside events/okta/x.json it is events/okta/x.golden.
type Golden struct {
	// Explain is what explain -json says in mode enforce, at the time of the event.
	Explain []Explanation `json:"explain"`
	Run     result        `json:"run"`
}

// result is what was seen from outside when the event went through the binary in the small company.
type result struct {
	Error     string   `json:"error,omitempty"` // type and message of the function's error
	Outcomes  []told   `json:"outcomes"`
	Published []string `json:"published"`         // the subjects of the JSON messages
	Refused   []string `json:"refused,omitempty"` // who tried to come back and was turned away
	StillUp   []string `json:"still_up"`
}

type told struct {
	Status      string   `json:"status"`
	Summary     string   `json:"summary"`
	Connections []string `json:"connections,omitempty"`
	Spared      []string `json:"spared,omitempty"`
}

// Outcome is what is read here of the function's answer: its public JSON form, as anybody else would read it.
type Outcome struct {
	Status   string `json:"status"`
	Summary  string `json:"summary"`
	Decision struct {
		Rule    string          `json:"rule"`
		Action  string          `json:"action"`
		Reasons []policy.Reason `json:"reasons"`
	} `json:"decision"`
	Signal struct {
		Provider string         `json:"provider"`
		Type     string         `json:"type"`
		Kind     string         `json:"kind"`
		Reason   string         `json:"reason"`
		Subject  signal.Subject `json:"subject"`
	} `json:"signal"`
	Connections []connection `json:"connections"`
	Spared      []connection `json:"spared"`
	Timing      struct {
		ReceivedAt  time.Time `json:"received_at"`
		RequestedAt time.Time `json:"requested_at"`
		EndedAt     time.Time `json:"ended_at"`
	} `json:"timing"`
	KeptOutUntil time.Time `json:"kept_out_until"`
}

type connection struct {
	EndpointID     string `json:"endpoint_id"`
	ConnectionID   string `json:"connection_id"`
	Username       string `json:"username"`
	CommonName     string `json:"common_name"`
	PreviousStatus string `json:"previous_status"`
	CurrentStatus  string `json:"current_status"`
	How            string `json:"how,omitempty"`
	Reason         string `json:"reason,omitempty"`
}

func (c connection) String() string {
	words := fmt.Sprintf("%-7s %-24s", EndpointName(c.EndpointID), person(c.Username, c.CommonName))
	if c.Reason != "" {
		return words + " " + c.Reason
	}
	return fmt.Sprintf("%s by %-13s  %s -> %s", words, c.How, c.PreviousStatus, c.CurrentStatus)
}

// played is one event's way through the binary.
type played struct {
	file     string
	raw      []byte
	explain  []Explanation
	answer   emulator.Answer
	outcomes []Outcome
	result   result
	calls    map[string]int
	mails    []emulator.Message
	nothing  string // why the event asks for nothing, from the function's log
	listings int    // DescribeClientVpnConnections before the first termination; what comes after are looks
	err      error
}

// RunAll sends every event of events/ through the binary and prints what became of it.
func RunAll(ctx context.Context, out io.Writer, policyFile string, update bool) error {
	files, err := filepath.Glob("events/*/*.json")
	if err != nil || len(files) == 0 {
		return errors.New("no events/*/*.json here; run it from the repository's root")
	}
	binary, err := BuildHandler(ctx, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nA small company on its VPN, with %d events to come. EC2, SNS, the identity store and Lambda are stand-ins on loopback; the binary is the one that is deployed.\n\n", len(files))
	for _, e := range Endpoints {
		fmt.Fprintf(out, "  %-7s %s (%s)\n", e.Name, e.How, e.ID)
		for _, c := range NewCompany().Connections() {
			if c.EndpointID == e.ID {
				fmt.Fprintf(out, "            %s\n", person(c.Username, c.CommonName))
			}
		}
	}
	plays := make([]*played, len(files))
	var wait sync.WaitGroup
	var way bytes.Buffer
	var wrongWay error
	wait.Go(func() { wrongWay = wayBack(ctx, &way, binary, policyFile) })
	slots := make(chan struct{}, 8)
	for i, file := range files {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			plays[i] = play(ctx, binary, policyFile, string(policy.Enforce), file)
		})
	}
	wait.Wait()
	for _, p := range plays {
		if p.err != nil {
			return fmt.Errorf("%s: %w", p.file, p.err)
		}
	}
	// The stories first, then those that take a line.
	stories := slices.DeleteFunc(slices.Clone(plays), func(p *played) bool { return !p.concernsConnections() })
	rest := slices.DeleteFunc(plays, (*played).concernsConnections)
	wrong := 0
	statuses := map[string]int{}
	for i, p := range slices.Concat(stories, rest) {
		if i == len(stories) {
			fmt.Fprintf(out, "\n── and %d that concerned no connection\n", len(rest))
		}
		p.tell(out)
		for _, o := range p.outcomes {
			statuses[o.Status]++
		}
		if update {
			if err := p.writeGolden(); err != nil {
				return err
			}
		} else if diff := p.difference(); diff != "" {
			wrong++
			fmt.Fprintf(out, "   NOT AS ITS GOLDEN SAYS (-golden +seen):\n%s\n", diff)
		}
	}
	if _, err := way.WriteTo(out); err != nil {
		return fmt.Errorf("telling of the way back: %w", err)
	}
	plays = slices.Concat(stories, rest)
	fmt.Fprintf(out, "\n%d events: %d cut off, %d left alone, %d unreadable.", len(plays), statuses["terminated"]+statuses["reconnecting"],
		len(plays)-statuses["terminated"]-statuses["reconnecting"]-failures(plays), failures(plays))
	if wrong > 0 {
		fmt.Fprintln(out)
		return fmt.Errorf("%d events did not go as their goldens say", wrong)
	}
	fmt.Fprintln(out, " Each went as its golden says.")
	return wrongWay
}

func failures(plays []*played) int {
	n := 0
	for _, p := range plays {
		if p.answer.Failure != nil {
			n++
		}
	}
	return n
}

// Invoke sends one event through the binary and prints its outcomes, mails and answer.
func Invoke(ctx context.Context, out io.Writer, policyFile, file string) error {
	binary, err := BuildHandler(ctx, out)
	if err != nil {
		return err
	}
	p := play(ctx, binary, policyFile, os.Getenv("MODE"), file)
	if p.err != nil {
		return p.err
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

// BuildHandler builds the deployed programs for this machine: the handler, and beside it the client connect handler.
func BuildHandler(ctx context.Context, out io.Writer) (string, error) {
	fmt.Fprintln(out, "Building the handlers. The first time this compiles AWS's EC2 package, which takes a minute or two.")
	if _, err := BuildHere(ctx, connectBinary, "./cmd/connect"); err != nil {
		return "", err
	}
	return BuildHere(ctx, "handler", "./cmd/handler")
}

// BuildHere builds a program of this repository into bin/.
func BuildHere(ctx context.Context, name, folder string) (binary string, err error) {
	if binary, err = filepath.Abs(filepath.Join("bin", name)); err != nil {
		return "", err
	}
	return binary, emulator.Build(ctx, binary, folder)
}

// play sends one event through the binary, in a company of its own.
func play(ctx context.Context, binary, policyFile, mode, file string) *played {
	p := &played{file: file, calls: map[string]int{}}
	p.raw, p.err = os.ReadFile(file)
	if p.err != nil {
		return p
	}
	rules, err := policy.Load(policyFile)
	if err != nil {
		p.err = err
		return p
	}
	p.explain = DecideEvent(rules, policy.Enforce, GoldenName(file), p.raw, EventTime(p.raw))

	cloud := NewCompany()
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		p.err = err
		return p
	}
	defer stop()
	policyPath, err := filepath.Abs(policyFile)
	if err != nil {
		p.err = err
		return p
	}
	guard := newDoor(binary, Environment(url, policyPath, mode))
	cloud.ConnectHandler = guard.ask
	defer guard.close()
	function, err := emulator.Start(ctx, binary, Environment(url, policyPath, mode))
	if err != nil {
		p.err = err
		return p
	}
	defer function.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if p.answer, p.err = function.Invoke(ctx, MoveToNow(p.raw)); p.err != nil {
		return p
	}
	function.Close() // which completes its log
	p.observe(cloud, function.Logs())
	return p
}

// Environment is the handler's, with a short watch: the clients of the small company come back quickly.
func Environment(url, policyPath, mode string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + url, "AWS_REGION=" + Region, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"TOPIC_ARN=" + topic, "MESSAGE_TOPIC_ARN=" + mail, "CHAT_TOPIC_ARN=" + chat, "POLICY_FILE=" + policyPath, "MODE=" + mode, "WATCH=1s", "IDENTITY_STORE_ID=" + store,
		"KEEPOUT_TABLE=" + Table,
	}
}

func (p *played) observe(cloud *emulator.Cloud, log []byte) {
	for line := range bytes.Lines(log) {
		var entry struct{ Message, Why string }
		if json.Unmarshal(line, &entry) == nil && entry.Message == "nothing to do" {
			p.nothing = entry.Why
		}
	}
	if p.answer.Failure != nil {
		p.result.Error = p.answer.Failure.Type + ": " + p.answer.Failure.Message
	} else {
		var answer struct {
			Outcomes []json.RawMessage `json:"outcomes"`
		}
		if p.err = json.Unmarshal(p.answer.Payload, &answer); p.err != nil {
			return
		}
		for _, raw := range answer.Outcomes {
			var o Outcome
			if p.err = errors.Join(json.Unmarshal(raw, &o), schema.Check(raw)); p.err != nil {
				return
			}
			p.outcomes = append(p.outcomes, o)
		}
	}
	p.result.Outcomes = []told{}
	for _, o := range p.outcomes {
		t := told{Status: o.Status, Summary: timestamp.ReplaceAllString(o.Summary, "(time)")}
		for _, c := range o.Connections {
			t.Connections = append(t.Connections, c.String())
		}
		for _, c := range o.Spared {
			t.Spared = append(t.Spared, c.String())
		}
		p.result.Outcomes = append(p.result.Outcomes, t)
	}
	p.result.Published, p.result.StillUp = []string{}, []string{}
	for _, m := range cloud.Published() {
		switch m.TopicARN {
		case topic:
			p.result.Published = append(p.result.Published, m.Subject)
			if err := schema.Check([]byte(m.Body)); err != nil {
				p.err = err
				return
			}
		case mail:
			p.mails = append(p.mails, m)
		}
	}
	slices.Sort(p.result.Published) // they are sent side by side
	slices.SortFunc(p.mails, func(a, b emulator.Message) int { return strings.Compare(a.Subject, b.Subject) })
	for _, r := range cloud.Refused() {
		who := EndpointName(r.EndpointID) + " " + person(r.Username, r.CommonName)
		if !slices.Contains(p.result.Refused, who) { // some try again and again
			p.result.Refused = append(p.result.Refused, who)
		}
	}
	for _, c := range cloud.Connections() {
		// Who keeps coming back may be up again by now.
		if c.EndedAt.IsZero() && c.Username != "mallory" {
			p.result.StillUp = append(p.result.StillUp, EndpointName(c.EndpointID)+" "+person(c.Username, c.CommonName))
		}
	}
	for _, c := range cloud.Calls() {
		p.calls[c.Action]++
		if p.calls["TerminateClientVpnConnections"] == 0 {
			p.listings = p.calls["DescribeClientVpnConnections"]
		}
	}
}

// tell prints the event's story: in one line where no connection was concerned.
func (p *played) tell(out io.Writer) {
	if !p.concernsConnections() {
		p.tellBriefly(out)
		return
	}
	fmt.Fprintf(out, "\n── %s\n", EventName(p.file))
	for _, e := range p.explain {
		if e.Error != "" {
			fmt.Fprintf(out, "   %s\n", e.Error)
			continue
		}
		fmt.Fprintf(out, "   %s says %s about %s", e.Signal.Provider, e.Signal.Type, e.Signal.Subject)
		if e.Signal.Severity > 0 {
			fmt.Fprintf(out, ", severity %v", e.Signal.Severity)
		}
		fmt.Fprintln(out)
	}
	if p.answer.Failure != nil {
		fmt.Fprintf(out, "   ERROR %s: the event is tried again, then kept in the dead-letter queue\n", p.answer.Failure.Type)
	}
	for _, o := range p.outcomes {
		rule := "no rule fits, so the default says " + o.Decision.Action
		if o.Decision.Rule != "" {
			rule = "rule " + o.Decision.Rule + " says " + o.Decision.Action
		}
		for _, reason := range o.Decision.Reasons {
			if reason.Kind == policy.Blocked {
				rule = reason.String()
			}
		}
		fmt.Fprintf(out, "   why    %s\n   %s  %s\n", rule, strings.ToUpper(o.Status), o.Summary)
		for _, c := range o.Connections {
			fmt.Fprintf(out, "          %s\n", c)
		}
		for _, c := range o.Spared {
			fmt.Fprintf(out, "          %s\n", c)
		}
		if t := o.Timing; !t.EndedAt.IsZero() {
			fmt.Fprintf(out, "   quick  last request answered %d ms after the event was received, last end seen after %d ms\n          calls: %s\n",
				t.RequestedAt.Sub(t.ReceivedAt).Milliseconds(), t.EndedAt.Sub(t.ReceivedAt).Milliseconds(), p.callsInWords())
		}
	}
	for _, who := range p.result.Refused {
		fmt.Fprintf(out, "   door   %s tries to come back, and is turned away\n", who)
	}
	for _, m := range p.mails {
		fmt.Fprintf(out, "   told   %s\n", m.Subject)
	}
}

func (p *played) concernsConnections() bool {
	return p.answer.Failure != nil || slices.ContainsFunc(p.outcomes, func(o Outcome) bool { return len(o.Connections)+len(o.Spared) > 0 })
}

func (p *played) tellBriefly(out io.Writer) {
	status, why := "nothing", p.nothing
	for _, o := range p.outcomes {
		status, why = o.Status, o.Summary
		if o.Status == "ignored" {
			why = fmt.Sprintf("The policy ignores %s of %s.", o.Signal.Kind, o.Signal.Provider)
		}
	}
	fmt.Fprintf(out, "   %-44s %-13s %s\n", EventName(p.file), strings.ToUpper(status), strings.TrimPrefix(why, "unsupported event: "))
}

func (p *played) callsInWords() string {
	return fmt.Sprintf("%d to find the endpoints, %d listings, %d terminations, %d looks afterwards", p.calls["DescribeClientVpnEndpoints"],
		p.listings, p.calls["TerminateClientVpnConnections"], p.calls["DescribeClientVpnConnections"]-p.listings)
}

// EventName returns the name under which an event is shown: its provider's folder and its file.
func EventName(file string) string {
	return path.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
}

// GoldenName returns the name of an event in its golden, okta-x.json for events/okta/x.json.
func GoldenName(file string) string { return strings.ReplaceAll(EventName(file), "/", "-") }

func (p *played) golden() Golden { return Golden{Explain: p.explain, Run: p.result} }

func (p *played) goldenPath() string { return strings.TrimSuffix(p.file, ".json") + ".golden" }

func (p *played) writeGolden() error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(p.golden()); err != nil {
		return fmt.Errorf("writing the golden: %w", err)
	}
	return os.WriteFile(p.goldenPath(), []byte(text.String()), 0o644)
}

// difference says how what was seen differs from the golden, "" if it does not.
func (p *played) difference() string {
	raw, err := os.ReadFile(p.goldenPath())
	if err != nil {
		return fmt.Sprintf("%v; write it with: go run ./cmd/local run -update", err)
	}
	var want, got any
	if err := json.Unmarshal(raw, &want); err != nil {
		return fmt.Sprintf("%s: %v", p.goldenPath(), err)
	}
	seen, err := json.Marshal(p.golden())
	if err != nil {
		return err.Error()
	}
	if err := json.Unmarshal(seen, &got); err != nil {
		return err.Error()
	}
	return cmp.Diff(want, got)
}

// timestamp matches the ways in which the events of events/ write times: texts, and seconds or milliseconds since 1970.
var timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?|\b\d\d?/\d\d?/\d{4} \d\d?:\d\d:\d\d [AP]M\b|\b1[78]\d{8}(\d{3})?\b`)

// EventTime is the time on an event's envelope.
func EventTime(raw []byte) time.Time {
	var envelope struct {
		Time time.Time `json:"time"`
	}
	_ = json.Unmarshal(raw, &envelope) // without a time it is the zero time
	return envelope.Time
}

// MoveToNow gives the event as if it happened just now: every time in it moves by as much as the envelope's.
func MoveToNow(raw []byte) []byte {
	at := EventTime(raw)
	if at.IsZero() {
		return raw
	}
	by := time.Now().Truncate(time.Second).Sub(at)
	return timestamp.ReplaceAllFunc(raw, func(old []byte) []byte {
		for _, layout := range []string{
			"2006-01-02T15:04:05.000Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.000Z0700",
			"2006-01-02 15:04:05", "1/2/2006 3:04:05 PM",
		} {
			if parsed, err := time.Parse(layout, string(old)); err == nil {
				return []byte(parsed.Add(by).UTC().Format(layout))
			}
		}
		if number, err := strconv.ParseInt(string(old), 10, 64); err == nil {
			unit := time.Millisecond
			if len(old) == 10 {
				unit = time.Second
			}
			return strconv.AppendInt(nil, number+int64(by/unit), 10)
		}
		return old
	})
}
