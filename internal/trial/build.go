package trial

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/emulator"
)

// connectBinary is the client connect handler, beside the handler.
const connectBinary = "connect"

// BuildHandler builds the deployed programs for this machine and returns the path of the handler. The client connect
// handler and the poll are beside it.
func BuildHandler(ctx context.Context, c *console.Console) (string, error) {
	p := c.Progress("Building the programs (the first time AWS's EC2 package takes minutes)", 0)
	defer p.Stop()
	binary, err := buildHere(ctx, "handler", "./cmd/handler")
	if err != nil {
		return "", err
	}
	if _, err := buildHere(ctx, connectBinary, "./cmd/connect"); err != nil {
		return "", err
	}
	_, err = buildHere(ctx, pollBinary, "./cmd/poll")
	return binary, err
}

// buildHere builds a program of this repository into bin/ and returns its path.
func buildHere(ctx context.Context, name, folder string) (binary string, err error) {
	if binary, err = filepath.Abs(filepath.Join("bin", name)); err != nil {
		return "", fmt.Errorf("building %s: %w", folder, err)
	}
	if _, err := os.Stat(folder); err != nil {
		return "", fmt.Errorf("there is no folder %s here; run this in a clone of the repository", folder)
	}
	return binary, emulator.Build(ctx, binary, folder)
}
