package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"clientvpn-responder/internal/graph"
)

// usersDelta begins the changes of users at now.
// Source: Microsoft Graph REST API v1.0 reference, user: delta.
const usersDelta = "/v1.0/users/delta?$select=id,userPrincipalName,mail,accountEnabled,onPremisesSamAccountName" +
	"&$deltaToken=latest"

// pollUsers sends the users who are disabled or deleted.
func (r *poll) pollUsers(ctx context.Context) error {
	next, err := r.changes(ctx, r.cursor.Users, usersDelta, func(record map[string]json.RawMessage, at time.Time) error {
		if _, removed := record["@removed"]; !removed && string(record["accountEnabled"]) != "false" {
			return nil
		}
		if err := r.name(ctx, record); err != nil {
			return err
		}
		record["@odata.type"] = json.RawMessage(`"#microsoft.graph.user"`)
		return r.send(ctx, record, r.cursor.Users, at)
	})
	if err != nil {
		return permission(fmt.Errorf("reading changes of users: %w", err), "User.Read.All")
	}
	r.cursor.Users = next
	return nil
}

// pollGroups sends the members whom the groups have lost.
func (r *poll) pollGroups(ctx context.Context) error {
	if len(r.groups) == 0 {
		return nil
	}
	filter := url.Values{"$filter": {"id eq '" + strings.Join(r.groups, "' or id eq '") + "'"}}
	begin := "/v1.0/groups/delta?$select=members&$deltaToken=latest&" + filter.Encode()
	next, err := r.changes(ctx, r.cursor.Groups, begin, func(group map[string]json.RawMessage, at time.Time) error {
		return r.sendMembers(ctx, group, at)
	})
	if err != nil {
		return permission(fmt.Errorf("reading changes of groups: %w", err), "GroupMember.Read.All")
	}
	r.cursor.Groups = next
	return nil
}

// sendMembers sends a group with the members that it has lost, and the names that they have.
func (r *poll) sendMembers(ctx context.Context, group map[string]json.RawMessage, at time.Time) error {
	var members, lost []map[string]json.RawMessage
	changes, changed := group["members@delta"]
	if !changed {
		return nil // something else about the group
	}
	if err := json.Unmarshal(changes, &members); err != nil {
		return fmt.Errorf("reading members@delta of a group: %w", err)
	}
	for _, member := range members {
		if _, removed := member["@removed"]; !removed {
			continue
		}
		if err := r.name(ctx, member); err != nil {
			return err
		}
		lost = append(lost, member)
	}
	if len(lost) == 0 {
		return nil
	}
	raw, err := json.Marshal(lost)
	if err != nil {
		return fmt.Errorf("writing a record: %w", err)
	}
	group["members@delta"] = raw
	group["@odata.type"] = json.RawMessage(`"#microsoft.graph.group"`)
	return r.send(ctx, group, r.cursor.Groups, at)
}

// name adds the principal name to a user or a member that comes without one, if Graph still knows it. Entra keeps users
// who are deleted for 30 days.
func (r *poll) name(ctx context.Context, user map[string]json.RawMessage) error {
	_, named := user["userPrincipalName"]
	id := textOf(user["id"])
	if named || !guidForm.MatchString(id) {
		return nil
	}
	found, _, err := r.graph.User(ctx, id)
	if err != nil || found.Name == "" {
		return err
	}
	user["userPrincipalName"], err = json.Marshal(found.Name)
	return err
}

// textOf returns a JSON string's text; empty for anything else.
func textOf(raw json.RawMessage) string {
	var text any
	_ = json.Unmarshal(raw, &text) // what cannot be read stays nil
	s, _ := text.(string)
	return s
}

// changes visits what has changed since the cursor, and returns the next one. Without a cursor, or with one that Graph
// has forgotten, it begins at now.
func (r *poll) changes(
	ctx context.Context, cursor, begin string, visit func(map[string]json.RawMessage, time.Time) error,
) (next string, err error) {
	at, address := time.Now(), cursor
	if address == "" {
		address = begin
	}
	for page, err := range r.graph.Pages(ctx, address) {
		if refused, ok := errors.AsType[*graph.Error](err); ok && cursor != "" && refused.Status == http.StatusGone {
			if err := r.beganAnew(ctx, "Microsoft Graph has forgotten a cursor: "+refused.Error()); err != nil {
				return "", err
			}
			return r.changes(ctx, "", begin, visit)
		}
		if err != nil {
			return "", err
		}
		if err := visitAll(page.Value, at, visit); err != nil {
			return "", err
		}
		next = page.Delta
	}
	if next == "" {
		return "", errors.New("the last page has no @odata.deltaLink")
	}
	return next, nil
}

func visitAll(
	records []json.RawMessage, at time.Time, visit func(map[string]json.RawMessage, time.Time) error,
) error {
	for _, raw := range records {
		var record map[string]json.RawMessage
		if err := json.Unmarshal(raw, &record); err != nil {
			return fmt.Errorf("reading a record: %w", err)
		}
		if err := visit(record, at); err != nil {
			return err
		}
	}
	return nil
}
