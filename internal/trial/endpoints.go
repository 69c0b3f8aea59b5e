package trial

import (
	"context"
	"strings"

	"clientvpn-responder/internal/console"
	"clientvpn-responder/internal/emulator"
)

// listedEndpoint is what "aws ec2 describe-client-vpn-endpoints" prints of an endpoint, as far as it says whom the
// endpoint can carry.
type listedEndpoint struct {
	ID                    string `json:"ClientVpnEndpointId"`
	AuthenticationOptions []struct {
		Type            string
		ActiveDirectory struct {
			DirectoryID string `json:"DirectoryId"`
		}
		MutualAuthentication struct {
			ClientRootCertificateChain string
		}
		FederatedAuthentication struct {
			SamlProviderArn string
		}
	}
	TransitGatewayConfiguration struct {
		TransitGatewayID string `json:"TransitGatewayId"`
	}
}

// emulated returns the endpoint as the stand-in has it.
func (e listedEndpoint) emulated() emulator.Endpoint {
	made := emulator.Endpoint{ID: e.ID, TransitGateway: e.TransitGatewayConfiguration.TransitGatewayID}
	for _, o := range e.AuthenticationOptions {
		made.Authentication = append(made.Authentication, o.Type)
		made.Directory += o.ActiveDirectory.DirectoryID
		made.RootCertificate += o.MutualAuthentication.ClientRootCertificateChain
		made.SAMLProvider += o.FederatedAuthentication.SamlProviderArn
	}
	return made
}

// selfTest is an event that has the function say whom each endpoint can carry.
const selfTest = `{"version":"0","id":"explain","source":"clientvpn-responder","detail-type":"Self Test",` +
	`"account":"111122223333","region":"eu-west-1","time":"2026-11-20T10:00:00Z","detail":{}}`

// whom says whom each endpoint of the listing can carry. It says nothing about endpoints that the listing does not
// describe: the stand-in's authentication is not theirs.
func (l *Listing) whom(ctx context.Context) ([]string, error) {
	if l == nil || len(l.endpoints) == 0 {
		return nil, nil
	}
	outcomes, err := l.outcomes(ctx, []byte(selfTest))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, o := range outcomes {
		for _, reason := range o.Decision.Reasons {
			for _, e := range l.endpoints {
				if strings.HasPrefix(reason.Text, e.ID+": ") {
					all = append(all, reason.Text)
				}
			}
		}
	}
	return all, nil
}

// printEndpoints prints whom each endpoint can carry, for people.
func (l *Listing) printEndpoints(ctx context.Context, c *console.Console, asJSON bool) error {
	if asJSON {
		return nil
	}
	whom, err := l.whom(ctx)
	for _, words := range whom {
		c.Item("endpoint ", console.Safe(words))
	}
	return err
}
