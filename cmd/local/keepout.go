package main

import (
	"context"
	"io"
	"os"
	"os/exec"

	"clientvpn-responder/internal/trial"
)

// keepOut runs the program that lists and lifts.
func keepOut(ctx context.Context, args []string, out io.Writer) error {
	binary, err := trial.BuildHere(ctx, "keepout", "./cmd/local/keepout")
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, binary, args...)
	command.Stdout, command.Stderr = out, os.Stderr
	return command.Run()
}
