package emulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// audit is a record of the audit log with the members of directoryAudit.
// Source: Microsoft Graph REST API v1.0 reference, directoryAudit and targetResource.
type audit struct {
	ID             string              `json:"id"`
	Category       string              `json:"category"`
	CorrelationID  string              `json:"correlationId"`
	Result         string              `json:"result"`
	ResultReason   string              `json:"resultReason"`
	Activity       string              `json:"activityDisplayName"`
	At             time.Time           `json:"activityDateTime"`
	Service        string              `json:"loggedByService"`
	OperationType  string              `json:"operationType"`
	InitiatedBy    map[string]any      `json:"initiatedBy"`
	Targets        []auditTarget       `json:"targetResources"`
	AdditionalData []map[string]string `json:"additionalDetails"`

	raw   string    // the record as it is sent, in place of everything else
	shown time.Time // since when the log has the record
}

// MarshalJSON returns the record.
func (a audit) MarshalJSON() ([]byte, error) {
	if a.raw != "" {
		return []byte(a.raw), nil
	}
	type plain audit
	return json.Marshal(plain(a))
}

type auditTarget struct {
	ID         string          `json:"id"`
	Name       *string         `json:"displayName"`
	Type       string          `json:"type"`
	UPN        string          `json:"userPrincipalName"`
	GroupType  *string         `json:"groupType"`
	Properties []auditProperty `json:"modifiedProperties"`
}

type auditProperty struct {
	Name string  `json:"displayName"`
	Old  *string `json:"oldValue"`
	New  *string `json:"newValue"`
}

// record adds a record to the audit log.
func (g *Graph) record(activity string, u GraphUser, properties map[string]string) {
	n := len(g.audits)
	target := auditTarget{ID: u.ID, Type: "User", UPN: u.Name, Properties: []auditProperty{}}
	for name, value := range properties {
		quoted := strconv.Quote(value)
		target.Properties = append(target.Properties, auditProperty{Name: name, Old: &quoted})
	}
	g.audits = append(g.audits, audit{
		ID: "Directory_" + uuid("audit", n), CorrelationID: uuid("correlation", n), Category: "UserManagement",
		Result: "success", Activity: activity, At: time.Now().UTC(), Service: "Core Directory", OperationType: "Update",
		InitiatedBy: map[string]any{"app": nil, "user": map[string]any{
			"id": uuid("admin", 1), "userPrincipalName": "admin@example.com", "displayName": nil, "ipAddress": "203.0.113.9",
		}},
		Targets: []auditTarget{target}, AdditionalData: []map[string]string{}, shown: time.Now().Add(g.AuditDelay),
	})
}

// listAudits answers auditLogs/directoryAudits with a filter by activityDateTime.
func (g *Graph) listAudits(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	written, found := strings.CutPrefix(query.Get("$filter"), "activityDateTime ge ")
	from, err := time.Parse(time.RFC3339, written)
	if !found || err != nil {
		graphError(w, http.StatusBadRequest, "BadRequest", "Invalid filter clause")
		return
	}
	known := slices.DeleteFunc(slices.Clone(g.audits), func(a audit) bool {
		return a.At.Before(from) || time.Now().Before(a.shown)
	})
	skip, _ := strconv.Atoi(query.Get("$skiptoken")) // the first page has none
	end := min(skip+cmp.Or(g.PageSize, 100), len(known))
	answer := map[string]any{"value": known[min(skip, end):end]}
	if end < len(known) {
		query.Set("$skiptoken", strconv.Itoa(end))
		answer["@odata.nextLink"] = link(r, query)
	}
	answerJSON(w, http.StatusOK, answer)
}
