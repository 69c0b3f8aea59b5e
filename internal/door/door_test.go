package door_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/door"
	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-jose/go-jose/v4"
)

// TestGoodRequestsPass: each kind of door, and each algorithm that providers use. Every event is one that the responder
// reads, with the issuer that was verified.
func TestGoodRequestsPass(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := door.NewGate(doors, newIssuer(), aws.Config{})
		for path, status := range map[string]int{"/logout": 204, "/ssf": 202, "/google": 204} {
			for _, change := range []func(*form){
				func(*form) {},
				func(f *form) { delete(f.header, "kid") },
				func(f *form) { f.alg, f.key, f.header["kid"] = jose.ES256, curveKey(), "ec" },
				func(f *form) { f.alg = jose.PS256 },
				func(f *form) { f.claims["aud"] = []any{f.claims["aud"], "another"} },
			} {
				f := good(path).with(change)
				answer, why := enter(t, g, request(path, f.sign()))
				if answer.Status != status || answer.Body != "" {
					t.Errorf("%s: %d %q: %s; %+v", path, answer.Status, answer.Body, why, f.header)
				}
			}
		}
		passed, _ := g.Enter(t.Context(), request("/logout", good("/logout").sign()))
		want := "ssf " + okta + " session-revoked alice@example.com"
		if got := read(t, passed.Event); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		passed, _ = g.Enter(t.Context(), request("/ssf", good("/ssf").sign()))
		want = "ssf " + okta + " account-disabled alice@example.com"
		if got := read(t, passed.Event); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// read returns what the responder reads in an event.
func read(t *testing.T, e door.Event) string {
	t.Helper()
	signals, err := signal.Parse(must(e.Bytes()))
	if err != nil || len(signals) != 1 || len(signals[0].Subject.Names) != 1 {
		t.Fatalf("%v %+v", err, signals)
	}
	s, name := signals[0], signals[0].Subject.Names[0]
	if name.Issuer.Provider != identity.SSF || s.EventID == "" || s.Time.IsZero() || s.ID == s.EventID {
		t.Errorf("%+v", s)
	}
	return fmt.Sprintf("%s %s %s %s", s.Provider, name.Issuer.Within, s.Kind, name.Value)
}

// refusals are requests that no door accepts: the name, what is changed in a good token, and the answers.
var refusals = []struct {
	name    string
	change  func(*form)
	status  int    // of Universal Logout and of a signed webhook
	err     string // of Shared Signals
	because door.Reason
}{
	{"another issuer", func(f *form) { f.claims["iss"] = "https://evil.example" }, 401, "invalid_issuer",
		door.UnknownIssuer},
	{"no issuer", func(f *form) { delete(f.claims, "iss") }, 401, "invalid_issuer", door.UnknownIssuer},
	{"a stranger's key", func(f *form) { f.key = strangerKey() }, 401, "invalid_key", door.BadSignature},
	{"another audience", func(f *form) { f.claims["aud"] = "https://other.example" }, 401, "invalid_audience",
		door.WrongAudience},
	{"a part of the audience", func(f *form) { f.claims["aud"] = "vp" }, 401, "invalid_audience", door.WrongAudience},
	{"no audience", func(f *form) { delete(f.claims, "aud") }, 401, "invalid_audience", door.WrongAudience},
	{"expired", func(f *form) { f.claims["exp"] = time.Now().Unix() - 61 }, 401, "invalid_request", door.WrongTime},
	{"not yet valid", func(f *form) { f.claims["nbf"] = time.Now().Unix() + 61 }, 401, "invalid_request", door.WrongTime},
	{"issued in the future", func(f *form) { f.claims["iat"] = time.Now().Unix() + 61 }, 401, "invalid_request",
		door.WrongTime},
	{"a time that overflows", func(f *form) { f.claims["nbf"] = 1e19 }, 401, "invalid_request", door.BadToken},
	{"a time as text", func(f *form) { f.claims["iat"] = "soon" }, 401, "invalid_request", door.BadToken},
	{"an ID token", func(f *form) { f.header["typ"] = "id_token+jwt" }, 401, "invalid_request", door.WrongType},
	{"a logout token", func(f *form) { f.header["typ"] = "logout+jwt" }, 401, "invalid_request", door.WrongType},
	{"a nested token", func(f *form) { f.header["cty"] = "JWT" }, 401, "invalid_request", door.WrongType},
	{"a type with a blank", func(f *form) { f.header["typ"] = " JWT" }, 401, "invalid_request", door.WrongType},
}

// TestHostileTokensAreRefused: nothing passes that the issuer did not sign for this door and this time.
func TestHostileTokensAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := door.NewGate(doors, newIssuer(), aws.Config{})
		for path := range map[string]bool{"/logout": true, "/ssf": true, "/google": true} {
			enter(t, g, request(path, good(path).sign())) // which fetches the keys
			for _, test := range refusals {
				refusedAs(t, g, request(path, good(path).with(test.change).sign()), test.name, test.because)
				status, body := test.status, ""
				if path == "/ssf" {
					status, body = 400, test.err
				}
				answer, _ := enter(t, g, request(path, good(path).with(test.change).sign()))
				var said struct{ Err, Description string }
				_ = json.Unmarshal([]byte(answer.Body), &said) // an empty one says nothing
				if answer.Status != status || said.Err != body || (said.Description == "") != (body == "") {
					t.Errorf("%s: %s: %d %s, want %d %s", path, test.name, answer.Status, answer.Body, status, body)
				}
			}
		}
	})
}

func refusedAs(t *testing.T, g *door.Gate, r door.Request, name string, want door.Reason) {
	t.Helper()
	if answer, why := enter(t, g, r); why != want || answer.Status < 400 {
		t.Errorf("%s: %s: %d %q, want %q", r.Path, name, answer.Status, why, want)
	}
}

// TestForgedHeadersAreRefused: the algorithm, the key and the extensions of a token are the door's choice, and not the
// sender's.
func TestForgedHeadersAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := door.NewGate(doors, newIssuer(), aws.Config{})
		for path := range map[string]bool{"/logout": true, "/ssf": true, "/google": true} {
			enter(t, g, request(path, good(path).sign()))
			public := must(x509.MarshalPKIXPublicKey(issuerKey().Public()))
			inPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
			none := func(alg string) form { return good(path).with(func(f *form) { f.header["alg"] = alg }) }
			embedded := jose.JSONWebKey{Key: strangerKey().Public(), KeyID: "rsa"}
			for name, test := range map[string]struct {
				token string
				want  door.Reason
			}{
				"none":           {none("none").unsigned(""), door.WrongAlgorithm},
				"None":           {none("None").unsigned(""), door.WrongAlgorithm},
				"no algorithm":   {good(path).unsigned(""), door.WrongAlgorithm},
				"no signature":   {none("RS256").unsigned(""), door.BadSignature},
				"the public key": {good(path).with(func(f *form) { f.alg, f.key = jose.HS256, inPEM }).sign(), door.WrongAlgorithm},
				"its own key": {good(path).with(func(f *form) {
					f.key, f.header["jwk"] = strangerKey(), embedded
				}).sign(), door.BadSignature},
				"a key elsewhere": {good(path).with(func(f *form) {
					f.key, f.header["jku"] = strangerKey(), "https://evil.example/keys"
				}).sign(), door.BadSignature},
				"critical": {good(path).with(func(f *form) {
					f.header["crit"], f.header["x"] = []string{"x"}, 1
				}).sign(), door.BadToken},
				"unencoded payload": {good(path).with(func(f *form) {
					f.header["crit"], f.header["b64"] = []string{"b64"}, true
				}).sign(), door.BadToken},
				"encrypted":  {none("RSA-OAEP").unsigned("x"), door.WrongAlgorithm},
				"in JSON":    {`{"payload": "e30", "signatures": []}`, door.BadToken},
				"four parts": {good(path).sign() + ".e30", door.BadToken},
				"a tail":     {good(path).sign() + "=", door.BadToken},
				"no dot":     {"e30", door.BadToken},
				"a list":     {"W10.W10.W10", door.BadToken},
			} {
				refusedAs(t, g, request(path, test.token), name, test.want)
			}
		}
	})
}

// TestRequestsOfAnotherFormAreRefused: before anything is verified.
func TestRequestsOfAnotherFormAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		keys := newIssuer()
		g := door.NewGate(doors, keys, aws.Config{})
		change := func(path string, change func(*door.Request)) door.Request {
			r := request(path, good(path).sign())
			change(&r)
			return r
		}
		for _, test := range []struct {
			name   string
			r      door.Request
			status int
			want   door.Reason
		}{
			{"no door", change("/logout", func(r *door.Request) { r.Path = "/other" }), 404, door.NoDoor},
			{"a path below", change("/logout", func(r *door.Request) { r.Path = "/logout/" }), 404, door.NoDoor},
			{"GET", change("/logout", func(r *door.Request) { r.Method = "GET" }), 405, door.WrongMethod},
			{"a form", change("/logout", func(r *door.Request) { r.Header["content-type"] = "text/plain" }), 415,
				door.WrongMediaType},
			{"JSON for a SET", change("/ssf", func(r *door.Request) { r.Header["content-type"] = "application/json" }), 415,
				door.WrongMediaType},
			{"too large", change("/ssf", func(r *door.Request) { r.Body = make([]byte, door.MaxBody+1) }), 413, door.TooLarge},
			{"no token", change("/logout", func(r *door.Request) { delete(r.Header, "authorization") }), 401, door.NoToken},
			{"basic", change("/logout", func(r *door.Request) { r.Header["authorization"] = "Basic YTpi" }), 401, door.NoToken},
			{"a huge token", change("/google", func(r *door.Request) {
				r.Header["authorization"] = "Bearer " + strings.Repeat("a", 65<<10)
			}), 401, door.BadToken},
			{"an empty SET", change("/ssf", func(r *door.Request) { r.Body = nil }), 400, door.NoToken},
		} {
			answer, why := enter(t, g, test.r)
			if answer.Status != test.status || why != test.want {
				t.Errorf("%s: %d %q, want %d %q", test.name, answer.Status, why, test.status, test.want)
			}
		}
		if keys.fetches != 0 {
			t.Errorf("%d fetches of keys for requests that cannot pass", keys.fetches)
		}
	})
}

// TestBodiesThatNameNobody: a good token with a body that says nothing, or names what is no person.
func TestBodiesThatNameNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := door.NewGate(doors, newIssuer(), aws.Config{})
		for body, status := range map[string]int{
			``: 400, `[]`: 400, `{`: 400, `{}`: 400, `{"sub_id": "alice"}`: 400, `{"sub_id": {}}`: 400,
			`{"sub_id": {"format": 1}}`: 400, `{"sub_id": {"format": "email"}}`: 400,
			`{"sub_id": {"format": "email", "email": ["a"]}}`:                      400,
			`{"sub_id": {"format": "iss_sub", "sub": "00u1"}}`:                     400,
			`{"sub_id": {"format": "phone_number", "phone_number": "+1"}}`:         422,
			`{"sub_id": {"format": "device", "id": "x"}}`:                          422,
			`{"sub_id": {"format": "iss_sub", "iss": "` + okta + `", "sub": "x"}}`: 204,
			`{"sub_id": {"format": "opaque", "id": "00u1"}, "more": 1}`:            204,
		} {
			r := request("/logout", good("/logout").sign())
			r.Body = []byte(body)
			if answer, why := enter(t, g, r); answer.Status != status {
				t.Errorf("%s: %d %s, want %d", body, answer.Status, why, status)
			}
		}
		r := request("/google", good("/google").sign())
		r.Body = []byte(`[{"message": {}}]`)
		refusedAs(t, g, r, "a list", door.BadBody)
		f := good("/ssf")
		delete(f.claims, "events")
		refusedAs(t, g, request("/ssf", f.sign()), "no event", door.BadBody)
	})
}

// TestMissingClaimsAreRefused: what makes a token good once and for a time must be there.
func TestMissingClaimsAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := door.NewGate(doors, newIssuer(), aws.Config{})
		for path, missing := range map[string]map[string]door.Reason{
			"/logout": {"exp": door.WrongTime, "iat": door.WrongTime, "jti": door.NoTokenID, "sub": door.WrongSubject},
			"/ssf":    {"iat": door.WrongTime, "jti": door.NoTokenID},
			"/google": {"exp": door.WrongTime, "sub": door.WrongSubject},
		} {
			for claim, want := range missing {
				refusedAs(t, g, request(path, good(path).with(func(f *form) { delete(f.claims, claim) }).sign()), "no "+claim, want)
			}
		}
		long := good("/logout").with(func(f *form) { f.claims["exp"] = time.Now().Unix() + 3600 })
		refusedAs(t, g, request("/logout", long.sign()), "an hour", door.WrongTime)
		other := good("/logout").with(func(f *form) { f.claims["sub"] = "0oa2" })
		if answer, why := enter(t, g, request("/logout", other.sign())); answer.Status != http.StatusForbidden {
			t.Errorf("another application's token: %d %s", answer.Status, why)
		}
	})
}

// TestVerifiedIssuerTravels: a transmitter that writes "iss" twice gets no other issuer.
func TestVerifiedIssuerTravels(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := door.NewGate(doors, newIssuer(), aws.Config{})
		f := good("/ssf").with(func(f *form) { f.claims["ISS"], f.claims["iſs"] = okta, okta })
		passed, refused := g.Enter(t.Context(), request("/ssf", f.sign()))
		if refused != nil {
			t.Fatal(refused.Why)
		}
		var detail object
		if err := json.Unmarshal(passed.Event.Detail, &detail); err != nil || detail["iss"] != okta || detail["ISS"] != nil {
			t.Errorf("%v %v", detail, err)
		}
		for name := range detail {
			if name != "iss" && strings.EqualFold(name, "iss") {
				t.Errorf("the event has %q, too", name)
			}
		}
	})
}
