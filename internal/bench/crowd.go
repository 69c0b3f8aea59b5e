package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

// newCrowd is the stand-in with EC2's latency and limits, and so many bystanders on each of its endpoints.
func newCrowd(endpointCount, bystanders int) *emulator.Cloud {
	cloud := &emulator.Cloud{
		Region: trial.Region, Latency: latency, TableLatency: tableLatency, Limits: emulator.DocumentedLimits(),
	}
	cloud.AddTable(trial.Table, "id")
	for _, e := range trial.Endpoints[:endpointCount] {
		cloud.AddEndpoint(e.Emulated())
		addBystanders(cloud, e.ID, bystanders)
	}
	return cloud
}

func addBystanders(cloud *emulator.Cloud, endpointID string, n int) {
	for i := range n {
		name := fmt.Sprintf("bystander%06d@example.com", i)
		cloud.Connect(emulator.Client{EndpointID: endpointID, Username: name, CommonName: name})
	}
}

func isBystander(c emulator.Connection) bool { return strings.HasPrefix(c.Username, "bystander") }

// bystandersAreUp returns an error if one of them, whom no event names, was cut off.
func bystandersAreUp(cloud *emulator.Cloud) error {
	for _, c := range cloud.Connections() {
		if isBystander(c) && !c.EndedAt.IsZero() {
			return fmt.Errorf("%s was cut off, whom no event names", c.Username)
		}
	}
	return nil
}

// leaver returns the name of one of the people who leave.
func leaver(n int) string { return fmt.Sprintf("leaver%06d@example.com", n) }

// message is SQS's, as Lambda passes it.
type message struct {
	ID     string `json:"messageId"`
	Body   string `json:"body"`
	Source string `json:"eventSource"`
}

func batchOf(messages []message) []byte {
	for i := range messages {
		messages[i].Source = "aws:sqs"
	}
	batch, err := json.Marshal(map[string]any{"Records": messages})
	if err != nil {
		panic(err) // of texts
	}
	return batch
}

// leaving returns a batch in which each of the people leaves.
func leaving(people ...string) ([]byte, error) {
	const file = "events/okta/user-deactivate.json"
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the event of a leaver: %w", err)
	}
	const who, id = "alice@example.com", "64c3ff73-68ea-40be-8d26-308cdb13f776"
	if !bytes.Contains(raw, []byte(who)) || !bytes.Contains(raw, []byte(id)) {
		return nil, fmt.Errorf("%s is not about %s any more, or has another id", file, who)
	}
	var messages []message
	for i, name := range people {
		another := strings.NewReplacer(who, name, id, id[:len(id)-6]+fmt.Sprintf("%06d", i))
		body := another.Replace(string(trial.MoveToNow(raw)))
		messages = append(messages, message{ID: fmt.Sprint("message-", i), Body: body})
	}
	return batchOf(messages), nil
}

// invokeBatch passes the function a batch and returns the ids of the messages that go back to the queue.
func invokeBatch(ctx context.Context, f *emulator.Function, batch []byte) (failed []string, err error) {
	answer, err := f.Invoke(ctx, batch)
	if err != nil {
		return nil, err
	}
	if answer.Failure != nil {
		return nil, fmt.Errorf("%s: %s", answer.Failure.Type, answer.Failure.Message)
	}
	var response struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(answer.Payload, &response); err != nil {
		return nil, fmt.Errorf("reading the answer to a batch: %w", err)
	}
	for _, item := range response.BatchItemFailures {
		failed = append(failed, item.ItemIdentifier)
	}
	return failed, nil
}
