package emulator

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
)

// identityStoreTarget is the service's name in the header X-Amz-Target of the JSON protocol.
const identityStoreTarget = "AWSIdentityStore"

// User is a user of IAM Identity Center's directory.
type User struct {
	ID, UserName, Email string
	Disabled            bool
}

// AddUser adds a user to the directory [Cloud.IdentityStore], or replaces the description of one that exists.
func (c *Cloud) AddUser(u User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		c.users = map[string]User{}
	}
	c.users[u.ID] = u
}

var identityStore = &service{
	name: "identitystore", version: identityStoreTarget, contentType: jsonType11, throttled: queryThrottled,
	failure: func(r *refusal, _ string, _ int) any { return jsonError{Type: r.code, Message: r.message} },
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		arn := "arn:" + partition(c.region()) + ":identitystore:::user/" + form.Get("UserId")
		message := c.unauthorized("identitystore:"+action, arn)
		return &refusal{code: "AccessDeniedException", message: message, status: http.StatusForbidden}
	},
}

// userID is the pattern of the Identity Store API reference, DescribeUser.
var userID = regexp.MustCompile(`^([0-9a-f]{10}-)?[A-Fa-f0-9]{8}(-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}$`)

type email struct {
	Value   string
	Type    string
	Primary bool
}

type describeUserResponse struct {
	IdentityStoreID string  `json:"IdentityStoreId"`
	UserID          string  `json:"UserId"`
	UserName        string  `json:",omitempty"`
	DisplayName     string  `json:",omitempty"`
	Emails          []email `json:",omitempty"`
	UserStatus      string
}

// describeUser answers as the Identity Store API reference says. AWS does not document the texts of the errors.
func (c *Cloud) describeUser(form url.Values, _ string) (any, *refusal) {
	id, store := form.Get("UserId"), form.Get("IdentityStoreId")
	if !userID.MatchString(id) {
		return nil, refuse("ValidationException", "UserId does not match the pattern")
	}
	u, known := c.users[id]
	if !known || store != cmp.Or(c.IdentityStore, "d-9067123456") {
		return nil, refuse("ResourceNotFoundException", "USER not found.")
	}
	answer := describeUserResponse{
		IdentityStoreID: store, UserID: id, UserName: u.UserName, DisplayName: u.UserName, UserStatus: "ENABLED",
	}
	if u.Email != "" {
		answer.Emails = []email{{u.Email, "work", true}}
	}
	if u.Disabled {
		answer.UserStatus = "DISABLED"
	}
	return answer, nil
}
