package emulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// identityStoreTarget is the service's name in the header X-Amz-Target of the JSON protocol.
const identityStoreTarget = "AWSIdentityStore"

// User is a user of IAM Identity Center's directory.
type User struct {
	ID, UserName, Email string
	Disabled            bool
}

// AddUser adds a user to the directory, or takes its new description. The directory is that of [Cloud.IdentityStore].
func (c *Cloud) AddUser(u User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		c.users = map[string]User{}
	}
	c.users[u.ID] = u
}

type jsonError struct {
	Type    string `json:"__type"`
	Message string `json:"Message"`
	Item    item   `json:",omitempty"`
}

// parseJSON brings a request of the JSON protocol into the form of the others. The identity store's members are texts;
// DynamoDB's stay JSON.
func parseJSON(r *http.Request, target string) error {
	var members map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&members); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	service, action, _ := strings.Cut(target, ".")
	r.Form = url.Values{"Action": {action}, "Version": {service}}
	for name, value := range members {
		text := string(value)
		if service == identityStoreTarget {
			if err := json.Unmarshal(value, &text); err != nil {
				return fmt.Errorf("reading the request: %w", err)
			}
		}
		r.Form.Set(name, text)
	}
	return nil
}

// userID is the pattern of the Identity Store API reference, DescribeUser.
var userID = regexp.MustCompile(`^([0-9a-f]{10}-|)[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}$`)

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

// describeUser answers as the Identity Store API reference says. The texts of the errors are not documented by AWS.
func (c *Cloud) describeUser(form url.Values, _ string) (any, *refusal) {
	id, store := form.Get("UserId"), form.Get("IdentityStoreId")
	if !userID.MatchString(id) {
		return nil, refuse("ValidationException", "UserId does not match the pattern")
	}
	u, known := c.users[id]
	if !known || store != cmp.Or(c.IdentityStore, "d-9067123456") {
		return nil, refuse("ResourceNotFoundException", "USER not found.")
	}
	answer := describeUserResponse{IdentityStoreID: store, UserID: id, UserName: u.UserName, DisplayName: u.UserName, UserStatus: "ENABLED"}
	if u.Email != "" {
		answer.Emails = []email{{u.Email, "work", true}}
	}
	if u.Disabled {
		answer.UserStatus = "DISABLED"
	}
	return answer, nil
}
