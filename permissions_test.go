package house

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDoorsAreGrantedWhatTheyCall: the roles of the doors and of the poll have the permission for every call of AWS in
// their code. They have no other permission, but for logs, keys and the network interfaces of a VPC.
func TestDoorsAreGrantedWhatTheyCall(t *testing.T) {
	if code := sources(t, "cmd/poll"); strings.Contains(code, "NewGate") {
		t.Error("the poll opens doors, so its role needs what they call")
	}
	for role, files := range map[string][]string{
		"ReceiveRole": {"cmd/receive/*.go", "internal/door/*.go"},
		"PollRole":    {"cmd/poll/*.go", "internal/graph/*.go", "internal/door/queue.go"},
	} {
		granted, called := grantedTo(t, role), calledIn(t, files...)
		if len(called) < 3 || !slices.Equal(granted, called) {
			t.Errorf("%s is granted %q, called %q", role, granted, called)
		}
	}
}

// TestResponderMayInvokeWhatItInvokes: the poll, if there is one, and nothing else.
func TestResponderMayInvokeWhatItInvokes(t *testing.T) {
	called := calledIn(t, "internal/directory/tenant.go")
	role := block(t, "ResponderRole")
	granted := regexp.MustCompile(`lambda:\w+`).FindAllString(role, -1)
	if !slices.Equal(granted, called) || !strings.Contains(role, "Action: lambda:InvokeFunction\n"+
		"                  Resource: !GetAtt Poll.Arn\n") {
		t.Errorf("granted %q, called %q", granted, called)
	}
}

// grantedTo returns the actions that a role's own policy allows.
func grantedTo(t *testing.T, role string) []string {
	t.Helper()
	_, statements, found := strings.Cut(block(t, role), "\n      Policies:\n")
	if !found {
		t.Fatalf("%s has no policy", role)
	}
	actions := map[string]bool{}
	action := regexp.MustCompile(`(?m)^ +(?:Action:|-) ([a-z0-9-]+:[\w*]+)$`)
	for _, m := range action.FindAllStringSubmatch(statements, -1) {
		service, _, _ := strings.Cut(m[1], ":")
		if !isOfVPC(m[1]) && service != "logs" && service != "kms" {
			actions[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(actions))
}

// awsCalls are the forms in which the code calls AWS. The service is that of the form, or the one that the file names.
var awsCalls = []struct {
	form            *regexp.Regexp
	service, suffix string // the suffix is what the action has behind the word of the code
}{
	{form: regexp.MustCompile(`\.Call\(ctx, "(\w+)"`)},
	{form: regexp.MustCompile(`"Action": +\{"(\w+)"\}`)},
	{form: regexp.MustCompile(`&sts\.(\w+)Input\{`), service: "sts"},
	{form: regexp.MustCompile(`functions\.(Invoke)\(`), service: "lambda", suffix: "Function"},
}

var serviceName = regexp.MustCompile(`Name: "(\w+)", Target|SignHTTP\(.*, "(\w+)", region`)

// calledIn returns the actions of the calls in files.
func calledIn(t *testing.T, patterns ...string) []string {
	t.Helper()
	actions := map[string]bool{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				addCalls(t, file, actions)
			}
		}
	}
	return slices.Sorted(maps.Keys(actions))
}

func addCalls(t *testing.T, file string, actions map[string]bool) {
	t.Helper()
	for _, action := range listActions(t, `\.ledger\.(\w+)\(`, file) {
		actions[action] = true
	}
	code := read(t, file)
	for _, call := range awsCalls {
		for _, m := range call.form.FindAllStringSubmatch(code, -1) {
			service := call.service
			if named := serviceName.FindStringSubmatch(code); service == "" && named != nil {
				service = named[1] + named[2]
			}
			actions[service+":"+m[1]+call.suffix] = true
		}
	}
}
