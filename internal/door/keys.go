package door

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// keySet verifies the signature of a token and returns its payload, or why it cannot. The error is what kept it from
// the keys, for the log.
type keySet interface {
	verify(ctx context.Context, t token) ([]byte, Reason, error)
}

const (
	// floor is the least time between two fetches of an issuer's keys. An unknown key asks for a fetch, and anybody can
	// invent one.
	floor = time.Minute
	// freshFor is how long keys are good. A key that the issuer has withdrawn is good no longer than that.
	freshFor = time.Hour
	// fetchTime bounds one fetch; maxKeys its answer, in bytes.
	fetchTime = 5 * time.Second
	maxKeys   = 1 << 20
)

// remoteKeys are an issuer's keys behind a URL.
type remoteKeys struct {
	url   string
	fetch *fetcher
	set   *oidc.RemoteKeySet
	cause error // of the last fetch, if it failed
}

// newRemoteKeys returns the keys at a URL, fetched through the transport when a token first needs them.
func newRemoteKeys(url string, transport http.RoundTripper) *remoteKeys {
	return &remoteKeys{url: url, fetch: &fetcher{transport: transport}}
}

func (k *remoteKeys) verify(ctx context.Context, t token) ([]byte, Reason, error) {
	if k.set == nil || time.Since(k.fetch.succeeded) > freshFor {
		client := &http.Client{Transport: k.fetch, Timeout: fetchTime, CheckRedirect: noRedirect}
		k.set = oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), client), k.url)
	}
	payload, err := k.set.VerifySignature(ctx, t.raw)
	switch {
	case err == nil:
		k.cause = nil
		return payload, "", nil
	case errors.Is(err, errTooSoon) && k.fetch.ids[t.keyID]:
		return nil, BadSignature, nil // the key was there, and did not make it
	case errors.Is(err, errTooSoon):
		return nil, TooSoon, k.cause
	case errors.Unwrap(err) != nil: // go-oidc wraps what keeps it from the keys, and nothing else
		k.cause = causeOf(err)
		return nil, NoKeys, k.cause
	}
	k.cause = nil
	return nil, BadSignature, nil
}

// causeOf returns the beginning of an error, on one line. go-oidc adds a whole answer of the issuer.
func causeOf(err error) error {
	const most = 300 // bytes
	words := strings.Join(strings.Fields(err.Error()), " ")
	if len(words) > most {
		words = strings.ToValidUTF8(words[:most], "") + "…"
	}
	return errors.New(words)
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

var errTooSoon = errors.New("the keys were fetched less than a minute ago")

// fetcher fetches keys, keeps the floor, and remembers the ids of the keys.
type fetcher struct {
	transport        http.RoundTripper
	tried, succeeded time.Time
	ids              map[string]bool
}

// RoundTrip fetches, unless the last time was a moment ago.
func (f *fetcher) RoundTrip(r *http.Request) (*http.Response, error) {
	now := time.Now()
	if now.Sub(f.tried) < floor {
		return nil, errTooSoon
	}
	f.tried = now
	response, err := f.transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeys))
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	if response.StatusCode == http.StatusOK {
		f.succeeded, f.ids = now, keyIDs(body)
	}
	return response, nil
}

// keyIDs returns the ids of the keys; the empty one, too, since a token without an id is tried with every key.
func keyIDs(jwks []byte) map[string]bool {
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	ids := map[string]bool{"": true}
	_ = json.Unmarshal(jwks, &set) // go-oidc reports what it cannot read
	for _, key := range set.Keys {
		ids[key.ID] = true
	}
	return ids
}
