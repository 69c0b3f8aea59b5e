package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestAThousandBadRequestsAreRefusedCountedAndAlarmed: the real binary refuses each, as quickly as one instance can,
// stores nothing, and counts each as the alarm of the template expects it. A good request passes among them.
func TestAThousandBadRequestsAreRefusedCountedAndAlarmed(t *testing.T) {
	s := newStage(t)
	token := s.logout(t, "1")
	forged := token[:len(token)-4] + "AAAA"
	bad := []struct {
		path, mediaType, token string
		want                   int
	}{
		{"/logout", "application/json", forged, 401},
		{"/logout", "application/json", "", 401},
		{"/logout", "application/json", strings.Repeat("x", 60<<10), 401},
		{"/logout", "text/plain", token, 415},
		{"/nowhere", "application/json", token, 404},
	}
	const all = 1000
	bodies := map[string]bool{}
	began := time.Now()
	for i := range all {
		b := bad[i%len(bad)]
		r := s.post(t, b.path, b.mediaType, b.token, body("alice@example.com"))
		if r.StatusCode != b.want {
			t.Fatalf("%+v: %+v", b, r)
		}
		bodies[r.Body] = true
	}
	t.Logf("%d bad requests in %s", all, time.Since(began))
	if len(s.queued(t)) > 0 || len(bodies) != 1 || s.fetches() != 1 {
		t.Errorf("queue %q, bodies %v, %d fetches of keys", s.queued(t), bodies, s.fetches())
	}
	if r := s.post(t, "/logout", "application/json", s.logout(t, "2"), body("alice@example.com")); r.StatusCode != 204 {
		t.Errorf("%+v", r)
	}
	s.function.Close()
	counted := map[string]int{}
	for line := range bytes.Lines(s.function.Logs()) {
		var e struct {
			Verdict      string
			DoorRequests int
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		counted[e.Verdict] += e.DoorRequests
	}
	if counted["refused"] != all || counted["accepted"] != 1 {
		t.Errorf("%v", counted)
	}
	if limit := alarmLimit(t); limit >= all {
		t.Errorf("the alarm sounds above %d", limit)
	}
}

// alarmLimit returns how many refused requests the alarm of the template passes over.
func alarmLimit(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, alarm, _ := strings.Cut(string(raw), "\n  DoorRefusedAlarm:\n")
	alarm, _, _ = strings.Cut(alarm, "\n\n")
	threshold := regexp.MustCompile(`(?m)^      Threshold: (\d+)$`).FindStringSubmatch(alarm)
	if threshold == nil || !strings.Contains(alarm, "MetricName: DoorRequests\n") ||
		!strings.Contains(alarm, "{Name: Verdict, Value: refused}") || !strings.Contains(alarm, "Statistic: Sum\n") {
		t.Fatal(alarm)
	}
	limit, _ := strconv.Atoi(threshold[1]) // digits alone
	return limit
}
