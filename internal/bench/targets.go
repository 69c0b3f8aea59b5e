package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
)

// manyAccounts in manyRegions each make 200 targets, beside the function's own account and Region.
const manyAccounts = 50

var manyRegions = []string{"eu-west-1", "eu-west-2", "us-east-1", "ap-southeast-2"}

// fleet is the function's own cloud, and 200 others, each with an endpoint.
type fleet struct {
	*emulator.Accounts

	clouds  []*emulator.Cloud
	targets []string // as TARGETS has them
}

// newFleet connects the people and some bystanders to every endpoint.
func newFleet(people ...string) *fleet {
	f := &fleet{Accounts: &emulator.Accounts{Home: newCrowd(0, 0), Roles: map[string]string{}}}
	f.clouds = append(f.clouds, f.Home)
	for i := range manyAccounts {
		account := fmt.Sprintf("%012d", 444455550000+i)
		role := "arn:aws:iam::" + account + ":role/clientvpn-responder-member"
		f.Roles[role] = ""
		for _, region := range manyRegions {
			cloud := &emulator.Cloud{
				Account: account, Region: region, Latency: latency, Limits: emulator.DocumentedLimits(),
			}
			f.Others, f.clouds = append(f.Others, cloud), append(f.clouds, cloud)
			f.targets = append(f.targets, role+"@"+region)
		}
	}
	for i, cloud := range f.clouds {
		endpoint := fmt.Sprintf("cvpn-endpoint-%017x", i+1)
		cloud.AddEndpoint(emulator.Endpoint{ID: endpoint})
		for n, name := range append([]string{"bystander@example.com"}, people...) {
			id := fmt.Sprintf("cvpn-connection-%017x", i*10+n) // each cloud counts from the same number
			cloud.Connect(emulator.Client{ID: id, EndpointID: endpoint, Username: name})
		}
	}
	return f
}

// lastTermination returns when the last request to terminate was answered, and an error if somebody is up who is not to
// be, or the reverse.
func (f *fleet) lastTermination(stay []string) (last time.Time, err error) {
	for _, cloud := range f.clouds {
		for _, c := range cloud.Calls() {
			if at := c.At.Add(latency); c.Action == terminate && at.After(last) {
				last = at
			}
		}
		for _, c := range cloud.Connections() {
			if up := isBystander(c) || slices.Contains(stay, c.Username); up != c.EndedAt.IsZero() {
				err = fmt.Errorf("%s on %s is not as it should be", c.Username, c.EndpointID)
			}
		}
	}
	return last, err
}

// manyTargets measures one person with a connection in each of 200 accounts and Regions, in a warm process.
func (b *bench) manyTargets(ctx context.Context) error {
	const times = 5
	var people []string
	for i := range times + 1 { // the first warms the process
		people = append(people, leaver(i))
	}
	f := newFleet(people...)
	url, stop, err := emulator.Serve(f)
	if err != nil {
		return err
	}
	defer stop()
	function, err := emulator.Start(ctx, b.program("cmd/handler"),
		append(b.environment(url), "TARGETS="+strings.Join(f.targets, ","), "GOGC=400", "GOMEMLIMIT=192MiB"))
	if err != nil {
		return err
	}
	defer function.Close()
	var took []time.Duration
	for i, who := range people {
		d, err := f.leave(ctx, function, who, people[i+1:])
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	warm := median(took[1:])
	b.add("one person in 200 accounts and Regions, a warm process: last Terminate answered", "%.1f round trips",
		roundTrips(warm), 8, fmt.Sprintf(" (%.0f ms, median of %d, and %.0f ms cold; memory %.1f MiB)",
			milliseconds(warm), times, milliseconds(took[0]), mebibytes(function.MaxRSS())))
	return nil
}

// leave has one person leave, and returns how long it took. The people who stay are up, beside the bystanders.
func (f *fleet) leave(
	ctx context.Context,
	function *emulator.Function,
	who string,
	stay []string,
) (time.Duration, error) {
	batch, err := leaving(who)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, functionTime)
	defer cancel()
	invoked := time.Now()
	failed, err := invokeBatch(ctx, function, batch)
	if err == nil && len(failed) > 0 {
		err = errors.New("the message went back to the queue")
	}
	if err != nil {
		return 0, err
	}
	last, err := f.lastTermination(stay)
	return last.Sub(invoked), err
}
