package signal_test

import (
	"time"

	"clientvpn-responder/internal/signal"
)

var whomTokensMean = []subjectTest{
	{"SET, e-mail", edited(ssf), []signal.Subject{dave()}},
	{
		"SET, iss_sub with an address", setAbout(object{"format": "iss_sub", "iss": "i", "sub": "dave@example.com"}),
		[]signal.Subject{dave()},
	},
	{
		"SET, iss_sub, opaque", setAbout(object{"format": "iss_sub", "iss": "i", "sub": "00u1"}),
		[]signal.Subject{{IDs: []string{"00u1"}}},
	},
	{"SET, opaque", setAbout(object{"format": "opaque", "id": "11"}), []signal.Subject{{IDs: []string{"11"}}}},
	{
		"SET, phone", setAbout(object{"format": "phone_number", "phone_number": "+12065550100"}),
		[]signal.Subject{{IDs: []string{"+12065550100"}}},
	},
	{
		"SET, an administrator's words about a logout",
		edited(
			"ssf/session-revoked.json",
			"detail/events/https:~1~1schemas.openid.net~1secevent~1caep~1event-type~1session-revoked/reason_admin/en",
			"Admin-initiated user logout: account compromised",
		),
		[]signal.Subject{dave()},
	},
	{"SET, account", setAbout(object{"format": "account", "uri": "acct:dave@example.com"}), []signal.Subject{dave()}},
	{
		"SET, aliases",
		setAbout(
			object{
				"format": "aliases",
				"identifiers": []any{
					object{"format": "email", "email": "dave@example.com"}, object{"format": "opaque", "id": "11"},
				},
			},
		),
		[]signal.Subject{dave("11")},
	},
	{"SET, complex", edited("ssf/session-revoked.json"), []signal.Subject{dave()}},
	{
		"SET, complex, a device alone",
		setAbout(object{"format": "complex", "device": object{"format": "opaque", "id": "d1"}}), []signal.Subject{{}},
	},
	{"SET, a session's token", setAbout(object{"format": "jwt_id", "iss": "i", "jti": "j"}), []signal.Subject{{}}},
	{
		"SET, an assertion", setAbout(object{"format": "saml_assertion_id", "issuer": "i", "assertion_id": "a"}),
		[]signal.Subject{{}},
	},
	{
		"SET, earlier draft",
		edited(
			ssf, "detail/sub_id", absent, setEvent,
			object{"subject": object{"subject_type": "iss-sub", "iss": "i", "sub": "00u1"}},
		),
		[]signal.Subject{{IDs: []string{"00u1"}}},
	},
	{
		"SET, Google's",
		edited(
			ssf, "detail/sub_id", absent, setEvent,
			object{
				"subject": object{
					"subject_type": "id_token_claims", "iss": "i", "sub": "7375626A656374", "email": "dave@example.com",
				},
			},
		),
		[]signal.Subject{dave("7375626A656374")},
	},
	{
		"SET, complex without a format",
		edited(
			ssf, "detail/sub_id", absent, setEvent,
			object{
				"subject": object{
					"user":   object{"format": "email", "email": "dave@example.com"},
					"tenant": object{"format": "opaque", "id": "t"},
				},
			},
		),
		[]signal.Subject{dave()},
	},
	{"SET, subject is a text", setAbout("dave@example.com"), []signal.Subject{{}}},
}

var whomOurFormMeans = []subjectTest{
	{"custom user name", edited(custom), []signal.Subject{people("frank@example.com")}},
	{
		"custom, white space", edited(custom, "detail/username", " frank@example.com\t"),
		[]signal.Subject{people("frank@example.com")},
	},
	{"custom, a number for a name", edited(custom, "detail/username", 4711), []signal.Subject{people("4711")}},
	{
		"custom, with a field of the sender's own",
		edited(
			custom, "detail/employee_id", 7, "detail/updated_at", "2026-01-01", "detail/hire_date", "2020-01-01",
			"detail/ticket", "SEC-1",
		),
		[]signal.Subject{people("frank@example.com")},
	},
	{
		"custom, several", edited(custom, "detail/username", absent, "detail/usernames", []any{"a", "b", "a"}),
		[]signal.Subject{people("a"), people("b")},
	},
	{
		"custom, null beside", edited(custom, "detail/usernames", nil, "detail/connection_id", nil),
		[]signal.Subject{people("frank@example.com")},
	},
	{
		"custom, camelCase",
		edited(custom, "detail/username", absent, "detail/clientIp", "10.0.0.1", "detail/seenAt", "2026-11-20T10:00:00Z"),
		[]signal.Subject{{ClientIP: "10.0.0.1", SeenAt: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}},
	},
	{
		"custom connection", edited("custom/terminate-connection.json"),
		[]signal.Subject{{ConnectionID: "cvpn-connection-0e41f00000000000a"}},
	},
	{"custom address", edited("custom/terminate-client-ip.json"),
		[]signal.Subject{{ClientIP: "10.30.0.10", SeenAt: time.Date(2026, 11, 20, 11, 24, 18, 0, time.UTC)}}},
}
