package emulator

import (
	"encoding/xml"
	"net/http"
	"net/url"
)

const (
	ec2Version = "2016-11-15"
	ec2Space   = "http://ec2.amazonaws.com/doc/" + ec2Version + "/"
)

// elasticCompute is EC2.
var elasticCompute = &service{
	name: "ec2", version: ec2Version, contentType: xmlType, throttled: queryThrottled,
	failure: func(r *refusal, requestID string, _ int) any {
		return errorResponse{Errors: []errorItem{{r.code, r.message}}, RequestID: requestID}
	},
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		resource := ""
		if action != "DescribeClientVpnEndpoints" { // which has none (Service Authorization Reference, Amazon EC2)
			resource = c.arn("ec2", "client-vpn-endpoint/"+form.Get("ClientVpnEndpointId"))
		}
		message := "You are not authorized to perform this operation. " + c.unauthorized("ec2:"+action, resource)
		return &refusal{code: "UnauthorizedOperation", message: message, status: http.StatusForbidden}
	},
}

type errorItem struct{ Code, Message string }

type errorResponse struct {
	XMLName   xml.Name    `xml:"Response"`
	Errors    []errorItem `xml:"Errors>Error"`
	RequestID string
}

// items encodes a list as EC2 does: an empty one has its element, too.
type items[T any] struct {
	Item []T `xml:"item"`
}

type status struct {
	Code    string `xml:"code"`
	Message string `xml:"message,omitempty"`
}

func noEndpoint(id string) *refusal {
	return refuse("InvalidClientVpnEndpointId.NotFound", "Endpoint %s does not exist", id)
}

// target returns the endpoint that a request must name.
func (c *Cloud) target(form url.Values) (*endpoint, *refusal) {
	id := form.Get("ClientVpnEndpointId")
	if id == "" {
		return nil, refuse("MissingParameter", "The request must contain the parameter ClientVpnEndpointId")
	}
	if e := c.byID[id]; e != nil {
		return e, nil
	}
	return nil, noEndpoint(id)
}

// dryRun refuses a sound request that asks for no more than that. AWS does not document the HTTP status.
func dryRun(form url.Values) *refusal {
	if form.Get("DryRun") != "true" {
		return nil
	}
	return &refusal{
		code: "DryRunOperation", message: "Request would have succeeded, but DryRun flag is set.",
		status: http.StatusPreconditionFailed,
	}
}
