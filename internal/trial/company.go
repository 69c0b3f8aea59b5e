// Package trial shows without AWS what an event leads to. The policy alone decides it, or the deployed programs play it
// in a small company on loopback.
//
// It promises that what it shows is what the Lambda functions do: it uses the same binaries, the same parser and the
// same policy.
package trial

import (
	"time"

	"clientvpn-responder/internal/emulator"
)

// Demonstration is the policy of the small company, from the repository's root. The goldens go with it, so that a
// change of the policy that is deployed turns none of them red.
const Demonstration = "internal/trial/policy.yaml"

// What the company's account has.
const (
	Region = "eu-west-1"
	topic  = "arn:aws:sns:eu-west-1:111122223333:vpn-outcomes"
	mail   = "arn:aws:sns:eu-west-1:111122223333:vpn-messages"
	chat   = "arn:aws:sns:eu-west-1:111122223333:vpn-chat"
	store  = "d-9067123456"
	scim   = "https://scim.example.com/entra" // the store's word for Entra ID, which makes its users
	Table  = "vpn-keepout"
)

// Endpoint is one of the company's endpoints, with what people there call it.
type Endpoint struct{ Name, ID, How, Authentication, TransitGateway string }

// Endpoints are those of the small company.
var Endpoints = []Endpoint{
	{"office", "cvpn-endpoint-0a1b2c3d4e5f60001", "SAML", "federated-authentication", ""},
	{"plant", "cvpn-endpoint-0a1b2c3d4e5f60002", "Active Directory", "directory-service-authentication", ""},
	{
		"field", "cvpn-endpoint-0a1b2c3d4e5f60003", "certificates, on a transit gateway", "certificate-authentication",
		"tgw-0a1b2c3d4e5f60009",
	},
}

// NewCompany returns the stand-in of a small company in the morning. Some people's names look alike, some sit at two
// desks, and one laptop comes back whenever it is cut off.
func NewCompany() *emulator.Cloud {
	cloud := &emulator.Cloud{Region: Region, TerminateTime: 200 * time.Millisecond}
	for _, e := range Endpoints {
		cloud.AddEndpoint(e.Emulated())
	}
	const quickly = 300 * time.Millisecond
	office, plant, field := Endpoints[0].ID, Endpoints[1].ID, Endpoints[2].ID
	for _, k := range []emulator.Client{
		{EndpointID: office, Username: "alice@example.com", CommonName: "alice@example.com"},
		{EndpointID: office, Username: "alice@example.com", CommonName: "alice@example.com"},
		{EndpointID: office, Username: "Alice@Example.com", CommonName: "Alice@Example.com"},
		{EndpointID: office, Username: "malice@example.com", CommonName: "malice@example.com"},
		{EndpointID: office, Username: "dave@example.com", CommonName: "dave@example.com"},
		{EndpointID: office, Username: "breakglass@example.com", CommonName: "breakglass@example.com"},
		{EndpointID: plant, Username: `EXAMPLE\bob`, CommonName: `EXAMPLE\bob`},
		{EndpointID: plant, Username: "alice", CommonName: "alice", ReconnectAfter: quickly, Reconnects: 1},
		{EndpointID: plant, Username: "mallory", CommonName: "mallory", ReconnectAfter: quickly, Reconnects: -1},
		{EndpointID: field, CommonName: "carol.vpn.example.com", ClientIP: "10.30.0.10"},
		{EndpointID: field, CommonName: "erin.vpn.example.com", ID: "cvpn-connection-0e41f00000000000a"},
	} {
		cloud.Connect(k)
	}
	cloud.AddTable(Table, "id")
	// What IAM Identity Center knows of them; a third user is deleted already.
	const user = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c0"
	cloud.AddUser(emulator.User{
		ID: user + "1", UserName: "dave", Email: "dave@example.com", Disabled: true,
		ExternalIDs: []emulator.ExternalID{{Issuer: scim, ID: "6f0c2f1e-8d7b-4a57-9c36-5b1f5d9a2e77"}},
	})
	cloud.AddUser(emulator.User{ID: user + "2", UserName: "alice@example.com", Email: "alice@example.com"})
	return cloud
}

// Emulated returns the endpoint as the stand-in has it.
func (e Endpoint) Emulated() emulator.Endpoint {
	return emulator.Endpoint{
		ID: e.ID, Description: e.Name, Authentication: []string{e.Authentication}, TransitGateway: e.TransitGateway,
	}
}

// EndpointName returns what the company calls an endpoint, or its id.
func EndpointName(id string) string {
	for _, e := range Endpoints {
		if e.ID == id {
			return e.Name
		}
	}
	return id
}

func person(username, commonName string) string {
	if username == "" {
		return "certificate " + commonName
	}
	return username
}
