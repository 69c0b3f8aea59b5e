package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"
)

func answer(allow bool, message string) []byte {
	return fmt.Appendf(nil, `{"allow":%t,"error-msg-on-denied-connection":%q,"posture-compliance-statuses":[],"schema-version":"v3"}`, allow, message)
}

// TestConnectHandlerDecides: whoever comes back, or connects, is let in by the handler alone, which asks a table of
// the same cloud while others look.
func TestConnectHandlerDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{Latency: 20 * time.Millisecond}
		c.AddTable("list", "person")
		c.AddEndpoint(Endpoint{ID: endpointA})
		client, stop := HTTPClient(c)
		defer stop()
		list, api := dynamodb.NewFromConfig(config("http://dynamodb", client)), ec2.NewFromConfig(config("http://ec2", client))
		var requests []string
		c.ConnectHandler = func(ctx context.Context, request []byte) ([]byte, error) {
			requests = append(requests, string(request))
			var who struct{ Username string }
			if err := json.Unmarshal(request, &who); err != nil {
				return nil, err
			}
			key := map[string]types.AttributeValue{"person": &types.AttributeValueMemberS{Value: who.Username}}
			found, err := list.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"list": {Keys: []map[string]types.AttributeValue{key}}}})
			if err != nil {
				return nil, err
			}
			return answer(len(found.Responses["list"]) == 0, "not today"), nil
		}
		keepOut := func(person string) {
			_, err := list.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: aws.String("list"), Key: map[string]types.AttributeValue{"person": &types.AttributeValueMemberS{Value: person}},
				ConditionExpression: aws.String("attribute_not_exists(causes)"), UpdateExpression: aws.String("SET causes = :c"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":c": &types.AttributeValueMemberS{Value: "x"}},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		ann := Client{EndpointID: endpointA, Username: "ann", CommonName: "ann.laptop", ReconnectAfter: 2 * time.Second, Reconnects: 2}
		bob := Client{EndpointID: endpointA, Username: "bob", ReconnectAfter: 2 * time.Second, Reconnects: 1}
		for _, k := range []Client{ann, bob} {
			id := c.Connect(k)
			if _, err := api.TerminateClientVpnConnections(t.Context(), &ec2.TerminateClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpointA), ConnectionId: &id}); err != nil {
				t.Fatal(err)
			}
		}
		if len(requests) != 0 {
			t.Errorf("Connect asks: %s", requests)
		}
		keepOut("ann")
		time.Sleep(time.Minute)
		var looks sync.WaitGroup
		for range 3 { // as others look
			looks.Go(func() {
				out, err := api.DescribeClientVpnConnections(t.Context(), &ec2.DescribeClientVpnConnectionsInput{ClientVpnEndpointId: aws.String(endpointA)})
				if err != nil || len(out.Connections) != 3 || *out.Connections[2].Username != "bob" {
					t.Errorf("%v %+v", err, out)
				}
			})
		}
		looks.Wait()
		var refused []string
		for _, r := range c.Refused() {
			refused = append(refused, fmt.Sprint(r.Username, " ", r.Reason, " ", r.Message, " ", r.Err, " ", r.At.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).Round(time.Second)))
		}
		// Denied at its first attempt, it tries once more.
		want := []string{"ann client-connect-failed not today <nil> 2s", "ann client-connect-failed not today <nil> 4s"}
		if diff := cmp.Diff(want, refused); diff != "" {
			t.Error(diff)
		}
		if len(requests) != 3 || !slices.ContainsFunc(requests, func(r string) bool {
			_, rest, _ := strings.Cut(r, `"endpoint-id"`)
			return rest == `:"`+endpointA+`","common-name":"ann.laptop","username":"ann","platform":"linux","platform-version":"6.8","public-ip":"203.0.113.7",`+
				`"client-openvpn-version":"2.6.12","aws-client-version":"5.3.0","groups":[],"schema-version":"v3"}`
		}) {
			t.Errorf("asked %q", requests)
		}
		if id, established := c.Attempt(Client{EndpointID: endpointA, Username: "ann"}); established || id != "" {
			t.Error("ann is in")
		}
		id, established := c.Attempt(Client{EndpointID: endpointA, Username: "carol"})
		if k := c.Connections(); !established || k[len(k)-1].ID != id || k[len(k)-1].Status != active || !strings.Contains(requests[len(requests)-1], id) {
			t.Errorf("carol: %s %+v %s", id, k, requests)
		}
	})
}

// TestConnectHandlerFailsClosed: what is not a sound yes is a no.
func TestConnectHandlerFailsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Cloud{}
		c.AddEndpoint(Endpoint{ID: endpointA})
		long := strings.Repeat("ü", 256)
		for _, test := range []struct {
			answer string
			err    error
			reason string // after client-connect-; empty for allowed
		}{
			{answer: string(answer(true, ""))},
			{answer: strings.Replace(string(answer(true, long[:510])), "v3", "v2", 1)},
			{answer: string(answer(false, "")), reason: "failed"},
			{err: errors.New("no such function"), reason: "handler-other-execution-error"},
			{answer: "wait", reason: "handler-timed-out"},
			{answer: "", reason: "handler-invalid-response"},
			{answer: `{"allow":true}`, reason: "handler-invalid-response"},
			{answer: strings.Replace(string(answer(true, "")), `"allow":true,`, "", 1), reason: "handler-invalid-response"},
			{answer: strings.Replace(string(answer(true, "")), `true`, `"true"`, 1), reason: "handler-invalid-response"},
			{answer: strings.Replace(string(answer(true, "")), `"posture-compliance-statuses":[],`, "", 1), reason: "handler-invalid-response"},
			{answer: strings.Replace(string(answer(true, "")), `"v3"`, `"v1"`, 1), reason: "handler-invalid-response"},
			{answer: strings.Replace(string(answer(true, "")), `[]`, `["`+long+`"]`, 1), reason: "handler-invalid-response"},
			{answer: string(answer(true, long)), reason: "handler-invalid-response"},
		} {
			c.ConnectHandler = func(ctx context.Context, _ []byte) ([]byte, error) {
				if test.answer == "wait" {
					<-ctx.Done()
				}
				return []byte(test.answer), test.err
			}
			start, before := time.Now(), len(c.Refused())
			_, established := c.Attempt(Client{EndpointID: endpointA, Username: "ann"})
			refused := c.Refused()[before:]
			switch {
			case test.reason == "" && (!established || len(refused) != 0):
				t.Errorf("%s is denied: %+v", test.answer, refused)
			case test.reason != "" && (established || len(refused) != 1 || refused[0].Reason != "client-connect-"+test.reason || refused[0].Message == ""):
				t.Errorf("%s %v: %t %+v, want %s", test.answer, test.err, established, refused, test.reason)
			case test.answer == "wait" && time.Since(start) != 30*time.Second:
				t.Errorf("given up after %s", time.Since(start))
			}
		}
	})
}

// TestEndpointsSayWhetherTheyAsk, and one that does not lets in everybody.
func TestEndpointsSayWhetherTheyAsk(t *testing.T) {
	c := &Cloud{ConnectHandler: func(context.Context, []byte) ([]byte, error) { return answer(false, ""), nil }}
	c.AddEndpoint(Endpoint{ID: endpointA})
	c.AddEndpoint(Endpoint{ID: endpointB, NoConnectHandler: true})
	client, stop := HTTPClient(c)
	defer stop()
	api := ec2.NewFromConfig(config("http://ec2", client))
	for _, id := range []string{endpointA, endpointB} {
		_, in := c.Attempt(Client{EndpointID: id, Username: "ann"})
		out, err := api.DescribeClientVpnEndpoints(t.Context(), &ec2.DescribeClientVpnEndpointsInput{ClientVpnEndpointIds: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		options := out.ClientVpnEndpoints[0].ClientConnectOptions
		if asks := id == endpointA; in == asks || *options.Enabled != asks || asks != (options.Status != nil && options.Status.Code == "applied") ||
			asks != (aws.ToString(options.LambdaFunctionArn) == "arn:aws:lambda:eu-west-1:111122223333:function:AWSClientVPN-handler") {
			t.Errorf("%s: %+v, let in: %t", id, options, in)
		}
	}
}
