package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/entra"
)

// asked has the function answer a question, as the responder sends it.
func (s *stage) asked(t *testing.T, question string) (string, error) {
	t.Helper()
	var request entra.Request
	if err := json.Unmarshal([]byte(`{"question": `+question+`}`), &request); err != nil {
		t.Fatal(err)
	}
	answer, err := s.handle(t.Context(), request)
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), nil
}

// TestPollAnswersForTheDirectory: names and states now, of users by id and of all. It polls nothing meanwhile. A text
// that is no id becomes no part of an address.
func TestPollAnswersForTheDirectory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.graph.SetEnabled(alice, false)
		s.graph.DeleteGraphUser(bob)
		ids := fmt.Sprintf(`{"ids": [%q, %q, "00000000-0000-0000-0000-000000000000", "../groups", %[1]q]}`, alice, bob)
		got, err := s.asked(t, ids)
		want := fmt.Sprintf(`{"users":[{"id":%q,"userPrincipalName":"alice@example.com","accountEnabled":false},`+
			`{"id":%q,"userPrincipalName":"%sbob@example.com","accountEnabled":true,"deleted":true}]}`,
			alice, bob, strings.ReplaceAll(bob, "-", ""))
		if got != want || err != nil {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
		requests := strings.Join(s.graph.Requests(), " ")
		if strings.Contains(requests, "groups") || strings.Contains(requests, "delta") || len(s.cloud.Queued(queue)) > 0 {
			t.Error(requests)
		}
	})
}

// TestPollListsUsersInPages: each page says where the next one begins. Another address is not asked.
func TestPollListsUsersInPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.graph.PageSize = 1
		question, names := `{}`, ""
		for range 3 {
			got, err := s.asked(t, question)
			if err != nil {
				t.Fatal(err)
			}
			var answer entra.Answer
			if err := json.Unmarshal([]byte(got), &answer); err != nil {
				t.Fatal(err)
			}
			for _, u := range answer.Users {
				names += " " + u.Name
			}
			if answer.Next == "" {
				break
			}
			question = fmt.Sprintf(`{"from": %q}`, answer.Next)
		}
		if names != " alice@example.com bob@example.com" {
			t.Error(names)
		}
		for _, elsewhere := range []string{"http://evil.example/v1.0/users?", "http://graph/v1.0/groups?", "/v1.0/users?"} {
			before := len(s.graph.Requests())
			if got, err := s.asked(t, fmt.Sprintf(`{"from": %q}`, elsewhere)); err == nil || len(s.graph.Requests()) > before {
				t.Errorf("%s: %s", elsewhere, got)
			}
		}
	})
}

// TestPollSaysWhyItCannotAnswer: the responder tries again, and people learn what is missing.
func TestPollSaysWhyItCannotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.graph.Permissions = []string{"AuditLog.Read.All"}
		for _, question := range []string{`{}`, fmt.Sprintf(`{"ids": [%q]}`, alice)} {
			if _, err := s.asked(t, question); err == nil ||
				!strings.Contains(err.Error(), "missing permission User.Read.All of Microsoft Graph") {
				t.Errorf("%s: %v", question, err)
			}
		}
		s.graph.Permissions = nil
		s.cloud.Inject(emulator.Fault{Action: "GetWebIdentityToken", Code: "AccessDenied", Status: 403, Times: 1})
		s.graph.ExpireToken()
		if _, err := s.asked(t, `{}`); err == nil || !strings.Contains(err.Error(), "getting a token of AWS") {
			t.Error(err)
		}
		s.instead = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet { // a sign-in is posted
				fmt.Fprint(w, `{"value": [{"id": 7}]}`)
			}
			return r.Method == http.MethodGet
		}
		if got, err := s.asked(t, `{}`); err == nil || !strings.Contains(err.Error(), "reading user 0") {
			t.Error(got, err)
		}
	})
}
