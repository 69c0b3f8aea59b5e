package directory_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

const (
	store = "d-9067123456"
	dave  = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"
	alice = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c02"
	gone  = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c03"

	entraID = "6f0c2f1e-8d7b-4a57-9c36-5b1f5d9a2e77"
	oktaID  = "00u1a2b3c4d5e6f7g8h9"
)

func cloud() *emulator.Cloud {
	c := &emulator.Cloud{}
	c.AddUser(emulator.User{
		ID: dave, UserName: "dave", Email: "dave@example.com", Disabled: true, ExternalIDs: []emulator.ExternalID{
			{Issuer: "https://scim.test/entra", ID: entraID}, {Issuer: "https://scim.test/okta", ID: oktaID},
		},
	})
	c.AddUser(emulator.User{ID: alice, UserName: "alice@example.com", Email: "alice@example.com"})
	return c
}

// over returns a directory that asks the stand-in over HTTP, without retries.
func over(t *testing.T, c *emulator.Cloud) *directory.Directory {
	client, stop := emulator.HTTPClient(c)
	t.Cleanup(stop)
	return directory.New(aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), RetryMaxAttempts: 1,
	}, directory.Store{ID: store, Provisioners: []directory.Provisioner{
		{Issuer: identity.Issuer{Provider: identity.Entra}, SCIM: "https://scim.test/entra"},
		{Issuer: identity.Issuer{Provider: identity.Okta, Within: "acme"}, SCIM: "https://scim.test/okta"},
	}})
}

func about(id string) signal.Signal {
	return signal.Signal{Provider: signal.IdentityCenter, Type: "UpdateUser", Region: "eu-central-1",
		Subject: signal.Subject{IDs: []string{id}, IdentityStore: store}}
}

func TestNamesOfUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cloud()
		other := about(dave)
		other.Subject.IdentityStore = "d-0000000000"
		scim := about(dave) // which names no store
		scim.Subject.IdentityStore = ""
		okta := about(dave)
		okta.Provider = "okta"
		signals := []signal.Signal{about(dave), about(alice), about(gone), about("no uuid"), other, scim, okta,
			{Provider: signal.IdentityCenter}}
		for i, err := range over(t, c).Resolve(t.Context(), signals) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		var got []string
		for _, s := range signals {
			got = append(got, fmt.Sprintf("%s %v: %s", s.Subject.Usernames, len(s.Subject.IDs), s.Lookup))
		}
		want := []string{
			"[dave@example.com dave] 1: d-9067123456 was asked for the names of user " + dave,
			"[alice@example.com] 1: d-9067123456 was asked for the names of user " + alice,
			"[] 1: d-9067123456 knows no user " + gone + ": already deleted",
			"[] 1: d-9067123456 could not be asked for user no uuid: ValidationException",
			"[] 1: not asked for the user's names, as the event is of d-0000000000 and IDENTITY_STORE_ID is d-9067123456",
			"[dave@example.com dave] 1: d-9067123456 was asked for the names of user " + dave,
			"[] 1: ",
			"[] 0: ",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOneQuestionForAUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cloud()
		signals := []signal.Signal{about(dave), about(alice), about(dave), about(dave)}
		over(t, c).Resolve(t.Context(), signals)
		if calls := c.Calls(); len(calls) != 2 {
			t.Errorf("%d calls", len(calls))
		}
		if !slices.Equal(signals[3].Subject.Usernames, []string{"dave@example.com", "dave"}) {
			t.Errorf("%+v", signals[3])
		}
	})
}

// TestStoreDecidesAboutChanges: an event that says only that a user changed closes the account of a disabled user, and
// opens the account of an enabled one. If the store does not answer, the event is retried. If the store does not say,
// the outcome reports it.
func TestStoreDecidesAboutChanges(t *testing.T) {
	change := func(id string) []signal.Signal {
		s := about(id)
		s.IfDisabled = true
		return []signal.Signal{s}
	}
	for name, test := range map[string]struct {
		id      string
		prepare func(*emulator.Cloud)
		off     bool
		want    string // "", "opens", "silent", "held" or "again"
	}{
		"disabled": {id: dave},
		"enabled":  {id: alice, want: "opens"},
		"deleted":  {id: gone, want: "silent"},
		"not allowed": {id: dave, prepare: func(c *emulator.Cloud) { c.Deny("identitystore:DescribeUser", "") },
			want: "again"},
		"throttled": {id: dave, prepare: func(c *emulator.Cloud) {
			c.Inject(emulator.Fault{Action: "DescribeUser",
				Code: "ThrottlingException"})
		}, want: "again"},
		"no answer": {id: dave, prepare: func(c *emulator.Cloud) {
			c.Inject(emulator.Fault{Action: "DescribeUser",
				Drop: true})
		}, want: "again"},
		"hangs": {id: dave, prepare: func(c *emulator.Cloud) {
			c.Inject(emulator.Fault{Action: "DescribeUser",
				Delay: time.Hour})
		}, want: "again"},
		"nobody is asked": {id: dave, off: true, want: "held"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := cloud()
			if test.prepare != nil {
				test.prepare(c)
			}
			d := over(t, c)
			if test.off {
				d = nil
			}
			signals := change(test.id)
			err := d.Resolve(t.Context(), signals)[0]
			got := ""
			switch {
			case err == nil && signals[0].StoreSilent:
				got = "silent"
			case err == nil && signals[0].IfDisabled:
				got = "held" // for the policy to report
			case err == nil && signals[0].Kind == signal.AccountEnabled:
				got = "opens"
			case err != nil:
				got = "again"
			}
			if got != test.want || signals[0].IfDisabled != (test.want != "" && test.want != "opens") {
				t.Errorf("%s: %q, %v, %+v", name, got, err, signals[0])
			}
		})
	}
}

// TestStoreThatHangsLeavesTimeToAct: a lookup takes a quarter of the time left, and at most five seconds.
func TestStoreThatHangsLeavesTimeToAct(t *testing.T) {
	for left, want := range map[time.Duration]time.Duration{8 * time.Second: 2 * time.Second,
		time.Minute: 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := cloud()
			c.Inject(emulator.Fault{Action: "DescribeUser", Delay: time.Hour})
			ctx, cancel := context.WithTimeout(t.Context(), left)
			defer cancel()
			started := time.Now()
			signals := []signal.Signal{about(dave), about(alice)}
			errs := over(t, c).Resolve(ctx, signals)
			if took := time.Since(started); took != want {
				t.Errorf("of %v it took %v", left, took)
			}
			if errs[0] != nil || !strings.Contains(signals[0].Lookup, "did not answer in time") ||
				len(signals[0].Subject.IDs) != 1 {
				t.Errorf("%v, %+v", errs[0], signals[0])
			}
		})
	}
}

// TestMembersAreLookedUp: the deletion of a membership names neither user nor group. The store knows both as long as it
// knows the membership. The signal says what the store does not know.
func TestMembersAreLookedUp(t *testing.T) {
	const (
		known   = "9067123456-5d2c7b1a-3e4f-4a6b-9c8d-0e1f2a3b4c5d"
		deleted = "9067123456-5d2c7b1a-3e4f-4a6b-9c8d-0e1f2a3b4c5e"
		group   = "9067123456-1b4f6a3e-0c1d-4e2f-8a9b-7c6d5e4f3a21"
	)
	removed := func(id, store string) signal.Signal {
		return signal.Signal{
			Provider: signal.IdentityCenter, Kind: signal.TokenClaimsChange, Type: "DeleteGroupMembership",
			Subject:    signal.Subject{IdentityStore: store},
			Membership: &signal.Membership{Of: signal.Group, Reference: id, Change: signal.Removed},
		}
	}
	for name, test := range map[string]struct {
		signal  signal.Signal
		prepare func(*emulator.Cloud)
		off     bool
		group   string
		want    string // of the lookup
	}{
		"known": {signal: removed(known, store), group: group,
			want: "d-9067123456 was asked for the names of user " + dave},
		"already deleted": {signal: removed(deleted, store),
			want: "d-9067123456 knows no membership " + deleted + ": already deleted"},
		"nobody is asked": {signal: removed(known, store), off: true,
			want: "not asked for the member, as IDENTITY_STORE_ID is not set"},
		"of another store": {signal: removed(known, "d-0000000000"),
			want: "not asked for the member, as the event is of d-0000000000 and IDENTITY_STORE_ID is d-9067123456"},
		"not allowed": {signal: removed(known, store),
			prepare: func(c *emulator.Cloud) { c.Deny("identitystore:DescribeGroupMembership", "") },
			want:    "d-9067123456 could not be asked for membership " + known + ": AccessDeniedException"},
		"no answer": {signal: removed(known, store), prepare: func(c *emulator.Cloud) {
			c.Inject(emulator.Fault{Action: "DescribeGroupMembership", Delay: time.Hour})
		}, want: "d-9067123456 did not answer in time about membership " + known},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := cloud()
			c.AddMembership(emulator.Membership{ID: known, GroupID: group, UserID: dave})
			if test.prepare != nil {
				test.prepare(c)
			}
			d := over(t, c)
			if test.off {
				d = nil
			}
			signals := []signal.Signal{test.signal}
			err := d.Resolve(t.Context(), signals)[0]
			s := signals[0]
			if err != nil || s.Lookup != test.want || s.Membership.ID != test.group ||
				slices.Contains(s.Subject.Usernames, "dave@example.com") != (test.group != "") {
				t.Errorf("%s: %v, %+v, %+v", name, err, s, s.Membership)
			}
		})
	}
}
