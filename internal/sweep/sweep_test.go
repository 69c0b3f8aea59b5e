package sweep_test

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/sweep"
	"clientvpn-responder/internal/vpn"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// pages is an identity store with one user on each page. Reading a page takes a while.
type pages struct {
	users []string // the names of the disabled ones; "" is another user
	takes time.Duration
	read  []int
}

func (p *pages) Issuer() identity.Issuer {
	return identity.Issuer{Provider: identity.IdentityCenter, Within: "d-9067123456"}
}

func (p *pages) Users(ctx context.Context, from string) iter.Seq2[directory.Page, error] {
	return func(yield func(directory.Page, error) bool) {
		n := 0
		_, _ = fmt.Sscan(from, &n)
		for ; n < len(p.users); n++ {
			select {
			case <-time.After(p.takes):
			case <-ctx.Done():
				yield(directory.Page{}, ctx.Err())
				return
			}
			p.read = append(p.read, n)
			name := identity.Name{Issuer: p.Issuer(), Form: identity.Address, Value: p.users[n]}
			page := directory.Page{Users: []directory.User{
				{ID: fmt.Sprint(n), Disabled: p.users[n] != "", Names: []identity.Name{name}},
			}}
			if n+1 < len(p.users) {
				page.Next = fmt.Sprint(n + 1)
			}
			if !yield(page, nil) {
				return
			}
		}
	}
}

// company returns a sweeper where the people are connected.
func company(t *testing.T, store *pages, people ...string) *sweep.Sweeper {
	t.Helper()
	cloud := &emulator.Cloud{}
	cloud.AddEndpoint(emulator.Endpoint{ID: "cvpn-endpoint-00000000000000001"})
	for _, name := range people {
		cloud.Connect(emulator.Client{EndpointID: "cvpn-endpoint-00000000000000001", Username: name})
	}
	client, stop := emulator.HTTPClient(cloud)
	t.Cleanup(stop)
	p, err := policy.Parse("policy.yaml", []byte("version: 1\nidentity: {domains: [example.com]}\ndefault: ignore\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &sweep.Sweeper{
		Policy: p, Ledger: ledger.InProcess(), Store: store, Tenant: (*directory.Tenant)(nil),
		VPN: vpn.New(aws.Config{
			Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"),
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}, nil),
	}
}

// TestSweepReadsSoManyPagesAndGoesOnThere: a sweep stops after 400 pages of the identity store, or before its time is
// up. That is no problem: it says how many people are left, and the next sweep goes on after the last page.
func TestSweepReadsSoManyPagesAndGoesOnThere(t *testing.T) {
	for name, test := range map[string]struct {
		takes time.Duration
		first int // pages that the first sweep reads
	}{
		"400 pages":    {100 * time.Millisecond, 400},
		"a slow store": {410 * time.Millisecond, 121}, // 50 of 60 seconds
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &pages{users: make([]string, 401), takes: test.takes}
				store.users[0], store.users[400] = "ann@example.com", "zoe@example.com"
				s := company(t, store, "ann@example.com", "zoe@example.com")
				sweepOnce := func() sweep.Report {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					store.read = nil
					r := s.Run(ctx, "111122223333", "eu-west-1")
					if err := s.Ledger.(*ledger.Table).SetSweep(ctx, r.Next); err != nil {
						t.Fatal(err)
					}
					return r
				}
				r := sweepOnce()
				if len(store.read) != test.first || r.Next.Next != fmt.Sprint(test.first) || len(r.Problems) != 0 ||
					r.Asked != 1 || r.Unasked != 1 || len(r.Found) != 1 || r.Closed != 1 || r.ClosedFirst[0].Person != "ann" {
					t.Fatalf("%d pages: %+v", len(store.read), r)
				}
				for r.Next.Next != "" {
					next := r.Next.Next
					if r = sweepOnce(); fmt.Sprint(store.read[0]) != next {
						t.Fatalf("it goes on at page %d, and should at %s", store.read[0], next)
					}
				}
				if r.ClosedFirst[0].Person != "zoe" || r.Asked != 1 || r.Unasked != 1 {
					t.Errorf("the last sweep: %+v", r)
				}
				if sweepOnce(); store.read[0] != 0 {
					t.Errorf("after the end it goes on at page %d", store.read[0])
				}
			})
		})
	}
}

// TestSlowStoreLeavesTimeForTheOther: each of two has half of the time that there is.
func TestSlowStoreLeavesTimeForTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &pages{users: make([]string, 401), takes: time.Second}
		tenant := &pages{users: []string{"zoe@example.com"}, takes: time.Second}
		s := company(t, store, "zoe@example.com")
		s.Tenant = tenant
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if r := s.Run(ctx, "111122223333", "eu-west-1"); len(r.Problems) != 0 || len(tenant.read) != 1 || r.Closed != 1 ||
			len(store.read) < 20 || r.Next.TenantNext != "" || r.Next.Next != fmt.Sprint(len(store.read)) {
			t.Errorf("%d and %d pages: %v, next %q", len(store.read), len(tenant.read), r.Problems, r.Next.Next)
		}
	})
}
