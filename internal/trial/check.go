package trial

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/policy"
)

// CheckOptions say which policy [Check] tests, and what it writes beside what it prints.
type CheckOptions struct {
	Policy string // the file
	JSON   bool   // one object a line for each case
	JUnit  string // the file of a JUnit report; "" for none
	GitHub bool   // print annotations of GitHub Actions for what differs
	Update bool   // write what is decided into the cases that differ
	// KeptOut is a file with the keep-out list, as "clientvpn keep-out list --json" prints it; "" for none.
	KeptOut string
}

// checked is what came of one case.
type checked struct {
	policyCase
	differences []string
	rules       []string // that decided
	decided     []Explanation
}

// Check runs the cases of files and of folders, and prints each and the rules that no case reaches. It fails if a case
// differs.
func Check(c *console.Console, names []string, options CheckOptions) error {
	p, err := policy.Load(options.Policy)
	if err != nil {
		return err
	}
	files, err := caseFiles(names)
	if err != nil {
		return err
	}
	var all []checked
	for _, file := range files {
		cases, err := readCases(file)
		if err != nil {
			return err
		}
		for _, one := range cases {
			all = append(all, one.run(p))
		}
	}
	if err := write(c, p, all, options); err != nil {
		return err
	}
	wrong := slices.DeleteFunc(all, func(one checked) bool { return len(one.differences) == 0 })
	switch {
	case len(wrong) == 0:
		return nil
	case options.Update:
		return updateCases(c, wrong)
	}
	return fmt.Errorf("%d of %d cases differ", len(wrong), len(all))
}

// caseFiles returns the files, and of folders every *.yaml.
func caseFiles(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			all = append(all, name)
			continue
		}
		files, err := filepath.Glob(filepath.Join(name, "*.yaml"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("%s: has no *.yaml", name)
		}
		all = append(all, files...)
	}
	return all, nil
}

// write writes the results in the forms that were asked for.
func write(c *console.Console, p *policy.Policy, all []checked, options CheckOptions) error {
	if options.JUnit != "" {
		if err := writeJUnit(options.JUnit, all); err != nil {
			return err
		}
	}
	if options.JSON {
		return writeCases(c.Out, all)
	}
	file := ""
	for _, one := range all {
		if one.file != file {
			file = one.file
			c.Print("%s", c.In(console.Bold, file))
		}
		one.print(c)
		if options.GitHub {
			one.annotate(c)
		}
	}
	printCoverage(c, p, all)
	return printEdited(c, p, options.KeptOut)
}

func writeCases(out io.Writer, all []checked) error {
	encoder := json.NewEncoder(out)
	for _, one := range all {
		if err := encoder.Encode(struct {
			File        string   `json:"file"`
			Line        int      `json:"line"`
			Name        string   `json:"name"`
			Passed      bool     `json:"passed"`
			Rules       []string `json:"rules"`
			Differences []string `json:"differences,omitempty"`
		}{one.file, one.line, one.Name, len(one.differences) == 0, one.rules, one.differences}); err != nil {
			return fmt.Errorf("printing the cases: %w", err)
		}
	}
	return nil
}

func (one checked) print(c *console.Console) {
	if len(one.differences) == 0 {
		c.Item("  "+c.In(console.Green, "ok")+"      ", console.Safe(one.Name))
		return
	}
	c.Item("  "+c.In(console.Red, "DIFFERS")+" ", fmt.Sprintf("%s (%s:%d)", console.Safe(one.Name), one.file, one.line))
	for _, d := range one.differences {
		c.Item("            ", console.Safe(d))
	}
}

// printCoverage prints how many cases reach each rule.
func printCoverage(c *console.Console, p *policy.Policy, all []checked) {
	reached := map[string]int{}
	wrong := 0
	for _, one := range all {
		for _, rule := range one.rules {
			reached[rule]++
		}
		if len(one.differences) > 0 {
			wrong++
		}
	}
	var covered, unreached []string
	for _, rule := range p.Rules() {
		if reached[rule] == 0 {
			unreached = append(unreached, rule)
		} else {
			covered = append(covered, fmt.Sprintf("%s %d", rule, reached[rule]))
		}
	}
	c.Item("Cases by rule: ", strings.Join(append(covered, fmt.Sprintf("the default %d", reached[""])), ", "))
	if len(unreached) > 0 {
		c.Item(c.In(console.Yellow, "No case reaches: "), strings.Join(unreached, ", "))
	}
	c.Print("%d cases, %d as they should be.", len(all), len(all)-wrong)
}
