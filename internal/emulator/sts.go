package emulator

import (
	"encoding/xml"
	"net/http"
	"regexp"
	"time"
)

const (
	stsVersion = "2011-06-15"
	stsSpace   = "https://sts.amazonaws.com/doc/" + stsVersion + "/"
)

type assumeRoleResponse struct {
	XMLName      xml.Name
	AccessKeyID  string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
	Secret       string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
	SessionToken string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	Expiration   string `xml:"AssumeRoleResult>Credentials>Expiration"`
	ARN          string `xml:"AssumeRoleResult>AssumedRoleUser>Arn"`
	ID           string `xml:"AssumeRoleResult>AssumedRoleUser>AssumedRoleId"`
	RequestID    string `xml:"ResponseMetadata>RequestId"`
}

type stsErrorResponse struct {
	XMLName   xml.Name
	Type      string `xml:"Error>Type"`
	Code      string `xml:"Error>Code"`
	Message   string `xml:"Error>Message"`
	RequestID string `xml:"RequestId"`
}

var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):role/(?:.*/)?([^/]+)$`)

// serveSTS answers AssumeRole as the STS API reference describes.
func (a *Accounts) serveSTS(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	document, status := a.assumeRole(r)
	body, err := xml.Marshal(document)
	if err != nil {
		panic(err) // the documents are ours, and encode
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	w.Write(body) // an error means that the client has gone
}

func (a *Accounts) assumeRole(r *http.Request) (document any, status int) {
	if err := r.ParseForm(); err != nil {
		return err.Error(), http.StatusBadRequest
	}
	form := r.Form
	if action, version := form.Get("Action"), form.Get("Version"); action != "AssumeRole" || version != stsVersion {
		refused := refuse("InvalidAction", "Could not find operation %s for version %s", action, version)
		return a.refuseSTS(http.StatusBadRequest, refused)
	}
	role, session := form.Get("RoleArn"), form.Get("RoleSessionName")
	parts := roleARN.FindStringSubmatch(role)
	if parts == nil || session == "" {
		return a.refuseSTS(http.StatusBadRequest, refuse("ValidationError", "RoleArn or RoleSessionName is invalid"))
	}
	externalID, known := a.Roles[role]
	if !known || externalID != form.Get("ExternalId") {
		return a.refuseSTS(http.StatusForbidden, refuse("AccessDenied",
			"User: arn:aws:sts::%s:assumed-role/clientvpn-responder/clientvpn-responder is not authorized to perform: "+
				"sts:AssumeRole on resource: %s", a.Home.account(), role))
	}
	id := a.requestID()
	a.assumed = append(a.assumed, role)
	return assumeRoleResponse{
		XMLName: xml.Name{Space: stsSpace, Local: "AssumeRoleResponse"}, AccessKeyID: "ASIA" + parts[1] + "ROLE",
		Secret: "secret", SessionToken: "token", Expiration: time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
		ARN: "arn:aws:sts::" + parts[1] + ":assumed-role/" + parts[2] + "/" + session,
		ID:  "AROAEXAMPLE:" + session, RequestID: id,
	}, http.StatusOK
}

func (a *Accounts) requestID() string { return uuid("sts", len(a.assumed)) }

func (a *Accounts) refuseSTS(status int, r *refusal) (document any, _ int) {
	name := xml.Name{Space: stsSpace, Local: "ErrorResponse"}
	return stsErrorResponse{name, "Sender", r.code, r.message, a.requestID()}, status
}
