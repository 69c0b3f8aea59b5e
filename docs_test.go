package house

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const mostWords = 120

var (
	decisionTitle = regexp.MustCompile(`^# (\d+)\. (.+)\n`)
	heading       = regexp.MustCompile(`(?m)^##? .*$`)
)

// TestDecisionsAreShortAndListed: each page has a number, three parts and at most 120 words, and the index lists it.
func TestDecisionsAreShortAndListed(t *testing.T) {
	index := read(t, "doc/decisions/README.md")
	pages, err := filepath.Glob("doc/decisions/[0-9]*.md")
	if err != nil || len(pages) < 52 {
		t.Fatalf("%d decisions, %v", len(pages), err)
	}
	for _, page := range pages {
		text, name := read(t, page), filepath.Base(page)
		title := decisionTitle.FindStringSubmatch(text)
		if title == nil || fmt.Sprintf("%04s", title[1]) != name[:4] {
			t.Errorf("%s: the first line is not \"# <number>. <the decision as a statement>\"", name)
			continue
		}
		if line := fmt.Sprintf("\n| %s | [%s](%s) |\n", title[1], title[2], name); !strings.Contains(index, line) {
			t.Errorf("doc/decisions/README.md lacks the line %s", line)
		}
		if parts := strings.Join(heading.FindAllString(text, -1)[1:], ""); parts != "## Context## Decision## Consequence" {
			t.Errorf("%s has the parts %s; want Context, Decision and Consequence", name, parts)
		}
		if words := len(strings.Fields(heading.ReplaceAllString(text, ""))); words > mostWords {
			t.Errorf("%s has %d words, at most %d are read", name, words, mostWords)
		}
	}
	if listed := strings.Count(index, ".md)"); listed != len(pages) {
		t.Errorf("doc/decisions/README.md lists %d pages, there are %d", listed, len(pages))
	}
}

// TestREADMEListsEveryPage: what is not listed is not found.
func TestREADMEListsEveryPage(t *testing.T) {
	readme := read(t, "README.md")
	pages, err := filepath.Glob("doc/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, page := range pages {
		if !strings.Contains(readme, "]("+filepath.ToSlash(page)+")") {
			t.Errorf("README.md has no link to %s", page)
		}
	}
	if lines := strings.Count(readme, "\n"); lines > 200 {
		t.Errorf("README.md has %d lines; at most 200 are read", lines)
	}
}

var (
	pageLink = regexp.MustCompile(`\]\(([^)#:\s]*)(#[^)\s]*)?\)`)
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N}\- ]`)
)

// TestLinksLeadSomewhere: every link between pages names a file, and a heading in it.
func TestLinksLeadSomewhere(t *testing.T) {
	for file := range texts(t) {
		if !strings.HasSuffix(file, ".md") {
			continue
		}
		page := fence.ReplaceAllString(read(t, file), "")
		for _, m := range pageLink.FindAllStringSubmatch(page, -1) {
			target := file
			if m[1] != "" {
				target = path.Join(path.Dir(file), m[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			} else if m[2] != "" && !anchors(read(t, target))[m[2][1:]] {
				t.Errorf("%s links to %s%s, which has no such heading", file, m[1], m[2])
			}
		}
	}
}

// anchors returns the names of the headings, as GitHub makes them of a page.
func anchors(page string) map[string]bool {
	found := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		slug := notSlug.ReplaceAllString(strings.ToLower(line[1]), "")
		found[strings.ReplaceAll(slug, " ", "-")] = true
	}
	return found
}

// TestDeployingListsEveryParameter: the README promises every parameter on that page.
func TestDeployingListsEveryParameter(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "template.yaml"), "\nParameters:\n")
	parameters, _, _ := strings.Cut(rest, "\nRules:\n")
	_, rest, _ = strings.Cut(read(t, "doc/deploying.md"), "\n## Parameters\n")
	table, _, _ := strings.Cut(rest, "\n## ")
	names := regexp.MustCompile(`(?m)^  (\w+):$`).FindAllStringSubmatch(parameters, -1)
	if len(names) < 40 {
		t.Fatalf("%d parameters", len(names))
	}
	for _, name := range names {
		if !regexp.MustCompile("(?m)^\\| (`\\w+`, )*`" + name[1] + "`").MatchString(table) {
			t.Errorf("doc/deploying.md has no row of %s", name[1])
		}
	}
}

// TestDeployingListsEveryPermission of the function's role, and no other: people grant what the page says.
func TestDeployingListsEveryPermission(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "doc/deploying.md"), "\n## What the function may do\n")
	table, _, _ := strings.Cut(rest, "\n\nThe other functions ")
	role := block(t, "ResponderRole")
	_, role, _ = strings.Cut(role, "Policies:")
	action := regexp.MustCompile(`(?:Action:|- ) ?([a-z0-9]+:[A-Z]\w+)\n`)
	granted := map[string]bool{}
	for _, m := range action.FindAllStringSubmatch(regexp.MustCompile(` #.*`).ReplaceAllString(role, ""), -1) {
		granted[m[1]] = true
	}
	if len(granted) < 25 {
		t.Fatalf("%d actions in the role", len(granted))
	}
	for name := range granted {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("doc/deploying.md has no %s", name)
		}
	}
	for _, m := range regexp.MustCompile("(?m)`([a-z0-9]+:[A-Z]\\w+)`").FindAllStringSubmatch(table, -1) {
		if !granted[m[1]] {
			t.Errorf("doc/deploying.md has %s, which the role does not grant", m[1])
		}
	}
}

// TestContributingListsEveryPackage, so that a reader finds each in the table of the house.
func TestContributingListsEveryPackage(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "CONTRIBUTING.md"), "\n## The house\n")
	table, _, _ := strings.Cut(rest, "\n## ")
	for folder := range packages(t) {
		if folder == "." || strings.Contains(folder, "testdata") {
			continue
		}
		if !strings.Contains(table, "`"+folder+"/`") {
			t.Errorf("CONTRIBUTING.md does not list %s", folder)
		}
	}
}

// TestOutputIsDefinedWhereItIsUsed: a command that calls "output" works only after the runbook's definition.
func TestOutputIsDefinedWhereItIsUsed(t *testing.T) {
	for file := range texts(t) {
		page := read(t, file)
		if !strings.HasSuffix(file, ".md") || !strings.Contains(page, "$(output ") {
			continue
		}
		if !strings.Contains(page, "\noutput() {") && !strings.Contains(page, "[runbook](runbook.md) defines `output`") {
			t.Errorf("%s uses output, and does not say where it is defined", file)
		}
	}
}
