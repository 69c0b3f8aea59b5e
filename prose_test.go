package house

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const longestSentence = 25 // words

// proseRule finds one habit that makes a sentence hard to read.
type proseRule struct {
	name   string
	habit  *regexp.Regexp
	except *regexp.Regexp // what looks like it and is fine
	better string
}

var proseRules = []proseRule{
	{
		name:   "opening",
		habit:  words(`of (?:that|those|which|whom)|^(?:that|those) of|^(?:those|whom) (?:that|who|which|it|the)|whoever`),
		better: "begin with the subject: the person, the connection, the client",
	},
	{
		name:   "double-negation",
		habit:  words(`(?:is|are) none|nobody who .{0,20}not|not (?:un\w+|without)|for others to|so as not to`),
		except: words(`there (?:is|are) none|not (?:under|until|unless|unlike|unmapped|unverified|unanswered)`),
		better: "say what is true",
	},
	{
		name:   "stands",
		habit:  words(`stands? (?:for|in|there|on)|what stands`),
		except: words(`stand-in|stands? in for`),
		better: "is, is in",
	},
	{
		name:   "gives",
		habit:  words(`gives|gave|given`),
		except: words(`(?:gives|gave|given) up|given (?:name|id|endpoint|time)s?`),
		better: "returns, has, shows",
	},
	{
		name:   "tells",
		habit:  words(`tells|told`),
		except: words(`tells (?:apart|whether)`),
		better: "reports, says",
	},
	{
		name:   "takes-for",
		habit:  words(`(?:takes?|took|taken) (?:\w+ ){0,2}for`),
		except: words(`takes? .*(?:for (?:each|every)|token for)`),
		better: "treats as",
	},
	{
		name:   "passive",
		habit:  words(`(?:is|are|was|were) (?:said|led|looked (?:for|at|up)|asked about|passed over)`),
		better: "name who does it",
	},
	{
		name: "terminate",
		habit: words(`(?:ends?|ended|ending) (?:the |a |an |all |their |its |every |those |these )?` +
			`(?:\w+'s )?connections?|lets? go`),
		except: words(`ended connections`),
		better: "terminate",
	},
	{
		name:   "glossary",
		habit:  words(`caseFile|access list|blocklist|block list|kick(?:s|ed)? out|the way of|dry run mode`),
		better: "the words of doc/glossary.md",
	},
}

func words(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)\b(?:` + pattern + `)\b`) }

var prose = exceptions{
	file: ".ci/prose.txt", test: "TestProse", together: true,
	limits: map[string]limit{"sentence": {}},
}

// TestProse looks for long sentences and for the habits of proseRules, in comments, in Markdown and in mails.
func TestProse(t *testing.T) {
	prose.hint = func(kind string) string {
		for _, r := range proseRules {
			if r.name == kind {
				return "better: " + r.better
			}
		}
		return fmt.Sprintf("a sentence has at most %d words", longestSentence)
	}
	for _, r := range proseRules {
		prose.limits[r.name] = limit{}
	}
	var found []excess
	for file, sentences := range texts(t) {
		count := map[string]int{}
		for _, sentence := range sentences {
			for _, kind := range faults(sentence) {
				count[kind]++
				if testing.Verbose() {
					t.Logf("%s: %s: %s", file, kind, sentence)
				}
			}
		}
		for kind, n := range count {
			found = append(found, excess{kind, file, n})
		}
	}
	prose.hold(t, found)
}

// TestProseFindsFaults: a rule that finds nothing would hold nothing.
func TestProseFindsFaults(t *testing.T) {
	for sentence, want := range map[string][]string{
		"Screen returns the connections that may be terminated.":  nil,
		"Of those that are up, hash gives the file.":              {"opening", "gives"},
		"A person whose name was given, and those that are up.":   {"gives"},
		"It gives up after five tries.":                           nil,
		"An answer that is not EC2's is none.":                    {"double-negation"},
		"The function ends their connections, as it is told.":     {"tells", "terminate"},
		strings.Repeat("word ", longestSentence) + "and another.": {"sentence"},
	} {
		if got := faults(sentence); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", sentence, got, want)
		}
	}
}

// faults lists the rules that a sentence breaks.
func faults(sentence string) []string {
	var found []string
	for _, r := range proseRules {
		for _, match := range r.habit.FindAllStringIndex(sentence, -1) {
			around := sentence[max(0, match[0]-6):min(len(sentence), match[1]+12)]
			if r.except == nil || r.except.FindStringIndex(around) == nil {
				found = append(found, r.name)
				break
			}
		}
	}
	between := func(c rune) bool { return unicode.IsSpace(c) || c == '/' || c == '·' }
	if len(strings.FieldsFunc(sentence, between)) > longestSentence {
		found = append(found, "sentence")
	}
	return found
}

// texts returns the sentences of every comment, every Markdown page and every mail's steps, by file.
func texts(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, files := range packages(t) {
		for _, file := range files {
			found[file] = comments(t, file)
		}
	}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && file != "." && strings.HasPrefix(d.Name(), ".") {
			return cmp.Or(err, filepath.SkipDir)
		}
		switch name := filepath.ToSlash(file); {
		case name == "doc/glossary.md": // which lists the words that are wrong
		case strings.HasSuffix(name, ".md"):
			found[name] = markdown(read(t, file))
		case strings.HasPrefix(name, "internal/notify/testdata/") && strings.HasSuffix(name, ".txt"):
			found[name] = steps(read(t, file))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// comments returns the sentences of a Go file's comments, without directives and code.
func comments(t *testing.T, file string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, read(t, file), parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, group := range tree.Comments {
		found = append(found, sentences(commentText(group))...)
	}
	return found
}

func commentText(group *ast.CommentGroup) string {
	var text strings.Builder
	for line := range strings.Lines(group.Text()) {
		switch {
		case strings.HasPrefix(line, "Source:"), strings.HasPrefix(line, "\t"), strings.HasPrefix(line, "    "):
			text.WriteString("\n\n")
		case strings.HasPrefix(line, "  "), strings.HasPrefix(line, "- "):
			text.WriteString("\n\n" + strings.TrimLeft(line, " -"))
		default:
			text.WriteString(line)
		}
	}
	return text.String()
}

var (
	fence      = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	indented   = regexp.MustCompile(`(?m)^    .*$`)
	inlineCode = regexp.MustCompile("`[^`]*`")
	link       = regexp.MustCompile(`\]\([^)]*\)`)
	htmlTag    = regexp.MustCompile(`(?s)<!--.*?-->|</?[a-z]+[^>]*>`)
	blockStart = regexp.MustCompile(`(?m)^ *(?:[-*] |\d+\. |#+ |\|)`)
	blockEnd   = regexp.MustCompile(`(?m)(^#.*$|\|)`)
	stop       = regexp.MustCompile(`[.!?;]["')\]*_]*(?:\s|$)|\n\s*\n`)
)

// markdown returns the sentences of a page, without code. Each item of a list and each cell of a table stands alone.
func markdown(page string) []string {
	page = fence.ReplaceAllString(page, "\n\n")
	page = indented.ReplaceAllString(page, "\n\n")
	page = inlineCode.ReplaceAllString(page, "CODE")
	page = htmlTag.ReplaceAllString(page, " ")
	page = link.ReplaceAllString(page, "]")
	page = blockStart.ReplaceAllString(page, "\n\n")
	page = blockEnd.ReplaceAllString(page, "$1\n\n")
	return sentences(strings.ReplaceAll(page, "|", "\n\n"))
}

// steps returns the sentences of a mail's list of what is left to do.
func steps(mail string) []string {
	_, list, _ := strings.Cut(mail, "\nWHAT IS LEFT TO DO\n")
	list, _, _ = strings.Cut(list, "\n\n")
	return sentences(strings.ReplaceAll(list, "\n", "\n\n"))
}

// sentences splits a text at full stops and blank lines.
func sentences(text string) []string {
	var found []string
	for _, sentence := range stop.Split(text, -1) {
		if sentence = strings.Join(strings.Fields(sentence), " "); sentence != "" {
			found = append(found, sentence)
		}
	}
	return found
}
