package door

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// algorithms are the signatures that count. All need the issuer's private key. With a shared secret, every reader of
// the configuration could sign, too.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

const (
	maxToken = 64 << 10         // bytes of a token
	skew     = 60 * time.Second // by which the clocks may differ
	longest  = 15 * time.Minute // a token of Universal Logout may live; Okta's lives for ten
)

// takes reports whether the kind accepts a body of the media type.
func (k Kind) takes(mediaType string) bool {
	if k == Signals {
		return mediaType == "application/secevent+jwt"
	}
	return mediaType == "application/json"
}

// isType reports whether a token's "typ" is the kind's. A token for another purpose does not open a door: an ID token
// is no Security Event Token.
// Source: RFC 8725, section 3.11.
func (k Kind) isType(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	switch k {
	case Logout:
		return typ == "global-token-revocation+jwt"
	case Signals:
		return typ == "secevent+jwt"
	}
	return typ == "" || typ == "jwt" || typ == "at+jwt"
}

// token is one that has the right form, and nothing more: its signature is still to be verified.
type token struct {
	raw, issuer, keyID string
}

// readToken finds the token and looks at its header.
func readToken(k Kind, r Request) (token, Reason) {
	raw := string(r.Body)
	if k != Signals {
		scheme, credentials, _ := strings.Cut(r.Header["authorization"], " ")
		if !strings.EqualFold(scheme, "Bearer") || credentials == "" {
			return token{}, NoToken
		}
		raw = credentials
	}
	raw = strings.TrimSpace(raw)
	switch {
	case raw == "":
		return token{}, NoToken
	case k != Signals && len(raw) > maxToken:
		return token{}, BadToken
	}
	if why := checkHeader(k, raw); why != "" {
		return token{}, why
	}
	signed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return token{}, BadToken
	}
	// The issuer chooses among the door's keys. What is not verified says nothing else.
	var claims struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims) != nil {
		return token{}, BadToken
	}
	return token{raw, claims.Issuer, signed.Signatures[0].Header.KeyID}, ""
}

// checkHeader looks at the header of a token in compact form. It refuses what extends a token: critical headers, and
// tokens inside of tokens.
func checkHeader(k Kind, raw string) Reason {
	part, _, found := strings.Cut(raw, ".")
	header, err := base64.RawURLEncoding.DecodeString(part)
	var h struct {
		Typ  string          `json:"typ"`
		Alg  string          `json:"alg"`
		Cty  string          `json:"cty"`
		Crit json.RawMessage `json:"crit"`
		Enc  string          `json:"enc"`
	}
	switch {
	case !found || err != nil || json.Unmarshal(header, &h) != nil:
		return BadToken
	case !slices.Contains(algorithms, jose.SignatureAlgorithm(h.Alg)):
		return WrongAlgorithm
	case !k.isType(h.Typ) || h.Cty != "" || h.Enc != "":
		return WrongType
	case len(h.Crit) > 0:
		return BadToken
	}
	return ""
}

// claims are those of a token whose signature is good.
type claims struct{ jwt.Claims }

func readClaims(payload []byte) (claims, Reason) {
	var c claims
	if json.Unmarshal(payload, &c.Claims) != nil {
		return c, BadToken
	}
	return c, ""
}

// check compares the claims with the door and the time.
func (c claims) check(d *Door, r Request) Reason {
	audience := d.Audience
	if audience == "" {
		audience = r.url()
	}
	early, late := r.At.Add(skew), r.At.Add(-skew)
	switch {
	case c.Issuer != d.Issuer:
		return UnknownIssuer
	case !c.Audience.Contains(audience):
		return WrongAudience
	case c.IssuedAt != nil && c.IssuedAt.Time().After(early),
		c.NotBefore != nil && c.NotBefore.Time().After(early),
		c.Expiry != nil && !c.Expiry.Time().After(late):
		return WrongTime
	// A Security Event Token is about what happened, and does not expire.
	case d.Accepts != Signals && c.Expiry == nil, d.Accepts != Signed && c.IssuedAt == nil,
		d.Accepts == Logout && c.Expiry.Time().After(r.At.Add(longest)):
		return WrongTime
	case d.Subject != "" && c.Subject != d.Subject:
		return WrongSubject
	// A bearer token of a webhook is used many times.
	case d.Accepts != Signed && c.ID == "":
		return NoTokenID
	}
	return ""
}
