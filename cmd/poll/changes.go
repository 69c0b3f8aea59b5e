package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"clientvpn-responder/internal/entra"
	"clientvpn-responder/internal/graph"
)

// usersDelta begins the changes of users at now.
// Source: Microsoft Graph REST API v1.0 reference, user: delta.
const usersDelta = "/v1.0/users/delta?$select=id,userPrincipalName,mail,accountEnabled,onPremisesSamAccountName" +
	"&$deltaToken=latest"

// pollUsers sends the users who are disabled or deleted.
func (r *poll) pollUsers(ctx context.Context) error {
	l := list{name: "users/delta", cursor: r.cursor.Users, begin: usersDelta}
	next, err := r.changes(ctx, l, func(record map[string]json.RawMessage, at time.Time) error {
		state := string(record["accountEnabled"])
		if _, removed := record["@removed"]; !removed && (state == "" || state == "null" || state == "true") {
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
	l := list{name: "groups/delta", cursor: r.cursor.Groups, begin: begin}
	next, err := r.changes(ctx, l, func(group map[string]json.RawMessage, at time.Time) error {
		return r.sendMembers(ctx, group, at)
	})
	if err != nil {
		return permission(fmt.Errorf("reading changes of groups: %w", err), "GroupMember.Read.All")
	}
	r.cursor.Groups = next
	return nil
}

// name adds the principal name to a user or a member that comes without one, if Graph still knows it. Entra keeps users
// who are deleted for 30 days.
func (r *poll) name(ctx context.Context, user map[string]json.RawMessage) error {
	_, named := user["userPrincipalName"]
	id := textOf(user["id"])
	if named || !entra.IsID(id) {
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

// list is a list of changes at Microsoft Graph.
type list struct {
	name, cursor string
	begin        string    // the address without a cursor
	at           time.Time // of the poll
	seen         int       // records of the pages so far
}

// changes visits what has changed since the list's cursor, and returns the next one. Without a cursor, or with one that
// Graph has forgotten, it begins at now.
func (r *poll) changes(
	ctx context.Context, l list, visit func(map[string]json.RawMessage, time.Time) error,
) (next string, err error) {
	l.at = time.Now()
	for page, err := range r.graph.Pages(ctx, cmp.Or(l.cursor, l.begin)) {
		if refused, ok := errors.AsType[*graph.Error](err); ok && l.cursor != "" && refused.Status == http.StatusGone {
			if err := r.beganAnew(ctx, "Microsoft Graph has forgotten a cursor: "+refused.Error()); err != nil {
				return "", err
			}
			l.cursor = ""
			return r.changes(ctx, l, visit)
		}
		if err != nil {
			return "", err
		}
		if err := r.visitAll(ctx, &l, page.Value, visit); err != nil {
			return "", err
		}
		next = page.Delta
	}
	if next == "" {
		return "", errors.New("the last page has no @odata.deltaLink")
	}
	return next, nil
}

// visitAll visits the records of a page, and sets aside those that cannot be read.
func (r *poll) visitAll(
	ctx context.Context, l *list, records []json.RawMessage, visit func(map[string]json.RawMessage, time.Time) error,
) error {
	for _, raw := range records {
		var record map[string]json.RawMessage
		err := read(raw, &record)
		if err == nil {
			err = visit(record, l.at)
		}
		if err := r.setAside(ctx, place{l.name, l.seen, l.cursor}, raw, err, l.at); err != nil {
			return err
		}
		l.seen++
	}
	return nil
}
