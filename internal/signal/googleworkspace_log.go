package signal

import (
	"cmp"
	"encoding/base64"
	"strings"
)

// pubSubMessage is a message as Google's Pub/Sub pushes it.
// Source: Google Cloud Pub/Sub documentation, "Push subscriptions".
type pubSubMessage struct {
	Data string `json:"data"` // in base64
}

// googleAudit is the payload of an entry of Cloud Logging with an activity of Google Workspace.
// Source: Google Cloud documentation, "Audit logs for Google Workspace", samples of Admin Audit and Login Audit.
type googleAudit struct {
	ResourceName lenientString `json:"resourceName"`
	Metadata     struct {
		ActivityID struct {
			Qualifier requiredString `json:"uniqQualifier"`
		} `json:"activityId"`
		Events []struct {
			Name       requiredString    `json:"eventName"`
			Parameters []googleParameter `json:"parameter"`
		} `json:"event"`
	} `json:"metadata"`
}

// readLog reads an entry of Cloud Logging, alone or in a message of Pub/Sub, into the form of the Reports API. There,
// the organization of Google Cloud takes the place of the customer.
func (a *googleActivity) readLog() error {
	if a.Message.Data != "" {
		raw, err := base64.StdEncoding.DecodeString(a.Message.Data)
		if err != nil {
			return unreadable("detail.message.data", "must be base64; forward the message as Pub/Sub pushes it")
		}
		*a = googleActivity{}
		if err := decode("detail.message.data", raw, a); err != nil {
			return err
		}
	}
	if a.ProtoPayload == nil {
		return unreadable("detail.message.data", "has no protoPayload; the sink must send Google Workspace's audit logs")
	}
	m := a.ProtoPayload.Metadata
	a.ID.Time = a.Timestamp
	a.ID.Qualifier = cmp.Or(m.ActivityID.Qualifier, a.InsertID)
	a.ID.Customer = lenientString(strings.TrimPrefix(string(a.ProtoPayload.ResourceName), "organizations/"))
	for _, e := range m.Events {
		a.Events = append(a.Events, googleEvent{Name: e.Name, Parameters: e.Parameters})
	}
	return nil
}
