// Package lazyregexp compiles regular expressions at their first use. Each takes time of a function's start, and most
// starts need few of them.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that returns the pattern's expression. Its first call compiles the pattern, and panics if that
// is not valid, as [regexp.MustCompile] does.
func New(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
