package door_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/door"
	"clientvpn-responder/internal/emulator"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestUnknownIssuersCauseNoFetch: a stranger cannot have the function call anybody.
func TestUnknownIssuersCauseNoFetch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		keys := newIssuer()
		g := door.NewGate(doors, keys, aws.Config{})
		f := good("/ssf").with(func(f *form) { f.claims["iss"] = "https://evil.example" })
		for range 1000 {
			refusedAs(t, g, request("/ssf", f.sign()), "a stranger", door.UnknownIssuer)
		}
		if keys.fetches != 0 {
			t.Errorf("%d fetches", keys.fetches)
		}
	})
}

// TestFloorBetweenFetches: unknown keys cause one fetch a minute. A key that the issuer has just begun to use passes
// after that.
func TestFloorBetweenFetches(t *testing.T) {
	bubble(t, func(t *testing.T) {
		keys := newIssuer()
		g := door.NewGate(doors[1:2], keys, aws.Config{})
		invented := good("/ssf").with(func(f *form) { f.header["kid"] = "invented" }).sign()
		refusedAs(t, g, request("/ssf", invented), "the first", door.BadSignature)
		for range 1000 {
			refusedAs(t, g, request("/ssf", invented), "the next", door.TooSoon)
		}
		if _, why := enter(t, g, request("/ssf", good("/ssf").sign())); why != "" {
			t.Errorf("a good token meanwhile: %s", why)
		}
		if keys.fetches != 1 {
			t.Errorf("%d fetches", keys.fetches)
		}
		time.Sleep(time.Minute)
		refusedAs(t, g, request("/ssf", invented), "a minute later", door.BadSignature)
		if keys.fetches != 2 {
			t.Errorf("%d fetches", keys.fetches)
		}
	})
}

// TestKeysThatCannotBeFetched: the sender may try again, and passes once the keys are there.
func TestKeysThatCannotBeFetched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, spoil := range map[string]func(*issuer){
			"an error":    func(i *issuer) { i.status = http.StatusInternalServerError },
			"a redirect":  func(i *issuer) { i.status = http.StatusFound },
			"no JSON":     func(i *issuer) { i.body = []byte("<html>") },
			"a huge body": func(i *issuer) { i.body = make([]byte, 2<<20) },
		} {
			keys := newIssuer()
			spoil(keys)
			g := door.NewGate(doors[1:2], keys, aws.Config{})
			answer, why := enter(t, g, request("/ssf", good("/ssf").sign()))
			if answer.Status != 503 || why != door.NoKeys || answer.Header["Retry-After"] == "" {
				t.Errorf("%s: %d %s", name, answer.Status, why)
			}
			*keys = *newIssuer()
			if answer, _ := enter(t, g, request("/ssf", good("/ssf").sign())); answer.Status != 429 {
				t.Errorf("%s, at once: %d", name, answer.Status)
			}
			time.Sleep(time.Minute)
			if answer, why := enter(t, g, request("/ssf", good("/ssf").sign())); answer.Status != 202 {
				t.Errorf("%s, a minute later: %d %s", name, answer.Status, why)
			}
		}
	})
}

// TestLogLearnsWhyThereAreNoKeys: the refusal has what the issuer or IAM answered, in the minute of the floor, too. The
// answer to the sender does not.
func TestLogLearnsWhyThereAreNoKeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		denied, gone := &emulator.Cloud{}, &emulator.Cloud{}
		denied.Deny("iam:GetSAMLProvider", "")
		failing := newIssuer()
		failing.status, failing.body = http.StatusInternalServerError, bytes.Repeat([]byte("no\n"), 1<<20)
		saml := []door.Door{{Path: "/logout", Accepts: door.Logout, Issuer: okta, SAMLProvider: provider}}
		for name, test := range map[string]struct {
			gate *door.Gate
			path string
			want string
		}{
			"IAM denies": {
				door.NewGate(saml, failing, over(t, denied)), "/logout", "missing permission iam:GetSAMLProvider",
			},
			"IAM knows none":    {door.NewGate(saml, failing, over(t, gone)), "/logout", "NoSuchEntity: Manifest not found"},
			"the issuer's keys": {door.NewGate(doors[1:2], failing, aws.Config{}), "/ssf", "get keys failed"},
		} {
			for _, reason := range []door.Reason{door.NoKeys, door.TooSoon} {
				_, refused := test.gate.Enter(t.Context(), request(test.path, good(test.path).sign()))
				synctest.Wait()
				if refused == nil || refused.Why != reason || refused.Cause == nil ||
					!strings.Contains(refused.Cause.Error(), test.want) || len(refused.Cause.Error()) > 310 ||
					strings.Contains(refused.Cause.Error(), "\n") || refused.Answer().Body != "" {
					t.Errorf("%s: %+v", name, refused)
				}
			}
		}
	})
}

// TestWithdrawnKeysEnd: a key that the issuer no longer publishes is good for an hour at most.
func TestWithdrawnKeysEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		keys := newIssuer()
		g := door.NewGate(doors[1:2], keys, aws.Config{})
		enter(t, g, request("/ssf", good("/ssf").sign()))
		keys.body = []byte(`{"keys": []}`)
		time.Sleep(59 * time.Minute)
		if _, why := enter(t, g, request("/ssf", good("/ssf").sign())); why != "" {
			t.Errorf("within the hour: %s", why)
		}
		time.Sleep(2 * time.Minute)
		refusedAs(t, g, request("/ssf", good("/ssf").sign()), "after an hour", door.BadSignature)
	})
}
