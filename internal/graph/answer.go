package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"clientvpn-responder/internal/entra"
)

const (
	oneUser    = "/v1.0/users/"
	oneDeleted = "/v1.0/directory/deletedItems/"
	selected   = "?$select=id,userPrincipalName,accountEnabled"
	// allUsers begins the list of users. Source: Microsoft Graph REST API v1.0 reference, "List users": at most 999 in
	// a page.
	allUsers = "/v1.0/users" + selected + "&$top=999"
)

// Answer answers a question about the tenant's users.
func (c *Client) Answer(ctx context.Context, q entra.Question) (entra.Answer, error) {
	if len(q.IDs) == 0 {
		return c.list(ctx, q.From)
	}
	answer := entra.Answer{Users: []entra.User{}}
	if len(q.IDs) > entra.MostIDs {
		return answer, fmt.Errorf("asking for %d users: a question names %d at most", len(q.IDs), entra.MostIDs)
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(q.IDs))) {
		if !entra.IsID(id) {
			continue // nobody has it, and it must not become a part of an address
		}
		user, known, err := c.User(ctx, id)
		if err != nil {
			return answer, fmt.Errorf("asking for a user: %w", err)
		}
		if known {
			answer.Users = append(answer.Users, user)
		}
	}
	return answer, nil
}

// User returns the user with an object id. It reports false if Graph does not know it. Entra keeps users who are
// deleted for 30 days.
func (c *Client) User(ctx context.Context, id string) (entra.User, bool, error) {
	for _, place := range []string{oneUser, oneDeleted} {
		user := entra.User{ID: id, Deleted: place == oneDeleted}
		address := place + id
		if !user.Deleted {
			address += selected // a deleted item may be no user, and have other properties
		}
		err := c.Get(ctx, address, &user)
		if err == nil {
			return user, true, nil
		}
		if refused, ok := errors.AsType[*Error](err); !ok || refused.Status != http.StatusNotFound {
			return entra.User{}, false, err
		}
	}
	return entra.User{}, false, nil
}

// list returns a page of the users.
func (c *Client) list(ctx context.Context, from string) (entra.Answer, error) {
	if from == "" {
		from = c.Graph + allUsers
	}
	if !strings.HasPrefix(from, c.Graph+"/v1.0/users?") {
		return entra.Answer{}, fmt.Errorf("listing the users: %q is no page of them", from)
	}
	var page Page
	if err := c.Get(ctx, from, &page); err != nil {
		return entra.Answer{}, fmt.Errorf("listing the users: %w", err)
	}
	answer := entra.Answer{Users: make([]entra.User, len(page.Value)), Next: page.Next}
	for i, raw := range page.Value {
		if err := json.Unmarshal(raw, &answer.Users[i]); err != nil {
			return entra.Answer{}, fmt.Errorf("listing the users: reading user %d: %w", i, err)
		}
	}
	return answer, nil
}
