package vpn

import (
	"context"
	"fmt"
	"iter"
	"time"

	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// maxPage is how long to wait for a page, all attempts together. After it, an endpoint that hangs is given up. A large
// endpoint may take as long as there is time.
const maxPage = 20 * time.Second

// maxFilterValues is how many values EC2 takes in one filter.
// Source: EC2 API reference, "Filter".
const maxFilterValues = 200

// query is a listing of an endpoint's connections.
type query struct {
	endpoint Endpoint
	filter   *types.Filter      // EC2's; nil lists all connections
	rows     *ec2call.RowFilter // nil decodes all rows
}

// listPage is a page of connections with the id of the request that returned it.
type listPage struct {
	connections []types.ClientVpnConnection
	requestID   string
	rows        int       // that EC2 listed, with those that were removed before decoding
	token       *string   // of the next page
	at          time.Time // when EC2 answered
}

// more reports whether there is a further page.
func (p listPage) more() bool { return aws.ToString(p.token) != "" }

// pages yields the connections page by page; after an error there is no further page. A discovered endpoint that is
// gone by now has one page, without a connection.
func (q query) pages(ctx context.Context) iter.Seq2[listPage, error] {
	input := &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: &q.endpoint.ID, MaxResults: aws.Int32(1000)}
	if q.filter != nil {
		input.Filters = []types.Filter{*q.filter}
	}
	return func(yield func(listPage, error) bool) {
		for seen := (tokens{}); ; {
			page, err := q.page(ctx, input)
			if err != nil {
				yield(page, q.endpoint.account.explainListing(err, q.endpoint.ID))
				return
			}
			next, err := seen.next(page.token)
			if !yield(page, nil) || next == nil && err == nil {
				return
			}
			if err != nil {
				yield(listPage{}, q.endpoint.account.explainListing(err, q.endpoint.ID))
				return
			}
			input.NextToken = next
		}
	}
}

// page asks EC2 for one page.
func (q query) page(ctx context.Context, input *ec2.DescribeClientVpnConnectionsInput) (listPage, error) {
	ctx, cancel := context.WithTimeout(ctx, maxPage)
	defer cancel()
	var sent ec2call.SentTracker
	options := []func(*ec2.Options){sent.Watch}
	if q.rows != nil {
		options = append(options, q.rows.Into)
	}
	output, err := q.endpoint.account.api.DescribeClientVpnConnections(ctx, input, options...)
	switch {
	case q.endpoint.discovered && ec2call.Code(err) == "InvalidClientVpnEndpointId.NotFound":
		return listPage{at: sent.LastAttempt.UTC()}, nil
	case err != nil:
		return listPage{}, err
	}
	rows := len(output.Connections)
	if q.rows != nil {
		rows += q.rows.Removed
	}
	id := ec2call.ResultID(output.ResultMetadata)
	return listPage{output.Connections, id, rows, output.NextToken, sent.LastAttempt.UTC()}, nil
}

func (a *account) explainListing(err error, endpointID string) error {
	err = permission(a.explainAssumeRole(err), "ec2:DescribeClientVpnConnections", endpointID)
	return fmt.Errorf("describing connections of %s%s: %w", endpointID, a.where(), err)
}

// firstAndLast adds the request id of a page, and keeps of several only the first and the last: an endpoint may have
// hundreds.
func firstAndLast(ids []string, id string) []string {
	if id == "" {
		return ids
	}
	return append(ids[:min(len(ids), 1)], id)
}
