package ledger

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// PermissionError says that DynamoDB refused a call because the function's role lacks a permission.
type PermissionError struct {
	action, resource string
	err              error
}

// Error names the permission, and then says what DynamoDB said.
func (e *PermissionError) Error() string {
	return fmt.Sprintf("missing permission %s on %s: %v", e.action, e.resource, e.err)
}

// Unwrap returns DynamoDB's error.
func (e *PermissionError) Unwrap() error { return e.err }

// MissingPermission returns the IAM action that is missing and the resource it is missing on.
func (e *PermissionError) MissingPermission() (action, resource string) { return e.action, e.resource }

// permission returns err as a [PermissionError] if DynamoDB says that a permission is missing, and err itself
// otherwise.
func (t *Table) permission(err error, action string) error {
	if denied, ok := errors.AsType[smithy.APIError](err); !ok || denied.ErrorCode() != "AccessDeniedException" {
		return err
	}
	return &PermissionError{"dynamodb:" + action, "table/" + t.name, err}
}
