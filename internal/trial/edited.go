package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"
)

// keptOut is an entry of the keep-out list, as "clientvpn keep-out list --json" prints it.
type keptOut struct {
	Person      string   `json:"person"`
	Names       []string `json:"names"`
	Known       []string `json:"known_names"`
	CommonNames []string `json:"common_names"`
}

// edited returns what the policy changes for people who are kept out by the entries in a file, and how many entries
// there are. Without a file there are none.
func edited(p *policy.Policy, file string) (changes []string, entries int, err error) {
	if file == "" {
		return nil, 0, nil
	}
	raw, err := os.Open(file)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the keep-out list: %w", err)
	}
	defer raw.Close()
	for decoder := json.NewDecoder(raw); ; entries++ {
		var e keptOut
		switch err := decoder.Decode(&e); {
		case errors.Is(err, io.EOF):
			return changes, entries, nil
		case err != nil || e.Person == "":
			return nil, 0, fmt.Errorf("%s: is not what clientvpn keep-out list --json prints: entry %d: %w", file, entries+1,
				errors.Join(err, errNoPerson))
		}
		if words := p.Edited(policy.Listed(e)); words != "" {
			changes = append(changes, words)
		}
	}
}

var errNoPerson = errors.New("it must be an object with a person")

// printEdited prints what the policy changes for people who are kept out.
func printEdited(c *console.Console, p *policy.Policy, file string) error {
	changes, entries, err := edited(p, file)
	for _, words := range changes {
		c.Item(c.In(console.Yellow, "Kept out: "), console.Safe(words))
	}
	if file != "" && err == nil {
		c.Print("%d entries of the keep-out list, of which the policy changes %d.", entries, len(changes))
	}
	return err
}
