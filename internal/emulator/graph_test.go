package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"clientvpn-responder/internal/emulator"
)

// published are the members that Microsoft documents.
// Source: Microsoft Graph REST API v1.0 reference, directoryAudit, auditActivityInitiator, targetResource,
// modifiedProperty, user and the answers of delta queries.
var published = map[string][]string{
	"": {"value", "@odata.nextLink", "@odata.deltaLink"},
	"directoryAudits": {
		"activityDateTime", "activityDisplayName", "additionalDetails", "category", "correlationId", "id", "initiatedBy",
		"loggedByService", "operationType", "result", "resultReason", "targetResources",
	},
	"initiatedBy":        {"app", "user"},
	"user":               {"displayName", "id", "ipAddress", "userPrincipalName"},
	"targetResources":    {"displayName", "groupType", "id", "modifiedProperties", "type", "userPrincipalName"},
	"modifiedProperties": {"displayName", "newValue", "oldValue"},
	"users":              {"id", "userPrincipalName", "mail", "accountEnabled", "onPremisesSamAccountName", "@removed"},
	"groups":             {"id", "displayName", "members@delta", "@removed"},
	"members@delta":      {"id", "@odata.type", "@removed"},
	"@removed":           {"reason"},
}

// TestGraphHasPublishedFieldsOnly: the stand-in writes no member that Microsoft does not document.
func TestGraphHasPublishedFieldsOnly(t *testing.T) {
	const alice, bob = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
	g := &emulator.Graph{Secret: "s"}
	g.AddGraphUser(emulator.GraphUser{ID: alice, Name: "alice@example.com"})
	g.AddGraphUser(emulator.GraphUser{ID: bob, Name: "bob@example.com"})
	g.SetEnabled(bob, false)
	g.RemoveMember("g1", bob)
	g.DeleteGraphUser(alice)
	form := strings.NewReader("grant_type=client_credentials&scope=x/.default&client_secret=s&client_id=" +
		emulator.DefaultClient)
	r := httptest.NewRequest(http.MethodPost, "/"+emulator.DefaultTenant+"/oauth2/v2.0/token", form)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	g.ServeHTTP(httptest.NewRecorder(), r)
	for kind, path := range map[string]string{
		"directoryAudits": "auditLogs/directoryAudits?$filter=activityDateTime%20ge%202020-01-01T00:00:00Z",
		"users":           "users/delta", "groups": "groups/delta?$filter=id%20eq%20'g1'",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/v1.0/"+path, nil)
		r.Header.Set("Authorization", "Bearer graph-1")
		g.ServeHTTP(w, r)
		var page struct{ Value []any }
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Value) == 0 {
			t.Fatalf("%s: %v %s", path, err, w.Body)
		}
		for _, value := range page.Value {
			checkMembers(t, kind, value)
		}
	}
}

func checkMembers(t *testing.T, kind string, value any) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			checkMembers(t, kind, element)
		}
	case map[string]any:
		for name, member := range v {
			if !slices.Contains(published[kind], name) {
				t.Errorf("%s has %s, which Microsoft does not document", kind, name)
			}
			checkMembers(t, name, member)
		}
	}
}
