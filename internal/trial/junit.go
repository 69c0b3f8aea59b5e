package trial

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"

	"clientvpn-responder/internal/console"
)

// testsuite is the root of a JUnit report, as CI systems read it.
type testsuite struct {
	XMLName  xml.Name   `xml:"testsuite"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Cases    []testcase `xml:"testcase"`
}

type testcase struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	File    string   `xml:"file,attr"`
	Line    int      `xml:"line,attr"`
	Failure *failure `xml:"failure"`
}

type failure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func writeJUnit(file string, all []checked) error {
	suite := testsuite{Name: "policy", Tests: len(all)}
	for _, one := range all {
		t := testcase{Name: one.Name, Class: one.file, File: one.file, Line: one.line}
		if len(one.differences) > 0 {
			suite.Failures++
			t.Failure = &failure{Message: one.differences[0], Text: strings.Join(one.differences, "\n")}
		}
		suite.Cases = append(suite.Cases, t)
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the JUnit report: %w", err)
	}
	if err := os.WriteFile(file, append([]byte(xml.Header), append(text, '\n')...), 0o600); err != nil {
		return fmt.Errorf("writing the JUnit report: %w", err)
	}
	return nil
}

// annotate prints what GitHub Actions shows beside the line of the case.
// Source: GitHub Docs, "Workflow commands for GitHub Actions", error messages; escaping as in actions/toolkit.
func (one checked) annotate(c *console.Console) {
	if len(one.differences) == 0 {
		return
	}
	escape := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	c.Print("::error file=%s,line=%d,title=%s::%s", property.Replace(one.file), one.line, property.Replace(one.Name),
		escape.Replace(strings.Join(one.differences, "\n")))
}
