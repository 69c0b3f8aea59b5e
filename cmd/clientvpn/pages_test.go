package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/report"
)

// pages is where TestPages leaves its pages, for .ci/pages.py, which looks at them in a browser.
var pages = flag.String("pages", "", "the folder for the pages of TestPages")

// hostile is what somebody may write into a name or a reason who wants the page to run or load something.
const hostile = `</td><script>document.title='run'</script>` +
	`<img src=https://evil.example/x onerror=document.title='run'>` +
	`<style>*{display:none}</style>{{.}}'"` + "`" + `https://evil.example/` + "\u202e"

// week are events that lead to most of the statuses, in the order of their days.
var week = []string{
	"okta/user-deactivate.json", "guardduty/iam-user.json", "okta/user-deactivate-exempt.json",
	"guardduty/untrusted-role-session.json", "custom/end-session.json", "entra/disable-account.json",
	"guardduty/sample.json", "guardduty/archived.json", "custom/terminate-client-ip.json",
}

// TestPages writes the pages of a week, an incident and a hostile event, made by the deployed function.
func TestPages(t *testing.T) {
	folder := *pages
	if folder == "" {
		folder = t.TempDir()
	}
	d := withStack(t)
	for _, file := range week {
		d.send(t, file)
	}
	d.sendHostile(t)
	write := func(name string, make func(*bytes.Buffer) error) string {
		var page bytes.Buffer
		if err := make(&page); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), page.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return page.String()
	}
	all, now := d.logged(), time.Now()
	write("incident.html", func(page *bytes.Buffer) error {
		return report.Incident(page, aboutSubject(all, "alice@example.com"), now)
	})
	bad := write("hostile.html", func(page *bytes.Buffer) error {
		return report.Incident(page, aboutSubject(all, "script"), now)
	})
	write("week.html", func(page *bytes.Buffer) error {
		return report.Week(page, spread(all, now), now.Add(-7*24*time.Hour), now)
	})
	write("outcomes.json", func(page *bytes.Buffer) error {
		encoder := json.NewEncoder(page)
		for _, l := range report.Final(spread(all, now)) {
			if err := encoder.Encode(l.Outcome); err != nil {
				return err
			}
		}
		return nil
	})
	for _, mark := range []string{"<script", "<img", "<style>*"} {
		if strings.Contains(bad, mark) {
			t.Errorf("the page has %s", mark)
		}
	}
	if n := strings.Count(bad, "evil.example"); n < 4 {
		t.Errorf("the page has the hostile words %d times, as text", n)
	}
	for _, m := range d.Published() {
		if strings.HasSuffix(m.TopicARN, "vpn-messages") && strings.HasPrefix(m.Subject, "TERMINATED alice@") {
			write("mail.txt", func(page *bytes.Buffer) error {
				_, err := fmt.Fprintf(page, "Subject: %s\n\n%s", m.Subject, m.Body)
				return err
			})
		}
	}
}

// sendHostile sends a request whose name, reason and sender are hostile.
func (d *deployed) sendHostile(t *testing.T) {
	t.Helper()
	event, err := request{
		detailType: "Terminate Connections", kind: "account-disabled", reason: hostile, by: hostile,
		people: []string{hostile},
	}.event(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := d.function.Invoke(t.Context(), event); err != nil || answer.Failure != nil {
		t.Fatalf("%v %+v", err, answer.Failure)
	}
}

// logged returns the outcomes in the function's log.
func (d *deployed) logged() (all []report.Logged) {
	for line := range bytes.Lines(d.function.Logs()) {
		if l, ok := report.ReadLog(line); ok {
			all = append(all, l)
		}
	}
	return all
}

// aboutSubject returns the outcomes whose subject has the words in it.
func aboutSubject(all []report.Logged, words string) (some []report.Logged) {
	for _, l := range all {
		if strings.Contains(l.Outcome.Signal.Subject.String(), words) && l.Outcome.Status != "exempt" {
			some = append(some, l)
		}
	}
	return some
}

// spread moves the outcomes apart, so that they fill a week.
func spread(all []report.Logged, now time.Time) (moved []report.Logged) {
	for i, l := range all {
		by := -time.Duration(len(all)-i) * 7 * 24 * time.Hour / time.Duration(len(all)+1)
		timing := &l.Outcome.Timing
		for _, at := range []*time.Time{
			&l.Time, &timing.EventAt, &timing.ReceivedAt, &timing.DecidedAt, &timing.RequestedAt, &timing.EndedAt,
		} {
			if !at.IsZero() {
				*at = at.Add(by)
			}
		}
		moved = append(moved, l)
	}
	return moved
}
