package trial

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Serve runs the stand-in until ctx is done.
func Serve(ctx context.Context, out io.Writer, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("serving the stand-in: %w", err)
	}
	server := &http.Server{Handler: NewCompany(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	url := "http://" + listener.Addr().String()
	fmt.Fprintf(out, `A stand-in for EC2's Client VPN actions, SNS, the identity store and the keep-out table is at %s.

  export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=%s AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  aws ec2 describe-client-vpn-connections --client-vpn-endpoint-id %s
  aws ec2 terminate-client-vpn-connections --client-vpn-endpoint-id %s --username alice@example.com
  go run ./cmd/local keepout list -table %s

Ctrl-C ends it.
`, url, url, Region, Endpoints[0].ID, Endpoints[0].ID, Table)
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return fmt.Errorf("serving the stand-in: %w", err)
	}
	return nil
}
