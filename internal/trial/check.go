package trial

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"clientvpn-responder/internal/policy"
)

// checked counts what came of the cases.
type checked struct {
	cases, wrong int
	reached      map[string]bool // rules
}

// Check runs the cases of all folders, prints what differs, and names the rules that no case reaches.
func Check(out io.Writer, policyFile string, folders []string) error {
	p, err := policy.Load(policyFile)
	if err != nil {
		return err
	}
	c := checked{reached: map[string]bool{}}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
		if err != nil || len(files) == 0 {
			return fmt.Errorf("%s: has no *.yaml", folder)
		}
		for _, file := range files {
			if err := c.file(out, p, file); err != nil {
				return err
			}
		}
	}
	return c.summarize(out, p)
}

// file runs the cases of one file.
func (c *checked) file(out io.Writer, p *policy.Policy, file string) error {
	cases, err := readCases(file)
	if err != nil {
		return err
	}
	for _, one := range cases {
		c.cases++
		differences, rules := one.run(p, filepath.Dir(file))
		for _, rule := range rules {
			c.reached[rule] = true
		}
		if len(differences) == 0 {
			continue
		}
		c.wrong++
		fmt.Fprintf(out, "%s: %s\n", one.at, one.Name)
		for _, d := range differences {
			fmt.Fprintf(out, "    %s\n", d)
		}
	}
	return nil
}

func (c *checked) summarize(out io.Writer, p *policy.Policy) error {
	unreached := slices.DeleteFunc(p.Rules(), func(rule string) bool { return c.reached[rule] })
	fmt.Fprintf(out, "%d cases, %d as they should be.", c.cases, c.cases-c.wrong)
	if len(unreached) > 0 {
		fmt.Fprintf(out, " No case reaches: %s.", strings.Join(unreached, ", "))
	}
	fmt.Fprintln(out)
	if c.wrong > 0 {
		return fmt.Errorf("%d of %d cases differ", c.wrong, c.cases)
	}
	return nil
}
