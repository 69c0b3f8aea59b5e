package emulator

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
)

const (
	endpointA = "cvpn-endpoint-0123456789abcdef0"
	endpointB = "cvpn-endpoint-0123456789abcdef1"
	topic     = "arn:aws:sns:eu-west-1:111122223333:alarms"
)

func config(url string, client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(url), HTTPClient: client, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

// serveCloud puts the cloud on a socket, with two endpoints.
func serveCloud(t *testing.T, c *Cloud) aws.Config {
	t.Helper()
	url, stop, err := Serve(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c.AddEndpoint(Endpoint{ID: endpointA, Description: "staff", Authentication: []string{"federated-authentication"},
		Tags: map[string]string{"team": "net", "env": "prod"}})
	c.AddEndpoint(Endpoint{ID: endpointB, TransitGateway: "tgw-0123456789abcdef0", Status: "pending-associate",
		Authentication: []string{"certificate-authentication", "directory-service-authentication"}})
	return config(url, &http.Client{Transport: settled{http.DefaultTransport}})
}

func wantCode(t *testing.T, err error, code string, status int) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != code {
		t.Errorf("error %v, want %s", err, code)
		return
	}
	if response, ok := errors.AsType[*awshttp.ResponseError](err); !ok || response.HTTPStatusCode() != status ||
		len(response.ServiceRequestID()) != 36 {
		t.Errorf("error %v, want status %d and a request id", err, status)
	}
}

func statusesOf(c *Cloud) (list []string) {
	for _, k := range c.Connections() {
		list = append(list, k.Status)
	}
	return list
}

// vpnAPI calls EC2 as the tests need it.
type vpnAPI struct{ *ec2.Client }

func newVPNAPI(cfg aws.Config) vpnAPI { return vpnAPI{ec2.NewFromConfig(cfg)} }

// bubbleAPI calls a cloud in memory.
func bubbleAPI(t *testing.T, c *Cloud) vpnAPI {
	t.Helper()
	client, stop := HTTPClient(c)
	t.Cleanup(stop)
	return newVPNAPI(config("https://ec2.eu-west-1.amazonaws.com", client))
}

func (a vpnAPI) endID(ctx context.Context, endpoint, id string) (*ec2.TerminateClientVpnConnectionsOutput, error) {
	return a.TerminateClientVpnConnections(ctx, &ec2.TerminateClientVpnConnectionsInput{
		ClientVpnEndpointId: &endpoint, ConnectionId: &id,
	})
}

func (a vpnAPI) endUser(ctx context.Context, endpoint, user string) (*ec2.TerminateClientVpnConnectionsOutput, error) {
	return a.TerminateClientVpnConnections(ctx, &ec2.TerminateClientVpnConnectionsInput{
		ClientVpnEndpointId: &endpoint, Username: &user,
	})
}

func (a vpnAPI) connections(ctx context.Context, endpoint string, filters ...types.Filter) (
	[]types.ClientVpnConnection, error) {
	out, err := a.DescribeClientVpnConnections(ctx, &ec2.DescribeClientVpnConnectionsInput{
		ClientVpnEndpointId: &endpoint, Filters: filters,
	})
	if err != nil {
		return nil, err
	}
	return out.Connections, nil
}

func (a vpnAPI) endpoints(ctx context.Context, ids ...string) ([]types.ClientVpnEndpoint, error) {
	out, err := a.DescribeClientVpnEndpoints(ctx, &ec2.DescribeClientVpnEndpointsInput{ClientVpnEndpointIds: ids})
	if err != nil {
		return nil, err
	}
	return out.ClientVpnEndpoints, nil
}

func filterBy(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}
