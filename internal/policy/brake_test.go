package policy

import (
	"strings"
	"testing"
	"time"
)

func brakeOf(t *testing.T, lines string) (Brake, string) {
	t.Helper()
	p, err := Parse("policy.yaml", []byte("version: 1\n"+lines))
	if err != nil {
		return Brake{}, err.Error()
	}
	return p.Brake, ""
}

// TestBrakeIsOnUnlessTurnedOff: with 25 people in an hour.
func TestBrakeIsOnUnlessTurnedOff(t *testing.T) {
	for lines, want := range map[string]Brake{
		"":                                    {People: 25, Within: time.Hour},
		"brake: off":                          {Off: true},
		"brake: false":                        {Off: true},
		"brake: {people: 7}":                  {People: 7, Within: time.Hour},
		"brake: {within: 30m}":                {People: 25, Within: 30 * time.Minute},
		"brake: {people: 40, share: \"20%\"}": {People: 40, Within: time.Hour, Share: 20},
		"brake: {people: 40, share: 20%}":     {People: 40, Within: time.Hour, Share: 20},
	} {
		got, problem := brakeOf(t, lines)
		if problem != "" || got.Off != want.Off || got.People != want.People || got.Within != want.Within ||
			got.Share != want.Share {
			t.Errorf("%s: %+v %s", lines, got, problem)
		}
	}
}

func TestBrakeRefusesWhatMeansNothing(t *testing.T) {
	const announced = "brake: {announced: [{from: 2026-06-26T16:00:00Z, "
	for lines, want := range map[string]string{
		"brake: 25":                `brake: "25" is neither off nor a map; write off, or {people: 25, within: 1h}`,
		"brake: on":                `brake: "on" is neither`,
		"brake: {persons: 25}":     "persons",
		"brake: {people: 0}":       " is not a number from 1 to 1000; to hold nobody, write brake: off",
		"brake: {people: 1001}":    " is not a number from 1 to 1000; to hold nobody, write brake: off",
		"brake: {people: many}":    "people",
		"brake: {within: 60}":      `brake.within: "60" is not a duration like 1h`,
		"brake: {within: 1s}":      "brake.within",
		"brake: {within: 8760h}":   "brake.within",
		"brake: {share: 20}":       "brake.share",
		"brake: {share: 0%}":       "brake.share",
		"brake: {share: 2.5%}":     "brake.share",
		"brake: {share: 101%}":     "brake.share",
		"brake: {announced: [{}]}": "brake.announced[0].reason: missing",
		announced + "until: 2026-06-26T16:00:00Z, reason: x}]}": "until: is not after from",
		announced + "until: 2027-06-26T16:00:00Z, reason: x}]}": "announce a mass for 168h at most",

		announced + "until: 2026-06-26T18:00:00Z, source: oktta, reason: x}]}": "source: ",

		"brake: {announced: [{from: friday, until: 2027-06-26T16:00:00Z, reason: x}]}": `from: "friday" is not a time`,
	} {
		_, problem := brakeOf(t, lines)
		if !strings.Contains(problem, want) || !strings.HasPrefix(problem, "policy.yaml:2:") {
			t.Errorf("%s: %q, which lacks %q", lines, problem, want)
		}
	}
}

// TestShareOfThoseConnectedLimits: it lowers the number of people, and never to nobody.
func TestShareOfThoseConnectedLimits(t *testing.T) {
	b := Brake{People: 25, Within: time.Hour, Share: 20}
	for connected, want := range map[int]int{0: 25, 1: 1, 4: 1, 30: 6, 100: 20, 1000: 25} {
		if got := b.Limit(connected); got != want {
			t.Errorf("%d connected: %d, want %d", connected, got, want)
		}
	}
	if got := (Brake{People: 25}).Limit(10); got != 25 {
		t.Error(got)
	}
}

// TestAnnouncedMassHasItsTime: and its source.
func TestAnnouncedMassHasItsTime(t *testing.T) {
	b, problem := brakeOf(t, `brake:
  announced:
    - {from: 2026-06-26T16:00:00Z, until: 2026-06-26T20:00:00+02:00, source: okta, reason: the summer interns leave}
`)
	if problem != "" || len(b.Announced) != 1 {
		t.Fatal(problem, b)
	}
	from := time.Date(2026, 6, 26, 16, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		source string
		at     time.Duration
		want   bool
	}{
		{"okta", -1, false}, {"okta", 0, true}, {"okta", 2*time.Hour - 1, true}, {"okta", 2 * time.Hour, false},
		{"duo", 0, false},
	} {
		if m, got := b.Announces(
			test.source, from.Add(test.at),
		); got != test.want || got && m.Reason != "the summer interns leave" {
			t.Errorf("%+v: %t %+v", test, got, m)
		}
	}
}
