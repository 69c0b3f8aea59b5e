package main

import (
	"fmt"
	"regexp"
)

// asIs stores a value as it is.
func asIs(field func(*settings) *string) func(*settings, string) error {
	return func(s *settings, value string) error {
		*field(s) = value
		return nil
	}
}

// matching stores a value that matches a pattern, and otherwise reports the problem.
func matching(field func(*settings) *string, pattern, problem string) func(*settings, string) error {
	expression := regexp.MustCompile(pattern)
	return func(s *settings, value string) error {
		if !expression.MatchString(value) {
			return fmt.Errorf(problem, value)
		}
		*field(s) = value
		return nil
	}
}
