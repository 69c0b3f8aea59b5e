package main

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestSettingsAreDocumented: the page lists what the function reads, and nothing else.
func TestSettingsAreDocumented(t *testing.T) {
	const page = "../../doc/keepout.md"
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var listed, read []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|").FindAllStringSubmatch(string(raw), -1) {
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
