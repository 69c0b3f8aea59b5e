package trial

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"clientvpn-responder/internal/console"
)

const served = `A stand-in for EC2's Client VPN actions, SNS, DynamoDB and the identity store is at
%s. In another terminal:

  export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=%s
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  aws ec2 describe-client-vpn-connections \
    --client-vpn-endpoint-id %s
  aws ec2 terminate-client-vpn-connections --username alice@example.com \
    --client-vpn-endpoint-id %s
  go run ./cmd/clientvpn keep-out list --table %s

Ctrl-C ends it.`

// Serve runs the stand-in until ctx is done.
func Serve(ctx context.Context, c *console.Console, address string, asJSON bool) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("serving the stand-in: %w; --listen names another address", err)
	}
	server := &http.Server{Handler: NewCompany(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	url := "http://" + listener.Addr().String()
	if asJSON {
		c.Print(`{"url":%q,"region":%q,"table":%q}`, url, Region, Table)
	} else {
		c.Print(served, url, url, Region, Endpoints[0].ID, Endpoints[0].ID, Table)
	}
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return fmt.Errorf("serving the stand-in: %w", err)
	}
	return nil
}
