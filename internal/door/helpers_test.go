package door_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/door"

	"github.com/go-jose/go-jose/v4"
)

const (
	okta = "https://acme.okta.com"
	host = "doors.example.com"
	keys = "https://acme.okta.com/oauth2/v1/keys"
)

// doors are those of the tests.
var doors = []door.Door{
	{Path: "/logout", Accepts: door.Logout, Issuer: okta, Subject: "0oa1", Keys: keys},
	{Path: "/ssf", Accepts: door.Signals, Issuer: okta, Audience: "clientvpn/1", Keys: keys},
	{Path: "/google", Accepts: door.Signed, Issuer: okta, Audience: "vpn", Subject: "push", Keys: keys,
		Source: "custom.googleworkspace"},
}

type object = map[string]any

// Keys of the issuer and of a stranger. To make one takes a tenth of a second.
var (
	issuerKey   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	strangerKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	curveKey    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// issuer is the server of the issuer's keys, as a transport.
type issuer struct {
	fetches int
	status  int
	body    []byte
}

func newIssuer() *issuer {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: issuerKey().Public(), KeyID: "rsa", Algorithm: "RS256", Use: "sig"}, {Key: curveKey().Public(), KeyID: "ec"},
	}}
	return &issuer{status: http.StatusOK, body: must(json.Marshal(set))}
}

func (i *issuer) RoundTrip(*http.Request) (*http.Response, error) {
	i.fetches++
	return &http.Response{
		StatusCode: i.status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(i.body)),
	}, nil
}

// form is a token to be.
type form struct {
	header, claims object
	key            any
	alg            jose.SignatureAlgorithm
}

// with returns a copy in which the change was made.
func (f form) with(change func(*form)) form {
	f.header, f.claims = maps.Clone(f.header), maps.Clone(f.claims)
	change(&f)
	return f
}

// sign returns the token.
func (f form) sign() string {
	options := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for name, value := range f.header {
		options.ExtraHeaders[jose.HeaderKey(name)] = value
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: f.alg, Key: f.key}, options))
	return must(must(signer.Sign(must(json.Marshal(f.claims)))).CompactSerialize())
}

// unsigned returns the token with the header as it is, and a signature of the text.
func (f form) unsigned(signature string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return strings.Join([]string{
		encode(must(json.Marshal(f.header))), encode(must(json.Marshal(f.claims))), encode([]byte(signature)),
	}, ".")
}

// good returns a token that opens the door of the path.
func good(path string) form {
	now := time.Now().Unix()
	f := form{key: issuerKey(), alg: jose.RS256, header: object{"kid": "rsa"}}
	switch path {
	case "/logout":
		f.header["typ"] = "global-token-revocation+jwt"
		f.claims = object{"iss": okta, "sub": "0oa1", "aud": "https://" + host + path, "jti": "a", "iat": now,
			"nbf": now - 300, "exp": now + 300}
	case "/ssf":
		f.header["typ"] = "secevent+jwt"
		f.claims = object{"iss": okta, "aud": "clientvpn/1", "jti": "b", "iat": now,
			"sub_id": object{"format": "email", "email": "alice@example.com"},
			"events": object{"https://schemas.openid.net/secevent/risc/event-type/account-disabled": object{}}}
	default:
		f.header["typ"] = "JWT"
		f.claims = object{"iss": okta, "sub": "push", "aud": "vpn", "iat": now, "exp": now + 3600}
	}
	return f
}

const logoutBody = `{"sub_id": {"format": "email", "email": "alice@example.com"}}`

// request returns a request to the door of the path with the token.
func request(path, token string) door.Request {
	r := door.Request{Method: "POST", Host: host, Path: path, At: time.Now(), Header: map[string]string{
		"content-type": "application/json", "authorization": "Bearer " + token,
	}, Body: []byte(logoutBody)}
	switch path {
	case "/ssf":
		r.Header = map[string]string{"content-type": "application/secevent+jwt"}
		r.Body = []byte(token)
	case "/google":
		r.Body = []byte(`{"message": {"data": "e30="}}`)
	}
	return r
}

// enter has a request enter the gate, and returns the answer's status and body beside the reason.
func enter(t *testing.T, g *door.Gate, r door.Request) (door.Answer, door.Reason) {
	t.Helper()
	passed, refused := g.Enter(t.Context(), r)
	synctest.Wait() // for the end of a fetch, which go-oidc ends in the background
	if refused != nil {
		return refused.Answer(), refused.Why
	}
	return passed.Answer(), ""
}

// bubble runs a test by a clock of its own. The keys are made outside, where time is cheap.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	issuerKey()
	strangerKey()
	curveKey()
	synctest.Test(t, test)
}
