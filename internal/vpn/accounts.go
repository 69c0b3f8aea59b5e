package vpn

import (
	"cmp"
	"errors"
	"fmt"

	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// Account is another account or Region in which there are endpoints.
type Account struct {
	// Account is the account's id, empty for the program's own. Role is the ARN of the role to assume there.
	Account, Role string
	Region        string
	// Config has the account's Region, and the credentials of the role.
	Config aws.Config
}

// account is an account and Region with the client that leads there.
type account struct {
	id, role, region string // id is empty for the program's own account

	own bool // the program's own account and Region
	api api
}

func newAccount(a Account) *account {
	return &account{id: a.Account, role: a.Role, region: a.Region, api: ec2call.New(a.Config)}
}

// accountOf returns a, or the program's own account if a is nil.
func (v *VPN) accountOf(a *account) *account { return cmp.Or(a, v.accounts[0]) }

// where names the account for errors. It is empty for the program's own account and Region.
func (a *account) where() string {
	switch {
	case a.id != "":
		return " in account " + a.id + ", " + a.region
	case !a.own:
		return " in " + a.region
	}
	return ""
}

// explainAssumeRole says that the role could not be assumed, if that kept a call from being made.
func (a *account) explainAssumeRole(err error) error {
	var operation *smithy.OperationError
	for at := err; errors.As(at, &operation); at = operation.Err {
		if operation.Service() == "STS" {
			const format = "assuming %s, for which sts:AssumeRole must be allowed here and by the role: %w"
			return fmt.Errorf(format, a.role, err)
		}
	}
	return err
}
