package signal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// FuzzParse holds for every input: no panic, a signal or an error, no empty or placeholder name, no name that the event
// does not have.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../../events/*/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no events", err)
	}
	for _, file := range files {
		f.Add(event(f, strings.TrimPrefix(filepath.ToSlash(file), "../../events/")))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		signals, err := signal.Parse(raw)
		if len(signals) == 0 && err == nil || len(signals) > 0 && errors.Is(err, signal.ErrUnsupported) ||
			len(signals) > 1000 {
			t.Fatalf("%d signals, error %v", len(signals), err)
		}
		var root any
		if len(signals) > 0 {
			document := json.NewDecoder(bytes.NewReader(raw))
			document.UseNumber() // one that nobody reads may be too large for any type
			if err := document.Decode(&root); err != nil {
				t.Fatal(err)
			}
		}
		words := texts(root)
		for _, s := range signals {
			all := slices.Concat(s.Subject.Usernames, s.Subject.IDs)
			for _, address := range []string{s.Subject.ClientIP, s.Subject.PublicIP} {
				if _, err := netip.ParseAddr(address); address != "" && err != nil {
					t.Errorf("%q is no address", address)
				}
			}
			if s.Subject.Session != nil {
				all = append(all, s.Subject.Session.Name)
			}
			for _, name := range all {
				if signal.Name(name) != name || name == "" {
					t.Errorf("%q is no name", name)
				}
				if !slices.ContainsFunc(words, func(w string) bool {
					decoded, _ := url.PathUnescape(w) // Auth0 has the id in a path
					return strings.Contains(w, name) || strings.Contains(decoded, name) || name == strings.TrimSpace(
						decoded[strings.LastIndex(decoded, "/")+1:],
					)
				}) {
					t.Errorf("%q is not in the event", name)
				}
			}
			if s.ID == "" || s.Provider == "" || s.Type == "" || !slices.Contains(signal.Kinds(), s.Kind) &&
				s.Kind != signal.SelfTest && s.Kind != signal.Sweep && s.Kind != signal.SourceInterrupted ||
				!slices.Contains(signal.Providers(), s.Provider) {
				t.Errorf("incomplete: %+v", s)
			}
		}
	})
}

// texts returns every string and number in a JSON value.
func texts(v any) []string {
	var all []string
	switch v := v.(type) {
	case string:
		all = append(all, v)
		if inner, err := base64.StdEncoding.DecodeString(v); err == nil { // a message of Pub/Sub
			var document any
			if json.Unmarshal(inner, &document) == nil && document != nil {
				all = append(all, texts(document)...)
			}
		}
	case json.Number:
		all = append(all, v.String())
		if f, err := v.Float64(); err == nil {
			all = append(all, fmt.Sprint(f), fmt.Sprintf("%f", f))
		}
	case []any:
		for _, child := range v {
			all = append(all, texts(child)...)
		}
	case map[string]any:
		for _, child := range v {
			all = append(all, texts(child)...)
		}
	}
	return all
}
