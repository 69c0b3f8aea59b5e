package vpn

import (
	"fmt"

	"clientvpn-responder/internal/vpn/ec2call"
)

// PermissionError says that EC2 refused a call because the function's role lacks a permission.
type PermissionError struct {
	action, resource string
	err              error
}

// Error names the permission, and then says what EC2 said.
func (e *PermissionError) Error() string {
	return fmt.Sprintf("missing permission %s on %s: %v", e.action, e.resource, e.err)
}

// Unwrap returns EC2's error.
func (e *PermissionError) Unwrap() error { return e.err }

// MissingPermission returns the IAM action that is missing and the resource it is missing on.
func (e *PermissionError) MissingPermission() (action, resource string) { return e.action, e.resource }

// permission returns err as a [PermissionError] if EC2 says that a permission is missing, and err itself otherwise.
func permission(err error, action, endpointID string) error {
	if ec2call.Code(err) != "UnauthorizedOperation" {
		return err
	}
	return &PermissionError{action, "client-vpn-endpoint/" + endpointID, err}
}
