package emulator

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
)

const (
	stsVersion = "2011-06-15"
	stsSpace   = "https://sts.amazonaws.com/doc/" + stsVersion + "/"
)

// Accounts are several accounts and Regions behind one URL, as an [http.Handler]. Which one a request is for, its signature
// says: the Region that it was signed for, and the access key. STS's AssumeRole gives keys that lead to the role's account;
// all others lead to the home.
type Accounts struct {
	Home   *Cloud
	Others []*Cloud
	// Roles are those that can be assumed, by ARN, with the external id that each asks for; empty for none.
	Roles map[string]string

	mu      sync.Mutex
	assumed []string
}

// Assumed lists the roles that were assumed, in order.
func (a *Accounts) Assumed() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.assumed)
}

// scope finds access key, Region and service in a signature.
// Source: AWS API reference, "Signature Version 4", Authorization header.
var scope = regexp.MustCompile(`Credential=([^/]+)/[0-9]+/([^/]+)/([^/]+)/aws4_request`)

// assumedKey is how the keys of assumed roles look here: the account stands in them.
var assumedKey = regexp.MustCompile(`^ASIA([0-9]{12})ROLE$`)

func (a *Accounts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signed := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if signed == nil {
		http.Error(w, "the request is not signed", http.StatusForbidden)
		return
	}
	key, region, service := signed[1], signed[2], signed[3]
	if service == "sts" {
		a.serveSTS(w, r)
		return
	}
	account := a.Home.account()
	if role := assumedKey.FindStringSubmatch(key); role != nil {
		account = role[1]
	}
	for _, c := range append([]*Cloud{a.Home}, a.Others...) {
		if c.account() == account && c.region() == region {
			c.ServeHTTP(w, r)
			return
		}
	}
	(&Cloud{Account: account, Region: region}).ServeHTTP(w, r) // nothing is there
}

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

// serveSTS answers AssumeRole as the STS API reference says.
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
	id := uuid("sts", len(a.assumed))
	refuse := func(status int, code, format string, args ...any) (any, int) {
		return stsErrorResponse{xml.Name{Space: stsSpace, Local: "ErrorResponse"}, "Sender", code, fmt.Sprintf(format, args...), id}, status
	}
	if form.Get("Action") != "AssumeRole" || form.Get("Version") != stsVersion {
		return refuse(http.StatusBadRequest, "InvalidAction", "Could not find operation %s for version %s", form.Get("Action"), form.Get("Version"))
	}
	role, session := form.Get("RoleArn"), form.Get("RoleSessionName")
	parts := roleARN.FindStringSubmatch(role)
	if parts == nil || session == "" {
		return refuse(http.StatusBadRequest, "ValidationError", "RoleArn or RoleSessionName is invalid")
	}
	externalID, known := a.Roles[role]
	if !known || externalID != form.Get("ExternalId") {
		return refuse(http.StatusForbidden, "AccessDenied", "User: arn:aws:sts::%s:assumed-role/clientvpn-responder/clientvpn-responder is not authorized to perform: sts:AssumeRole on resource: %s", a.Home.account(), role)
	}
	a.assumed = append(a.assumed, role)
	return assumeRoleResponse{
		XMLName: xml.Name{Space: stsSpace, Local: "AssumeRoleResponse"}, AccessKeyID: "ASIA" + parts[1] + "ROLE", Secret: "secret", SessionToken: "token",
		Expiration: time.Now().Add(time.Hour).UTC().Format(time.RFC3339), ARN: "arn:aws:sts::" + parts[1] + ":assumed-role/" + parts[2] + "/" + session,
		ID: "AROAEXAMPLE:" + session, RequestID: id,
	}, http.StatusOK
}
