// Package entra is what the responder asks the poll of Microsoft Graph about the users of a Microsoft Entra tenant, and
// how the poll answers.
//
// It promises that a question names users by their object ids, or asks for the list of all. Nothing else can be asked,
// so the responder needs no credential of Microsoft's.
package entra

import (
	"fmt"

	"clientvpn-responder/internal/lazyregexp"
)

var id = lazyregexp.New(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// IsID reports whether the value has the form of an id of a tenant, an application, a user or a group.
func IsID(value string) bool { return id().MatchString(value) }

// CheckID returns an error unless the value has the form of an id.
func CheckID(value string) error {
	if !IsID(value) {
		return fmt.Errorf("%q is not an id like 72f988bf-0000-4000-8000-2d7cd011db47", value)
	}
	return nil
}

// MostIDs is how many users one question names.
const MostIDs = 50

// Request is the payload of an invocation of the poll. Without a question it is the schedule's, and the poll polls.
type Request struct {
	Question *Question `json:"question,omitempty"`
}

// Question asks about users by their object ids, or without ids for a page of all users.
type Question struct {
	IDs []string `json:"ids,omitempty"`
	// From is where the page begins: what the answer before said; empty for the beginning.
	From string `json:"from,omitempty"`
}

// User is a user of the tenant. A user whom Entra deleted for good, or who is of another tenant, is in no answer.
type User struct {
	ID string `json:"id"`
	// Name is the user principal name. In front of the name of a deleted user, Entra puts the id without hyphens.
	Name string `json:"userPrincipalName"`
	// Enabled is nil where Graph does not say it.
	Enabled *bool `json:"accountEnabled,omitempty"`
	Deleted bool  `json:"deleted,omitempty"`
}

// Answer has the users that Graph knows, and where the next page begins; empty after the last.
type Answer struct {
	Users []User `json:"users"`
	Next  string `json:"next,omitempty"`
}
