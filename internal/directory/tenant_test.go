package directory_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/entra"
	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const tenantID = "aaaabbbb-0000-4ccc-8ddd-1111eeee2222"

// tenant is a tenant whose poll knows users. It keeps the questions.
type tenant struct {
	*directory.Tenant
	cloud *emulator.Cloud
	users []entra.User
	asked []entra.Question
}

func newTenant(t *testing.T, users ...entra.User) *tenant {
	t.Helper()
	in := &tenant{cloud: &emulator.Cloud{}, users: users}
	in.cloud.AddFunction("poll", func(event []byte) ([]byte, *emulator.Failure) {
		var request entra.Request
		if err := json.Unmarshal(event, &request); err != nil || request.Question == nil {
			return nil, &emulator.Failure{Type: "errorString", Message: "no question"}
		}
		in.asked = append(in.asked, *request.Question)
		answer, err := json.Marshal(entra.Answer{Users: in.users})
		if err != nil {
			t.Error(err)
		}
		return answer, nil
	})
	client, stop := emulator.HTTPClient(in.cloud)
	t.Cleanup(stop)
	in.Tenant = directory.NewTenant(aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}, strings.ToUpper(tenantID), "poll")
	return in
}

// TestTenantNamesItsOwnPeople: a signal that has a name, or is of elsewhere, asks nobody. The name has the id's issuer.
func TestTenantNamesItsOwnPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newTenant(t, entra.User{ID: strings.ToUpper(entraID), Name: "dave@example.com"})
		named, session := of("entra:"+tenantID, entraID), of("entra:"+tenantID, entraID)
		issuer := named.Subject.Names[0].Issuer
		named.Subject.Add(identity.Name{Issuer: issuer, Form: identity.Address, Value: "d@example.com"})
		session.Subject.Session = &signal.Session{Role: "r", Name: "s"}
		signals := []signal.Signal{
			of("entra:"+tenantID, entraID), of("entra", entraID),
			of("entra:another", entraID), of("okta", entraID), named, session,
		}
		in.Resolve(t.Context(), signals)
		var got []string
		for _, s := range signals {
			got = append(got, fmt.Sprintf("%s %t", s.Subject.Usernames, s.TenantLookup != ""))
			for _, n := range s.Subject.Names {
				if n.Issuer != s.Subject.Names[0].Issuer {
					t.Errorf("%s is not the id's issuer's", n)
				}
			}
		}
		want := []string{
			"[dave@example.com] true", "[dave@example.com] true", "[] false", "[] false", "[d@example.com] false", "[] false",
		}
		if !slices.Equal(got, want) || len(in.asked) != 1 || !slices.Equal(in.asked[0].IDs, []string{entraID}) {
			t.Errorf("%q, asked %+v", got, in.asked)
		}
	})
}

// TestNameOfADeletedUserIsTheFormerOne: Entra puts the id in front of it. What is no name of this user names nobody.
func TestNameOfADeletedUserIsTheFormerOne(t *testing.T) {
	bare := strings.ReplaceAll(entraID, "-", "")
	for _, test := range []struct {
		user entra.User
		want string
	}{
		{entra.User{ID: entraID, Name: bare + "dave@example.com", Deleted: true}, "dave@example.com"},
		{entra.User{ID: entraID, Name: strings.ToUpper(bare) + "dave@example.com", Deleted: true}, "dave@example.com"},
		{entra.User{ID: entraID, Name: "dave@example.com", Deleted: true}, "dave@example.com"},
		{entra.User{ID: entraID, Name: strings.Repeat("d", 40) + "@example.com", Deleted: true},
			strings.Repeat("d", 40) + "@example.com"},
		{entra.User{ID: entraID, Name: bare + "dave@example.com"}, bare + "dave@example.com"},
		{entra.User{ID: entraID}, ""},
		{entra.User{ID: tenantID, Name: "somebody@example.com"}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			in, signals := newTenant(t, test.user), []signal.Signal{of("entra", entraID)}
			in.Resolve(t.Context(), signals)
			s := signals[0]
			if got := strings.Join(s.Subject.Usernames, " "); got != test.want ||
				(test.want == "") != strings.Contains(s.TenantLookup, "knows no user") || s.Unanswered != nil {
				t.Errorf("%+v: %q, %+v", test.user, got, s)
			}
		})
	}
}

// TestTenantThatDoesNotAnswerIsNoUnknownUser: the signal has the error, beside that of the identity store. An answer
// makes up for the store's silence. A poll that hangs leaves time to act.
func TestTenantThatDoesNotAnswerIsNoUnknownUser(t *testing.T) {
	silent := errors.New("the store is silent")
	for name, fault := range map[string]emulator.Fault{
		"":          {Action: "Publish"},
		"denied":    {Action: "Invoke", Code: "AccessDeniedException", Status: 403},
		"hangs":     {Action: "Invoke", Delay: time.Hour},
		"no answer": {Action: "Invoke", Drop: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			in := newTenant(t, entra.User{ID: entraID, Name: "dave@example.com"})
			in.cloud.Inject(fault)
			signals := []signal.Signal{of("entra", entraID)}
			signals[0].Unanswered = silent
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			defer cancel()
			began := time.Now()
			in.Resolve(ctx, signals)
			s, took := signals[0], time.Since(began)
			if name == "" && (s.Unanswered != nil || len(s.Subject.Usernames) != 1) {
				t.Errorf("%+v", s)
			}
			if name != "" && (!errors.Is(s.Unanswered, silent) || s.Unanswered.Error() == silent.Error() ||
				!strings.Contains(s.TenantLookup, "could not be asked for user "+entraID)) {
				t.Errorf("%s: %+v", name, s)
			}
			if took > 2*time.Second {
				t.Errorf("%s: it took %s", name, took)
			}
		})
	}
}

// TestTenantIsAskedAboutFiftyAtATime: the poll answers no longer question.
func TestTenantIsAskedAboutFiftyAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newTenant(t)
		var signals []signal.Signal
		for i := range 120 {
			signals = append(signals, of("entra", fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", i)))
		}
		in.Resolve(t.Context(), signals)
		var sizes []int
		for _, q := range in.asked {
			sizes = append(sizes, len(q.IDs))
		}
		if !slices.Equal(sizes, []int{50, 50, 20}) {
			t.Error(sizes)
		}
	})
}

// TestTenantWithoutAWordAboutAUserSaysNeither: the user is neither enabled nor disabled. A page that cannot be read is
// an error, and no empty list.
func TestTenantWithoutAWordAboutAUserSaysNeither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newTenant(t, entra.User{ID: "1", Name: "a"}, entra.User{ID: "2", Enabled: aws.Bool(true)},
			entra.User{ID: "3", Enabled: aws.Bool(false)})
		for page, err := range in.Users(t.Context(), "") {
			got := ""
			for _, u := range page.Users {
				got += fmt.Sprintf("%s %t %t, ", u.ID, u.Enabled, u.Disabled)
			}
			if got != "1 false false, 2 true false, 3 false true, " || err != nil {
				t.Error(got, err)
			}
		}
		in.cloud.Deny("lambda:Invoke", "")
		var errs []error
		for _, err := range in.Users(t.Context(), "") {
			errs = append(errs, err)
		}
		if len(errs) != 1 || errs[0] == nil {
			t.Error(errs)
		}
	})
}
