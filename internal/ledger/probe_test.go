package ledger_test

import (
	"errors"
	"strings"
	"testing"

	"clientvpn-responder/internal/ledger"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestProbeWritesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Finding})
		if err := list.Probe(t.Context()); err != nil {
			t.Error(err)
		}
		all, err := list.List(t.Context())
		if got := tell(all, err); got != "alice finding forever" {
			t.Error(got)
		}
		err = ledger.New(cfg, "another").Probe(t.Context())
		if err == nil || strings.Count(err.Error(), "ResourceNotFoundException") != 2 {
			t.Error(err)
		}
	})
}

func TestMissingPermissionsAreNamed(t *testing.T) {
	cloud, cfg := standIn(t)
	list := ledger.New(cfg, table)
	for _, action := range []string{"BatchGetItem", "UpdateItem", "Scan"} {
		cloud.Deny("dynamodb:"+action, table)
	}
	_, finding := list.Find(t.Context(), []string{"alice"})
	_, listing := list.List(t.Context())
	_, putting := list.Put(t.Context(), ledger.Entry{Person: "alice", Cause: ledger.Finding})
	said := errors.Join(finding, listing, putting).Error()
	for _, want := range []string{
		"reading ledger: missing permission dynamodb:BatchGetItem on table/ledger: ",
		"listing ledger: missing permission dynamodb:Scan on table/ledger: ",
		"writing ledger: missing permission dynamodb:UpdateItem on table/ledger: ",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%s\nnot in\n%s", want, said)
		}
	}
	probing := list.Probe(t.Context())
	for _, want := range []string{"dynamodb:BatchGetItem", "dynamodb:UpdateItem"} {
		if probing == nil || !strings.Contains(probing.Error(), "missing permission "+want+" on table/ledger") {
			t.Errorf("%v, which does not name %s", probing, want)
		}
	}
}
