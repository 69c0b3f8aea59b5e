package directory_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

// of returns a signal that knows its person by an id of the issuer alone.
func of(issuer, id string) signal.Signal {
	i := identity.ReadIssuer(issuer)
	s := signal.Signal{Provider: i.Provider, Type: "deleted", Region: "us-east-1"}
	s.Subject.Add(identity.Name{Issuer: i, Form: identity.OpaqueID, Value: id})
	return s
}

// TestIDsOfProvisionersAreFound: the ids of a provider that makes the store's users by SCIM lead to the users' names.
// The names are the provider's own, so the policy decides about the provider's tenant. The store hears of nobody
// else's id.
func TestIDsOfProvisionersAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		named := of("entra:t1", entraID)
		named.Subject.Add(identity.Name{
			Issuer: identity.Issuer{Provider: identity.Entra}, Form: identity.UPN, Value: "d@example.com",
		})
		signals := []signal.Signal{
			of("entra:t1", entraID), of("okta:acme", oktaID), of("entra:t1", "no-one"), // who is not provisioned
			of("okta:other", oktaID), of("ssf:https://evil.test/", oktaID), of("onelogin:1", oktaID), // whom nobody asks about
			of("entra:t1", oktaID), named,
		}
		for i, err := range over(t, cloud()).Resolve(t.Context(), signals) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		var got []string
		for _, s := range signals {
			got = append(got, fmt.Sprintf("%s %s: %s", s.Subject.Usernames, s.Subject.Names[0].Issuer, s.Lookup))
			for _, n := range s.Subject.Names {
				if n.Issuer.Provider != s.Provider {
					t.Errorf("%s is not the provider's own", n)
				}
			}
		}
		want := []string{
			"[dave@example.com dave] entra:t1: d-9067123456 was asked for the names of user " + entraID + " of entra:t1",
			"[dave@example.com dave] okta:acme: d-9067123456 was asked for the names of user " + oktaID + " of okta:acme",
			"[] entra:t1: d-9067123456 knows no user no-one of entra:t1: already deleted, or not made by " +
				"https://scim.test/entra",
			"[] okta:other: ", "[] ssf:https://evil.test/: ", "[] onelogin:1: ",
			"[] entra:t1: d-9067123456 knows no user " + oktaID +
				" of entra:t1: already deleted, or not made by https://scim.test/entra",
			"[d@example.com] entra:t1: ",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestProvisionersNeedPermission: without the permission the outcome can say so, and the id stays for the aliases.
func TestProvisionersNeedPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cloud()
		c.Deny("identitystore:GetUserId", "")
		signals := []signal.Signal{of("entra:t1", entraID)}
		err := over(t, c).Resolve(t.Context(), signals)[0]
		want := "d-9067123456 could not be asked for user " + entraID + " of entra:t1: AccessDeniedException"
		if s := signals[0]; err != nil || s.Lookup != want || len(s.Subject.IDs) != 1 || len(s.Subject.Usernames) != 0 {
			t.Errorf("%v, %+v", err, s)
		}
	})
}

// TestProvisionersAskInTheStoresRegion: an event of another provider does not say where the store is.
func TestProvisionersAskInTheStoresRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := cloud()
		var scopes []string
		client, stop := emulator.HTTPClient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
			scopes = append(scopes, strings.Split(scope, "/")[2])
			c.ServeHTTP(w, r)
		}))
		defer stop()
		d := directory.New(aws.Config{
			Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"),
			Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		}, directory.Store{ID: store, Region: "eu-central-1", Provisioners: []directory.Provisioner{
			{Issuer: identity.Issuer{Provider: identity.Entra}, SCIM: "https://scim.test/entra"},
		}})
		d.Resolve(t.Context(), []signal.Signal{of("entra:t1", entraID)})
		if !slices.Equal(scopes, []string{"eu-central-1", "eu-central-1"}) {
			t.Errorf("asked in %q", scopes)
		}
	})
}

// TestSilentStoreIsNoUnknownUser: the signal has the error, so that its event goes back. An id that the store refuses
// for ever has none.
func TestSilentStoreIsNoUnknownUser(t *testing.T) {
	for id, want := range map[string]bool{dave: true, "no uuid": false, gone: false} {
		synctest.Test(t, func(t *testing.T) {
			c := cloud()
			if id == dave {
				c.Inject(emulator.Fault{Action: "DescribeUser", Code: "ThrottlingException"})
			}
			signals := []signal.Signal{about(id)}
			if err := over(t, c).Resolve(t.Context(), signals)[0]; err != nil || (signals[0].Unanswered != nil) != want {
				t.Errorf("%s: %v, %v", id, err, signals[0].Unanswered)
			}
		})
	}
}

// TestUserWithoutAStatusIsNotDisabled, in the list that the sweep reads.
func TestUserWithoutAStatusIsNotDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &emulator.Cloud{}
		c.AddUser(emulator.User{ID: alice, UserName: "alice", NoStatus: true})
		for page, err := range over(t, c).Users(t.Context(), "") {
			if err != nil || len(page.Users) != 1 || page.Users[0].Disabled || page.Users[0].Enabled {
				t.Errorf("%+v, %v", page, err)
			}
		}
	})
}
