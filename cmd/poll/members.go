package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// sendMembers sends a group with the members that it has lost, and the names that they have. It sends them beside a
// member that cannot be read, too.
func (r *poll) sendMembers(ctx context.Context, group map[string]json.RawMessage, at time.Time) error {
	changes, changed := group["members@delta"]
	if !changed {
		return nil // something else about the group
	}
	var members []json.RawMessage
	if err := read(changes, &members); err != nil {
		return fmt.Errorf("members@delta: %w", err)
	}
	var lost []map[string]json.RawMessage
	var problems []error
	for i, raw := range members {
		member, err := readMember(raw)
		if err != nil {
			problems = append(problems, fmt.Errorf("members@delta[%d]: %w", i, err))
			continue
		}
		if _, removed := member["@removed"]; !removed || !isUser(member) {
			continue
		}
		if err := r.name(ctx, member); err != nil {
			return err
		}
		lost = append(lost, member)
	}
	if len(lost) > 0 {
		raw, err := json.Marshal(lost)
		if err != nil {
			return fmt.Errorf("writing a record: %w", err)
		}
		group["members@delta"] = raw
		group["@odata.type"] = json.RawMessage(`"#microsoft.graph.group"`)
		if err := r.send(ctx, group, r.cursor.Groups, at); err != nil {
			return err
		}
	}
	return errors.Join(problems...)
}

// readMember reads a member, in the form that the responder reads.
func readMember(raw json.RawMessage) (member map[string]json.RawMessage, err error) {
	var form struct {
		ID   string  `json:"id"`
		Type string  `json:"@odata.type"`
		Name *string `json:"userPrincipalName"`
	}
	if err := read(raw, &form); err != nil {
		return nil, err
	}
	return member, read(raw, &member)
}

// isUser reports whether a member may be a user. Graph may refuse to name a group or a device that was deleted, which
// would block the list.
func isUser(member map[string]json.RawMessage) bool {
	kind := textOf(member["@odata.type"])
	return kind == "" || kind == "#microsoft.graph.user"
}
