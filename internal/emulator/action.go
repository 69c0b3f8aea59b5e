package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// service is what one of AWS's APIs has of its own.
type service struct {
	name        string
	version     string // of a Query API, or the service's name in the header X-Amz-Target of a JSON API
	contentType string // of an answer
	throttled   refusal
	failure     func(r *refusal, requestID string, status int) (document any)
	forbidden   func(c *Cloud, action string, form url.Values) *refusal
}

func (s *service) json() bool {
	return s == functions || strings.HasPrefix(s.contentType, "application/x-amz-json")
}

// Content types of answers.
const (
	xmlType    = "text/xml;charset=UTF-8"
	jsonType10 = "application/x-amz-json-1.0"
	jsonType11 = "application/x-amz-json-1.1"
)

var queryThrottled = refusal{
	code: "RequestLimitExceeded", message: "Request limit exceeded.", status: statuses["RequestLimitExceeded"],
}

var services = map[string]*service{
	elasticCompute.version: elasticCompute, notification.version: notification,
	identityStore.version: identityStore, dynamoDB.version: dynamoDB, simpleQueue.version: simpleQueue,
	identityAndAccess.version: identityAndAccess, secretsManager.version: secretsManager,
	securityTokens.version: securityTokens,
	eventBridge.version:    eventBridge,
	simpleStorage.version:  simpleStorage,
	functions.version:      functions,
}

// action does what a request asks for, and returns the answer's document or an error.
type action struct {
	service *service
	do      func(c *Cloud, form url.Values, requestID string) (document any, refused *refusal)
}

var actions = map[string]action{
	"DescribeClientVpnConnections":  {elasticCompute, (*Cloud).describeConnections},
	"DescribeClientVpnEndpoints":    {elasticCompute, (*Cloud).describeEndpoints},
	"TerminateClientVpnConnections": {elasticCompute, (*Cloud).terminateConnections},
	"Publish":                       {notification, (*Cloud).publish},
	"GetTopicAttributes":            {notification, (*Cloud).getTopicAttributes},
	"DescribeGroupMembership":       {identityStore, (*Cloud).describeGroupMembership},
	"DescribeUser":                  {identityStore, (*Cloud).describeUser},
	"GetUserId":                     {identityStore, (*Cloud).getUserID},
	"GetSAMLProvider":               {identityAndAccess, (*Cloud).getSAMLProvider},
	"DescribeEventSource":           {eventBridge, (*Cloud).describeEventSource},
	"GetSecretValue":                {secretsManager, (*Cloud).getSecretValue},
	"GetWebIdentityToken":           {securityTokens, (*Cloud).getWebIdentityToken},
	"ListUsers":                     {identityStore, (*Cloud).listUsers},
	"BatchGetItem":                  {dynamoDB, (*Cloud).batchGetItem},
	"BatchWriteItem":                {dynamoDB, (*Cloud).batchWriteItem},
	"DeleteItem":                    {dynamoDB, (*Cloud).deleteItem},
	"GetItem":                       {dynamoDB, (*Cloud).getItem},
	"PutItem":                       {dynamoDB, (*Cloud).putItem},
	"Query":                         {dynamoDB, (*Cloud).query},
	"Scan":                          {dynamoDB, (*Cloud).scan},
	"TransactWriteItems":            {dynamoDB, (*Cloud).transactWriteItems},
	"UpdateItem":                    {dynamoDB, (*Cloud).updateItem},
	"ChangeMessageVisibility":       {simpleQueue, (*Cloud).changeMessageVisibility},
	"ChangeMessageVisibilityBatch":  {simpleQueue, (*Cloud).changeMessageVisibilityBatch},
	"DeleteMessage":                 {simpleQueue, (*Cloud).deleteMessage},
	"DeleteMessageBatch":            {simpleQueue, (*Cloud).deleteMessageBatch},
	"GetQueueAttributes":            {simpleQueue, (*Cloud).getQueueAttributes},
	"GetQueueUrl":                   {simpleQueue, (*Cloud).getQueueURL},
	"ListMessageMoveTasks":          {simpleQueue, (*Cloud).listMessageMoveTasks},
	"ReceiveMessage":                {simpleQueue, (*Cloud).receiveMessage},
	"SendMessage":                   {simpleQueue, (*Cloud).sendMessage},
	"SendMessageBatch":              {simpleQueue, (*Cloud).sendMessageBatch},
	"StartMessageMoveTask":          {simpleQueue, (*Cloud).startMessageMoveTask},
	"DeleteObject":                  {simpleStorage, (*Cloud).deleteObject},
	"GetObject":                     {simpleStorage, (*Cloud).getObject},
	"ListObjectVersions":            {simpleStorage, (*Cloud).listObjectVersions},
	"PutObject":                     {simpleStorage, (*Cloud).putObject},
	"Invoke":                        {functions, (*Cloud).invoke},
}

// refusal is an error that a service answers.
type refusal struct {
	code, message string
	status        int                  // default 400
	item          item                 // what a condition of DynamoDB found
	reasons       []cancellationReason // of a transaction of DynamoDB
}

func refuse(code, format string, args ...any) *refusal {
	return &refusal{code: code, message: fmt.Sprintf(format, args...)}
}

// statuses are those of the codes that faults can have (EC2 Developer Guide, error codes for the Amazon EC2 API).
var statuses = map[string]int{
	"InternalError": 500, "InternalFailure": 500, "RequestLimitExceeded": 503, "ServiceUnavailable": 503,
	"Unavailable": 503, "InternalServerError": 500,
}

// handle does what the form asks for. It looks at faults first, then at permissions, then at the parameters.
func (c *Cloud) handle(form url.Values) response {
	name := form.Get("Action")
	var asked Fault
	if c.OnCall != nil {
		asked = c.OnCall(Call{Action: name, Params: form, At: time.Now()})
	}
	a := response{service: services[form.Get("Version")], status: http.StatusOK}
	if a.service == nil {
		a.service = elasticCompute
	}
	if a.service == dynamoDB { // the connect handler calls it while others wait for the handler
		c.mu.Lock()
	} else {
		c.enter()
	}
	defer c.mu.Unlock()
	a.requestID = uuid("request", c.next())
	call := &Call{Action: name, Params: form, RequestID: a.requestID, At: time.Now()}
	c.calls = append(c.calls, call)

	if a.fault = c.fault(name, form); a.fault == (Fault{}) {
		a.fault = asked
	}
	document, refused := c.do(form, a.requestID, a.fault)
	call.Code = a.fault.codeOf(refused)
	a.document = document
	if refused != nil {
		a.status = cmp.Or(refused.status, http.StatusBadRequest)
		a.document = a.service.failure(refused, a.requestID, a.status)
	}
	return a
}

// do carries out the action, unless a limit, a fault or a missing permission prevents it.
func (c *Cloud) do(form url.Values, requestID string, fault Fault) (document any, refused *refusal) {
	name, version := form.Get("Action"), form.Get("Version")
	action, known := actions[name]
	switch {
	case fault.Code != "":
		status := cmp.Or(fault.Status, statuses[fault.Code])
		return nil, &refusal{code: fault.Code, message: fault.Message, status: status}
	case !known || action.service.version != version:
		return nil, refuse("InvalidAction", "Could not find operation %s for version %s", name, version)
	case c.throttled(name):
		return nil, &action.service.throttled
	case c.isDenied(name, form):
		return nil, action.service.forbidden(c, name, form)
	}
	return action.do(c, form, requestID)
}

// isDenied reports whether Deny removed the permission for an action on what the request names.
func (c *Cloud) isDenied(action string, form url.Values) bool {
	for _, d := range c.denied {
		if d[0] == action && (d[1] == "" || slices.Contains(resources(form), d[1])) {
			return true
		}
	}
	return false
}

// unauthorized returns the text of IAM's refusals.
func (c *Cloud) unauthorized(label, arn string) string {
	on := ""
	if arn != "" {
		on = " on resource: " + arn
	}
	return fmt.Sprintf("User: arn:%s:sts::%s:assumed-role/clientvpn-responder/clientvpn-responder "+
		"is not authorized to perform: %s%s because no identity-based policy allows the %[3]s action",
		partition(c.region()), c.account(), label, on)
}
