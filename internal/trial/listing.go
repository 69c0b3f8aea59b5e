package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
)

// Listing is what "aws ec2 describe-client-vpn-connections" prints, of one endpoint, or of several one after the other.
// With the output of "aws ec2 describe-client-vpn-endpoints" as well, it knows how they authenticate.
// The function itself says what would become of its connections, in dry-run against a stand-in that has them.
type Listing struct {
	connections []listedConnection
	endpoints   []listedEndpoint
	binary      string
	policyFile  string
}

type listedConnection struct {
	EndpointID    string `json:"ClientVpnEndpointId"`
	ConnectionID  string `json:"ConnectionId"`
	Username      string
	CommonName    string
	ClientIP      string `json:"ClientIp"`
	EstablishedAt string `json:"ConnectionEstablishedTime"`
	Status        struct{ Code string }
}

// ReadListing reads a listing and builds the function. Connections that have ended are left out.
func ReadListing(ctx context.Context, c *console.Console, file, policyFile string) (*Listing, error) {
	raw, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the connections: %w", err)
	}
	defer raw.Close()
	l := &Listing{}
	if err := l.readPages(file, raw); err != nil {
		return nil, err
	}
	if l.binary, err = BuildHandler(ctx, c); err != nil {
		return nil, err
	}
	l.policyFile, err = filepath.Abs(policyFile)
	return l, err
}

const describe = "aws ec2 describe-client-vpn-connections"

// readPages reads the outputs of the AWS CLI, each possibly one page.
func (l *Listing) readPages(file string, raw io.Reader) error {
	seen, listed := map[string]bool{}, false
	for decoder := json.NewDecoder(raw); ; {
		var page struct {
			Connections        []listedConnection
			ClientVpnEndpoints []listedEndpoint
		}
		err := decoder.Decode(&page)
		switch {
		case errors.Is(err, io.EOF) && listed:
			return nil
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("%s: is not JSON as %s prints it: %w", file, describe, err)
		case err != nil, page.Connections == nil && page.ClientVpnEndpoints == nil:
			return fmt.Errorf("%s: has no Connections; it must be what %s prints", file, describe)
		}
		listed = listed || page.Connections != nil
		l.endpoints = append(l.endpoints, page.ClientVpnEndpoints...)
		for i, c := range page.Connections {
			switch {
			case c.ConnectionID == "" || c.EndpointID == "":
				return fmt.Errorf("%s: Connections[%d]: has no ConnectionId or no ClientVpnEndpointId", file, i)
			case seen[c.ConnectionID] || c.Status.Code == "terminated":
				continue
			}
			seen[c.ConnectionID] = true
			l.connections = append(l.connections, c)
		}
	}
}

// cloud returns a stand-in that has the connections.
func (l *Listing) cloud() *emulator.Cloud {
	cloud := &emulator.Cloud{Region: Region}
	cloud.AddTable(Table, "id")
	described := map[string]bool{}
	for _, e := range l.endpoints {
		cloud.AddEndpoint(e.emulated())
		described[e.ID] = true
	}
	for _, c := range l.connections {
		if !described[c.EndpointID] {
			// A transit gateway makes it an endpoint that keeps client addresses, which a listing does not say.
			cloud.AddEndpoint(emulator.Endpoint{ID: c.EndpointID, TransitGateway: "tgw-00000000000000000"})
		}
		since, _ := time.Parse(time.DateTime, c.EstablishedAt) // without one, now
		cloud.Connect(emulator.Client{
			EndpointID: c.EndpointID, ID: c.ConnectionID, Username: c.Username, CommonName: c.CommonName,
			ClientIP: c.ClientIP, Since: since,
		})
	}
	return cloud
}

// ask has the function say what it would do about the event, and adds that to the explanations of its signals.
func (l *Listing) ask(ctx context.Context, event []byte, explained []Explanation) error {
	if l == nil || explained[len(explained)-1].Error != "" {
		return nil
	}
	outcomes, err := l.outcomes(ctx, event)
	if err != nil {
		return err
	}
	for i := range explained {
		e := &explained[i]
		e.asked = true
		for _, o := range outcomes {
			if o.Signal.Subject.String() == e.Signal.Subject.String() {
				e.Connections, e.Spared = o.Connections, o.Spared
			}
		}
	}
	return nil
}

// outcomes returns what the function says about an event, in dry-run against the listing.
func (l *Listing) outcomes(ctx context.Context, event []byte) ([]Outcome, error) {
	s, err := newStage(ctx, l.cloud(), l.binary, l.policyFile, string(policy.DryRun))
	if err != nil {
		return nil, err
	}
	defer s.close()
	answer, err := s.function.Invoke(ctx, event)
	if err != nil {
		return nil, err
	}
	if answer.Failure != nil {
		return nil, fmt.Errorf("the function says %s: %s", answer.Failure.Type, answer.Failure.Message)
	}
	var answered struct{ Outcomes []Outcome }
	if err := json.Unmarshal(answer.Payload, &answered); err != nil {
		return nil, fmt.Errorf("reading the outcomes: %w", err)
	}
	return answered.Outcomes, nil
}
