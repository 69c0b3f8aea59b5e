// Package emulator stands in for the AWS services that the responder calls. [Cloud] has EC2's Client VPN actions, SNS's
// Publish, the identity store's users, and parts of DynamoDB and SQS; [Function] is the Lambda Runtime API.
//
// It promises the wire formats, error codes, statuses and limits that AWS documents. The AWS SDKs and the AWS CLI work
// against it unchanged. Where AWS documents nothing, a comment says so beside the choice made. It never leaves the
// machine and checks no signatures. It starts no goroutine for its state: each request works out from time.Now what has
// happened by then. So it runs in a [testing/synctest] bubble as well as by the wall clock. Names and identifiers are
// the same in every run.
package emulator

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Cloud is one account in one Region, as an [http.Handler]. It has EC2's Client VPN actions, SNS's Publish, the
// identity store's users, and parts of DynamoDB, SQS and S3. The zero value is ready. Set its exported fields before
// the first use. Its methods can be called from several goroutines.
type Cloud struct {
	Account       string        // default 111122223333
	Region        string        // default eu-west-1
	TerminateTime time.Duration // from terminating to terminated; default 300 ms, AWS publishes no figure
	IdentityStore string        // default d-9067123456
	NoTopics      []string      // ARNs of topics that do not exist; all others do
	PageSize      int           // connections in a page without MaxResults, and the upper bound with it; default 1000
	PageItems     int           // items in an answer of DynamoDB's; default 100; below 0 for none
	Latency       time.Duration // added to every answer
	TableLatency  time.Duration // in place of Latency, for DynamoDB's answers; 0 is Latency

	// Limits are token buckets by action, such as TerminateClientVpnConnections. An action without one is not limited.
	// DocumentedLimits returns those that EC2 documents.
	Limits map[string]Limit

	// EndedAnswersRow chooses what Terminate answers for the id of a connection that has ended and is still listed. True
	// is a row from terminated to terminated, false an error InvalidClientVpnConnection.IdNotFound. AWS does not document
	// which.
	EndedAnswersRow bool

	// OnCall, if set, sees each call before anything is done about it, and may change the cloud meanwhile. The fault
	// that it returns spoils the answer, unless an injected fault is due.
	OnCall func(Call) Fault

	// ConnectHandler is the client connect handler of every endpoint without [Endpoint.NoConnectHandler]. It gets a
	// request of schema v3 when a client comes back, or when [Cloud.Attempt] lets one connect. A connection that it
	// does not allow, for whatever reason, is denied, as AWS does. Nil allows all. Like everything here it runs when
	// somebody looks. It may call the cloud's DynamoDB, but nothing else of the cloud.
	ConnectHandler func(ctx context.Context, request []byte) (answer []byte, err error)

	mu       sync.Mutex
	asking   bool      // the connect handler is running, and mu is not held
	answered sync.Cond // no longer asking
	state
}

// state is what Reset forgets.
type state struct {
	count         int // numbers everything: identifiers, the order of establishment, the order of events
	endpoints     []*endpoint
	byID          map[string]*endpoint
	conns         map[string]*conn // all that are listed
	users         map[string]User
	tables        map[string]*table
	queues        map[string]*queue // by name
	moves         []moveTask        // of dead letters
	secrets       map[string]string // by ARN
	eventSources  map[string]string // states by name
	samlProviders map[string]string // metadata by ARN
	buckets       map[string][]*object
	memberships   map[string]Membership
	functions     map[string]function // by name

	transactions map[string]transaction // by token
	refused      []Refusal
	events       events
	expired      bool // some connections have left conns, but not yet their endpoints' lists
	calls        []*Call
	messages     []Message
	faults       []Fault
	tokens       map[string]*tokens // by action
	denied       [][2]string        // action, resource or ""
}

// Reset forgets endpoints, connections, users, calls, messages, tables, queues, buckets, faults and denials.
func (c *Cloud) Reset() {
	c.enter()
	defer c.mu.Unlock()
	c.state = state{}
}

// enter locks the state and brings it up to date. It waits while the connect handler is running.
func (c *Cloud) enter() {
	c.mu.Lock()
	if c.answered.L == nil {
		c.answered.L = &c.mu
	}
	for c.asking {
		c.answered.Wait()
	}
	c.advance()
}

func (c *Cloud) account() string { return cmp.Or(c.Account, "111122223333") }
func (c *Cloud) region() string  { return cmp.Or(c.Region, "eu-west-1") }

// arn returns the ARN of one of the account's resources in the Region.
func (c *Cloud) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", partition(c.region()), service, c.region(), c.account(), resource)
}

// partition returns the part of an ARN that follows from the Region.
// Source: IAM User Guide, Amazon Resource Names.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

func (c *Cloud) next() int {
	c.count++
	return c.count
}

// digest returns 64 hexadecimal digits that are the same in every run.
func digest(kind string, n int) string {
	return fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, kind, n)))
}

func uuid(kind string, n int) string {
	d := digest(kind, n)
	return d[:8] + "-" + d[8:12] + "-4" + d[13:16] + "-8" + d[17:20] + "-" + d[20:32]
}
