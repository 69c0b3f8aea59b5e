package house

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the lists of exceptions, which may only shrink")

// limit is the largest size of one kind, in code and in tests.
type limit struct{ code, test int }

// exceptions is a list of what is above a limit, in a file that may only shrink.
type exceptions struct {
	file, test string
	limits     map[string]limit
	hint       func(kind string) string
	strict     bool // What is listed must still be above its limit.
	together   bool // All code shares one sum for each kind, in place of one for each package.
}

// excess is something above its limit: what is measured, where, and its size.
type excess struct {
	kind, where string
	size        int
}

func (e excess) String() string { return fmt.Sprintf("%s %s %d", e.kind, e.where, e.size) }

func (e excess) key() string { return e.kind + " " + e.where }

// group is a kind within a package and those below it, or within a page. Text and code may move within it.
func (x exceptions) group(e excess) string {
	switch {
	case strings.HasSuffix(e.where, ".md"):
		return e.kind + " in " + e.where
	case x.together:
		return e.kind
	}
	parts := strings.SplitN(path.Dir(e.where), "/", 3)
	return e.kind + " in " + strings.Join(parts[:min(2, len(parts))], "/")
}

func (x exceptions) over(e excess) int {
	if strings.Contains(e.where, "_test.go") {
		return e.size - x.limits[e.kind].test
	}
	return e.size - x.limits[e.kind].code
}

// hold fails the test if in any package more is above a limit than listed. It also fails if a strict list has something
// within its limit; -update takes that off the list.
func (x exceptions) hold(t *testing.T, found []excess) {
	t.Helper()
	slices.SortFunc(found, func(a, b excess) int { return cmp.Compare(a.key(), b.key()) })
	listed := x.read(t)
	grown := map[string]int{}
	for _, e := range listed {
		grown[x.group(e)] -= x.over(e)
	}
	for _, e := range found {
		grown[x.group(e)] += x.over(e)
	}
	for _, e := range found {
		if grown[x.group(e)] > 0 && e.size > listed[e.key()].size {
			t.Errorf("%s %s is %d; %s", e.kind, e.where, e.size, x.hint(e.kind))
		}
	}
	if *update && !t.Failed() {
		x.write(t, found)
		return
	}
	report := t.Logf
	if x.strict {
		report = t.Errorf
	}
	for key := range listed {
		if !slices.ContainsFunc(found, func(e excess) bool { return key == e.key() }) {
			report("%s is within its limit now, or gone; run go test . -run %s -update", key, x.test)
		}
	}
}

// read returns the listed exceptions by kind and place.
func (x exceptions) read(t *testing.T) map[string]excess {
	t.Helper()
	listed := map[string]excess{}
	for line := range strings.Lines(read(t, x.file)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		size, err := strconv.Atoi(fields[len(fields)-1])
		if _, known := x.limits[fields[0]]; len(fields) != 3 || err != nil || !known {
			t.Fatalf("%s: %q is not a kind, a place and a size", x.file, line)
		}
		e := excess{fields[0], fields[1], size}
		if size > listed[e.key()].size {
			listed[e.key()] = e
		}
	}
	return listed
}

func (x exceptions) write(t *testing.T, found []excess) {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "# What is above a limit: kind, place, size. It may only shrink: "+
		"go test . -run %s -update\n", x.test)
	for _, e := range found {
		fmt.Fprintln(&text, e)
	}
	if err := os.WriteFile(x.file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
