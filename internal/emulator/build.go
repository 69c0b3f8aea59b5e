package emulator

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// Build compiles a function's folder for this machine. It compiles packages with the flags of "go test" and "go run".
// AWS's EC2 package takes minutes, and is compiled once for all of them.
func Build(ctx context.Context, binary, folder string) error {
	return build(ctx, binary, folder, nil, nil)
}

// BuildForAWS compiles a function's folder as for AWS, but for this machine where env does not name another.
func BuildForAWS(ctx context.Context, binary, folder string, env ...string) error {
	return build(ctx, binary, folder, []string{"-trimpath"}, append([]string{"CGO_ENABLED=0"}, env...))
}

func build(ctx context.Context, binary, folder string, flags, env []string) error {
	arguments := append([]string{"build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", binary}, flags...)
	arguments = append(arguments, folder)
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Env = append(os.Environ(), env...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", folder, err, output)
	}
	return nil
}

// WithProgram is a TestMain: it builds the program of the current folder, runs the tests, and returns their exit code.
// The tests find the path in binary.
func WithProgram(binary *string, run func() int) int {
	dir, err := os.MkdirTemp("", "program")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	*binary = filepath.Join(dir, "program")
	if err := Build(context.Background(), *binary, "."); err != nil {
		panic(err)
	}
	return run()
}

// Track looks at every file below the paths, so that the test cache notices changes of the sources of a binary. The
// cache knows which files a test looks at, but not which ones a compiler reads that the test starts.
func Track(paths ...string) error {
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(file)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("looking at the sources: %w", err)
		}
	}
	return nil
}
