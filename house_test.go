// Package house tests the walls of the house: who may import what, and what each package says about itself. It also
// compares files that must agree.
package house

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "clientvpn-responder/"

// may lists what a package's code, tests aside, may import besides the standard library. A package that is not listed
// has no place yet.
var may = map[string][]string{
	// Pure: no SDK, no network.
	"internal/identity": {"golang.org/x/text/unicode/norm"},
	"internal/signal":   {"internal/identity", "internal/lazyregexp"},
	"internal/policy": {
		"internal/duration", "internal/identity", "internal/lazyregexp", "internal/signal",
		"github.com/goccy/go-yaml/ast", "github.com/goccy/go-yaml/parser", "github.com/goccy/go-yaml/token",
	},
	// The only one that talks to EC2.
	"internal/vpn": {
		"internal/identity", "internal/vpn/ec2call", "github.com/aws/aws-sdk-go-v2/aws",
		"github.com/aws/aws-sdk-go-v2/service/ec2", "github.com/aws/aws-sdk-go-v2/service/ec2/types",
		"github.com/aws/smithy-go", "golang.org/x/sync/errgroup",
	},
	// What is between the SDK and EC2.
	"internal/vpn/ec2call": {
		"internal/identity", "github.com/aws/aws-sdk-go-v2/aws",
		"github.com/aws/aws-sdk-go-v2/aws/middleware", "github.com/aws/aws-sdk-go-v2/aws/retry",
		"github.com/aws/aws-sdk-go-v2/service/ec2", "github.com/aws/smithy-go", "github.com/aws/smithy-go/middleware",
		"github.com/aws/smithy-go/transport/http", "golang.org/x/time/rate",
	},
	// AWS's JSON protocol, for the services whose generated clients cost too much at start.
	"internal/awsjson": {
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/middleware",
		"github.com/aws/aws-sdk-go-v2/aws/retry", "github.com/aws/aws-sdk-go-v2/aws/signer/v4",
		"github.com/aws/aws-sdk-go-v2/aws/transport/http", "github.com/aws/smithy-go",
		"github.com/aws/smithy-go/middleware", "github.com/aws/smithy-go/transport/http",
	},
	// DynamoDB's operations and attributes over it.
	"internal/dynamo": {"internal/awsjson", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/smithy-go"},
	// The policy in S3.
	"internal/policysource": {
		"internal/awsjson", "internal/lazyregexp", "internal/policy", "github.com/aws/aws-sdk-go-v2/aws",
	},
	// The only one that talks to the identity store, and that asks the poll about a tenant.
	"internal/directory": {
		"internal/entra", "internal/identity", "internal/signal", "internal/awsjson", "github.com/aws/aws-sdk-go-v2/aws",
		"github.com/aws/smithy-go",
	},
	// The only one that talks to DynamoDB.
	"internal/ledger": {
		"internal/duration", "internal/identity", "internal/dynamo",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/smithy-go",
	},
	// The queue of held events.
	"internal/held": {"internal/awsjson", "github.com/aws/aws-sdk-go-v2/aws"},
	// What providers send: verified, and made into events. It knows neither EC2 nor the policy.
	"internal/door": {
		"internal/awsjson", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/signer/v4",
		"github.com/coreos/go-oidc/v3/oidc",
		"github.com/go-jose/go-jose/v4", "github.com/go-jose/go-jose/v4/jwt",
	},
	// The only one that talks to Microsoft Graph.
	"internal/graph": {
		"internal/awsjson", "internal/entra", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/sts",
	},
	// What the responder asks the poll.
	"internal/entra": {"internal/lazyregexp"},
	// The standard library alone.
	"internal/lazyregexp": {},
	// The standard library alone.
	"internal/duration": {},
	// The only one that talks to EventBridge.
	"internal/partner": {"internal/awsjson", "github.com/aws/aws-sdk-go-v2/aws"},
	// It lists and asks, and has no way to terminate.
	"internal/sweep": {
		"internal/duration", "internal/identity", "internal/signal", "internal/policy", "internal/vpn", "internal/ledger",
		"internal/directory",
	},
	"internal/responder": {
		"internal/duration", "internal/signal", "internal/policy", "internal/vpn", "internal/ledger",
		"internal/held", "internal/sweep",
	},
	// The only one that talks to SNS.
	"internal/notify": {
		"internal/duration", "internal/lazyregexp", "internal/metric", "internal/signal", "internal/policy",
		"internal/responder", "internal/vpn",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/arn",
		"github.com/aws/aws-sdk-go-v2/aws/middleware", "github.com/aws/aws-sdk-go-v2/aws/retry",
		"github.com/aws/smithy-go/middleware",
		"github.com/aws/aws-sdk-go-v2/service/sns", "github.com/aws/aws-sdk-go-v2/service/sns/types",
	},
	// What the functions count, and under which dimensions.
	"internal/metric": {"github.com/aws/aws-lambda-go/lambdacontext"},
	// What an outcome must look like, for tests and the local tool.
	"internal/schema": {"github.com/santhosh-tekuri/jsonschema/v6"},
	// The standard library alone, so that it shares no mistake with what it tests.
	"internal/emulator": {},
	"cmd/handler": {
		"internal/policysource", "internal/signal", "internal/policy", "internal/vpn", "internal/responder",
		"internal/directory", "internal/entra", "internal/held", "internal/lazyregexp", "internal/ledger", "internal/notify",
		"internal/partner", "internal/sweep",
		"github.com/aws/aws-lambda-go/events", "github.com/aws/aws-lambda-go/lambda",
		"github.com/aws/aws-lambda-go/lambdacontext",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/arn", "github.com/aws/aws-sdk-go-v2/aws/retry",
		"github.com/aws/aws-sdk-go-v2/credentials/stscreds", "github.com/aws/aws-sdk-go-v2/service/sts",
		"internal/lambdaenv", "github.com/aws/smithy-go",
	},
	// As little as it can do with, since every connection waits for it.
	"internal/connect": {"internal/policy", "internal/policysource", "internal/ledger", "internal/metric"},
	"cmd/connect": {
		"internal/connect", "internal/policy", "internal/policysource", "internal/ledger", "internal/lambdaenv",
		"github.com/aws/aws-lambda-go/lambda", "github.com/aws/aws-lambda-go/lambdacontext",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/retry",
	},
	// The doors decide nothing.
	"cmd/receive": {
		"internal/door", "internal/ledger", "internal/lambdaenv", "internal/metric", "github.com/aws/aws-lambda-go/events",
		"github.com/aws/aws-lambda-go/lambda", "github.com/aws/aws-lambda-go/lambdacontext",
	},
	"cmd/poll": {
		"internal/door", "internal/entra", "internal/graph", "internal/ledger", "internal/lambdaenv", "internal/metric",
		"github.com/aws/aws-lambda-go/lambda", "github.com/aws/aws-lambda-go/lambdacontext",
		"github.com/aws/aws-sdk-go-v2/aws",
	},
	// A stream at a transmitter, for the operator's tool.
	"internal/ssf": {},
	// Somebody else's stand-in, for tests.
	"internal/moto": {},
	// The SDK's configuration and the settings, for all functions.
	"internal/lambdaenv": {"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/transport/http"},
	// The standard library alone.
	"internal/console": {},
	// No SDK, so that the local tool is built in seconds.
	"internal/trial": {
		"internal/console", "internal/signal", "internal/policy", "internal/emulator", "internal/schema",
		"github.com/google/go-cmp/cmp",
		"github.com/goccy/go-yaml", "github.com/goccy/go-yaml/ast", "github.com/goccy/go-yaml/parser",
	},
	"internal/bench": {"internal/console", "internal/emulator", "internal/signal", "internal/trial"},
	// Pages for people, of outcomes in their public form.
	"internal/report": {"internal/signal", "internal/policy"},
	// What the operator's tool asks of a deployed stack.
	"internal/stack": {
		"internal/awsjson", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/config",
		"github.com/aws/aws-sdk-go-v2/service/cloudformation", "github.com/aws/aws-sdk-go-v2/service/cloudformation/types",
		"github.com/aws/aws-sdk-go-v2/service/lambda", "github.com/aws/aws-sdk-go-v2/service/lambda/types",
		"github.com/aws/smithy-go", "github.com/aws/smithy-go/logging",
	},
	"cmd/clientvpn": {
		"internal/bench", "internal/console", "internal/identity", "internal/ssf", "internal/ledger", "internal/policy",
		"internal/policysource", "internal/report", "internal/signal", "internal/stack", "internal/trial", "internal/vpn",
		"github.com/spf13/cobra",
	},
	"internal/bench/testdata/empty": {"github.com/aws/aws-lambda-go/lambda"},
	"internal/bench/testdata/bare":  {"github.com/aws/aws-lambda-go/lambda"},
	"internal/emulator/testdata/echo": {
		"github.com/aws/aws-lambda-go/lambda", "github.com/aws/aws-lambda-go/lambdacontext",
	},
}

// pure packages do no input or output of their own, except that policy reads its file.
var pure = map[string][]string{
	"internal/signal": {"context", "net", "net/http", "os", "io", "log/slog"},
	"internal/policy": {"context", "net", "net/http", "log/slog"},
}

func TestImportsGoOneWay(t *testing.T) {
	for folder, files := range packages(t) {
		allowed, known := may[folder]
		if !known && folder != "." {
			t.Errorf("%s has no place in the house; add it to the table in house_test.go", folder)
			continue
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, imported := range imports(t, file) {
				name := strings.TrimPrefix(imported, module)
				if slices.Contains(pure[folder], name) {
					t.Errorf("%s imports %s, but is pure", file, name)
				}
				if strings.Contains(imported, ".") || strings.HasPrefix(imported, module) {
					if !slices.Contains(allowed, name) {
						t.Errorf("%s imports %s, which is not its business", file, name)
					}
				}
			}
		}
	}
}

// TestFunctionsLinkNothingForeign: neither function links a testing aid, or a way to log in that Lambda does not
// have. The connect handler, for which every connection waits, links no EC2 and no SNS. A door links neither EC2 nor
// the policy, so that it cannot decide.
func TestFunctionsLinkNothingForeign(t *testing.T) {
	aids := []string{
		module + "internal/emulator", module + "internal/moto", module + "internal/schema",
		"github.com/santhosh-tekuri/jsonschema/v6",
		"github.com/aws/aws-sdk-go-v2/config", // which costs a tenth of the start
	}
	const services = "github.com/aws/aws-sdk-go-v2/service/"
	for folder, foreign := range map[string][]string{
		"./cmd/handler": append(aids, module+"internal/graph"), // whose credential it must not need
		"./cmd/connect": append(aids, services+"ec2", services+"sns", services+"identitystore", services+"sts"),
		"./cmd/receive": append(aids, services+"ec2", services+"sns", module+"internal/policy", module+"internal/vpn",
			module+"internal/signal"),
		"./cmd/poll": append(aids, services+"ec2", services+"sns", module+"internal/policy", module+"internal/vpn",
			module+"internal/signal"),
	} {
		output, err := exec.Command("go", "list", "-deps", folder).Output()
		if err != nil {
			t.Fatal(err)
		}
		linked := strings.Fields(string(output))
		if !slices.Contains(linked, "github.com/aws/aws-lambda-go/lambda") {
			t.Errorf("%s: %q", folder, linked)
		}
		for _, name := range foreign {
			if slices.Contains(linked, name) {
				t.Errorf("%s links %s", folder, name)
			}
		}
	}
}

func TestEveryPackageSaysWhatItPromises(t *testing.T) {
	for folder, files := range packages(t) {
		comments := 0
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if parsed.Doc != nil {
				comments++
			}
		}
		if comments != 1 {
			t.Errorf("%s has %d package comments, want one", folder, comments)
		}
	}
}

// packages lists the Go files of every folder.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && file != "." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(file, ".go") {
			folder := path.Dir(filepath.ToSlash(file))
			found[folder] = append(found[folder], file)
		}
		return err
	})
	if err != nil || len(found) < 8 {
		t.Fatalf("%d packages, %v", len(found), err)
	}
	return found
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, spec := range parsed.Imports {
		all = append(all, strings.Trim(spec.Path.Value, `"`))
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
