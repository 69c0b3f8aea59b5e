// Package house holds the walls of the house: who may import what, what each package says of itself, and that files that
// must agree do.
package house

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/signal"
)

const module = "clientvpn-responder/"

// may says what the code of a package, tests aside, imports beside the standard library. A package that is not listed
// has no place yet.
var may = map[string][]string{
	// Pure: no SDK, no network.
	"internal/identity": {"golang.org/x/text/unicode/norm"},
	"internal/signal":   {"internal/identity"},
	"internal/policy": {"internal/identity", "internal/signal", "github.com/goccy/go-yaml", "github.com/goccy/go-yaml/ast", "github.com/goccy/go-yaml/parser"},
	// The only one that talks to EC2.
	"internal/vpn": {
		"internal/signal", "internal/vpn/ec2call", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/ec2",
		"github.com/aws/aws-sdk-go-v2/service/ec2/types", "github.com/aws/smithy-go", "golang.org/x/sync/errgroup",
	},
	// What stands between the SDK and EC2.
	"internal/vpn/ec2call": {
		"internal/signal", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/middleware", "github.com/aws/aws-sdk-go-v2/aws/retry",
		"github.com/aws/aws-sdk-go-v2/service/ec2", "github.com/aws/smithy-go", "github.com/aws/smithy-go/middleware",
		"github.com/aws/smithy-go/transport/http", "golang.org/x/time/rate",
	},
	// The only one that talks to the identity store.
	"internal/directory": {
		"internal/signal", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/identitystore",
		"github.com/aws/aws-sdk-go-v2/service/identitystore/types", "github.com/aws/smithy-go",
	},
	// The only one that talks to DynamoDB.
	"internal/keepout": {
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/service/dynamodb", "github.com/aws/aws-sdk-go-v2/service/dynamodb/types",
		"github.com/aws/smithy-go",
	},
	"internal/responder": {"internal/signal", "internal/policy", "internal/vpn", "internal/keepout"},
	// The only one that talks to SNS.
	"internal/notify": {
		"internal/signal", "internal/policy", "internal/responder", "internal/vpn", "github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/arn",
		"github.com/aws/aws-sdk-go-v2/aws/middleware", "github.com/aws/aws-sdk-go-v2/aws/retry", "github.com/aws/smithy-go/middleware",
		"github.com/aws/aws-sdk-go-v2/service/sns", "github.com/aws/aws-sdk-go-v2/service/sns/types",
	},
	// What an outcome must look like, for tests and the local tool.
	"internal/schema": {"github.com/santhosh-tekuri/jsonschema/v6"},
	// The standard library alone, so that it shares no mistake with what it tests.
	"internal/emulator": {},
	"cmd/handler": {
		"internal/signal", "internal/policy", "internal/vpn", "internal/responder", "internal/directory", "internal/keepout", "internal/notify",
		"github.com/aws/aws-lambda-go/events", "github.com/aws/aws-lambda-go/lambda", "github.com/aws/aws-lambda-go/lambdacontext",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/arn", "github.com/aws/aws-sdk-go-v2/aws/retry",
		"github.com/aws/aws-sdk-go-v2/credentials/stscreds", "github.com/aws/aws-sdk-go-v2/service/sts",
		"internal/lambdaenv", "github.com/aws/smithy-go",
	},
	// As little as it can do with, since every connection waits for it.
	"cmd/connect": {
		"internal/policy", "internal/keepout", "internal/lambdaenv", "github.com/aws/aws-lambda-go/lambda", "github.com/aws/aws-lambda-go/lambdacontext",
		"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/retry",
	},
	// Somebody else's stand-in, for tests.
	"internal/moto": {},
	// The SDK's configuration, for both functions.
	"internal/lambdaenv": {"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/transport/http"},
	// No SDK, so that it is built in seconds.
	"cmd/local": {"internal/signal", "internal/policy", "internal/emulator", "internal/schema", "github.com/google/go-cmp/cmp",
		"github.com/goccy/go-yaml", "github.com/goccy/go-yaml/ast", "github.com/goccy/go-yaml/parser"},
	// A program of its own, as it needs the SDK.
	"cmd/local/keepout":               {"internal/keepout", "internal/policy", "github.com/aws/aws-sdk-go-v2/config"},
	"cmd/local/testdata/empty":        {"github.com/aws/aws-lambda-go/lambda"},
	"cmd/local/testdata/bare":         {"github.com/aws/aws-lambda-go/lambda"},
	"internal/emulator/testdata/echo": {"github.com/aws/aws-lambda-go/lambda", "github.com/aws/aws-lambda-go/lambdacontext"},
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

// TestFunctionsLinkNothingForeign: no testing aid in either, nor a way to log in that Lambda has not, and no EC2 or SNS in the one that every connection waits for.
func TestFunctionsLinkNothingForeign(t *testing.T) {
	aids := []string{
		module + "internal/emulator", module + "internal/moto", module + "internal/schema", "github.com/santhosh-tekuri/jsonschema/v6",
		"github.com/aws/aws-sdk-go-v2/config", // which costs a tenth of the start
	}
	const services = "github.com/aws/aws-sdk-go-v2/service/"
	for folder, foreign := range map[string][]string{
		"./cmd/handler": aids,
		"./cmd/connect": append(aids, services+"ec2", services+"sns", services+"identitystore", services+"sts"),
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

func TestEveryEventHasItsGolden(t *testing.T) {
	events, _ := filepath.Glob("events/*/*.json")
	goldens, _ := filepath.Glob("events/*/*.golden")
	if len(events) == 0 {
		t.Fatal("no events")
	}
	base := func(files []string) []string {
		var all []string
		for _, f := range files {
			all = append(all, strings.TrimSuffix(f, path.Ext(f)))
		}
		return all
	}
	for _, e := range base(events) {
		if !slices.Contains(base(goldens), e) {
			t.Errorf("%s.json has no golden; write it with: go run ./cmd/local run -update", e)
		}
	}
	for _, g := range base(goldens) {
		if !slices.Contains(base(events), g) {
			t.Errorf("%s.golden has no event", g)
		}
	}
}

// TestEventsStandInTheirProvidersFolder: the folder of an event is its signals' provider. Security Hub's findings are GuardDuty's, in
// a form of its own.
func TestEventsStandInTheirProvidersFolder(t *testing.T) {
	files, _ := filepath.Glob("events/*/*.json")
	for _, file := range files {
		provider := path.Base(path.Dir(filepath.ToSlash(file)))
		if provider == "securityhub" {
			provider = "guardduty"
		}
		if !slices.Contains(signal.Providers(), provider) {
			t.Errorf("%s: %s is not a provider", file, provider)
		}
		signals, _ := signal.Parse([]byte(read(t, file)))
		for _, s := range signals {
			if s.Provider != provider {
				t.Errorf("%s: its provider is %s", file, s.Provider)
			}
		}
	}
}

// TestEventsNameNobodyReal: only example.com, documentation accounts and documentation addresses.
func TestEventsNameNobodyReal(t *testing.T) {
	email := regexp.MustCompile(`[A-Za-z0-9._+-]+@([A-Za-z0-9.-]+)`)
	account := regexp.MustCompile(`\b\d{12}\b`)
	files, _ := filepath.Glob("events/*/*.json")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(raw) {
			t.Errorf("%s is not JSON", file)
		}
		for _, m := range email.FindAllStringSubmatch(string(raw), -1) {
			if m[1] != "example.com" && m[1] != "okta.com" {
				t.Errorf("%s names %s", file, m[0])
			}
		}
		for _, id := range account.FindAllString(string(raw), -1) {
			if id != "111122223333" && id != "444455556666" {
				t.Errorf("%s has account %s", file, id)
			}
		}
	}
}

// TestSettingsAgree: what a function reads is what its document explains, and the template sets nothing else.
func TestSettingsAgree(t *testing.T) {
	for _, f := range []struct {
		folder, document, resource string
		set                        []string // by the template
	}{
		{"cmd/handler", "README.md", "Responder", []string{"TOPIC_ARN", "MESSAGE_TOPIC_ARN", "CHAT_TOPIC_ARN", "MODE", "ENDPOINT_IDS", "WATCH", "KEEPOUT_TABLE"}},
		{"cmd/connect", "doc/keepout.md", "Connect", []string{"KEEPOUT_TABLE", "ON_ERROR", "DENY_MESSAGE"}},
	} {
		known := map[string]bool{}
		for _, m := range regexp.MustCompile(`getenv\("([A-Z_]+)"\)`).FindAllStringSubmatch(read(t, f.folder+"/settings.go"), -1) {
			known[m[1]] = true
		}
		if len(known) < 6 {
			t.Fatalf("%s/settings.go reads only %v", f.folder, known)
		}
		document := read(t, f.document)
		for name := range known {
			if !strings.Contains(document, "`"+name+"`") && !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "LAMBDA_") {
				t.Errorf("%s does not explain %s", f.document, name)
			}
		}
		for name := range variables(t, f.resource) {
			if !known[name] {
				t.Errorf("the template sets %s, which %s does not read", name, f.folder)
			}
			delete(known, name)
		}
		for _, name := range f.set {
			if known[name] {
				t.Errorf("the template does not set %s for %s", name, f.folder)
			}
		}
	}
}

// TestSettingsReachTheAlias: a version of the connect handler is published for each parameter that changes, or the endpoints
// would go on with the old value.
func TestSettingsReachTheAlias(t *testing.T) {
	_, description, _ := strings.Cut(block(t, "Connect"), "VersionDescription: ")
	description, _, _ = strings.Cut(description, "\n")
	for name, value := range variables(t, "Connect") {
		parameter := strings.TrimPrefix(value, "!Ref ")
		named := strings.Contains(description, "${"+parameter+"}") || parameter == "KeepOutOnError" && strings.Contains(description, "DeniesOnError")
		if !named && parameter != "KeepOutTable" { // which only comes and goes with the function
			t.Errorf("%s is %s, which is not in the version's description: %s", name, value, description)
		}
	}
}

// TestAWSMayInvokeTheConnectHandler: by its name alone. Whom Lambda holds back, AWS denies, so there is no limit.
func TestAWSMayInvokeTheConnectHandler(t *testing.T) {
	function := block(t, "Connect")
	if !strings.Contains(function, "\n      FunctionName: !Sub AWSClientVPN-") || strings.Contains(function, "ReservedConcurrentExecutions:") {
		t.Error(function)
	}
}

// variables gives the environment that the template sets for a function.
func variables(t *testing.T, resource string) map[string]string {
	t.Helper()
	all := map[string]string{}
	_, lines, _ := strings.Cut(block(t, resource), "        Variables:\n")
	for line := range strings.Lines(lines) {
		name, value, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found || !strings.HasPrefix(line, "          ") {
			break
		}
		all[name] = value
	}
	if len(all) == 0 {
		t.Fatalf("%s has no variables", resource)
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

// TestREADMEShowsASoundPolicy: what a reader copies is accepted.
func TestREADMEShowsASoundPolicy(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(readme), "```yaml\n")
	document, _, found := strings.Cut(after, "```")
	if _, err := policy.Parse("README.md", []byte(document)); err != nil || !found {
		t.Error(err)
	}
}

// TestTemplateGrantsWhatIsCalled: every call of EC2, SNS, the identity store and DynamoDB has its permission, and there is no other.
func TestTemplateGrantsWhatIsCalled(t *testing.T) {
	role := block(t, "ResponderRole")
	granted := regexp.MustCompile(`(?:ec2|sns|identitystore|dynamodb):[A-Z][A-Za-z]+`).FindAllString(role, -1)
	granted = slices.DeleteFunc(granted, func(g string) bool { return g == "ec2:Region" })
	var called []string
	for service, file := range map[string]string{"ec2": "internal/vpn/vpn.go", "sns": "internal/notify/notify.go", "identitystore": "internal/directory/directory.go"} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\t([A-Z]\w+)\(context\.Context, \*`).FindAllStringSubmatch(string(code), -1) {
			called = append(called, service+":"+m[1])
		}
	}
	called = append(called, listActions(t, `(?m)^\t([A-Z]\w+)\(`, "internal/responder/keepout.go")...)
	slices.Sort(granted)
	slices.Sort(called)
	if member, err := os.ReadFile("member-role.yaml"); err != nil {
		t.Error(err)
	} else {
		actions := regexp.MustCompile(`ec2:[A-Z][A-Za-z]+`).FindAllString(string(member), -1)
		slices.Sort(actions)
		ec2 := slices.DeleteFunc(slices.Clone(called), func(action string) bool { return !strings.HasPrefix(action, "ec2:") })
		if !slices.Equal(actions, ec2) {
			t.Errorf("member-role.yaml grants %q, called are %q", actions, ec2)
		}
	}
	if len(called) < 4 || !slices.Equal(granted, called) {
		t.Errorf("granted %q, called %q", granted, called)
	}
	granted = regexp.MustCompile(`(?:ec2|sns|identitystore|dynamodb):[A-Z*][A-Za-z*]*`).FindAllString(block(t, "ConnectRole"), -1)
	if called := listActions(t, `h\.list\.(\w+)\(`, "cmd/connect/connect.go"); len(called) == 0 || !slices.Equal(granted, called) {
		t.Errorf("the connect handler is granted %q, called %q", granted, called)
	}
}

// listActions are DynamoDB's actions behind the methods of keepout.Table that a file uses, which the pattern finds there.
func listActions(t *testing.T, pattern, file string) []string {
	t.Helper()
	actions := map[string][]string{} // by method; a lower-case action is another method
	for _, function := range strings.Split(read(t, "internal/keepout/keepout.go"), "\nfunc (t *Table) ")[1:] {
		name, body, _ := strings.Cut(function, "(")
		body, _, _ = strings.Cut(body, "\n}\n")
		for _, m := range regexp.MustCompile(`\bt\.(?:api\.)?(\w+)\(|New(Scan)Paginator\(`).FindAllStringSubmatch(body, -1) {
			actions[name] = append(actions[name], m[1]+m[2])
		}
	}
	found := map[string]bool{}
	var follow func(method string)
	follow = func(method string) {
		inner, isMethod := actions[method]
		if !isMethod && method != strings.ToLower(method) {
			found["dynamodb:"+method] = true
		}
		for _, action := range inner {
			follow(action)
		}
	}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, file), -1) {
		if _, known := actions[m[1]]; !known {
			t.Errorf("%s uses %s of the list, which internal/keepout/keepout.go does not have", file, m[1])
		}
		follow(m[1])
	}
	return slices.Sorted(maps.Keys(found))
}

// TestOutcomeIsDocumented: every field of the schema and every metric stands in doc/outcome.md, and the schema knows every kind.
func TestOutcomeIsDocumented(t *testing.T) {
	document, raw := read(t, "doc/outcome.md"), read(t, "doc/outcome.schema.json")
	var schema any
	if err := json.Unmarshal([]byte(raw), &schema); err != nil {
		t.Fatal(err)
	}
	var names []string
	var collect func(any)
	collect = func(value any) {
		switch v := value.(type) {
		case map[string]any:
			if properties, ok := v["properties"].(map[string]any); ok {
				names = slices.AppendSeq(names, maps.Keys(properties))
			}
			for _, inner := range v {
				collect(inner)
			}
		case []any:
			for _, inner := range v {
				collect(inner)
			}
		}
	}
	collect(schema)
	for _, m := range regexp.MustCompile(`\{"(\w+)", number|, "([A-Z]\w+)", t\.`).FindAllStringSubmatch(read(t, "internal/notify/metrics.go"), -1) {
		names = append(names, m[1]+m[2])
	}
	if len(names) < 60 {
		t.Fatalf("only %q", names)
	}
	for _, name := range names {
		if !strings.Contains(document, "`"+name+"`") {
			t.Errorf("doc/outcome.md does not explain %s", name)
		}
	}
	for _, kind := range signal.Kinds() {
		if !strings.Contains(raw, `"`+string(kind)+`"`) {
			t.Errorf("the schema does not know the kind %s", kind)
		}
	}
}

// block gives the lines of template.yaml that belong to a resource.
func block(t *testing.T, resource string) string {
	t.Helper()
	raw, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(raw), "\n  "+resource+":\n")
	if !found {
		t.Fatalf("template.yaml has no resource %s", resource)
	}
	var lines strings.Builder
	for line := range strings.Lines(after) {
		if len(strings.TrimSpace(line)) > 0 && !strings.HasPrefix(line, "    ") {
			break
		}
		lines.WriteString(line)
	}
	return lines.String()
}

// TestQueuesLetEveryRuleIn: the queues' policy names each rule, by the name and the bus that it has, and nothing else.
func TestQueuesLetEveryRuleIn(t *testing.T) {
	raw, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, m := range regexp.MustCompile(`(?m)^  (\w+):\n    Type: AWS::Events::Rule\n`).FindAllStringSubmatch(string(raw), -1) {
		rule := block(t, m[1])
		name := regexp.MustCompile(`(?m)^      Name: !Sub (\S+)$`).FindStringSubmatch(rule)
		if name == nil || !strings.Contains(rule, "    DependsOn: QueuesPolicy\n") {
			t.Errorf("%s has no fixed name, or can be there before the queues let it in", m[1])
			continue
		}
		path := name[1]
		if bus := regexp.MustCompile(`(?m)^      EventBusName: !Ref (\S+)$`).FindStringSubmatch(rule); bus != nil {
			path = "${" + bus[1] + "}/" + path
		}
		rules = append(rules, path)
	}
	var named []string
	for _, m := range regexp.MustCompile(`:rule/([^"\s]+)`).FindAllStringSubmatch(block(t, "QueuesPolicy"), -1) {
		named = append(named, m[1])
	}
	slices.Sort(rules)
	slices.Sort(named)
	if len(rules) < 3 || !slices.Equal(rules, named) {
		t.Errorf("rules  %q\npolicy %q", rules, named)
	}
}

// TestRulesLetInWhatIsKnown: of the providers whose events say by one word what they are, every word that doc/events.md takes
// for something is in the provider's rule, and no other. .ci/Rules.java looks at whole events.
func TestRulesLetInWhatIsKnown(t *testing.T) {
	raw, err := os.ReadFile("doc/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for table, rule := range map[string]string{
		"okta": "OktaEvents", "onelogin": "OneLoginEvents", "iam": "IamEvents", "directory-service": "DirectoryServiceEvents",
		"cognito": "CognitoEvents", "google-workspace": "GoogleWorkspaceEvents", "pingone": "PingOneEvents", "custom": "CustomEvents",
	} {
		_, after, _ := strings.Cut(string(raw), "<!-- table "+table+" -->")
		rows, _, found := strings.Cut(after, "<!-- end -->")
		if !found {
			t.Fatalf("doc/events.md has no table %s", table)
		}
		pattern := block(t, rule)
		for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (\\S+) \\|").FindAllStringSubmatch(rows, -1) {
			word := m[1]
			// Of CloudTrail's, "iam DeleteUser", the call.
			if service, call, two := strings.Cut(word, " "); two && service == strings.ToLower(service) {
				word = call
			}
			in := regexp.MustCompile(`(?m)(?:[-,\[] ?)"?` + regexp.QuoteMeta(word) + `"?(?:[,\]]|$)`).MatchString(pattern)
			if in != (m[2] != "nothing") {
				t.Errorf("%s: %s is taken for %s; let in: %t", rule, word, m[2], in)
			}
		}
	}
}
