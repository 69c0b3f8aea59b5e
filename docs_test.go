package house

import (
	"fmt"
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
		if line := fmt.Sprintf("%s. [%s](%s)\n", title[1], title[2], name); !strings.Contains(index, line) {
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
