package signal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestCutOnlyWhatIsPlain: cut takes a value out of where encoding/json finds it, or leaves the document alone.
func TestCutOnlyWhatIsPlain(t *testing.T) {
	deep := strings.Repeat("[", 2000) + strings.Repeat("]", 2000)
	for _, test := range []struct{ document, rest, value string }{
		{`{"detail":{"a":[1,"}"]}}`, `{"detail":null}`, `{"a":[1,"}"]}`},
		{`{"a":"\\","detail" : "\"," ,"b":2}`, `{"a":"\\","detail" : null ,"b":2}`, `"\","`},
		{"{\n\t\"detail\":\r\n 7\n}", "{\n\t\"detail\":\r\n null\n}", "7"},
		{`{"a":{"detail":1},"detail":2}`, `{"a":{"detail":1},"detail":null}`, "2"},
		{`{"a":["detail",{"detail":1}],"detail":2}x`, `{"a":["detail",{"detail":1}],"detail":null}x`, "2"},
		{`{"a":` + deep + `,"detail":2}`, "", ""},
		{document: ``},
		{document: `{`},
		{document: `{}`},
		{document: `{"detail"`},
		{document: `{"detail":`},
		{`{"detail":}`, `{"detail":null}`, ""},
		{document: `{"detail":1`},
		{document: `{"detail":"1}`},
		{document: `{"a":1}`},
		{document: `[{"detail":1}]`},
		{document: ` {"detail":1}`},
		{document: "\xef\xbb\xbf" + `{"detail":1}`},
		{document: `{"detail":1,"detail":2}`},
		{document: `{"detail":1,"Detail":2}`},
		{document: `{"detail":1,"det\u0061il":2}`},
		{document: `{"detail":1,"é":2}`},
		{document: `{"detail":` + deep + `}`},
	} {
		rest, value, ok := signal.Cut([]byte(test.document), "detail")
		if string(rest) != test.rest || string(value) != test.value || ok != (test.rest != "") {
			t.Errorf("%.100s: %q, %q, %v", test.document, rest, value, ok)
		}
	}
}

// FuzzCut holds for every document: rest and value are valid if the document is. encoding/json finds the value under
// the keys, and everything else in rest.
func FuzzCut(f *testing.F) {
	for _, file := range allEvents(f) {
		f.Add(event(f, file))
	}
	for _, document := range []string{
		`{"a":{"b":1}}`, `{"a":{"b":{"c":"\\\"}"}},"A":2}`, `{"a":{"b":1,"B":2},"c":[{"a":{"b":3}}]}`, `{"a":[{"b":1}]}`,
		`{"a":{"b":1}}}`, `{"a":{"b":1}],"c":2}`, `{"a" {"b":1}}`, `{"a":{"b":"` + "\n" + `"}}`, `{"a":{"b":` + "\v" + `1}}`,
		`{"a":{"b":` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + `}}`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		holdCut(t, document, "detail")
		holdCut(t, document, "a", "b")
	})
}

func holdCut(t *testing.T, document []byte, keys ...string) {
	t.Helper()
	rest, value, ok := signal.Cut(bytes.Clone(document), keys...)
	if !ok {
		return
	}
	valid := json.Valid(document)
	if valid != (json.Valid(rest) && json.Valid(value)) {
		t.Fatalf("valid is %v:\n%q\n%q\n%q", valid, document, rest, value)
	}
	if !valid {
		return
	}
	var found struct {
		Detail json.RawMessage `json:"detail"`
		A      struct {
			B json.RawMessage `json:"b"`
		} `json:"a"`
	}
	_ = json.Unmarshal(document, &found) // another part may not fit
	want := found.Detail
	if len(keys) == 2 {
		want = found.A.B
	}
	if !bytes.Equal(value, want) {
		t.Fatalf("%q, want %q", value, want)
	}
	var before, after map[string]any
	if json.Unmarshal(document, &before) != nil || json.Unmarshal(rest, &after) != nil {
		return // a number that no type holds
	}
	put := before
	for _, key := range keys[:len(keys)-1] {
		put, _ = put[key].(map[string]any)
	}
	put[keys[len(keys)-1]] = nil
	if !reflect.DeepEqual(before, after) {
		t.Fatalf("%v, want %v", after, before)
	}
}

// FuzzParseCut holds for every event: Parse returns the same whether or not it cuts values out.
func FuzzParseCut(f *testing.F) {
	for _, file := range allEvents(f) {
		raw := event(f, file)
		f.Add(raw)
		for _, broken := range brokenDetails(raw) {
			f.Add(broken)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := signal.Parse(bytes.Clone(raw))
		want, wantErr := signal.ParseUncut(bytes.Clone(raw))
		if !reflect.DeepEqual(got, want) || !sameError(err, wantErr) {
			t.Errorf("%+v, %v\nwant %+v, %v", got, err, want, wantErr)
		}
		_, detail, _ := signal.Cut(raw, "detail")
		finding, err := signal.ReadFinding(detail)
		wantFinding, wantErr := signal.DecodeFinding(detail)
		if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(finding, wantFinding) {
			t.Errorf("%+v, %v\nwant %+v, %v", finding, err, wantFinding, wantErr)
		}
	})
}

// sameError reports whether two errors are the same for a caller. Of an unreadable event, the path may depend on the
// order of a map.
func sameError(a, b error) bool {
	unsupported := errors.Is(a, signal.ErrUnsupported)
	return (a == nil) == (b == nil) && unsupported == errors.Is(b, signal.ErrUnsupported) &&
		(!unsupported || a.Error() == b.Error())
}

// TestBrokenDetailIsRefused: an event is an error if it is no JSON, even where nothing of its detail is read.
func TestBrokenDetailIsRefused(t *testing.T) {
	for _, file := range allEvents(t) {
		for _, broken := range brokenDetails(event(t, file)) {
			signals, err := signal.Parse(broken)
			_, want := signal.ParseUncut(broken)
			if len(signals) > 0 || err == nil || err.Error() != want.Error() || !strings.HasPrefix(err.Error(), "event: ") {
				t.Errorf("%s: %d signals, %v, want %v", file, len(signals), err, want)
			}
		}
	}
}

// brokenDetails returns the event with a detail that is no JSON, though its brackets and quotes are as they should be.
func brokenDetails(event []byte) [][]byte {
	var all [][]byte
	_, detail, _ := signal.Cut(event, "detail")
	for _, broken := range []string{
		`{,` + string(detail[1:]), string(detail[:len(detail)-1]) + `,}`, string(detail) + ` x`, string(detail) + `{}`,
		`{"a":tru,` + string(detail[1:]), `{"a":"` + "\n" + `",` + string(detail[1:]), `{"a":"\x",` + string(detail[1:]),
		strings.TrimSuffix(string(detail), "}") + `]`,
	} {
		all = append(all, bytes.Replace(event, detail, []byte(broken), 1))
	}
	return all
}
