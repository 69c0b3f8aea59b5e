package vpn

import (
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Status is the state of a connection, in EC2's words.
type Status string

// The statuses. Source: EC2 API reference, ClientVpnConnectionStatus.
const (
	Active            Status = "active"
	Terminating       Status = "terminating"
	Terminated        Status = "terminated"
	FailedToTerminate Status = "failed-to-terminate"
)

// How says how a request named the connection.
type How string

// The ways to name it.
const (
	ByUsername     How = "username"
	ByConnectionID How = "connection-id"
)

// Connection is one connection of a client to an endpoint, and what became of it.
type Connection struct {
	EndpointID    string    `json:"endpoint_id"`
	EndpointName  string    `json:"endpoint_name,omitempty"` // see [Endpoint.DisplayName]
	ID            string    `json:"connection_id"`
	Username      string    `json:"username,omitempty"`
	CommonName    string    `json:"common_name,omitempty"`
	ClientIP      string    `json:"client_ip,omitempty"`
	ClientIPv6    string    `json:"client_ipv6,omitempty"`
	EstablishedAt time.Time `json:"established_at,omitzero"`
	// SessionEndsAt is when the session would have been over by the endpoint's session timeout; zero if EC2 was not asked.
	SessionEndsAt time.Time `json:"session_ends_at,omitzero"`
	// Previous is the status before the request, Current the one seen last.
	Previous Status `json:"previous_status"`
	Current  Status `json:"current_status"`
	// StatusMessage is what EC2 says beside Current, for instance why it failed to terminate.
	StatusMessage string `json:"status_message,omitempty"`
	How           How    `json:"how,omitempty"`
	// IngressBytes is what the client has sent, EgressBytes what it has received, when the connection was seen last.
	// Source: EC2 API reference, ClientVpnConnection.
	IngressBytes int64 `json:"ingress_bytes"`
	EgressBytes  int64 `json:"egress_bytes"`
	// RequestedAt is when EC2 last answered a request to terminate it. EndSeenAt is when its end was seen. EndedAt is
	// when it ended, in EC2's whole seconds, or EndSeenAt if EC2 does not say.
	RequestedAt time.Time `json:"requested_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	EndSeenAt   time.Time `json:"end_seen_at,omitzero"`
	// RequestIDs are EC2's, as CloudTrail has them. They are of the listing that showed the connection first, the requests
	// to terminate it, and the listing that showed its end.
	RequestIDs []string `json:"request_ids,omitempty"`
	// Error is why the request could not be made or was refused.
	Error   string `json:"error,omitempty"`
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
}

// Ended reports whether EC2 has shown that the connection has ended.
func (c *Connection) Ended() bool { return c.Current == Terminated }

// connection returns EC2's row as a connection. requestID is that of the listing.
func (a *account) connection(row types.ClientVpnConnection, requestID string) Connection {
	status := currentStatus(row)
	c := Connection{
		EndpointID:    aws.ToString(row.ClientVpnEndpointId),
		ID:            aws.ToString(row.ConnectionId),
		Username:      aws.ToString(row.Username),
		CommonName:    aws.ToString(row.CommonName),
		ClientIP:      aws.ToString(row.ClientIp),
		ClientIPv6:    aws.ToString(row.ClientIpv6Address),
		EstablishedAt: readTime(row.ConnectionEstablishedTime),
		Previous:      status,
		Current:       status,
		StatusMessage: messageOf(row.Status),
		IngressBytes:  readNumber(row.IngressBytes),
		EgressBytes:   readNumber(row.EgressBytes),
		Account:       a.id,
		Region:        a.region,
	}
	if status == Terminated {
		c.EndedAt = readTime(row.ConnectionEndTime)
	}
	if requestID != "" {
		c.RequestIDs = []string{requestID}
	}
	return c
}

// currentStatus treats a connection without a status as active: one look too many does no harm.
func currentStatus(row types.ClientVpnConnection) Status { return statusOr(row.Status, Active) }

func statusOr(s *types.ClientVpnConnectionStatus, otherwise Status) Status {
	if s == nil || s.Code == "" {
		return otherwise
	}
	return Status(s.Code)
}

// messageOf returns what EC2 says beside the status.
func messageOf(s *types.ClientVpnConnectionStatus) string {
	if s == nil {
		return ""
	}
	return aws.ToString(s.Message)
}

// readTime reads EC2's "2019-08-12 07:57:14", which is UTC. Anything else ("-" while active) is the zero time.
func readTime(s *string) time.Time {
	at, err := time.Parse(time.DateTime, aws.ToString(s))
	if err != nil {
		return time.Time{}
	}
	return at
}

// readNumber reads one of EC2's counts, which are texts. Anything else is 0.
func readNumber(s *string) int64 {
	n, _ := strconv.ParseInt(aws.ToString(s), 10, 64)
	return n
}
