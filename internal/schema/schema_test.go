package schema

import (
	"strings"
	"testing"
)

const sound = `{
	"schema_version": 1, "status": "terminated", "summary": "1 VPN connection of alice ended.",
	"signal": {"id": "1", "provider": "okta", "kind": "account-disabled", "type": "user.lifecycle.deactivate",
		"severity": 0, "subject": {"usernames": ["alice"]}},
	"decision": {"rule": "leavers", "action": "terminate", "mode": "enforce", "names": ["alice"],
		"reasons": ["rule leavers decides terminate"]},
	"timing": {"event_at": "2026-11-20T10:00:00Z",
		"received_at": "2026-11-20T10:00:01Z", "decided_at": "2026-11-20T10:00:01.1Z", "ended_at": "2026-11-20T10:00:03Z"},
	"connections": [{"endpoint_id": "cvpn-endpoint-1", "connection_id": "cvpn-connection-1",
		"previous_status": "active", "current_status": "terminated", "ingress_bytes": 1, "egress_bytes": 2,
		"ended_at": "2026-11-20T10:00:03Z"}],
	"spared": [{"endpoint_id": "cvpn-endpoint-1", "connection_id": "cvpn-connection-2",
		"previous_status": "active", "current_status": "active", "ingress_bytes": 1,
		"egress_bytes": 2, "reason": "breakglass is exempt"}]
}`

// TestSchemaIsStrict: a misspelt name, a missing field and an unknown word are errors.
func TestSchemaIsStrict(t *testing.T) {
	if err := Check([]byte(sound)); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"status": "terminated", "summary"`, `"status": "ended", "summary"`},
		{`"summary": `, `"Summary": `},
		{`"schema_version": 1`, `"schema_version": 2`},
		{`"kind": "account-disabled"`, `"kind": "finding!"`},
		{`"severity": 0`, `"severity": "0"`},
		{`"usernames": ["alice"]`, `"userNames": ["alice"]`},
		{`"usernames": ["alice"]`, `"usernames": [""]`},
		{`"mode": "enforce"`, `"mode": "dry-run"`},
		{`"action": "terminate"`, `"action": "notify"`},
		{`"rule": "leavers", `, ``},
		{`"received_at": "2026-11-20T10:00:01Z", `, ``},
		{`"received_at": "2026-11-20T10:00:01Z"`, `"received_at": "2026-11-20 10:00:01"`},
		{`"ended_at": "2026-11-20T10:00:03Z"}]`, `"ended": "2026-11-20T10:00:03Z"}]`},
		{`"previous_status": "active", "current_status": "terminated"`,
			`"previous_status": "active", "current_status": "terminating"`},
		{`, "reason": "breakglass is exempt"`, ``},
		{`"spared": [`, `"omitted": 0, "spared": [`},
		{`"spared": [`, `"policy_hash": "1234", "spared": [`},
		{`"status": "terminated", "summary"`, `"status": "not-connected", "summary"`},
		{`"status": "terminated", "summary"`, `"status": "failed", "summary"`},
		{`"status": "terminated", "summary"`, `"status": "would-terminate", "summary"`},
		{`{`, ``},
	} {
		wrong := strings.Replace(sound, change[0], change[1], 1)
		if err := Check([]byte(wrong)); err == nil || wrong == sound {
			t.Errorf("%s is taken", change[1])
		}
	}
}
