// Package dynamo is the little of DynamoDB that the ledger needs, over [awsjson].
//
// It promises the names and the meaning of the SDK's package dynamodb, so that its documentation holds here, too.
// What an operation can be asked for beyond these members is left out.
package dynamo

import (
	"context"
	"encoding/json"
	"errors"

	"clientvpn-responder/internal/awsjson"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// Client calls DynamoDB. It can be used from several goroutines.
type Client struct{ calls *awsjson.Client }

// NewFromConfig returns a client with the SDK's configuration.
func NewFromConfig(cfg aws.Config) *Client {
	return &Client{awsjson.New(cfg, awsjson.Service{
		ID: "DynamoDB", Name: "dynamodb", Target: "DynamoDB_20120810", Version: "1.0",
	})}
}

// KeysAndAttributes are keys of items in one table.
type KeysAndAttributes struct {
	Keys           []Item
	ConsistentRead *bool `json:",omitempty"`
}

// BatchGetItemInput names up to 100 items by table and key.
type BatchGetItemInput struct {
	RequestItems map[string]KeysAndAttributes
}

// BatchGetItemOutput has the items that exist, by table, and the keys that were not looked at.
type BatchGetItemOutput struct {
	Responses       map[string][]Item
	UnprocessedKeys map[string]KeysAndAttributes
}

// BatchGetItem reads up to 100 items.
func (c *Client) BatchGetItem(ctx context.Context, in *BatchGetItemInput) (*BatchGetItemOutput, error) {
	return call[BatchGetItemOutput](ctx, c, "BatchGetItem", in)
}

// ScanInput asks for a page of a table's items.
type ScanInput struct {
	TableName                 *string
	ConsistentRead            *bool             `json:",omitempty"`
	ExclusiveStartKey         Item              `json:",omitempty"`
	FilterExpression          *string           `json:",omitempty"`
	ExpressionAttributeNames  map[string]string `json:",omitempty"`
	ExpressionAttributeValues Item              `json:",omitempty"`
	Limit                     *int32            `json:",omitempty"`
}

// ScanOutput is a page of items, and the key after which the next page begins; nil after the last.
type ScanOutput struct {
	Items            []Item
	LastEvaluatedKey Item
}

// Scan reads a page of a table.
func (c *Client) Scan(ctx context.Context, in *ScanInput) (*ScanOutput, error) {
	return call[ScanOutput](ctx, c, "Scan", in)
}

// ScanAPIClient is what a paginator asks.
type ScanAPIClient interface {
	Scan(context.Context, *ScanInput) (*ScanOutput, error)
}

// ScanPaginator reads a table page by page.
type ScanPaginator struct {
	client ScanAPIClient
	in     ScanInput
	begun  bool
}

// NewScanPaginator returns a paginator that begins where the input says.
func NewScanPaginator(client ScanAPIClient, in *ScanInput) *ScanPaginator {
	return &ScanPaginator{client: client, in: *in}
}

// HasMorePages reports whether there may be another page.
func (p *ScanPaginator) HasMorePages() bool { return !p.begun || len(p.in.ExclusiveStartKey) > 0 }

// NextPage reads the next page.
func (p *ScanPaginator) NextPage(ctx context.Context) (*ScanOutput, error) {
	if !p.HasMorePages() {
		return nil, errors.New("no more pages available")
	}
	in := p.in
	out, err := p.client.Scan(ctx, &in)
	if err != nil {
		return nil, err
	}
	p.begun, p.in.ExclusiveStartKey = true, out.LastEvaluatedKey
	return out, nil
}

// ReturnValuesOnConditionCheckFailure says what a refused condition returns.
type ReturnValuesOnConditionCheckFailure string

// ReturnValuesOnConditionCheckFailureAllOld returns the item as it is.
const ReturnValuesOnConditionCheckFailureAllOld ReturnValuesOnConditionCheckFailure = "ALL_OLD"

// ReturnValue says what a write returns.
type ReturnValue string

// ReturnValueAllNew returns the item as it is after the write.
const ReturnValueAllNew ReturnValue = "ALL_NEW"

// UpdateItemInput changes one item, or creates it.
type UpdateItemInput struct {
	TableName                           *string
	Key                                 Item
	UpdateExpression                    *string                             `json:",omitempty"`
	ConditionExpression                 *string                             `json:",omitempty"`
	ExpressionAttributeNames            map[string]string                   `json:",omitempty"`
	ExpressionAttributeValues           Item                                `json:",omitempty"`
	ReturnValues                        ReturnValue                         `json:",omitempty"`
	ReturnValuesOnConditionCheckFailure ReturnValuesOnConditionCheckFailure `json:",omitempty"`
}

// UpdateItemOutput has what ReturnValues asks for.
type UpdateItemOutput struct {
	Attributes Item
}

// UpdateItem changes one item. A condition that does not hold is a [*ConditionalCheckFailedException].
func (c *Client) UpdateItem(ctx context.Context, in *UpdateItemInput) (*UpdateItemOutput, error) {
	return call[UpdateItemOutput](ctx, c, "UpdateItem", in)
}

// ConditionalCheckFailedException is the error of a condition that does not hold. Item is the item as it is, if the
// write asked for it.
type ConditionalCheckFailedException struct {
	smithy.GenericAPIError

	Item Item
}

// Error begins with the code, as the SDK's does.
func (e *ConditionalCheckFailedException) Error() string { return e.Code + ": " + e.Message }

func call[O any](ctx context.Context, c *Client, operation string, in any) (*O, error) {
	out := new(O)
	err := c.calls.Call(ctx, operation, in, out)
	var refused *awsjson.Error
	if !errors.As(err, &refused) || refused.Code != "ConditionalCheckFailedException" {
		return out, err
	}
	failed := &ConditionalCheckFailedException{GenericAPIError: refused.GenericAPIError}
	if unreadable := json.Unmarshal(refused.Body, failed); unreadable != nil {
		return out, err
	}
	return out, &smithy.OperationError{ServiceID: "DynamoDB", OperationName: operation, Err: failed}
}
