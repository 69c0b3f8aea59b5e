package trial

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// Golden is what an event must lead to: beside events/okta/x.json it is events/okta/x.golden.
type Golden struct {
	// Explain is what explain -json says in mode enforce, at the time of the event.
	Explain []Explanation `json:"explain"`
	Run     result        `json:"run"`
}

// result is what was seen from outside when the event went through the binary in the small company.
type result struct {
	Error     string   `json:"error,omitempty"` // type and message of the function's error
	Outcomes  []told   `json:"outcomes"`
	Published []string `json:"published"`         // the subjects of the JSON messages
	Refused   []string `json:"refused,omitempty"` // who tried to reconnect and was denied
	StillUp   []string `json:"still_up"`
}

type told struct {
	Status      string   `json:"status"`
	Summary     string   `json:"summary"`
	Connections []string `json:"connections,omitempty"`
	Spared      []string `json:"spared,omitempty"`
}

// EventName returns the name under which an event is shown: its provider's folder and its file.
func EventName(file string) string {
	return path.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
}

// goldenName returns the name of an event in its golden, okta-x.json for events/okta/x.json.
func goldenName(file string) string { return strings.ReplaceAll(EventName(file), "/", "-") }

func (p *played) golden() Golden { return Golden{Explain: p.explain, Run: p.result} }

func (p *played) goldenPath() string { return strings.TrimSuffix(p.file, ".json") + ".golden" }

func (p *played) writeGolden() error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(p.golden()); err != nil {
		return fmt.Errorf("writing the golden: %w", err)
	}
	return os.WriteFile(p.goldenPath(), []byte(text.String()), 0o644)
}

// difference says how what was seen differs from the golden, "" if it does not.
func (p *played) difference() string {
	raw, err := os.ReadFile(p.goldenPath())
	if err != nil {
		return fmt.Sprintf("%v; write it with: go run ./cmd/clientvpn run --update", err)
	}
	var want, got any
	if err := json.Unmarshal(raw, &want); err != nil {
		return fmt.Sprintf("%s: %v", p.goldenPath(), err)
	}
	seen, err := json.Marshal(p.golden())
	if err != nil {
		return err.Error()
	}
	if err := json.Unmarshal(seen, &got); err != nil {
		return err.Error()
	}
	return cmp.Diff(want, got)
}
