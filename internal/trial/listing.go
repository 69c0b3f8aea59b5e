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
// The function itself says what would become of its connections, in dry-run against a stand-in that has them.
type Listing struct {
	connections []listedConnection
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
	if l.connections, err = readPages(file, raw); err != nil {
		return nil, err
	}
	if l.binary, err = BuildHandler(ctx, c); err != nil {
		return nil, err
	}
	l.policyFile, err = filepath.Abs(policyFile)
	return l, err
}

const describe = "aws ec2 describe-client-vpn-connections"

// readPages reads the outputs of the AWS CLI; each may be one page.
func readPages(file string, raw io.Reader) ([]listedConnection, error) {
	var all []listedConnection
	seen := map[string]bool{}
	for decoder := json.NewDecoder(raw); ; {
		var page struct{ Connections []listedConnection }
		err := decoder.Decode(&page)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: is not JSON as %s prints it: %w", file, describe, err)
		}
		if page.Connections == nil {
			return nil, fmt.Errorf("%s: has no Connections; it must be what %s prints", file, describe)
		}
		for i, c := range page.Connections {
			switch {
			case c.ConnectionID == "" || c.EndpointID == "":
				return nil, fmt.Errorf("%s: Connections[%d]: has no ConnectionId or no ClientVpnEndpointId", file, i)
			case seen[c.ConnectionID] || c.Status.Code == "terminated":
				continue
			}
			seen[c.ConnectionID] = true
			all = append(all, c)
		}
	}
}

// cloud returns a stand-in that has the connections.
func (l *Listing) cloud() *emulator.Cloud {
	cloud := &emulator.Cloud{Region: Region}
	cloud.AddTable(Table, "id")
	for _, c := range l.connections {
		// A listing does not say whether its endpoint keeps client addresses. A transit gateway makes it one that does.
		cloud.AddEndpoint(emulator.Endpoint{ID: c.EndpointID, TransitGateway: "tgw-00000000000000000"})
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
	s, err := newStage(ctx, l.cloud(), l.binary, l.policyFile, string(policy.DryRun))
	if err != nil {
		return err
	}
	defer s.close()
	answer, err := s.function.Invoke(ctx, event)
	if err != nil {
		return err
	}
	if answer.Failure != nil {
		return fmt.Errorf("the function says %s: %s", answer.Failure.Type, answer.Failure.Message)
	}
	var answered struct{ Outcomes []Outcome }
	if err := json.Unmarshal(answer.Payload, &answered); err != nil {
		return fmt.Errorf("reading the outcomes: %w", err)
	}
	for i := range explained {
		e := &explained[i]
		e.asked = true
		for _, o := range answered.Outcomes {
			if o.Signal.Subject.String() == e.Signal.Subject.String() {
				e.Connections, e.Spared = o.Connections, o.Spared
			}
		}
	}
	return nil
}
