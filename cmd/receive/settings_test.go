package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestSettingsAreDocumented: the page lists what the function reads, and nothing else.
func TestSettingsAreDocumented(t *testing.T) {
	const page = "../../doc/doors.md"
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(raw), "\n## Settings\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var listed, read []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|").FindAllStringSubmatch(section, -1) {
		listed = append(listed, row[1])
	}
	for _, s := range environment {
		if s.Doc != "" {
			read = append(read, s.Name)
		}
	}
	if !slices.Equal(listed, read) {
		t.Errorf("%s lists %q, and the function reads %q", page, listed, read)
	}
}
