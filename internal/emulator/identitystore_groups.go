package emulator

import "net/url"

// Membership is a user's membership of a group in IAM Identity Center's directory.
type Membership struct{ ID, GroupID, UserID string }

// AddMembership adds a membership to the directory [Cloud.IdentityStore].
func (c *Cloud) AddMembership(m Membership) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.memberships == nil {
		c.memberships = map[string]Membership{}
	}
	c.memberships[m.ID] = m
}

// RemoveMembership deletes a membership from the directory.
func (c *Cloud) RemoveMembership(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.memberships, id)
}

type describeGroupMembershipResponse struct {
	IdentityStoreID string `json:"IdentityStoreId"`
	MembershipID    string `json:"MembershipId"`
	GroupID         string `json:"GroupId"`
	MemberID        struct {
		UserID string `json:"UserId"`
	} `json:"MemberId"`
}

// describeGroupMembership answers as the Identity Store API reference says.
func (c *Cloud) describeGroupMembership(form url.Values, _ string) (any, *refusal) {
	id, store := form.Get("MembershipId"), form.Get("IdentityStoreId")
	if !userID.MatchString(id) {
		return nil, refuse("ValidationException", "MembershipId does not match the pattern")
	}
	m, known := c.memberships[id]
	if !known || !c.isStore(store) {
		return nil, refuse("ResourceNotFoundException", "MEMBERSHIP not found.")
	}
	answer := describeGroupMembershipResponse{IdentityStoreID: store, MembershipID: id, GroupID: m.GroupID}
	answer.MemberID.UserID = m.UserID
	return answer, nil
}
