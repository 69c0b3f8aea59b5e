package house

import (
	"regexp"
	"strings"
	"testing"
)

// TestTerraformFollowsTheTemplate: the module has a variable for each parameter, with its type, default and pattern,
// passes each on, and has each output.
func TestTerraformFollowsTheTemplate(t *testing.T) {
	template, variables := read(t, "template.yaml"), read(t, "terraform/variables.tf")
	main, outputs := read(t, "terraform/main.tf"), read(t, "terraform/outputs.tf")
	_, rest, _ := strings.Cut(template, "\nParameters:\n")
	parameters, rest, _ := strings.Cut(rest, "\nConditions:\n")
	starts := regexp.MustCompile(`(?m)^  (\w+):\n    Type: (\w+)\n`).FindAllStringSubmatchIndex(parameters, -1)
	for i, at := range starts {
		end := len(parameters)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		name, kind, body := parameters[at[2]:at[3]], parameters[at[4]:at[5]], parameters[at[0]:end]
		passed := regexp.MustCompile(`\n    ` + name + ` += (join\(",", )?var\.(\w+)`).FindStringSubmatch(main)
		if passed == nil {
			t.Errorf("terraform/main.tf does not pass %s on", name)
			continue
		}
		_, after, found := strings.Cut(variables, "\nvariable \""+passed[2]+"\" {\n")
		variable, _, _ := strings.Cut(after, "\n}\n")
		if !found {
			t.Errorf("terraform/variables.tf has no %s", passed[2])
			continue
		}
		checkVariable(t, name, kind, body, variable)
	}
	if n := strings.Count(main, "= var.") + strings.Count(main, `= join(`); len(starts) < 20 || n < len(starts) {
		t.Errorf("%d parameters, %d passed on", len(starts), n)
	}
	_, rest, _ = strings.Cut(rest, "\nOutputs:\n")
	for _, m := range regexp.MustCompile(`(?m)^  (\w+):$`).FindAllStringSubmatch(rest, -1) {
		if !strings.Contains(outputs, `aws_cloudformation_stack.this.outputs, "`+m[1]+`"`) {
			t.Errorf("terraform/outputs.tf has no %s", m[1])
		}
	}
}

// checkVariable compares a parameter of the template with its variable.
func checkVariable(t *testing.T, name, kind, parameter, variable string) {
	t.Helper()
	types := map[string]string{"String": "string", "Number": "number", "CommaDelimitedList": "list(string)"}
	if !strings.Contains(variable, "type        = "+types[kind]+"\n") {
		t.Errorf("%s is a %s, and its variable is not", name, kind)
	}
	byDefault := regexp.MustCompile(`\n    Default: "?([^"\n]*)"?\n`).FindStringSubmatch(parameter)[1]
	want := `"` + byDefault + `"`
	switch {
	case kind == "Number":
		want = byDefault
	case kind == "CommaDelimitedList" && byDefault == "":
		want = "[]"
	}
	if !strings.Contains(variable, "default     = "+want+"\n") {
		t.Errorf("%s is %s by default, and its variable is not", name, want)
	}
	pattern := regexp.MustCompile(`\n    AllowedPattern: (.*)\n`).FindStringSubmatch(parameter)
	// Terraform's expressions have no lookahead, and count to 1000 only.
	if pattern == nil || strings.Contains(pattern[1], "(?!") || name == "ExternalId" || name == "EntraGroupIds" {
		return
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(pattern[1])
	if !strings.Contains(variable, `can(regex("`+escaped+`"`) {
		t.Errorf("the variable of %s does not have its pattern %s", name, pattern[1])
	}
}
