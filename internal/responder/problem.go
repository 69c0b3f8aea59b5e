package responder

import (
	"errors"
	"strings"

	"clientvpn-responder/internal/vpn"
)

// ProblemCode says in one word what went wrong.
type ProblemCode string

// The codes of problems.
const (
	PolicyUnreadable ProblemCode = "policy-unreadable"   // nothing is terminated without a policy
	NoEndpoint       ProblemCode = "no-endpoint"         // there is nothing to guard
	NotListed        ProblemCode = "not-listed"          // an endpoint, or the list of endpoints, was not shown completely
	TooManyLate      ProblemCode = "too-many-late"       // the limit was passed after connections had been terminated
	NotTerminated    ProblemCode = "not-terminated"      // EC2 was not asked, or refused
	CannotTerminate  ProblemCode = "failed-to-terminate" // EC2 tried, and could not
	Unanswered       ProblemCode = "unanswered"          // EC2 did not answer; whether it acted is still open
	AccessNotSet     ProblemCode = "access-not-set"      // the keep-out list is not as it should be
	RulingFailed     ProblemCode = "ruling-failed"       // not all held events were released or dropped
	SelfTestFailed   ProblemCode = "self-test-failed"    // the self-test found it
	SweepIncomplete  ProblemCode = "sweep-incomplete"    // the sweep could not ask everything
)

// Problem says why an outcome is incomplete. The program reads Code and Cause; people read [Problem.Error].
type Problem struct {
	Code ProblemCode
	// Doing is what was being done, or to which connection, where Cause does not say it; it may be empty.
	Doing string
	Cause error
}

// Permission is an IAM permission that the function's role lacks.
type Permission struct{ Action, Resource string }

// missingPermission is what an error says if it is about a permission.
type missingPermission interface {
	error
	MissingPermission() (action, resource string)
}

// awsCall is an error of the SDK about one call. Source: smithy-go, OperationError.
type awsCall interface {
	error
	Service() string
	Operation() string
}

// awsCode is an answer of AWS that is an error. Source: smithy-go, APIError.
type awsCode interface {
	error
	ErrorCode() string
}

// Error returns the problem in full, on one line.
func (p Problem) Error() string {
	if p.Doing == "" {
		return oneLine(p.Cause)
	}
	return p.Doing + ": " + oneLine(p.Cause)
}

// Unwrap returns the cause.
func (p Problem) Unwrap() error { return p.Cause }

// Brief returns what a person needs to know: what was being done, and the error code of AWS if there is one.
func (p Problem) Brief() string {
	before, call := cutCall(p)
	if call == nil {
		return before
	}
	if permission, ok := errors.AsType[missingPermission](p.Cause); ok && errors.Is(permission, call) {
		return before
	}
	if answer, ok := errors.AsType[awsCode](call); ok {
		return before + ": " + answer.ErrorCode()
	}
	return before + ": no answer in time"
}

// WithoutSDK returns the text of an error up to the first words of the SDK, which say nothing to most people.
func WithoutSDK(err error) string {
	before, _ := cutCall(err)
	return before
}

// cutCall returns the text of an error before that of its first AWS call, and the call; nil if there is none.
func cutCall(err error) (before string, call awsCall) {
	text := oneLine(err)
	call, ok := errors.AsType[awsCall](err)
	if !ok {
		return text, nil
	}
	before, _, _ = strings.Cut(text, ": "+oneLine(call))
	return before, call
}

// permissions returns the permissions that are missing according to an error, in the order of its text.
func permissions(err error) []Permission {
	var found []Permission
	if missing, ok := err.(missingPermission); ok { //nolint:errorlint // each error of the tree is looked at by itself
		action, resource := missing.MissingPermission()
		found = append(found, Permission{action, resource})
	}
	switch wrapper := err.(type) { //nolint:errorlint // the same
	case interface{ Unwrap() error }:
		found = append(found, permissions(wrapper.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, one := range wrapper.Unwrap() {
			found = append(found, permissions(one)...)
		}
	}
	return found
}

// unlisted returns the problem of endpoints that EC2 did not show.
func unlisted(err error) Problem {
	if errors.Is(err, vpn.ErrNoEndpoint) {
		return Problem{Code: NoEndpoint, Cause: err}
	}
	return Problem{Code: NotListed, Cause: err}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
