// Package console prints for people at a terminal.
//
// It promises that text stays within 80 columns, and that words from outside cannot move the cursor. Colour needs a
// terminal and no NO_COLOR; progress needs somebody who watches.
package console

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Width is the widest line, in columns.
const Width = 80

// Console is where a command prints. Out is for the result, Err for everything beside it.
type Console struct {
	Out, Err io.Writer
	color    bool
	live     bool // somebody watches Err
}

// New returns the console of a process. Colour and progress depend on what its files are.
func New(out, err *os.File) *Console {
	plain := os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	live := isTerminal(err) && os.Getenv("TERM") != "dumb"
	return &Console{Out: out, Err: err, color: isTerminal(out) && !plain, live: live}
}

// Plain returns a console without colour and progress, as of a process that writes into a pipe.
func Plain(out io.Writer) *Console { return &Console{Out: out, Err: io.Discard} }

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Style is a way to set words off.
type Style string

// The styles, as ANSI escape sequences have them.
const (
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
)

// In returns the words in a style, or as they are where there is no colour.
func (c *Console) In(style Style, words string) string {
	if !c.color || words == "" {
		return words
	}
	return "\x1b[" + string(style) + "m" + words + "\x1b[0m"
}

// sequence matches what [Console.In] adds, which takes no columns.
var sequence = regexp.MustCompile("\x1b\\[[0-9]*m")

// Print prints a line.
func (c *Console) Print(format string, args ...any) { fmt.Fprintf(c.Out, format+"\n", args...) }

// Item prints a text behind a label. Its lines are broken at the width, and continue under its first word.
func (c *Console) Item(label, text string) {
	indent := utf8.RuneCountInString(sequence.ReplaceAllString(label, ""))
	lines := Wrap(text, Width-indent)
	fmt.Fprintf(c.Out, "%s%s\n", label, lines[0])
	for _, line := range lines[1:] {
		fmt.Fprintf(c.Out, "%*s%s\n", indent, "", line)
	}
}

// Wrap returns the text in lines of at most so many columns. A word that is longer has a line of its own. It returns at
// least one line.
func Wrap(text string, columns int) []string {
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= columns:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// Clip returns the text in at most so many columns, with an ellipsis where something is left out.
func Clip(text string, columns int) string {
	runes := []rune(text)
	if len(runes) <= columns {
		return text
	}
	return strings.TrimRight(string(runes[:max(columns-1, 0)]), " ,;:") + "…"
}

// Safe returns the words with a question mark for each character that could move the cursor or end a line.
func Safe(words string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, words)
}

// To returns a console that prints elsewhere, as this one would, and shows no progress.
func (c *Console) To(out io.Writer) *Console {
	return &Console{Out: out, Err: io.Discard, color: c.color}
}
