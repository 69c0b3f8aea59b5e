package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/signal"
)

// TestWhatOnlyTheStoreKnowsIsNeverTerminated: an event that reports only a change cuts off nobody until the store was
// asked.
func TestWhatOnlyTheStoreKnowsIsNeverTerminated(t *testing.T) {
	p := mustParse(t, "version: 1\nidentity: {aliases: {'identity-center:id-1': alice}}\ndefault: terminate\n")
	s := signal.Signal{
		Provider: "identity-center", Kind: signal.AccountDisabled, Subject: signal.Subject{IDs: []string{"id-1"}},
		IfDisabled: true, Lookup: "not asked",
	}
	d := p.Decide(s, Enforce, time.Time{})
	if d.Action != Notify || d.Gate != GateUnasked || !slices.Contains(Words(d.Reasons), "identity store: not asked") {
		t.Errorf("%+v", d)
	}
	s.IfDisabled = false
	if d := p.Decide(s, Enforce, time.Time{}); d.Action != Terminate {
		t.Errorf("%+v", d)
	}
	s.Subject.IDs[0] = "id-2"
	if d := p.Decide(s, Enforce, time.Time{}); d.Gate != GateUnmapped || !strings.HasSuffix(
		d.Reasons[len(d.Reasons)-1].Text, "id-2; identity store not asked",
	) {
		t.Errorf("%+v", d)
	}
}

// TestSampleArchivedAndNobodyAreNeverTerminated holds under the most eager policy.
func TestSampleArchivedAndNobodyAreNeverTerminated(t *testing.T) {
	for _, document := range []string{
		"version: 1\ndefault: terminate\n", "version: 1\nrules:\n  - {name: all, when: {}, then: terminate}\n",
	} {
		p := mustParse(t, document)
		for _, s := range []signal.Signal{
			with(eight, func(s *signal.Signal) { s.Sample = true }),
			with(eight, func(s *signal.Signal) { s.Archived = true }),
			with(eight, func(s *signal.Signal) { s.Subject = signal.Subject{} }),
			with(eight, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{"", "N/A", "-", "*"}} }),
		} {
			if d := p.Decide(s, Enforce, now); d.Action != Notify || d.Gate == "" {
				t.Errorf("%+v: decided %s, gate %q", s, d.Action, d.Gate)
			}
		}
	}
}

// TestRequestThatOnlyAsksIsADryRun, whatever the environment and the rule say.
func TestRequestThatOnlyAsksIsADryRun(t *testing.T) {
	p := mustParse(t, "version: 1\nrules:\n  - {name: all, when: {}, then: terminate, mode: enforce}\n")
	s := signal.Signal{
		Provider: "custom", Kind: signal.SessionRevoked, Subject: signal.Subject{Usernames: []string{"alice"}}, DryRun: true,
	}
	d := p.Decide(s, Enforce, now)
	if d.Action != Terminate || d.Mode != DryRun || !d.Explains(OnlyDryRun) {
		t.Errorf("%+v", d)
	}
}

// TestRequestsByHandPassTheSameGates: what a person sends in our own form is held back like any other signal.
func TestRequestsByHandPassTheSameGates(t *testing.T) {
	p := mustParse(
		t,
		"version: 1\nexempt: [breakglass]\nrules:\n"+
			"  - {name: by-hand, when: {providers: [custom], max_age: 1h}, then: terminate}\n",
	)
	request := func(at time.Time, detail string) []byte {
		return fmt.Appendf(
			nil,
			`{"id": "1", "source": "clientvpn-responder", "detail-type": "Terminate Connections", "time": %q, "detail": {%s}}`,
			at.Format(time.RFC3339), detail,
		)
	}
	for _, test := range []struct {
		name, detail string
		at           time.Time
		want         Gate
	}{
		{"sound", `"username": "alice", "reason": "left"`, now, ""},
		{"exempt", `"username": "BreakGlass", "reason": "left"`, now, GateExempt},
		{"old", `"username": "alice", "reason": "left"`, now.Add(-2 * time.Hour), GateStale},
		{"of the future", `"username": "alice", "reason": "left"`, now.Add(time.Hour), GateFuture},
		{"later", `"username": "alice", "reason": "left", "effective_at": "2026-11-20T17:00:00Z"`, now, GateNotYet},
	} {
		signals, err := signal.Parse(request(test.at, test.detail))
		if err != nil {
			t.Fatal(err)
		}
		if d := p.Decide(signals[0], Enforce, now); d.Gate != test.want || d.Rule != "by-hand" {
			t.Errorf("%s: %+v", test.name, d)
		}
	}
	for _, reason := range []string{"", `, "reason": " "`, `, "reason": null`} {
		if _, err := signal.Parse(request(now, `"username": "alice"`+reason)); err == nil || !strings.Contains(
			err.Error(), "detail.reason: missing",
		) {
			t.Errorf("without a reason (%s): %v", reason, err)
		}
	}
}

func TestExemptPlaces(t *testing.T) {
	p := mustParse(t, "version: 1\nexempt: [cvpn-endpoint-0a, cvpn-connection-0b]\ndefault: terminate\n")
	for id, want := range map[string]bool{
		"cvpn-endpoint-0a": true, "cvpn-connection-0b": true, "cvpn-endpoint-0b": false, "cvpn-connection-0a": false,
		"": false,
	} {
		if p.ExemptPlace(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
	s := with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ConnectionID: "cvpn-connection-0b"} })
	if d := p.Decide(s, Enforce, now); d.Gate != GateExempt {
		t.Errorf("%+v", d)
	}
	if p.Exempt("cvpn-endpoint-0a") {
		t.Error("an endpoint's id is somebody's name")
	}
}

// TestEveryoneExemptIsNobodyCutOff, also who has no name.
func TestEveryoneExemptIsNobodyCutOff(t *testing.T) {
	p := mustParse(t, "version: 1\nidentity: {issuers: ['iam:111122223333']}\nexempt: [everyone]\ndefault: terminate\n")
	for _, s := range []signal.Signal{
		leaver, eight,
		with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ConnectionID: "cvpn-connection-0b"} }),
	} {
		if d := p.Decide(s, Enforce, now); d.Gate != GateExempt || d.Action != Notify {
			t.Errorf("%+v", d)
		}
	}
	if !p.Exempt("x") || !p.Exempt("") || !p.ExemptCertificate("y") {
		t.Error("somebody is not exempt")
	}
}

// TestEventsOfTheFutureAreHeldBack: five minutes are a clock that is wrong, more is an event that is.
func TestEventsOfTheFutureAreHeldBack(t *testing.T) {
	p := mustParse(t, full)
	for ahead, want := range map[time.Duration]Gate{
		5 * time.Minute: "", 5*time.Minute + time.Second: GateFuture, 24 * time.Hour: GateFuture,
	} {
		s := with(leaver, func(s *signal.Signal) { s.Time = now.Add(ahead) })
		if d := p.Decide(s, Enforce, now); d.Gate != want || (want != "") != (d.Action == Notify) {
			t.Errorf("%v ahead: %+v", ahead, d)
		}
	}
}

// TestAddressSeenInTheFutureIsNobodys: a wrong year in seen_at must not cut off its present holder.
func TestAddressSeenInTheFutureIsNobodys(t *testing.T) {
	for ahead, want := range map[time.Duration]Gate{time.Minute: "", time.Hour: GateFuture} {
		s := with(leaver, func(s *signal.Signal) {
			s.Subject = signal.Subject{ClientIP: "10.0.0.1", SeenAt: now.Add(ahead)}
		})
		if d := mustParse(t, full).Decide(s, Enforce, now); d.Gate != want {
			t.Errorf("%v ahead: %+v", ahead, d)
		}
	}
}

// TestClosingDatedAheadCountsByItsEnvelope: dated 6 minutes ahead, it is not lost. A finding waits for its time.
func TestClosingDatedAheadCountsByItsEnvelope(t *testing.T) {
	p := mustParse(t, full)
	ahead := with(leaver, func(s *signal.Signal) { s.Time, s.SentAt = now.Add(6*time.Minute), now.Add(-time.Second) })
	d := p.Decide(ahead, Enforce, now)
	if d.Action != Terminate || !slices.ContainsFunc(d.Reasons, func(r Reason) bool {
		return r.String() == "the event is dated 6m1s after EventBridge got it; the time of its envelope counts"
	}) {
		t.Errorf("%+v", d)
	}
	ahead.SentAt = now.Add(6 * time.Minute)
	if d := p.Decide(ahead, Enforce, now); d.Gate != GateFuture {
		t.Errorf("the envelope is of the future, too: %+v", d)
	}
}
