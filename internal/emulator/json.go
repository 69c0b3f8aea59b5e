package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// jsonError is an error of the JSON protocol.
type jsonError struct {
	Type    string `json:"__type"`
	Message string `json:"Message"`
}

// parseJSON brings a request of the JSON protocol into the form of the others. The texts among the
// identity store's members lose their quotes; all other members stay JSON.
func parseJSON(body io.Reader, target string) (url.Values, error) {
	var members map[string]json.RawMessage
	if err := json.NewDecoder(body).Decode(&members); err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	service, action, _ := strings.Cut(target, ".")
	form := url.Values{"Action": {action}, "Version": {service}}
	for name, value := range members {
		text := string(value)
		if service == identityStoreTarget {
			_ = json.Unmarshal(value, &text) // what is no text stays JSON
		}
		form.Set(name, text)
	}
	return form, nil
}
