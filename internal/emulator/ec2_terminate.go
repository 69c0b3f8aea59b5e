package emulator

import (
	"encoding/xml"
	"net/url"
	"time"
)

type terminationItem struct {
	ID       string `xml:"connectionId"`
	Current  status `xml:"currentStatus"`
	Previous status `xml:"previousStatus"`
}

type terminateResponse struct {
	XMLName    xml.Name
	EndpointID string                 `xml:"clientVpnEndpointId"`
	Items      items[terminationItem] `xml:"connectionStatuses"`
	RequestID  string                 `xml:"requestId"`
	Username   string                 `xml:"username,omitempty"`
}

func (c *Cloud) terminateConnections(form url.Values, requestID string) (any, *refusal) {
	// AWS does not document what it answers to both or neither. These are EC2's common codes for such requests.
	id, user := form.Get("ConnectionId"), form.Get("Username")
	switch {
	case form.Get("ClientVpnEndpointId") == "":
	case id != "" && user != "":
		return nil, refuse("InvalidParameterCombination",
			"The parameters ConnectionId and Username cannot be used together")
	case id == "" && user == "":
		return nil, refuse("MissingParameter", "The request must contain the parameter ConnectionId or Username")
	}
	e, refused := c.target(form)
	if refused == nil {
		refused = dryRun(form)
	}
	if refused != nil {
		return nil, refused
	}
	chosen, refused := c.chosen(e, id, user)
	if refused != nil {
		return nil, refused
	}
	answer := terminateResponse{
		XMLName:    xml.Name{Space: ec2Space, Local: "TerminateClientVpnConnectionsResponse"},
		EndpointID: e.ID, RequestID: requestID, Username: user,
	}
	for _, k := range chosen {
		previous := k.state()
		if previous.Code == active || previous.Code == failedToTerminate {
			c.terminate(k, time.Now())
		}
		answer.Items.Item = append(answer.Items.Item, terminationItem{k.id, k.state(), previous})
	}
	return answer, nil
}

// chosen returns the connections that a request to terminate names, by id or by user.
func (c *Cloud) chosen(e *endpoint, id, user string) ([]*conn, *refusal) {
	if user == "" {
		k := c.conns[id]
		if k == nil || k.EndpointID != e.ID || k.status == terminated && !c.EndedAnswersRow {
			return nil, refuse("InvalidClientVpnConnection.IdNotFound", "Connection %s does not exist", id)
		}
		return []*conn{k}, nil
	}
	var chosen []*conn
	for _, k := range e.byUser[user] {
		// AWS does not document whether a connection that failed to terminate counts as active. Its tunnel is up.
		if k.status == active || k.status == failedToTerminate {
			chosen = append(chosen, k)
		}
	}
	switch {
	case len(chosen) == 0:
		return nil, refuse("InvalidClientVpnConnection.UserNotFound",
			"The specified user does not have an active connection to the specified Client VPN endpoint.")
	case len(chosen) > 5: // "up to five connections established by a specific user" (EC2 API reference)
		return nil, refuse("ClientVpnTerminateConnectionsLimitExceeded",
			"The number of client connections you're attempting to terminate exceeds the limit.")
	}
	return chosen, nil
}
