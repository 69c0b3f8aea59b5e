package trial

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"clientvpn-responder/internal/emulator"
)

// connectBinary is the client connect handler, beside the handler.
const connectBinary = "connect"

// BuildHandler builds the deployed programs for this machine and returns the path of the handler. The client connect
// handler is beside it.
func BuildHandler(ctx context.Context, out io.Writer) (string, error) {
	fmt.Fprintln(out, "Building the handlers. "+
		"The first time this compiles AWS's EC2 package, which takes a minute or two.")
	if _, err := BuildHere(ctx, connectBinary, "./cmd/connect"); err != nil {
		return "", err
	}
	return BuildHere(ctx, "handler", "./cmd/handler")
}

// BuildHere builds a program of this repository into bin/ and returns its path.
func BuildHere(ctx context.Context, name, folder string) (binary string, err error) {
	if binary, err = filepath.Abs(filepath.Join("bin", name)); err != nil {
		return "", fmt.Errorf("building %s: %w", folder, err)
	}
	return binary, emulator.Build(ctx, binary, folder)
}
