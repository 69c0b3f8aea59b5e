package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

const (
	// latency is that of each answer of the stand-in: a round trip.
	latency = 50 * time.Millisecond
	// functionTime is the function's Timeout in template.yaml.
	functionTime = 150 * time.Second
	// mostConnections are those that an endpoint takes (AWS Client VPN administrator guide, quotas).
	mostConnections = 126_000

	describe  = "DescribeClientVpnConnections"
	terminate = "TerminateClientVpnConnections"
)

// newCrowd is the stand-in with EC2's latency and limits, and so many bystanders on each of its endpoints.
func newCrowd(endpointCount, bystanders int) *emulator.Cloud {
	cloud := &emulator.Cloud{Region: trial.Region, Latency: latency, Limits: emulator.DocumentedLimits()}
	cloud.AddTable(trial.Table, "person")
	for _, e := range trial.Endpoints[:endpointCount] {
		cloud.AddEndpoint(emulator.Endpoint{ID: e.ID, Description: e.Name, Authentication: []string{e.Authentication}, TransitGateway: e.TransitGateway})
		addBystanders(cloud, e.ID, bystanders)
	}
	return cloud
}

func addBystanders(cloud *emulator.Cloud, endpointID string, n int) {
	for i := range n {
		name := fmt.Sprintf("bystander%06d@example.com", i)
		cloud.Connect(emulator.Client{EndpointID: endpointID, Username: name, CommonName: name})
	}
}

func isBystander(c emulator.Connection) bool { return strings.HasPrefix(c.Username, "bystander") }

// bystandersAreUp is an error if one of them, whom no event names, was cut off.
func bystandersAreUp(cloud *emulator.Cloud) error {
	for _, c := range cloud.Connections() {
		if isBystander(c) && !c.EndedAt.IsZero() {
			return fmt.Errorf("%s was cut off, whom no event names", c.Username)
		}
	}
	return nil
}

// attempt is what came of batches that were handed to one process each, at once.
type attempt struct {
	invoked time.Time
	calls   []emulator.Call
	failed  int // messages that go back to the queue
	left    int // connections that are up, bystanders' aside
	memory  int64
}

func (b *bench) try(ctx context.Context, cloud *emulator.Cloud, batches ...[]byte) (attempt, error) {
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		return attempt{}, err
	}
	defer stop()
	functions := make([]*emulator.Function, len(batches))
	for i := range batches {
		if functions[i], err = emulator.Start(ctx, b.program("cmd/handler"), b.environment(url)); err != nil {
			return attempt{}, err
		}
		defer functions[i].Close()
	}
	ctx, cancel := context.WithTimeout(ctx, functionTime)
	defer cancel()
	t := attempt{invoked: time.Now()}
	failed, errs := make([]int, len(batches)), make([]error, len(batches))
	var wait sync.WaitGroup
	for i, f := range functions {
		wait.Go(func() {
			var ids []string
			ids, errs[i] = invokeBatch(ctx, f, batches[i])
			failed[i] = len(ids)
		})
	}
	wait.Wait()
	t.calls = cloud.Calls()
	for i, f := range functions {
		t.failed += failed[i]
		t.memory = max(t.memory, f.MaxRSS())
	}
	for _, c := range cloud.Connections() {
		if c.EndedAt.IsZero() && !isBystander(c) {
			t.left++
		}
	}
	return t, errors.Join(append(errs, bystandersAreUp(cloud))...)
}

// invokeBatch hands the function a batch and returns the ids of the messages that go back to the queue.
func invokeBatch(ctx context.Context, f *emulator.Function, batch []byte) (failed []string, err error) {
	answer, err := f.Invoke(ctx, batch)
	if err != nil {
		return nil, err
	}
	if answer.Failure != nil {
		return nil, fmt.Errorf("%s: %s", answer.Failure.Type, answer.Failure.Message)
	}
	var response struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(answer.Payload, &response); err != nil {
		return nil, fmt.Errorf("reading the answer to a batch: %w", err)
	}
	for _, item := range response.BatchItemFailures {
		failed = append(failed, item.ItemIdentifier)
	}
	return failed, nil
}

// message is SQS's, as Lambda hands it over.
type message struct {
	ID     string `json:"messageId"`
	Body   string `json:"body"`
	Source string `json:"eventSource"`
}

func batchOf(messages []message) []byte {
	for i := range messages {
		messages[i].Source = "aws:sqs"
	}
	batch, err := json.Marshal(map[string]any{"Records": messages})
	if err != nil {
		panic(err) // of texts
	}
	return batch
}

// leaving gives a batch in which each of the people leaves.
func leaving(people ...string) ([]byte, error) {
	raw, err := os.ReadFile("events/okta/user-deactivate.json")
	if err != nil {
		return nil, fmt.Errorf("reading the event of a leaver: %w", err)
	}
	const who, id = "alice@example.com", "64c3ff73-68ea-40be-8d26-308cdb13f776"
	if !bytes.Contains(raw, []byte(who)) || !bytes.Contains(raw, []byte(id)) {
		return nil, fmt.Errorf("events/okta/user-deactivate.json is not about %s any more, or has another id", who)
	}
	var messages []message
	for i, name := range people {
		body := strings.NewReplacer(who, name, id, id[:len(id)-6]+fmt.Sprintf("%06d", i)).Replace(string(trial.MoveToNow(raw)))
		messages = append(messages, message{ID: fmt.Sprint("message-", i), Body: body})
	}
	return batchOf(messages), nil
}

// made are the calls of an action, by kind: a page of a listing has no filter, a look asks for connections by their ids.
func (t attempt) made(action string, filter string) []emulator.Call {
	return slices.DeleteFunc(slices.Clone(t.calls), func(c emulator.Call) bool {
		return c.Action != action || c.Params.Get("Filter.1.Name") != filter
	})
}

func (t attempt) throttled(action string) (calls, throttled int) {
	for _, c := range t.calls {
		if c.Action == action {
			calls++
			if c.Code == "RequestLimitExceeded" {
				throttled++
			}
		}
	}
	return calls, throttled
}

// cutOff is when the last request to end a connection was answered, since the event arrived. It is an error if not all have ended.
func (t attempt) cutOff() (time.Duration, error) {
	terminations := t.made(terminate, "")
	if len(terminations) == 0 || t.left > 0 || t.failed > 0 {
		return 0, fmt.Errorf("after %d requests %d connections are up, and %d messages went back to the queue", len(terminations), t.left, t.failed)
	}
	return terminations[len(terminations)-1].At.Add(latency).Sub(t.invoked), nil
}

func roundTrips(d time.Duration) float64 { return d.Seconds() / latency.Seconds() }

func (b *bench) one(ctx context.Context) error {
	const times = 11
	batch, err := leaving("alice@example.com")
	if err != nil {
		return err
	}
	var took []time.Duration
	var calls []string
	for range times {
		cloud := newCrowd(3, 100)
		for i, k := range []emulator.Client{
			{Username: "alice@example.com", CommonName: "alice@example.com"}, {Username: `EXAMPLE\alice`, CommonName: `EXAMPLE\alice`}, {CommonName: "alice.vpn.example.com"},
		} {
			k.EndpointID = trial.Endpoints[i].ID
			cloud.Connect(k)
			cloud.Connect(k)
		}
		t, err := b.try(ctx, cloud, batch)
		if err != nil {
			return err
		}
		d, err := t.cutOff()
		if err != nil {
			return err
		}
		took = append(took, d)
		calls = append(calls, fmt.Sprintf("%d listings, %d terminations, %d looks", len(t.made(describe, "")), len(t.made(terminate, "")), len(t.made(describe, "connection-id"))))
	}
	b.add("one person with six connections on 3 endpoints, which are discovered: last Terminate answered", "%.1f round trips", roundTrips(median(took)), 4,
		fmt.Sprintf(" (%.0f ms, at most %.0f of %d cold processes; %s)", milliseconds(median(took)), milliseconds(slices.Max(took)), times, calls[times-1]))
	return nil
}

func (b *bench) ten(ctx context.Context) error {
	cloud := newCrowd(3, 100)
	var people []string
	for i := range 10 {
		people = append(people, fmt.Sprintf("leaver%06d@example.com", i))
		cloud.Connect(emulator.Client{EndpointID: trial.Endpoints[i%3].ID, Username: people[i]})
	}
	batch, err := leaving(people...)
	if err != nil {
		return err
	}
	t, err := b.try(ctx, cloud, batch)
	if err != nil {
		return err
	}
	if _, err := t.cutOff(); err != nil {
		return err
	}
	b.add("a batch of ten events, ten people, 3 endpoints", "%.0f listings", float64(len(t.made(describe, ""))), 3, fmt.Sprintf(" (%d terminations)", len(t.made(terminate, ""))))
	return nil
}

// reading is a person's end, on an endpoint with so many connections of which the person's is the last, beside a bare reading of
// the same pages.
type reading struct {
	size               int
	whole, bare        time.Duration // from the first page's request to the last one's
	cutOff             time.Duration // since the event arrived
	afterListing       time.Duration // from the answer with the last page to the request to end the connection
	memory, bareMemory int64
}

func (b *bench) list(ctx context.Context, size int, name string, batch []byte) (reading, error) {
	cloud := newCrowd(1, size-1)
	cloud.Connect(emulator.Client{EndpointID: trial.Endpoints[0].ID, Username: name, CommonName: name})
	t, err := b.try(ctx, cloud, batch)
	if err != nil {
		return reading{}, err
	}
	l := reading{size: size, memory: t.memory}
	if l.cutOff, err = t.cutOff(); err != nil {
		return l, err
	}
	pages := t.made(describe, "")
	l.whole = span(pages)
	l.afterListing = t.invoked.Add(l.cutOff - latency).Sub(pages[len(pages)-1].At.Add(latency))

	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		return l, err
	}
	defer stop()
	reader, err := emulator.Start(ctx, b.program(bareReader), b.environment(url))
	if err != nil {
		return l, err
	}
	defer reader.Close()
	answer, err := reader.Invoke(ctx, []byte(strconv.Quote(trial.Endpoints[0].ID)))
	if err != nil {
		return l, err
	}
	if want := strconv.Itoa((size + 999) / 1000); string(answer.Payload) != want || answer.Failure != nil || len(pages) < (size+999)/1000 {
		return l, fmt.Errorf("there are %s pages, of which the handler asked for %d and the bare reader for %s (%+v)", want, len(pages), answer.Payload, answer.Failure)
	}
	l.bare = span(cloud.Calls()[len(t.calls):])
	l.bareMemory = reader.MaxRSS()
	return l, nil
}

func span(calls []emulator.Call) time.Duration { return calls[len(calls)-1].At.Sub(calls[0].At) }

// listing measures at the sizes that AWS's quotas allow by the number of an endpoint's subnets, and the largest several times.
func (b *bench) listing(ctx context.Context) error {
	const (
		spelled = "zoe.last@example.com" // as the event has it
		other   = "zOe.LaSt@eXaMpLe.com"
		rounds  = 3
	)
	batch, err := leaving(spelled)
	if err != nil {
		return err
	}
	var bySize, found, quick []reading
	for _, size := range []int{7_000, 36_500, 66_500, 96_500} {
		l, err := b.list(ctx, size, other, batch)
		if err != nil {
			return err
		}
		bySize = append(bySize, l)
	}
	for range rounds {
		l, err := b.list(ctx, mostConnections, spelled, batch)
		if err != nil {
			return err
		}
		quick = append(quick, l)
		if l, err = b.list(ctx, mostConnections, other, batch); err != nil {
			return err
		}
		found = append(found, l)
	}
	of := func(from []reading, figure func(reading) time.Duration) time.Duration {
		var all []time.Duration
		for _, l := range from {
			all = append(all, figure(l))
		}
		return median(all)
	}
	largest := reading{
		size: mostConnections, whole: of(found, func(l reading) time.Duration { return l.whole }), bare: of(found, func(l reading) time.Duration { return l.bare }),
	}
	for _, l := range append(quick, found...) {
		largest.memory, largest.bareMemory = max(largest.memory, l.memory), max(largest.bareMemory, l.bareMemory)
	}
	bySize = append(bySize, largest)

	cutOff := of(quick, func(l reading) time.Duration { return l.cutOff })
	b.add("126,000 connections, the person's on the last page, spelled as in the event: cut off", "%.1f round trips", roundTrips(cutOff), 5, fmt.Sprintf(" (%.0f ms)", milliseconds(cutOff)))
	lag := of(found, func(l reading) time.Duration { return l.afterListing })
	b.add("under another case: Terminate requested after the last page was answered", "%.1f round trips", roundTrips(lag), 1, fmt.Sprintf(" (%.0f ms)", milliseconds(lag)))
	b.add("the whole listing against a bare HTTP reader of the same pages", "%.2f ×", largest.whole.Seconds()/largest.bare.Seconds(), 1.5,
		fmt.Sprintf(" (%.2f s, %.2f s; medians of %d)", largest.whole.Seconds(), largest.bare.Seconds(), rounds))
	b.add("memory with 126,000 connections", "%.1f MiB", mebibytes(largest.memory), 64, fmt.Sprintf(" (bare reader %.1f MiB)", mebibytes(largest.bareMemory)))
	b.add("memory with 126,000 against 7,000 connections", "%.2f ×", float64(largest.memory)/float64(bySize[0].memory), 1.5, "")

	var sizes, whole, bare, memory, bareMemory []float64
	for _, l := range bySize {
		sizes = append(sizes, float64(l.size)/1000)
		whole, bare = append(whole, l.whole.Seconds()), append(bare, l.bare.Seconds())
		memory, bareMemory = append(memory, mebibytes(l.memory)), append(bareMemory, mebibytes(l.bareMemory))
	}
	b.panels = append(b.panels,
		panel{title: "Time of the whole listing, seconds", x: "thousand connections on one endpoint, 50 ms a page of 1,000",
			series: []series{{"bare HTTP reader", sizes, bare}, {"handler", sizes, whole}}},
		panel{title: "Memory at most, MiB", x: "thousand connections on one endpoint",
			series: []series{{"bare HTTP reader", sizes, bareMemory}, {"handler", sizes, memory}, {"goal", []float64{0, 126}, []float64{64, 64}}}},
	)
	return nil
}

// leavers measures 200 people who leave at once: two processes with half of them each, and, in an account of its own, one
// process with all of them.
func (b *bench) leavers(ctx context.Context) error {
	const people, each = 200, 4
	names := make([]string, people)
	for i := range names {
		names[i] = fmt.Sprintf("leaver%06d@example.com", i)
	}
	limit := emulator.DocumentedLimits()[terminate]
	calls := float64(people * len(trial.Endpoints))
	allowed := (calls - float64(limit.Bucket)) / limit.Refill // seconds, for one call for each person and endpoint

	var wait sync.WaitGroup
	instances := []int{1, 2}
	trials, clouds, errs := make([]attempt, 2), make([]*emulator.Cloud, 2), make([]error, 2)
	for i, n := range instances {
		clouds[i] = newCrowd(len(trial.Endpoints), 2000)
		for _, e := range trial.Endpoints {
			for _, name := range names {
				for range each {
					clouds[i].Connect(emulator.Client{EndpointID: e.ID, Username: name, CommonName: name})
				}
			}
		}
		var batches [][]byte
		for part := range slices.Chunk(names, people/n) {
			batch, err := leaving(part...)
			if err != nil {
				return err
			}
			batches = append(batches, batch)
		}
		wait.Go(func() { trials[i], errs[i] = b.try(ctx, clouds[i], batches...) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p := panel{title: "200 leavers with 4 connections on each of 3 trial.Endpoints: connections ended", x: "seconds after the events arrived",
		series: []series{{"what the limits allow", []float64{0, allowed}, []float64{float64(each * limit.Bucket), each * calls}}}}
	for i, n := range instances {
		t := trials[i]
		var ends []float64
		for _, c := range clouds[i].Connections() {
			if c.ByRequest {
				ends = append(ends, c.EndedAt.Sub(t.invoked).Seconds())
			}
		}
		slices.Sort(ends)
		ended := make([]float64, len(ends))
		for k := range ends {
			ended[k] = float64(k + 1)
		}
		p.series = append(p.series, series{plural(n, "one process", "two processes"), ends, ended})

		what := plural(n, "200 leavers at once, one process: ", "200 leavers at once, two processes side by side: ")
		if len(ends) == 0 {
			return errors.New("nobody was cut off")
		}
		last := ends[len(ends)-1]
		f := figure{what + "all ended", fmt.Sprintf("%.1f s", last), fmt.Sprintf("≤ %.0f s, 1.1 × what the limits allow", 1.1*allowed), last <= 1.1*allowed && len(ends) == each*int(calls)}
		if len(ends) < each*int(calls) {
			f.measured = fmt.Sprintf("%d of %d ended within %.1f s; %d messages failed", len(ends), each*int(calls), last, t.failed)
		}
		b.figures = append(b.figures, f)
		looks := len(t.made(describe, "connection-id"))
		describes, _ := t.throttled(describe)
		b.add(what+"Describe calls to find them", "%.0f", float64(describes-looks), 100, fmt.Sprintf(" (and %d looks whether they have ended)", looks))
		terminations, throttled := t.throttled(terminate)
		b.add(what+"Terminate calls throttled", "%.1f %%", 100*float64(throttled)/float64(terminations), 10, fmt.Sprintf(" (%d of %d)", throttled, terminations))
	}
	b.panels = append(b.panels, p)
	return nil
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
