package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"time"

	"clientvpn-responder/internal/ssf"

	"github.com/spf13/cobra"
)

// tokenVariable has the transmitter's token, which must not be on a command line that others can see.
const tokenVariable = "SSF_TOKEN"

// ssf manages the stream of a door at a transmitter of Shared Signals.
func (t *tool) ssf() *cobra.Command {
	return group(&cobra.Command{
		Use: "ssf", Short: "Manage a stream at a transmitter of Shared Signals",
		Long: `Manage the stream by which an identity provider pushes Security Event Tokens to
a door, which is a URL of the stack (doc/doors.md). The environment variable
SSF_TOKEN has a token with which the provider lets you manage streams.`,
	}, t.ssfCreate(), t.ssfStatus(), t.ssfVerify(), t.ssfDelete())
}

// ssfCommand returns a command about a transmitter; do is what it does there.
func (t *tool) ssfCommand(use, short, example string, do func(*cobra.Command, *ssf.Transmitter, []string) error,
) *cobra.Command {
	const args = 2
	return &cobra.Command{
		Use: use, Short: short, Args: takes(args, args), Example: "  clientvpn ssf " + example,
		Long: short + `.
TRANSMITTER is the provider's address. The environment variable SSF_TOKEN has a
token with which it lets you manage streams. The exit code is 1 if it refuses.`,
		RunE: func(command *cobra.Command, args []string) error {
			token := os.Getenv(tokenVariable)
			if token == "" {
				return errors.New(tokenVariable + " is not set; set it to a token of the transmitter for managing streams")
			}
			client := &http.Client{Timeout: 30 * time.Second}
			transmitter, err := ssf.Discover(command.Context(), client, args[0], token)
			if err != nil {
				return err
			}
			return do(command, transmitter, args[1:])
		},
	}
}

func (t *tool) ssfCreate() *cobra.Command {
	var path string
	var events []string
	do := func(command *cobra.Command, transmitter *ssf.Transmitter, args []string) error {
		if len(events) == 0 {
			events = ssf.Events
		}
		s, err := transmitter.Create(command.Context(), args[0], events)
		if err != nil {
			return err
		}
		audience := append(s.Audiences(), "")[0]
		door, err := json.Marshal(map[string]string{
			"path": path, "accepts": "shared-signals", "issuer": transmitter.Issuer, "audience": audience,
			"keys": transmitter.Keys,
		})
		if err != nil {
			return err
		}
		if t.json {
			return json.NewEncoder(t.Out).Encode(map[string]any{
				"stream_id": s.ID, "events_delivered": s.Delivered, "door": json.RawMessage(door),
			})
		}
		t.Print("The stream is %s. It delivers:", s.ID)
		for _, event := range s.Delivered {
			t.Print("  %s", event)
		}
		t.Print("The door, for the parameter Doors:\n  %s", door)
		return nil
	}
	command := t.ssfCommand("create TRANSMITTER ENDPOINT", "Create a stream that pushes to the door's URL, ENDPOINT",
		"create https://idp.example.com \\\n    https://abc.lambda-url.eu-west-1.on.aws/ssf", do)
	command.Flags().StringVar(&path, "path", "/ssf", "the door's `path`")
	command.Flags().StringSliceVar(&events, "events", nil,
		"the `types` of events to ask for; all that the door understands if absent")
	return command
}

func (t *tool) ssfStatus() *cobra.Command {
	return t.ssfCommand("status TRANSMITTER STREAM", "Show whether the stream is enabled",
		"status https://idp.example.com "+anyStream,
		func(command *cobra.Command, transmitter *ssf.Transmitter, args []string) error {
			status, reason, err := transmitter.State(command.Context(), args[0])
			if err != nil {
				return err
			}
			if t.json {
				return json.NewEncoder(t.Out).Encode(map[string]string{"status": status, "reason": reason})
			}
			t.Print("%s %s", status, reason)
			return nil
		})
}

func (t *tool) ssfVerify() *cobra.Command {
	return t.ssfCommand("verify TRANSMITTER STREAM", "Have the transmitter send a verification event",
		"verify https://idp.example.com "+anyStream,
		func(command *cobra.Command, transmitter *ssf.Transmitter, args []string) error {
			if err := transmitter.Verify(command.Context(), args[0], time.Now().UTC().Format(time.RFC3339)); err != nil {
				return err
			}
			return t.printDone("asked", "Asked. The log of the doors shows the event as accepted.")
		})
}

func (t *tool) ssfDelete() *cobra.Command {
	return t.ssfCommand("delete TRANSMITTER STREAM", "Delete the stream",
		"delete https://idp.example.com "+anyStream,
		func(command *cobra.Command, transmitter *ssf.Transmitter, args []string) error {
			if err := transmitter.Delete(command.Context(), args[0]); err != nil {
				return err
			}
			return t.printDone("deleted", "Deleted.")
		})
}

// anyStream is a stream's id as transmitters write it.
const anyStream = "f67e39a0a4d34d56b3aa1bc4cff0069f"

// printDone prints that something is done.
func (t *tool) printDone(status, words string) error {
	if t.json {
		return t.printJSON(map[string]string{"status": status})
	}
	t.Print("%s", words)
	return nil
}
