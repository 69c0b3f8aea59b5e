package door

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Sources are those under which a signed webhook's record may be parsed: providers without a partner event source.
// Security Event Tokens are not among them, because a record chooses its own issuer.
var Sources = []string{
	"custom.entra", "custom.microsoftgraph", "custom.googleworkspace", "custom.jumpcloud", "custom.pingone", "custom.duo",
	"custom.cyberark",
}

var (
	pathForm = regexp.MustCompile(`^/[A-Za-z0-9._~/-]{1,200}$`)
	samlARN  = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:saml-provider/[\w.-]+$`)
)

// Read reads the doors of a configuration, which is a JSON list. Its error joins one for each problem, which names the
// field and the fix.
func Read(document string) ([]Door, error) {
	var doors []Door
	decoder := json.NewDecoder(strings.NewReader(document))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&doors); err != nil {
		return nil, fmt.Errorf("is not a list of doors in JSON: %w", err)
	}
	if decoder.More() {
		return nil, errors.New("has more after the list")
	}
	if len(doors) == 0 {
		return nil, errors.New("has no door")
	}
	var problems []error
	for i, d := range doors {
		for _, problem := range d.problems() {
			problems = append(problems, fmt.Errorf("door %d, %s", i+1, problem))
		}
		for _, other := range doors[:i] {
			switch {
			case other.Path == d.Path && other.Accepts != d.Accepts:
				problems = append(problems, fmt.Errorf("door %d, path: %q is of a door of another kind", i+1, d.Path))
			case other.Path == d.Path && other.Issuer == d.Issuer:
				problems = append(problems, fmt.Errorf("door %d, issuer: %q has this path already", i+1, d.Issuer))
			}
		}
	}
	return doors, errors.Join(problems...)
}

// problems returns what is wrong with a door.
func (d Door) problems() (problems []string) {
	add := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Sprintf(format, args...))
		}
	}
	add(!pathForm.MatchString(d.Path), "path: %q is not a path like /okta", d.Path)
	add(!slices.Contains([]Kind{Logout, Signals, Signed}, d.Accepts),
		"accepts: %q is not one of %s, %s, %s", d.Accepts, Logout, Signals, Signed)
	add(d.Issuer == "", `issuer: missing; write the "iss" of the issuer's tokens`)
	add((d.Keys == "") == (d.SAMLProvider == ""), "keys: write either keys or saml_provider")
	add(d.Keys != "" && !isKeysURL(d.Keys), "keys: %q is not an https URL without a query", d.Keys)
	add(d.SAMLProvider != "" && (d.Accepts != Logout || !samlARN.MatchString(d.SAMLProvider)),
		"saml_provider: must be the ARN of a SAML provider in IAM, and only %s has one", Logout)
	add(d.Accepts == Signals && d.Audience == "", `audience: missing; write the "aud" of the stream's tokens`)
	add(d.Accepts == Signed && d.Audience == "", `audience: missing; write the "aud" that the sender asks for`)
	add(d.Accepts == Signed && d.Subject == "",
		`subject: missing; write the "sub" of the sender, since others have tokens of this issuer, too`)
	add(d.Accepts == Signed && !slices.Contains(Sources, d.Source), "source: %q is not one of %s", d.Source,
		strings.Join(Sources, ", "))
	silence, err := time.ParseDuration(cmp.Or(d.Silence, "0"))
	add(err != nil || silence < 0 || silence > 0 && silence < time.Hour,
		"silence: %q is not a duration of an hour or more, like 72h", d.Silence)
	add(d.Accepts != Signed && d.Source != "", "source: only %s has one", Signed)
	return problems
}

// isKeysURL reports whether keys may be fetched from the URL. A server on the same machine needs no TLS.
func isKeysURL(s string) bool {
	u, err := url.Parse(s)
	local := err == nil && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
	return err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" &&
		(u.Scheme == "https" || u.Scheme == "http" && local)
}

// Bytes returns the event as JSON.
func (e Event) Bytes() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(e)
	return bytes.TrimSpace(b.Bytes()), err
}
