package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// late is by how much a record may come after later ones. Microsoft says that most come within minutes.
const late = 30 * time.Minute

// activities are beginnings of what the parser understands, as in the rule EntraEvents of the template. Everything else
// would only be counted.
var activities = []string{
	"Disable account", "Enable account", "Add user", "Restore user", "Delete user", "Hard Delete", "Update Sts", "Confirm",
	"Add member to group", "Remove member from group", "Delete group", "Add app role", "Remove app role",
}

// pollAudits sends records of the audit log. It reads the last half hour again each time, since records come late, and
// sends none twice.
func (r *poll) pollAudits(ctx context.Context) error {
	if r.cursor.Audits.IsZero() {
		r.cursor.Audits = time.Now().UTC()
	}
	from := r.cursor.Audits.Add(-late)
	query := url.Values{
		"$filter": {"activityDateTime ge " + from.UTC().Format(time.RFC3339)}, "$orderby": {"activityDateTime"},
	}
	newest, seen := r.cursor.Audits, 0
	for page, err := range r.graph.Pages(ctx, "/v1.0/auditLogs/directoryAudits?"+query.Encode()) {
		if err != nil {
			return permission(fmt.Errorf("reading the audit log: %w", err), "AuditLog.Read.All")
		}
		for i, raw := range page.Value {
			at, err := r.sendAudit(ctx, seen+i, raw)
			if err != nil {
				return fmt.Errorf("reading the audit log: %w", err)
			}
			if at.After(newest) && !at.After(time.Now()) { // a wrong date in the future would hide what comes before it
				newest = at
			}
		}
		seen += len(page.Value)
	}
	r.cursor.Audits = newest
	r.cursor.Forget(newest.Add(-late))
	return nil
}

// sendAudit sends a record, unless it was sent or could concern nobody. It returns the record's time.
func (r *poll) sendAudit(ctx context.Context, index int, raw json.RawMessage) (time.Time, error) {
	var record map[string]json.RawMessage
	var known struct {
		ID       string    `json:"id"`
		At       time.Time `json:"activityDateTime"`
		Activity string    `json:"activityDisplayName"`
	}
	if err := errors.Join(read(raw, &known), read(raw, &record)); err != nil {
		return time.Time{}, r.setAside(ctx, place{"auditLogs/directoryAudits", index, ""}, raw, err, time.Now())
	}
	_, sent := r.cursor.Sent[known.ID]
	concerns := bytes.Contains(raw, []byte(`"AccountEnabled"`)) || slices.ContainsFunc(activities, func(a string) bool {
		return strings.HasPrefix(known.Activity, a)
	})
	if sent || !concerns {
		return known.At, nil
	}
	if err := r.send(ctx, record, "", time.Now()); err != nil {
		return known.At, err
	}
	r.cursor.Sent[known.ID] = known.At
	return known.At, nil
}
