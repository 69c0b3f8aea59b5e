package main

import (
	"encoding/json"
	"slices"
	"time"

	"clientvpn-responder/internal/emulator"
)

// doubtful notes that a client who looks like this may be the person, and may be somebody else. Nobody may be ended for
// that, and an outcome about the person names the connection.
func (w *world) doubtful(person string, k emulator.Client) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doubts[ownerKey(k.EndpointID, k.Username, k.CommonName)] = person
}

// whySpared returns the status of an outcome that spares this connection alone. It is empty where an event about the
// person must not spare it.
func (w *world) whySpared(e *event, person string, c emulator.Connection) string {
	named := e.only == "" && e.address == ""
	switch owner := w.owner(c); {
	case named && (c.EndpointID == daughter) != (person != bare(person)):
		return "notified" // the issuer's people do not connect there
	case owner == "breakglass":
		return "exempt"
	case named && w.crowded[person] && owner == person:
		return "over-limit"
	case named && w.doubts[ownerKey(c.EndpointID, c.Username, c.CommonName)] == bare(person):
		return "ambiguous"
	case e.address != "" && c.EndpointID == certs && c.ClientIP == e.address && c.EstablishedAt.After(e.at):
		return "ambiguous" // somebody else may have had the address
	case named && w.reinstatedSince(e, person):
		return "stale" // or notified, which is allowed then
	}
	return ""
}

// spared is a connection that an outcome spares.
type spared struct {
	ID     string `json:"connection_id"`
	Reason string `json:"reason"`
}

// holdSpared: only doubtful, exempt and other companies' connections are spared, and those of a crowd or of somebody
// who was reinstated. It returns the status that follows, if the outcome ended nothing.
func (w *world) holdSpared(o claim, e *event, person string, body json.RawMessage) (status string) {
	all := w.connections()
	for i, s := range o.Spared {
		n := slices.IndexFunc(all, func(c emulator.Connection) bool { return c.ID == s.ID })
		if n < 0 { // its endpoint was deleted, so the model knows nothing of it
			if i == 0 && len(o.Connections) == 0 {
				status = o.Status
			}
			continue
		}
		why := w.whySpared(e, person, all[n])
		if why == "" {
			w.broke("%s spares %s's %+v, as %q: %s", e.id, w.owner(all[n]), all[n], s.Reason, body)
		}
		if i == 0 && len(o.Connections) == 0 {
			status = why
		}
	}
	return status
}

// holdDoubts: who was connected all the time, and may be the person, is named by an outcome that says how it is.
func (w *world) holdDoubts(o claim, e *event, person string, told map[string]string) {
	complete := []string{"terminated", "not-connected", "would-terminate", "reconnecting", "ambiguous"}
	if !slices.Contains(complete, o.Status) {
		return
	}
	for _, c := range w.connections() {
		_, listed := told[c.ID]
		if !listed && isUp(c) && c.EstablishedAt.Before(o.Timing.ReceivedAt.Add(-time.Second)) &&
			w.whySpared(e, person, c) == "ambiguous" {
			w.broke("%s says %s of %s, and nothing of the similar %+v", e.id, o.Status, person, c)
		}
	}
}
