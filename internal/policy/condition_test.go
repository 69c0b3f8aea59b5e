package policy

import (
	"regexp"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

func FuzzGlob(f *testing.F) {
	f.Add("*:IAMUser/*", "Impact:IAMUser/AnomalousBehavior")
	f.Add("a*b?c", "aXXbYc")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		pattern, s = pattern[:min(len(pattern), 50)], s[:min(len(s), 200)] // the regular expression is slow to build
		var expression strings.Builder
		for _, r := range signal.Fold(pattern) {
			switch r {
			case '*':
				expression.WriteString("(?s:.*)")
			case '?':
				expression.WriteString("(?s:.)")
			default:
				expression.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		want := regexp.MustCompile("^" + expression.String() + "$").MatchString(string([]rune(signal.Fold(s))))
		if got := newGlob(pattern).fits(s); got != want {
			t.Errorf("glob(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}

// FuzzCovers: a pattern that covers another fits every text that the other fits.
func FuzzCovers(f *testing.F) {
	f.Add("*:IAMUser/*", "Impact:IAMUser/A?", "impact:iamuser/ab")
	f.Add("a?*", "a**b", "axb")
	f.Fuzz(func(t *testing.T, wide, narrow, s string) {
		if newGlob(wide).covers(newGlob(narrow)) && newGlob(narrow).fits(s) && !newGlob(wide).fits(s) {
			t.Errorf("%q covers %q, and does not fit %q", wide, narrow, s)
		}
	})
}

func TestClausesOfPlaceAndPerson(t *testing.T) {
	about := func(username string) signal.Signal {
		return with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{Usernames: []string{username}} })
	}
	for _, test := range []struct {
		when   string
		signal signal.Signal
		fits   bool
		reason string
	}{
		{
			"accounts: ['111122223333']", with(leaver, func(s *signal.Signal) { s.Account = "111122223333" }), true,
			"account is 111122223333",
		},
		{
			"accounts: [111122223333]", with(leaver, func(s *signal.Signal) { s.Account = "444455556666" }), false,
			"account 444455556666 is not 111122223333",
		},
		{"accounts: ['111122223333']", leaver, false, "account unknown is not 111122223333"},
		{
			"regions: [eu-west-1, us-gov-west-1]", with(leaver, func(s *signal.Signal) { s.Region = "us-gov-west-1" }), true,
			"Region is us-gov-west-1",
		},
		{
			"regions: [eu-west-1]", with(leaver, func(s *signal.Signal) { s.Region = "eu-west-2" }), false,
			"Region eu-west-2 is not eu-west-1",
		},
		{"subjects: ['team-*']", about("Team-7@example.com"), true, "subject team-7 fits team-*"},
		{"subjects: ['*@partner.test']", about("x@partner.test"), true, "subject x@partner.test fits *@partner.test"},
		{"subjects: ['alice']", about(`EXAMPLE\alice`), true, "subject alice fits alice"},
		{"subjects: ['team-*']", about("myteam-7"), false, "subject myteam-7 fits none of team-*"},
		{
			"subjects: ['00uX*']",
			with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{IDs: []string{"00uX9"}} }), true,
			"subject 00uX9 fits 00uX*",
		},
		{
			"subjects: ['10.30.*']",
			with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ClientIP: "10.30.0.9"} }), true, "",
		},
		{
			"subjects: ['cvpn-connection-0a*']",
			with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{ConnectionID: "cvpn-connection-0a1"} }), true,
			"",
		},
		{"subjects: [everyone]", about("x"), true, "subject x fits everyone"},
		{"subjects: [Everyone]", about("x"), true, "subject x fits Everyone"},
		{
			"subjects: [everyone]", with(leaver, func(s *signal.Signal) { s.Subject = signal.Subject{} }), false,
			"subject nobody fits none of everyone",
		},
		// Whose name does not count is not somebody.
		{"subjects: ['jane']", with(leaver, func(s *signal.Signal) {
			s.Subject = signal.Subject{Session: &signal.Session{Role: "Deploy", Name: "jane"}}
		}), false, "subject jane (session of role Deploy) does not count, so it fits none of jane"},
	} {
		p := mustParse(
			t,
			"version: 1\nidentity: {domains: [example.com, EXAMPLE]}\n"+strings.TrimPrefix(
				oneRule("when: {"+test.when+"}"), "version: 1\n",
			),
		)
		d := p.Decide(test.signal, Enforce, now)
		if (d.Rule == "a") != test.fits || !strings.Contains(strings.Join(Words(d.Reasons), "\n"), test.reason) {
			t.Errorf("%s: rule %q\n%s", test.when, d.Rule, strings.Join(Words(d.Reasons), "\n"))
		}
	}
}
