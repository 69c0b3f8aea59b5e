package lambdaenv

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
)

// Setting is one variable in the environment of a function whose settings are an S. A function reads a table of them,
// and its document lists the same table.
type Setting[S any] struct {
	Name   string
	Doc    string // its meaning, as the document says it; empty for a variable that Lambda sets
	Absent string // what happens without it, as the document says it

	// Missing is the problem if the variable is absent or empty; empty if it may be.
	Missing string
	// Parse puts a value, which is not empty, into the settings. Its error says what is wrong with the value. If it
	// joins several, each is a problem of its own.
	Parse func(s *S, value string) error
}

// Text returns a Parse that stores a value as it is, if the checks accept it.
func Text[S any](field func(*S) *string, checks ...func(value string) error) func(*S, string) error {
	return func(s *S, value string) error {
		for _, check := range checks {
			if err := check(value); err != nil {
				return err
			}
		}
		*field(s) = value
		return nil
	}
}

// Parsed returns a Parse that stores what parse returns for a value. The error of parse is the problem.
func Parsed[S, V any](field func(*S) *V, parse func(value string) (V, error)) func(*S, string) error {
	return func(s *S, value string) (err error) {
		*field(s), err = parse(value)
		return err
	}
}

// Matching returns a check for [Text]: a value that does not match the pattern is a problem. The problem is a format
// with the value as %q.
func Matching(pattern, problem string) func(value string) error {
	return func(value string) error {
		if !regexp.MustCompile(pattern).MatchString(value) { // compiled only if somebody sets it
			return fmt.Errorf(problem, value)
		}
		return nil
	}
}

// QueueURL is a check for [Text]: a value that is not the URL of a queue is a problem.
func QueueURL(value string) error {
	if u, err := url.Parse(value); err != nil || u.Host == "" || len(u.Path) < 2 {
		return fmt.Errorf("%q is not the URL of a queue, like https://sqs.eu-west-1.amazonaws.com/111122223333/events", value)
	}
	return nil
}

// Read reads the variables of a table through getenv into s. A variable that is empty counts as absent. It returns
// every problem, each beginning with the variable's name.
func Read[S any](table []Setting[S], getenv func(string) string, s *S) (problems []string) {
	for _, setting := range table {
		value := getenv(setting.Name)
		if value == "" {
			if setting.Missing != "" {
				problems = append(problems, setting.Name+": "+setting.Missing)
			}
			continue
		}
		for _, err := range split(setting.Parse(s, value)) {
			problems = append(problems, fmt.Sprintf("%s: %s", setting.Name, err))
		}
	}
	return problems
}

// split returns the errors that were joined into one; none for nil.
func split(err error) []error {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &joined):
		return joined.Unwrap()
	}
	return []error{err}
}
