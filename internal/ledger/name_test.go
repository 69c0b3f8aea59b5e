package ledger_test

import (
	"slices"
	"testing"
	"time"

	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// byAlias is an entry that an alias and a template of certificates led to.
func byAlias() ledger.Entry {
	return ledger.Entry{
		Person: "alice", Cause: ledger.Deprovisioning, Issuer: "okta:acme", Names: []string{"asmith@example.com"},
		Known: []string{
			"alice", "alice@example.com", `example\alice`, "asmith", "asmith@example.com", `example\asmith`,
		},
		CommonNames: []string{"alice.vpn.example.com", "alice@example.com.vpn.example.com"},
	}
}

// TestEntryIsFoundByEveryNameOfItsTime: a policy that has lost the alias or the template leads to another person, and
// the entry is found all the same.
func TestEntryIsFoundByEveryNameOfItsTime(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		for _, put := range []ledger.Entry{byAlias(), byAlias()} { // twice
			if _, err := list.Put(t.Context(), put); err != nil {
				t.Fatal(err)
			}
		}
		for name, found := range map[string]bool{
			"asmith": true, "asmith@example.com": true, `corp\asmith`: true, "alice.vpn.example.com": true, "bob": false,
			"bob.vpn.example.com": false,
		} {
			known, err := list.Recall(t.Context(), ledger.Query{People: []string{name}, Names: []string{name}})
			if err != nil || (len(known.People["alice"].Entries) == 1) != found {
				t.Errorf("%s: %+v, %v", name, known.People, err)
			}
		}
		for name, want := range map[string][]string{
			"asmith@example.com": {"alice"}, "alice@example.com": {"alice"}, "asmith@partner.test": nil, "bob": nil,
		} {
			if people, err := list.Named(t.Context(), []string{name}); err != nil || !slices.Equal(people, want) {
				t.Errorf("%s: %q, %v", name, people, err)
			}
		}
	})
}

// TestOtherNameIsForgottenLast: the item of a name lasts as long as the last entry that it leads to.
func TestOtherNameIsForgottenLast(t *testing.T) {
	cloud, cfg := standIn(t)
	list := ledger.New(cfg, table)
	short, long := byAlias(), byAlias()
	short.Person, short.Until, long.Until = "bob", time.Now().Add(time.Hour), time.Now().Add(24*time.Hour)
	for _, e := range []ledger.Entry{short, long, short} {
		if _, err := list.Put(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	known, err := list.Recall(t.Context(), ledger.Query{Names: []string{"asmith"}})
	if err != nil || len(known.People["alice"].Entries) != 1 || len(known.People["bob"].Entries) != 1 {
		t.Errorf("%+v, %v", known.People, err)
	}
	before := len(cloud.Calls())
	carol := ledger.Query{People: []string{"carol"}, Names: []string{"carol"}}
	if _, err := list.Recall(t.Context(), carol); err != nil {
		t.Fatal(err)
	}
	if calls := len(cloud.Calls()) - before; calls != 1 {
		t.Errorf("%d calls about somebody who is not listed", calls)
	}
}

// TestLiftOfNamesLeavesTheOthers: it takes away what the event said about the name, and leaves no mark about the
// person.
func TestLiftOfNamesLeavesTheOthers(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		own := byAlias()
		own.Cause, own.Names = ledger.Membership, []string{"alice"}
		for _, e := range []ledger.Entry{byAlias(), own} {
			if _, err := list.Put(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		lift := ledger.Lift{
			Issuer: "okta:acme", Causes: []ledger.Cause{ledger.Deprovisioning, ledger.Membership},
			Named: []string{"asmith@example.com"},
			At:    time.Now().Add(time.Second),
		}
		lifted, err := list.Lift(t.Context(), "alice", lift)
		if err != nil || len(lifted) != 1 || lifted[0].Cause != ledger.Deprovisioning {
			t.Errorf("%+v, %v", lifted, err)
		}
		if _, err := list.Put(t.Context(), byAlias()); err != nil {
			t.Errorf("the mark of another person's reinstatement: %v", err)
		}
	})
}
