package emulator

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// identityStoreTarget is the service's name in the header X-Amz-Target of the JSON protocol.
const identityStoreTarget = "AWSIdentityStore"

// User is a user of IAM Identity Center's directory.
type User struct {
	ID, UserName, Email string
	ExternalIDs         []ExternalID
	Disabled            bool
	NoStatus            bool // the answer omits UserStatus, which the API reference allows
}

// ExternalID is the id of a user in the identity provider that provisions the directory, by SCIM for instance.
type ExternalID struct {
	Issuer string
	ID     string `json:"Id"`
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

// RemoveUser deletes a user from the directory.
func (c *Cloud) RemoveUser(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.users, id)
}

var identityStore = &service{
	name: "identitystore", version: identityStoreTarget, contentType: jsonType11,
	throttled: refusal{code: "ThrottlingException", message: "Rate exceeded"},
	failure:   func(r *refusal, _ string, _ int) any { return jsonError{Type: r.code, Message: r.message} },
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

type userDescription struct {
	IdentityStoreID string       `json:"IdentityStoreId"`
	UserID          string       `json:"UserId"`
	UserName        string       `json:",omitempty"`
	DisplayName     string       `json:",omitempty"`
	Emails          []email      `json:",omitempty"`
	ExternalIDs     []ExternalID `json:"ExternalIds,omitempty"`
	UserStatus      string       `json:",omitempty"`
}

func noUser() *refusal { return refuse("ResourceNotFoundException", "USER not found.") }

func (c *Cloud) isStore(id string) bool { return id == cmp.Or(c.IdentityStore, "d-9067123456") }

// describeUser answers as the Identity Store API reference says. AWS does not document the texts of the errors.
func (c *Cloud) describeUser(form url.Values, _ string) (any, *refusal) {
	id, store := form.Get("UserId"), form.Get("IdentityStoreId")
	if !userID.MatchString(id) {
		return nil, refuse("ValidationException", "UserId does not match the pattern")
	}
	u, known := c.users[id]
	if !known || !c.isStore(store) {
		return nil, noUser()
	}
	return u.description(store), nil
}

func (u User) description(store string) userDescription {
	answer := userDescription{
		IdentityStoreID: store, UserID: u.ID, UserName: u.UserName, DisplayName: u.UserName, ExternalIDs: u.ExternalIDs,
	}
	if u.Email != "" {
		answer.Emails = []email{{u.Email, "work", true}}
	}
	switch {
	case u.NoStatus:
	case u.Disabled:
		answer.UserStatus = "DISABLED"
	default:
		answer.UserStatus = "ENABLED"
	}
	return answer
}

type listUsersResponse struct {
	Users     []userDescription
	NextToken string `json:",omitempty"`
}

// listUsers returns a page of users, in the order of their ids. The token is the last id of the page before.
// Source: Identity Store API reference, ListUsers.
func (c *Cloud) listUsers(form url.Values, _ string) (any, *refusal) {
	store := form.Get("IdentityStoreId")
	if !c.isStore(store) {
		return nil, refuse("ResourceNotFoundException", "IDENTITY_STORE not found.")
	}
	most, err := strconv.Atoi(cmp.Or(form.Get("MaxResults"), "100"))
	if err != nil || most < 1 || most > 100 {
		return nil, refuse("ValidationException", "MaxResults is not between 1 and 100")
	}
	answer := listUsersResponse{Users: []userDescription{}}
	for _, id := range slices.Sorted(maps.Keys(c.users)) {
		switch {
		case id <= form.Get("NextToken"):
		case len(answer.Users) == most:
			answer.NextToken = answer.Users[most-1].UserID
			return answer, nil
		default:
			answer.Users = append(answer.Users, c.users[id].description(store))
		}
	}
	return answer, nil
}

type getUserIDResponse struct {
	IdentityStoreID string `json:"IdentityStoreId"`
	UserID          string `json:"UserId"`
}

// alternate is another way to name a user: one of the two.
type alternate struct {
	ExternalID      *ExternalID `json:"ExternalId"`
	UniqueAttribute *struct {
		AttributePath  string
		AttributeValue string
	}
}

// getUserID finds a user by an external id, or by the user name or an e-mail address.
// Source: Identity Store API reference, GetUserId.
func (c *Cloud) getUserID(form url.Values, _ string) (any, *refusal) {
	var by alternate
	if json.Unmarshal([]byte(form.Get("AlternateIdentifier")), &by) != nil ||
		(by.ExternalID == nil) == (by.UniqueAttribute == nil) {
		return nil, refuse("ValidationException", "AlternateIdentifier is not one external id or unique attribute")
	}
	store := form.Get("IdentityStoreId")
	for _, u := range c.users {
		if c.isStore(store) && by.names(u) {
			return getUserIDResponse{store, u.ID}, nil
		}
	}
	return nil, noUser()
}

func (a alternate) names(u User) bool {
	if a.ExternalID != nil {
		return slices.Contains(u.ExternalIDs, *a.ExternalID)
	}
	switch a.UniqueAttribute.AttributePath {
	case "userName":
		return u.UserName != "" && strings.EqualFold(u.UserName, a.UniqueAttribute.AttributeValue)
	case "emails.value":
		return u.Email != "" && strings.EqualFold(u.Email, a.UniqueAttribute.AttributeValue)
	}
	return false
}
