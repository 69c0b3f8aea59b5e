package emulator

import (
	"encoding/xml"
	"net/http"
	"net/url"
)

const (
	iamVersion = "2010-05-08"
	iamSpace   = "https://iam.amazonaws.com/doc/" + iamVersion + "/"
)

var identityAndAccess = &service{
	name: "iam", version: iamVersion, contentType: xmlType, throttled: queryThrottled,
	failure: func(r *refusal, requestID string, _ int) any {
		return stsErrorResponse{xml.Name{Space: iamSpace, Local: "ErrorResponse"}, "Sender", r.code, r.message, requestID}
	},
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		message := c.unauthorized("iam:"+action, form.Get("SAMLProviderArn"))
		return &refusal{code: "AccessDenied", message: message, status: http.StatusForbidden}
	},
}

// AddSAMLProvider adds a SAML provider with its metadata, under its ARN. Without metadata there is none.
func (c *Cloud) AddSAMLProvider(arn, metadata string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.samlProviders == nil {
		c.samlProviders = map[string]string{}
	}
	c.samlProviders[arn] = metadata
}

type samlProviderResponse struct {
	XMLName   xml.Name
	Metadata  string `xml:"GetSAMLProviderResult>SAMLMetadataDocument"`
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

// getSAMLProvider answers as the IAM API reference says.
func (c *Cloud) getSAMLProvider(form url.Values, requestID string) (any, *refusal) {
	metadata := c.samlProviders[form.Get("SAMLProviderArn")]
	if metadata == "" {
		return nil, &refusal{code: "NoSuchEntity", message: "Manifest not found for arn", status: http.StatusNotFound}
	}
	return samlProviderResponse{xml.Name{Space: iamSpace, Local: "GetSAMLProviderResponse"}, metadata, requestID}, nil
}
