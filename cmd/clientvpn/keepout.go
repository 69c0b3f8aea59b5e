package main

import (
	"os"
	"os/exec"

	"clientvpn-responder/internal/trial"

	"github.com/spf13/cobra"
)

// keepOut runs the program that lists and lifts. It is a program of its own, so that this one is built in seconds.
func (t *tool) keepOut() *cobra.Command {
	return &cobra.Command{
		Use: "keep-out list|lift …", Short: "Show who may not connect, and let people in again",
		DisableFlagParsing: true,
		RunE: func(command *cobra.Command, args []string) error {
			t.started = true
			binary, err := trial.BuildHere(command.Context(), "keepout", "./cmd/local/keepout")
			if err != nil {
				return err
			}
			program := exec.CommandContext(command.Context(), binary, args...)
			program.Stdout, program.Stderr = t.Out, os.Stderr
			return program.Run()
		},
	}
}
