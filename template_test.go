package house

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSettingsReachTheAlias: each parameter that changes publishes a version of the connect handler. Otherwise the
// endpoints would go on with the old value.
func TestSettingsReachTheAlias(t *testing.T) {
	_, description, _ := strings.Cut(block(t, "Connect"), "VersionDescription: ")
	description, _, _ = strings.Cut(description, "\n")
	for name, value := range variables(t, "Connect") {
		parameter := strings.TrimPrefix(value, "!Ref ")
		named := strings.Contains(description, "${"+parameter+"}") ||
			parameter == "KeepOutOnError" && strings.Contains(description, "DeniesOnError")
		if !named && parameter != "LedgerTable" && !strings.Contains(value, "PolicyBucket") { // which are always the same
			t.Errorf("%s is %s, which is not in the version's description: %s", name, value, description)
		}
	}
}

// TestAWSMayInvokeTheConnectHandler: by its name alone. AWS denies everybody whom Lambda throttles, so there is no
// limit.
func TestAWSMayInvokeTheConnectHandler(t *testing.T) {
	function := block(t, "Connect")
	if !strings.Contains(function, "\n      FunctionName: !Sub AWSClientVPN-") ||
		strings.Contains(function, "ReservedConcurrentExecutions:") {
		t.Error(function)
	}
}

// TestTemplateGrantsWhatIsCalled: every call of EC2, SNS, the identity store and DynamoDB has its permission. There
// is no other permission.
func TestTemplateGrantsWhatIsCalled(t *testing.T) {
	role := block(t, "ResponderRole")
	granted := regexp.MustCompile(`(?:ec2|sns|identitystore|dynamodb):[A-Z][A-Za-z]+`).FindAllString(role, -1)
	granted = slices.DeleteFunc(granted, func(g string) bool { return g == "ec2:Region" || isOfVPC(g) })
	var called []string
	method := regexp.MustCompile(`(?m)^\t([A-Z]\w+)\(context\.Context, \*`)
	for service, file := range map[string]string{
		"ec2":           "internal/vpn/vpn.go",
		"sns":           "internal/notify/notify.go",
		"identitystore": "internal/directory/store.go",
	} {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range method.FindAllStringSubmatch(string(code), -1) {
			called = append(called, service+":"+m[1])
		}
	}
	called = append(called, listActions(t, `(?m)^\t([A-Z]\w+)\(`, "internal/responder/access.go")...)
	called = append(called, listActions(t, `(?m)^\t([A-Z]\w+)\(ctx`, "internal/sweep/sweep.go")...)
	slices.Sort(granted)
	slices.Sort(called)
	called = slices.Compact(called)
	if member, err := os.ReadFile("member-role.yaml"); err != nil {
		t.Error(err)
	} else {
		actions := regexp.MustCompile(`(?:ec2|identitystore):[A-Z][A-Za-z]+`).FindAllString(string(member), -1)
		slices.Sort(actions)
		elsewhere := regexp.MustCompile(`^(ec2|identitystore):`)
		ec2 := slices.DeleteFunc(slices.Clone(called), func(action string) bool { return !elsewhere.MatchString(action) })
		if !slices.Equal(actions, ec2) {
			t.Errorf("member-role.yaml grants %q, called are %q", actions, ec2)
		}
	}
	if len(called) < 4 || !slices.Equal(granted, called) {
		t.Errorf("granted %q, called %q", granted, called)
	}
	action := regexp.MustCompile(`(?:ec2|sns|identitystore|dynamodb):[A-Z*][A-Za-z*]*`)
	granted = action.FindAllString(block(t, "ConnectRole"), -1)
	granted = slices.DeleteFunc(granted, isOfVPC)
	called = listActions(t, `h\.List\.(\w+)\(`, "internal/connect/connect.go")
	if len(called) == 0 || !slices.Equal(granted, called) {
		t.Errorf("the connect handler is granted %q, called %q", granted, called)
	}
}

// isOfVPC reports whether an action is one that Lambda carries out for a function in a VPC.
func isOfVPC(action string) bool {
	return regexp.MustCompile(`NetworkInterface|Subnets|PrivateIpAddresses`).MatchString(action)
}

// listActions are DynamoDB's actions behind the methods of ledger.Table that a file uses, which the pattern finds
// there.
func listActions(t *testing.T, pattern, file string) []string {
	t.Helper()
	actions := map[string][]string{} // by method; a lower-case action is another method
	for _, function := range strings.Split(sources(t, "internal/ledger"), "\nfunc (t *Table) ")[1:] {
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
			t.Errorf("%s uses %s of the list, which internal/ledger does not have", file, m[1])
		}
		follow(m[1])
	}
	return slices.Sorted(maps.Keys(found))
}

// TestQueuesLetEveryRuleIn: the queues' policy names each rule, by the name and the bus that it has, and nothing else.
func TestQueuesLetEveryRuleIn(t *testing.T) {
	raw, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	eventsRule := regexp.MustCompile(`(?m)^  (\w+):\n    Type: AWS::Events::Rule\n`)
	for _, m := range eventsRule.FindAllStringSubmatch(string(raw), -1) {
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
		if strings.Contains(rule, "EventBusName: !If [OwnFormIsOnDefaultBus, default, !Ref Bus]\n") {
			rules = append(rules, "${Bus}/"+path) // and the default bus's, below
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

// TestRulesLetInWhatIsKnown: if one word of a provider's events says what they are, the provider's rule has exactly the
// words of doc/events.md. .ci/Rules.java tests whole events.
func TestRulesLetInWhatIsKnown(t *testing.T) {
	raw, err := os.ReadFile("doc/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for table, rule := range map[string]string{
		"okta": "OktaEvents", "onelogin": "OneLoginEvents", "iam": "IamEvents", "cognito": "CognitoEvents",
		"directory-service": "DirectoryServiceEvents", "google-workspace": "GoogleWorkspaceEvents",
		"pingone": "PingOneEvents", "custom": "CustomEvents",
	} {
		_, after, _ := strings.Cut(string(raw), "<!-- table "+table+" -->")
		rows, _, found := strings.Cut(after, "<!-- end -->")
		if !found {
			t.Fatalf("doc/events.md has no table %s", table)
		}
		pattern := block(t, rule)
		for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (\\S+) \\|").FindAllStringSubmatch(rows, -1) {
			word := m[1]
			_, call, two := strings.Cut(word, " ")
			switch {
			case two && slices.Contains([]string{"iam", "directory-service", "cognito"}, table):
				word = call // of CloudTrail's, "iam DeleteUser", the call
			case table == "custom":
			case two || strings.HasPrefix(word, "state") || strings.Contains(rows, "`"+word+" "):
				continue // more than the word says what it is
			}
			in := regexp.MustCompile(`(?m)(?:[-,\[] ?)"?` + regexp.QuoteMeta(word) + `"?(?:[,\]]|$)`).MatchString(pattern)
			if in != (m[2] != "nothing") {
				t.Errorf("%s: %s is taken for %s; let in: %t", rule, word, m[2], in)
			}
		}
	}
}

// block returns the lines of template.yaml that belong to a resource.
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

// variables returns the environment that the template sets for a function.
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

// sources returns the sources of a package without its tests.
func sources(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			all.WriteString(read(t, file))
		}
	}
	return all.String()
}
