package emulator

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"time"
)

// secretsTarget is the service's name in the header X-Amz-Target of the JSON protocol.
const secretsTarget = "secretsmanager"

var secretsManager = &service{
	name: "secretsmanager", version: secretsTarget, contentType: jsonType11,
	throttled: refusal{code: "ThrottlingException", message: "Rate exceeded"},
	failure:   func(r *refusal, _ string, _ int) any { return jsonError{Type: r.code, Message: r.message} },
	forbidden: func(c *Cloud, action string, form url.Values) *refusal {
		message := c.unauthorized("secretsmanager:"+action, textOf(form, "SecretId"))
		return &refusal{code: "AccessDeniedException", message: message}
	},
}

// AddSecret stores a secret's text under its ARN.
func (c *Cloud) AddSecret(arn, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.secrets == nil {
		c.secrets = map[string]string{}
	}
	c.secrets[arn] = text
}

// getSecretValue answers as the Secrets Manager API reference says.
func (c *Cloud) getSecretValue(form url.Values, _ string) (any, *refusal) {
	arn := textOf(form, "SecretId")
	text, known := c.secrets[arn]
	if !known {
		return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return map[string]any{
		"ARN": arn, "Name": nameOf(arn), "SecretString": text, "VersionStages": []string{"AWSCURRENT"},
	}, nil
}

// textOf returns a member of a request that is a text.
func textOf(form url.Values, name string) (text string) {
	_ = json.Unmarshal([]byte(form.Get(name)), &text) // a request without it names nothing
	return text
}

var securityTokens = &service{
	name: "sts", version: stsVersion, contentType: xmlType, throttled: queryThrottled,
	failure: func(r *refusal, requestID string, _ int) any {
		return stsErrorResponse{xml.Name{Space: stsSpace, Local: "ErrorResponse"}, "Sender", r.code, r.message, requestID}
	},
	forbidden: func(c *Cloud, action string, _ url.Values) *refusal {
		return &refusal{code: "AccessDenied", message: c.unauthorized("sts:"+action, ""), status: http.StatusForbidden}
	},
}

type webIdentityResponse struct {
	XMLName    xml.Name
	Token      string `xml:"GetWebIdentityTokenResult>WebIdentityToken"`
	Expiration string `xml:"GetWebIdentityTokenResult>Expiration"`
	RequestID  string `xml:"ResponseMetadata>RequestId"`
}

// getWebIdentityToken returns a token that nobody has signed.
// Source: STS API reference, GetWebIdentityToken.
func (c *Cloud) getWebIdentityToken(form url.Values, requestID string) (any, *refusal) {
	algorithm := form.Get("SigningAlgorithm")
	if form.Get("Audience.member.1") == "" || algorithm != "RS256" && algorithm != "ES384" {
		return nil, refuse("ValidationError", "Audience or SigningAlgorithm is invalid")
	}
	return webIdentityResponse{
		XMLName: xml.Name{Space: stsSpace, Local: "GetWebIdentityTokenResponse"}, Token: "e30.e30.c2ln",
		Expiration: time.Now().Add(5 * time.Minute).UTC().Format(time.RFC3339), RequestID: requestID,
	}, nil
}
