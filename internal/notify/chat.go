package notify

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"clientvpn-responder/internal/responder"
)

// notification is a custom notification of Amazon Q Developer in chat applications.
// Source: Amazon Q Developer in chat applications administrator guide, "Custom notifications".
type notification struct {
	Version  string   `json:"version"`
	Source   string   `json:"source"`
	Content  content  `json:"content"`
	Metadata metadata `json:"metadata"`
}

type content struct {
	TextType    string   `json:"textType"`
	Title       string   `json:"title"`       // at most 250 characters
	Description string   `json:"description"` // at most 8,000
	NextSteps   []string `json:"nextSteps"`   // at most 350 each
	Keywords    []string `json:"keywords"`    // at most 75 each
}

type metadata struct {
	// ThreadID keeps the messages about one event or finding together.
	ThreadID          string            `json:"threadId"`
	Summary           string            `json:"summary"`
	EventType         string            `json:"eventType"`
	RelatedResources  []string          `json:"relatedResources"`
	AdditionalContext map[string]string `json:"additionalContext"`
}

// chat renders the outcome as a custom notification.
func chat(o responder.Outcome) (title, body string, err error) {
	n := notification{Version: "1.0", Source: "custom", Content: contentOf(o), Metadata: metadataOf(o)}
	raw, err := json.Marshal(n)
	if err != nil {
		return "", "", fmt.Errorf("rendering the chat notification: %w", err)
	}
	return textSubject(o), string(raw), nil
}

func contentOf(o responder.Outcome) content {
	c := content{
		TextType: "client-markdown", Title: tame(titleWithin(o, 250, source(o))),
		Description: cut(strings.Join(description(o), "\n"), 8000), NextSteps: []string{}, Keywords: []string{},
	}
	for _, step := range steps(o) {
		c.NextSteps = append(c.NextSteps, cut(tame(step), 350))
	}
	for _, word := range []string{string(o.Status), o.Signal.Provider, string(o.Signal.Kind), string(o.Decision.Mode)} {
		if word != "" {
			c.Keywords = append(c.Keywords, cut(tame(word), 75))
		}
	}
	return c
}

// description returns the lines of the notification's text.
func description(o responder.Outcome) []string {
	const most = 5
	var lines []string
	line := func(format string, args ...any) { lines = append(lines, tame(fmt.Sprintf(format, args...))) }
	line("%s", summary(o))
	line("")
	for _, why := range first(4, reasons(o)) {
		line("- %s", why)
	}
	for _, c := range first(most, left(o)) {
		line("- still up: %s", describe(c))
	}
	if n := len(left(o)); n > most {
		line("- and %d more", n-most)
	}
	for _, s := range first(most, o.Spared) {
		line("- left alone: %s: %s", describe(s.Connection), s.Reason)
	}
	if n := len(o.Spared); n > most {
		line("- and %d more left alone", n-most)
	}
	for _, words := range lookedAt(o) {
		line("- %s", words)
	}
	for _, s := range similar(o) {
		line("- similar name: %s on %s, user %s", s.ConnectionID, s.EndpointID, s.Name)
	}
	if words := mistake(o, 500); words != "" {
		line("- error: %s", words)
	}
	line("- when (UTC): %s", moments(o))
	if link := findingURL(o); link != "" {
		lines = append(lines, "- finding: "+link)
	}
	return lines
}

func metadataOf(o responder.Outcome) metadata {
	m := metadata{
		ThreadID: tame(o.Signal.Provider + " " + o.Signal.ID), Summary: cut(tame(o.Summary), 250),
		EventType:        tame(o.Signal.Type),
		RelatedResources: []string{}, AdditionalContext: map[string]string{},
	}
	if o.Signal.ARN != "" {
		m.RelatedResources = append(m.RelatedResources, tame(o.Signal.ARN))
	}
	for _, c := range first(10, o.Connections) {
		m.RelatedResources = append(m.RelatedResources, tame(c.ID))
	}
	for name, value := range map[string]string{
		"status": string(o.Status), "rule": o.Decision.Rule, "mode": string(o.Decision.Mode), "provider": o.Signal.Provider,
		"account": o.Signal.Account, "region": o.Signal.Region, "event": o.Signal.EventID,
	} {
		if value != "" {
			m.AdditionalContext[name] = tame(value)
		}
	}
	if o.Signal.Severity > 0 {
		m.AdditionalContext["severity"] = strconv.FormatFloat(o.Signal.Severity, 'f', 1, 64)
	}
	return m
}

// tame replaces what chat programs would read as a link, a call to everybody, or markup that hides something. Names and
// reasons come from outside.
func tame(s string) string { return harmless.Replace(links.Replace(printable(s))) }

var harmless = strings.NewReplacer("<", "‹", ">", "›", "`", "'", "[", "(", "]", ")", "*", "∗",
	"@here", "@ here", "@channel", "@ channel", "@everyone", "@ everyone", "@all", "@ all")

func cut(s string, limit int) string {
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return s
}
