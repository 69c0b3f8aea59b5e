package emulator

import "net/url"

// eventsTarget is the service's name in the header X-Amz-Target of the JSON protocol.
const eventsTarget = "AWSEvents"

var eventBridge = &service{
	name: "events", version: eventsTarget, contentType: jsonType11,
	throttled: refusal{code: "ThrottlingException", message: "Rate exceeded"},
	failure:   func(r *refusal, _ string, _ int) any { return jsonError{Type: r.code, Message: r.message} },
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		message := c.unauthorized("events:"+action, textOf(form, "Name"))
		return &refusal{code: "AccessDeniedException", message: message}
	},
}

// SetEventSource adds a partner event source, or changes its state: PENDING, ACTIVE or DELETED.
func (c *Cloud) SetEventSource(name, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.eventSources == nil {
		c.eventSources = map[string]string{}
	}
	c.eventSources[name] = state
}

// describeEventSource answers as the EventBridge API reference says.
func (c *Cloud) describeEventSource(form url.Values, _ string) (any, *refusal) {
	name := textOf(form, "Name")
	state, known := c.eventSources[name]
	if !known {
		return nil, refuse("ResourceNotFoundException", "Event source %s does not exist.", name)
	}
	arn := "arn:aws:events:" + c.region() + "::event-source/" + name
	return map[string]any{"Arn": arn, "Name": name, "State": state}, nil
}
