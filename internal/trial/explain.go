package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

// Explanation is what would be decided about one signal of a file, or why the file has none.
type Explanation struct {
	File     string           `json:"file"`
	Signal   *signal.Signal   `json:"signal,omitempty"`
	Decision *policy.Decision `json:"decision,omitempty"`
	Error    string           `json:"error,omitempty"`
	// Connections and Spared say what would become of the connections of a listing.
	Connections []connection `json:"connections,omitempty"`
	Spared      []connection `json:"spared,omitempty"`

	rules []policy.Answer
	asked bool // about a listing
}

// DecideEvent parses an event and decides about its signals, as the function does.
func DecideEvent(p *policy.Policy, mode policy.Mode, file string, event []byte, now time.Time) []Explanation {
	signals, err := signal.Parse(event)
	if err != nil {
		return []Explanation{{File: file, Error: err.Error()}}
	}
	var all []Explanation
	for i := range signals {
		decision := p.Decide(signals[i], mode, now)
		all = append(all, Explanation{File: file, Signal: &signals[i], Decision: &decision, rules: p.Answers(signals[i])})
	}
	return all
}

// Explain tells about the files; listed may be nil.
func Explain(ctx context.Context, out io.Writer, policyFile string, listed *Listing, files []string, asJSON bool) error {
	p, err := policy.Load(policyFile)
	if err != nil {
		return err
	}
	mode := policy.DryRun
	if os.Getenv("MODE") == string(policy.Enforce) {
		mode = policy.Enforce
	}
	for _, file := range files {
		explained := []Explanation{{File: file}}
		if event, err := os.ReadFile(file); err != nil {
			explained[0].Error = fmt.Sprintf("reading the event: %v", err)
		} else {
			explained = DecideEvent(p, mode, file, event, time.Now())
			if err := listed.ask(ctx, event, explained); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		for _, e := range explained {
			if !asJSON {
				e.print(out)
			} else if err := json.NewEncoder(out).Encode(e); err != nil {
				return fmt.Errorf("printing the decision: %w", err)
			}
		}
	}
	return nil
}

// print gives the verdict: what would be done, what each rule says, and under which names somebody would be looked for.
func (e Explanation) print(out io.Writer) {
	if e.Error != "" {
		fmt.Fprintf(out, "%s\n  no signal: %s\n", e.File, e.Error)
		return
	}
	d := e.Decision
	fmt.Fprintf(out, "%s\n  %s: %s, %s, about %s\n", e.File, e.Signal.Provider, e.Signal.Type, e.Signal.Kind, e.Signal.Subject)
	by := "by default, as no rule fits"
	switch {
	case e.Signal.Kind == signal.SelfTest:
		by = "whatever the rules say"
	case d.Rule != "":
		by = "by rule " + d.Rule
	}
	fmt.Fprintf(out, "  %s %s, in mode %s\n", strings.ToUpper(string(d.Action)), by, d.Mode)
	decided := slices.IndexFunc(e.rules, func(r policy.Answer) bool { return r.Rule == d.Rule })
	switch {
	case e.Signal.Kind == signal.SelfTest:
		e.rules = nil
	case decided < 0:
		decided = len(e.rules)
	}
	widest := 0
	for _, r := range e.rules {
		widest = max(widest, len(r.Rule))
	}
	for i, r := range e.rules {
		mark, words := "no", strings.Join(r.Fails, "; ")
		switch {
		case i == decided:
			mark, words = "YES", strings.Join(r.Fits, "; ")
		case len(r.Fails) == 0:
			mark, words = "-", "would fit too, but comes later"
		}
		if words == "" {
			words = "it asks nothing"
		}
		fmt.Fprintf(out, "    %-*s  %-9s  %-3s  %s\n", widest, r.Rule, r.Then, mark, words)
	}
	for _, reason := range d.Reasons[decided+1:] { // what is before tells of the rules
		fmt.Fprintf(out, "  - %s\n", reason)
	}
	if len(d.Names) > 0 {
		fmt.Fprintf(out, "  looks for %s\n", strings.Join(d.Names, ", "))
	}
	if len(d.CommonNames) > 0 {
		fmt.Fprintf(out, "  looks for certificates %s\n", strings.Join(d.CommonNames, ", "))
	}
	for _, c := range e.Connections {
		fmt.Fprintf(out, "  would end %s of %s on %s, by %s\n", c.ConnectionID, person(c.Username, c.CommonName), c.EndpointID, c.How)
	}
	for _, c := range e.Spared {
		fmt.Fprintf(out, "  leaves    %s of %s on %s: %s\n", c.ConnectionID, person(c.Username, c.CommonName), c.EndpointID, c.Reason)
	}
	if e.asked && len(e.Connections)+len(e.Spared) == 0 {
		fmt.Fprintln(out, "  would end none of the listed connections")
	}
}

// Listing is what "aws ec2 describe-client-vpn-connections" prints, of one endpoint, or of several one after the other. What
// would become of its connections the function itself says, in dry-run against a stand-in that has them.
type Listing struct {
	connections []listedConnection
	binary      string
	policyFile  string
}

type listedConnection struct {
	EndpointID    string `json:"ClientVpnEndpointId"`
	ConnectionID  string `json:"ConnectionId"`
	Username      string
	CommonName    string
	ClientIP      string `json:"ClientIp"`
	EstablishedAt string `json:"ConnectionEstablishedTime"`
	Status        struct{ Code string }
}

// ReadListing reads a listing and builds the function. Connections that have ended are left out.
func ReadListing(ctx context.Context, file, policyFile string) (*Listing, error) {
	raw, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the connections: %w", err)
	}
	defer raw.Close()
	l := &Listing{}
	seen := map[string]bool{}
	for decoder := json.NewDecoder(raw); ; {
		var page struct{ Connections []listedConnection }
		err := decoder.Decode(&page)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: is not JSON as aws ec2 describe-client-vpn-connections prints it: %w", file, err)
		}
		if page.Connections == nil {
			return nil, fmt.Errorf("%s: has no Connections; it must be what aws ec2 describe-client-vpn-connections prints", file)
		}
		for i, c := range page.Connections {
			switch {
			case c.ConnectionID == "" || c.EndpointID == "":
				return nil, fmt.Errorf("%s: Connections[%d]: has no ConnectionId or no ClientVpnEndpointId", file, i)
			case seen[c.ConnectionID] || c.Status.Code == "terminated":
				continue
			}
			seen[c.ConnectionID] = true
			l.connections = append(l.connections, c)
		}
	}
	if l.binary, err = BuildHandler(ctx, os.Stderr); err != nil {
		return nil, err
	}
	l.policyFile, err = filepath.Abs(policyFile)
	return l, err
}

// ask has the function say what it would do about the event, and adds that to the explanations of its signals.
func (l *Listing) ask(ctx context.Context, event []byte, explained []Explanation) error {
	if l == nil || explained[0].Error != "" {
		return nil
	}
	cloud := &emulator.Cloud{Region: Region}
	cloud.AddTable(Table, "person")
	for _, c := range l.connections {
		// A listing does not say whether its endpoint keeps client addresses. It is taken to.
		cloud.AddEndpoint(emulator.Endpoint{ID: c.EndpointID, TransitGateway: "tgw-00000000000000000"})
		since, _ := time.Parse(time.DateTime, c.EstablishedAt) // without one, now
		cloud.Connect(emulator.Client{EndpointID: c.EndpointID, ID: c.ConnectionID, Username: c.Username, CommonName: c.CommonName, ClientIP: c.ClientIP, Since: since})
	}
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		return err
	}
	defer stop()
	function, err := emulator.Start(ctx, l.binary, Environment(url, l.policyFile, string(policy.DryRun)))
	if err != nil {
		return err
	}
	defer function.Close()
	answer, err := function.Invoke(ctx, event)
	if err != nil {
		return err
	}
	if answer.Failure != nil {
		return fmt.Errorf("the function says %s: %s", answer.Failure.Type, answer.Failure.Message)
	}
	var outcomes struct{ Outcomes []Outcome }
	if err := json.Unmarshal(answer.Payload, &outcomes); err != nil {
		return fmt.Errorf("reading the outcomes: %w", err)
	}
	for i := range explained {
		e := &explained[i]
		e.asked = true
		for _, o := range outcomes.Outcomes {
			if o.Signal.Subject.String() == e.Signal.Subject.String() {
				e.Connections, e.Spared = o.Connections, o.Spared
			}
		}
	}
	return nil
}
