package signal_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"

	"github.com/google/go-cmp/cmp"
)

type object = map[string]any

// input is an event of a test: a file of events/ with changes.
type input struct {
	file    string
	changes []any
	raw     []byte
}

// edited returns the file's event with changed values, as event makes it.
func edited(file string, changes ...any) input { return input{file: file, changes: changes} }

// literal returns an event that is no file.
func literal(raw string) input { return input{raw: []byte(raw)} }

func (in input) event(t testing.TB) []byte {
	t.Helper()
	if in.file == "" {
		return in.raw
	}
	return event(t, in.file, in.changes...)
}

// event reads a provider's event and changes values in it, by path: "detail/target/0/type" to a value, or to absent.
func event(t testing.TB, file string, changes ...any) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "events", file))
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) == 0 {
		return raw
	}
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		change(t, root, changes[i].(string), changes[i+1])
	}
	changed, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// change sets the value at a path, which is escaped as in JSON pointers.
func change(t testing.TB, root any, path string, value any) {
	t.Helper()
	keys := strings.Split(path, "/")
	for i := range keys {
		keys[i] = strings.ReplaceAll(keys[i], "~1", "/")
	}
	at, last := root, keys[len(keys)-1]
	for _, key := range keys[:len(keys)-1] {
		at = child(t, at, key)
	}
	m, ok := at.(map[string]any)
	switch {
	case !ok:
		t.Fatalf("%s is in no object", path)
	case value != absent:
		m[last] = value
	default:
		if _, ok := m[last]; !ok {
			t.Fatalf("there is no %s", path)
		}
		delete(m, last)
	}
}

const absent = "\x00absent"

func child(t testing.TB, at any, key string) any {
	t.Helper()
	switch v := at.(type) {
	case map[string]any:
		return v[key]
	case []any:
		var i int
		if _, err := fmt.Sscan(key, &i); err == nil && i < len(v) {
			return v[i]
		}
	}
	t.Fatalf("nothing at %s", key)
	return nil
}

const (
	iamUser = "guardduty/iam-user.json"
	sso     = "guardduty/identity-center-session.json"
	key     = "detail/resource/accessKeyDetails/"
	caller  = "detail/service/action/awsApiCallAction/remoteIpDetails/ipAddressV4"
	okta    = "okta/user-deactivate.json"
	custom  = "custom/terminate-username.json"
)

// subjectTest is an event and the people whom it is about.
type subjectTest struct {
	name  string
	event input
	want  []signal.Subject
}

func checkSubjects(t *testing.T, tests []subjectTest) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { mean(t, test.event.event(t), test.want) })
	}
}

// mean holds the people whom an event means, a signal each, against want.
func mean(t *testing.T, event []byte, want []signal.Subject) {
	t.Helper()
	signals, err := signal.Parse(event)
	if err != nil {
		t.Fatal(err)
	}
	var got []signal.Subject
	for _, s := range signals {
		s.Subject.Names = nil // TestNamesCarryIssuerAndForm has them
		got = append(got, s.Subject)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func people(names ...string) signal.Subject { return signal.Subject{Usernames: names} }

func dave(ids ...string) signal.Subject {
	return signal.Subject{Usernames: []string{"dave@example.com"}, IDs: ids}
}

func session(role, name string) signal.Subject {
	return signal.Subject{Session: &signal.Session{Role: role, Name: name}}
}

func ssoSession(name string) signal.Subject {
	return session("AWSReservedSSO_AdministratorAccess_0123456789abcdef", name)
}

// setAbout is a Security Event Token about a subject.
func setAbout(subject any) input { return edited(ssf, "detail/sub_id", subject) }

// allEvents lists the files of events/, as event takes them.
func allEvents(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../events/*/*.json")
	if err != nil || len(files) < 50 {
		t.Fatal(len(files), err)
	}
	for i, file := range files {
		files[i] = filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
	}
	return files
}
