package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Record is one event that was found in a file.
type Record struct {
	File   string
	Number int // in a file with several events, from 1; 0 if the file is one event
	Event  []byte
	Err    error // why the file, or this part of it, could not be read
}

// Stdin is the name of standard input among the files.
const Stdin = "-"

// ReadRecords returns the events of files and folders, in their order. A file has one EventBridge event or more: JSON
// documents one after the other, or a list. It may have entries of "aws events put-events" instead. It may have
// messages of SQS, such as dead letters, as Lambda or "aws sqs receive-message" returns them. Of a folder it reads
// every *.json below it.
func ReadRecords(names []string, stdin io.Reader) []Record {
	var all []Record
	for _, name := range names {
		for _, file := range within(name) {
			all = append(all, readFile(file, stdin)...)
		}
	}
	return all
}

// within returns the files of a folder, or the file itself.
func within(name string) []string {
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return []string{name} // reading it returns the error
	}
	var files []string
	err := filepath.WalkDir(name, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(file, ".json") {
			files = append(files, file)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		return []string{name}
	}
	return files
}

func readFile(file string, stdin io.Reader) []Record {
	var raw []byte
	var err error
	if file == Stdin {
		raw, err = io.ReadAll(stdin)
	} else {
		raw, err = os.ReadFile(file)
	}
	if err != nil {
		return []Record{{File: file, Err: fmt.Errorf("reading the event: %w", err)}}
	}
	if file == Stdin && len(bytes.TrimSpace(raw)) == 0 {
		return []Record{{File: file, Err: errors.New("reading the event: standard input is empty")}}
	}
	events, err := unpackAll(raw)
	if len(events) == 1 && err == nil {
		return []Record{{File: file, Event: events[0]}}
	}
	var all []Record
	for i, event := range events {
		all = append(all, Record{File: file, Number: i + 1, Event: event})
	}
	if err != nil {
		all = append(all, Record{File: file, Err: fmt.Errorf("reading the event: %w", err)})
	}
	return all
}

// unpackAll returns the events of JSON documents one after the other, up to one that cannot be read.
func unpackAll(raw []byte) ([][]byte, error) {
	if json.Valid(raw) {
		return unpack(raw)
	}
	var all [][]byte
	for decoder := json.NewDecoder(bytes.NewReader(raw)); ; {
		var document json.RawMessage
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, fmt.Errorf("it is not JSON: %w", err)
		}
		events, err := unpack(document)
		all = append(all, events...)
		if err != nil {
			return all, err
		}
	}
}

// envelopes are the forms in which events come, beside their own.
type envelopes struct {
	Records  []json.RawMessage `json:"Records"`  // of SQS, as Lambda passes them
	Messages []json.RawMessage `json:"Messages"` // aws sqs receive-message
	Entries  []json.RawMessage `json:"Entries"`  // aws events put-events
	Body     *string           `json:"body"`     // one message of SQS; encoding/json reads "Body", too
	Request  json.RawMessage   `json:"requestPayload"`
	Detail   *json.RawMessage  `json:"detail"`
}

// unpack returns the events in a document. It returns a document of an unknown form as it is: the parser says what is
// wrong with it.
func unpack(raw []byte) ([][]byte, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		return unpackEach(list)
	}
	var e envelopes
	switch err := json.Unmarshal(raw, &e); {
	case err != nil:
		return [][]byte{raw}, nil //nolint:nilerr // the parser says what is wrong with the event
	case len(e.Records)+len(e.Messages)+len(e.Entries) > 0:
		return unpackEach(append(append(e.Records, e.Messages...), e.Entries...))
	case e.Body != nil:
		if !json.Valid([]byte(*e.Body)) {
			return nil, errors.New("the body of the message is not JSON")
		}
		return unpack([]byte(*e.Body))
	case len(e.Request) > 0:
		return unpack(e.Request)
	case e.Detail != nil && bytes.HasPrefix(*e.Detail, []byte(`"`)):
		return unpackEntry(raw)
	}
	return [][]byte{raw}, nil
}

func unpackEach(list []json.RawMessage) ([][]byte, error) {
	var all [][]byte
	for i, raw := range list {
		events, err := unpack(raw)
		all = append(all, events...)
		if err != nil {
			return all, fmt.Errorf("record %d: %w", i+1, err)
		}
	}
	return all, nil
}

// unpackEntry returns the event that EventBridge makes of an entry of put-events, whose detail is a text. EventBridge
// chooses the id; here it says where it is from.
func unpackEntry(raw []byte) ([][]byte, error) {
	var entry struct {
		Source, DetailType, Detail string
		Time                       json.RawMessage
		Resources                  []string
	}
	if err := json.Unmarshal(raw, &entry); err != nil {
		return nil, fmt.Errorf("reading the entry of put-events: %w", err)
	}
	if !json.Valid([]byte(entry.Detail)) {
		return nil, errors.New("the Detail of the entry is not JSON")
	}
	event := map[string]any{
		"id": "put-events", "source": entry.Source, "detail-type": entry.DetailType, "detail": json.RawMessage(entry.Detail),
		"resources": entry.Resources,
	}
	if len(entry.Time) > 0 {
		event["time"] = entry.Time
	}
	whole, err := json.Marshal(event)
	return [][]byte{whole}, err
}
