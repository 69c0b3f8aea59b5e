package door_test

import (
	"testing"
	"time"

	"clientvpn-responder/internal/door"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// FuzzEnter: without the issuer's key nothing passes, and every request has an answer.
func FuzzEnter(f *testing.F) {
	for _, path := range []string{"/logout", "/ssf", "/google"} {
		token := good(path).with(func(f *form) { f.key = strangerKey() })
		f.Add(path, token.sign(), logoutBody)
		f.Add(path, token.with(func(f *form) { f.header["alg"] = "none" }).unsigned(""), "")
		f.Add(path, "a.b.c", "{}")
	}
	keys := newIssuer()
	f.Fuzz(func(t *testing.T, path, token, body string) {
		g := door.NewGate(doors, keys, aws.Config{})
		r := request(path, token)
		if path != "/ssf" {
			r.Body = []byte(body)
		}
		_, refused := g.Enter(t.Context(), r)
		if refused == nil {
			t.Fatalf("%s passed: %q %q", path, token, body)
		}
		if a := refused.Answer(); a.Status < 400 || a.Status > 503 {
			t.Errorf("%+v", a)
		}
	})
}

// FuzzBody: whatever an issuer signs for, the event is one that the responder can read or refuse.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		logoutBody, `{"sub_id": {"format": "complex", "user": {}}}`, `{"sub_id": {"format": "aliases"}}`, `[`,
		`{"sub_id": 1}`,
	} {
		f.Add(body)
	}
	g := door.NewGate(doors, newIssuer(), aws.Config{})
	token := good("/logout").with(func(f *form) {
		f.claims["exp"] = time.Now().Add(14 * time.Minute).Unix()
	}).sign()
	f.Fuzz(func(t *testing.T, body string) {
		r := request("/logout", token)
		r.Body = []byte(body)
		passed, refused := g.Enter(t.Context(), r)
		if refused != nil {
			return
		}
		signals, err := signal.Parse(must(passed.Event.Bytes()))
		if err != nil || len(signals) != 1 {
			t.Fatalf("%q: %v, %+v", body, err, signals)
		}
		for _, n := range signals[0].Subject.Names {
			if n.Issuer.Provider != "ssf" || len(n.Issuer.Within) < len(okta) || n.Issuer.Within[:len(okta)] != okta {
				t.Fatalf("%q: a name of %s", body, n.Issuer)
			}
		}
	})
}
