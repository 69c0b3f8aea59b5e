package connect

import (
	"encoding/json"
	"errors"
	"fmt"
)

// request is what is read of AWS Client VPN's requests, which have the same names in all versions of the schema.
// aws-lambda-go has the first version only, and cannot tell a member that is not there, as of a version to come, from
// an empty one. What else there is (platform, groups, which are a list or a text) is not looked at, so that nothing
// in it can be wrong.
// Source: AWS Client VPN administrator guide, connection authorization.
type request struct {
	ConnectionID  string  `json:"connection-id"`
	EndpointID    string  `json:"endpoint-id"`
	CommonName    *string `json:"common-name"`
	Username      *string `json:"username"`
	PublicIP      string  `json:"public-ip"`
	SchemaVersion string  `json:"schema-version"`
}

// readRequest reads a request. With an error, the request has what could be read.
func readRequest(payload []byte) (request, error) {
	var r request
	if err := json.Unmarshal(payload, &r); err != nil {
		return r, fmt.Errorf("reading the request: %w", err)
	}
	if r.Username == nil && r.CommonName == nil {
		return r, errors.New("reading the request: it has neither username nor common-name")
	}
	// One alone says who it is.
	if r.Username == nil {
		r.Username = new(string)
	}
	if r.CommonName == nil {
		r.CommonName = new(string)
	}
	return r, nil
}

// response is an answer. Version 1 has another name for the message. Source: as above; of version 1, published
// handlers.
type response struct {
	Allow     bool     `json:"allow"`
	Message   *string  `json:"error-msg-on-denied-connection,omitempty"`
	MessageV1 *string  `json:"error-msg-on-failed-posture-compliance,omitempty"`
	Statuses  []string `json:"posture-compliance-statuses"`
	Version   string   `json:"schema-version"`
}

// answer writes the answer in the version of the request. One that is not known yet has the newest answer that is.
func answer(version string, allow bool, message string) []byte {
	r := response{Allow: allow, Message: &message, Statuses: []string{}, Version: "v3"}
	switch version {
	case "v1":
		r.Version, r.Message, r.MessageV1 = version, nil, &message
	case "v2":
		r.Version = version
	}
	if allow {
		message = ""
	}
	raw, err := json.Marshal(r)
	if err != nil {
		panic(err) // it is ours, and encodes
	}
	return raw
}
