package signal_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"
)

// fieldTest is an event and what it means: a kind and a subject, or why it asks for nothing.
type fieldTest struct {
	name  string
	event input
	kind  signal.Kind
	who   string
	why   string
}

func checkField(t *testing.T, tests []fieldTest) {
	t.Helper()
	for _, test := range tests {
		signals, err := signal.Parse(test.event.event(t))
		switch {
		case test.why != "":
			if !errors.Is(err, signal.ErrUnsupported) || !strings.Contains(err.Error(), test.why) {
				t.Errorf("%s: %+v, %v", test.name, signals, err)
			}
		case err != nil || len(signals) != 1 || signals[0].Kind != test.kind || signals[0].Subject.String() != test.who:
			t.Errorf("%s: %+v, %v", test.name, signals, err)
		}
	}
}

const sessionRevoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"

// revoked is a Security Event Token of a revoked session.
func revoked(payload object, changes ...any) input {
	return edited(ssf, append([]any{"detail/events", object{sessionRevoked: payload}}, changes...)...)
}

// TestOnlyAnOrdinaryLogoutIsOne: a sentence that begins like one, and a logout of all sessions, end access.
func TestOnlyAnOrdinaryLogoutIsOne(t *testing.T) {
	all := object{"format": "complex", "user": object{"format": "email", "email": "dave@example.com"},
		"session": object{"format": "opaque", "id": "ALL"}}
	one := object{"format": "complex", "user": object{"format": "email", "email": "dave@example.com"},
		"session": object{"format": "opaque", "id": "s-1"}}
	const logout = "an ordinary logout"
	checkField(t, []fieldTest{
		{"by its words", revoked(object{"reason_admin": "User logout"}), "", "", logout},
		{"Okta's", revoked(object{"reason_admin": "User logout from Okta"}), "", "", logout},
		{"by the user", revoked(object{"initiating_entity": "USER"}), "", "", logout},
		{"in camelCase", revoked(object{"initiatingEntity": "user", "reasonAdmin": "x"}), "", "", logout},
		{"one session of Keycloak", revoked(object{"initiating_entity": "user"}, "detail/sub_id", one), "", "", logout},
		{"all sessions of Keycloak", revoked(object{"initiating_entity": "user"}, "detail/sub_id", all),
			signal.SessionRevoked, "dave@example.com", ""},
		{"by an administrator", revoked(object{"reason_admin": "User logged out by administrator"}),
			signal.SessionRevoked, "dave@example.com", ""},
		{"everywhere", revoked(object{"reason_admin": "User logout from all devices by the help desk"}),
			signal.SessionRevoked, "dave@example.com", ""},
		{"by the administrator, with a user's words",
			revoked(object{"initiating_entity": "admin", "reason_admin": "User logout"}),
			signal.SessionRevoked, "dave@example.com", ""},
	})
}

// TestTokensAreReadInEachForm: the URI's scheme and slash, the subject's place, members in camelCase.
func TestTokensAreReadInEachForm(t *testing.T) {
	const uri = "schemas.openid.net/secevent/risc/event-type/account-disabled"
	set := func(uri string, changes ...any) input {
		return edited(ssf, append([]any{"detail/events", object{uri: object{}}}, changes...)...)
	}
	const dave = "dave@example.com"
	checkField(t, []fieldTest{
		{"http", set("http://" + uri), signal.AccountDisabled, dave, ""},
		{"a slash at the end", set("https://" + uri + "/"), signal.AccountDisabled, dave, ""},
		{
			"another host", set("https://example.com/secevent/risc/event-type/account-disabled"), "", "",
			"does not affect",
		},
		{"sub", set("https://"+uri, "detail/sub_id", absent, "detail/sub", dave), signal.AccountDisabled, dave, ""},
		{
			"sub, opaque", set("https://"+uri, "detail/sub_id", absent, "detail/sub", "00u1"), signal.AccountDisabled,
			"id 00u1", "",
		},
		{"sub_id before sub", set("https://"+uri, "detail/sub", "erin@example.com"), signal.AccountDisabled, dave, ""},
		{"subId", set("https://"+uri, "detail/sub_id", absent, "detail/subId", object{"format": "email", "email": dave}),
			signal.AccountDisabled, dave, ""},
		{"Google's tokens", set("https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked"),
			signal.SessionRevoked, dave, ""},
		{"one token", set("https://schemas.openid.net/secevent/oauth/event-type/token-revoked"), "", "", "one token"},
	})
}

// TestTokensHaveATime: so that max_age sees an old token.
func TestTokensHaveATime(t *testing.T) {
	const at = 1508184845 // 2017-10-16T20:14:05Z
	for name, in := range map[string]input{
		"iat":             revoked(object{}, "detail/iat", at),
		"toe before iat":  revoked(object{}, "detail/iat", 1, "detail/toe", at),
		"occurred_at":     revoked(object{"occurred_at": at}, "detail/iat", 1795169981),
		"event_timestamp": revoked(object{"event_timestamp": at, "occurred_at": 1795169981}),
		"milliseconds":    revoked(object{"event_timestamp": at * 1000.0}),
	} {
		signals, err := signal.Parse(in.event(t))
		if err != nil || signals[0].Time.Format(time.RFC3339) != "2017-10-16T20:14:05Z" {
			t.Errorf("%s: %v, %v", name, signals, err)
		}
	}
}

// TestRoutineNoticesAreNoErrors: they ask for nothing and show that the source is alive. The outcome reports a lost
// subscription.
func TestRoutineNoticesAreNoErrors(t *testing.T) {
	graph := func(event string) input {
		return edited("entra/graph-subscription-removed.json", "detail/value", []any{object{"lifecycleEvent": event}})
	}
	stream := func(status string) input {
		return edited(ssf, "detail/events", object{
			"https://schemas.openid.net/secevent/ssf/event-type/stream-updated": object{"status": status}})
	}
	for name, in := range map[string]input{
		"reauthorization": graph("reauthorizationRequired"),
		"a new kind":      graph("somethingElse"),
		"a validation": edited(
			"entra/disable-account.json", "detail",
			object{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent"},
		),
		"a test of a stream":  edited("ssf/verification.json"),
		"a stream is enabled": stream("enabled"),
	} {
		_, err := signal.Parse(in.event(t))
		var unsupported *signal.UnsupportedError
		if !errors.As(err, &unsupported) || !unsupported.Routine {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, in := range map[string]input{
		"missed": graph("missed"), "removed": graph("subscriptionRemoved"), "paused": stream("paused"), "disabled": stream(
			"disabled",
		),
	} {
		signals, err := signal.Parse(in.event(t))
		if err != nil || signals[0].Kind != signal.SourceInterrupted || !signals[0].Subject.IsNobody() {
			t.Errorf("%s: %+v, %v", name, signals, err)
		}
	}
	_, err := signal.Parse(event(t, "okta/session-end.json"))
	var unsupported *signal.UnsupportedError
	if !errors.As(err, &unsupported) || unsupported.Routine {
		t.Errorf("a logout: %v", err)
	}
}

// TestWhoEndedTheSession: a person who logs out is the actor.
func TestWhoEndedTheSession(t *testing.T) {
	ended := func(changes ...any) input { return edited("okta/session-end-by-system.json", changes...) }
	checkField(t, []fieldTest{
		{"the system", ended(), signal.SessionRevoked, "alice@example.com", ""},
		{"an administrator", ended(
			"detail/actor", object{"id": "00uh", "type": "User", "alternateId": "helpdesk@example.com"}),
			signal.SessionRevoked, "alice@example.com", ""},
		{"the person", ended("detail/actor/id", "00u1alice2EXAMPLE3d7"), "", "", "an ordinary logout"},
		{"the person, by name", ended("detail/actor/alternateId", "alice@example.com"), "", "", "an ordinary logout"},
		{"nobody is named", ended("detail/target", nil), "", "", "an ordinary logout"},
		{"it failed", ended("detail/outcome/result", "FAILURE"), "", "", "did not happen"},
	})
}

// TestSessionsRevokedAtAuth0: all sessions or tokens of one user, and not one session or another part.
func TestSessionsRevokedAtAuth0(t *testing.T) {
	asked := func(method, path string, body any) input {
		return edited("auth0/delete-all-sessions.json", "detail/data/details/request/method", method,
			"detail/data/details/request/path", path, "detail/data/details/request/body", body)
	}
	const nothing = "something else"
	checkField(t, []fieldTest{
		{
			"sessions", asked("delete", "/api/v2/users/auth0%7Cu1/sessions", nil), signal.SessionRevoked, "id auth0|u1",
			"",
		},
		{
			"tokens", asked("delete", "/api/v2/users/auth0%7Cu1/refresh-tokens?a=b", nil), signal.SessionRevoked,
			"id auth0|u1", "",
		},
		{
			"access", asked("post", "/api/v2/users/auth0%7Cu1/revoke-access", object{}), signal.SessionRevoked,
			"id auth0|u1", "",
		},
		{
			"one session", asked("post", "/api/v2/users/auth0%7Cu1/revoke-access", object{"session_id": "s"}), "", "",
			nothing,
		},
		{"a session by its id", asked("delete", "/api/v2/sessions/s1", nil), "", "", nothing},
		{"a factor", asked("delete", "/api/v2/users/auth0%7Cu1/authenticators", nil), "", "", nothing},
		{"a list of sessions", asked("get", "/api/v2/users/auth0%7Cu1/sessions", nil), "", "", nothing},
	})
}
