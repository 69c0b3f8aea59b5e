package policysource_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policysource"
)

var errWrong = errors.New("wrong")

// words reads a list of words. It refuses the word "wrong".
func words(_ string, text []byte) ([]string, error) {
	if bytes.Contains(text, []byte("wrong")) {
		return nil, errWrong
	}
	return strings.Fields(string(text)), nil
}

// expectList asks for the list in force a minute later.
func (p place) expectList(l *policysource.List[string], entries, problem string) {
	p.Helper()
	time.Sleep(time.Minute)
	got := l.InForce(p.Context())
	said := ""
	if got.Problem != nil {
		said = got.Problem.Error()
	}
	if got.Err != nil || strings.Join(got.Entries, " ") != entries || (said == "") != (problem == "") ||
		!strings.Contains(said, problem) {
		p.Errorf("%+v, want %q and %q", got, entries, problem)
	}
}

// TestBadListNeverReplacesAGoodOne, neither in this process nor in one that starts now. The next good one does.
func TestBadListNeverReplacesAGoodOne(t *testing.T) {
	in(t, func(p place) {
		at := policysource.Location{Bucket: "bucket", Key: "vpn/list.txt"}
		list := func() *policysource.List[string] { return policysource.NewList(p.cfg, at, words) }
		never := list()
		p.expectList(never, "", "there is no earlier one")
		p.expectList(never, "", "there is no earlier one")
		p.put("list.txt", "one two")
		running := list()
		p.expectList(running, "one two", "")
		p.expectList(never, "one two", "")
		p.put("list.txt", "wrong")
		p.expectList(running, "one two", "the last good list goes on")
		p.expectList(running, "one two", "the last good list goes on") // it is not read again, and not forgotten
		p.expectList(list(), "one two", "goes on")
		p.cloud.Inject(emulator.Fault{Action: "GetObject", Code: "InternalError", Status: 500, Times: 1})
		p.expectList(running, "one two", "InternalError")
		p.put("list.txt", "three")
		p.expectList(running, "three", "")
		p.cloud.DeleteObject("bucket", "vpn/list.txt")
		p.expectList(running, "three", "NoSuchKey")
		p.expectList(list(), "three", "NoSuchKey")
	})
}

// TestSilentS3IsNoEmptyList: a process that has no list yet says that it knows none, and asks again at once.
func TestSilentS3IsNoEmptyList(t *testing.T) {
	in(t, func(p place) {
		p.put("list.txt", "one")
		l := policysource.NewList(p.cfg, policysource.Location{Bucket: "bucket", Key: "vpn/list.txt"}, words)
		p.cloud.Inject(emulator.Fault{Action: "GetObject", Code: "InternalError", Status: 500, Times: 2})
		if got := l.InForce(p.Context()); got.Err == nil {
			t.Errorf("%+v", got)
		}
		if got := l.InForce(p.Context()); got.Err != nil || len(got.Entries) != 1 {
			t.Errorf("a moment later: %+v", got)
		}
		p.expectList(l, "one", "")
		p.cloud.Inject(emulator.Fault{Action: "GetObject", Code: "InternalError", Status: 500, Times: 1})
		p.expectList(l, "one", "InternalError")
		p.expectList(l, "one", "")
	})
}

// TestStartAsksAgainAfterAFault: a process starts with a bad list, and S3 does not show the versions. It finds the last
// good one as soon as S3 does.
func TestStartAsksAgainAfterAFault(t *testing.T) {
	in(t, func(p place) {
		p.put("list.txt", "one")
		p.put("list.txt", "wrong")
		l := policysource.NewList(p.cfg, policysource.Location{Bucket: "bucket", Key: "vpn/list.txt"}, words)
		p.put("policy.yaml", first)
		p.put("policy.yaml", broken)
		s := p.source()
		p.cloud.Inject(emulator.Fault{Action: "ListObjectVersions", Code: "InternalError", Status: 500, Times: 2})
		if got := l.InForce(p.Context()); got.Err == nil {
			t.Errorf("%+v", got)
		}
		if got := s.InForce(p.Context()); got.Err == nil {
			t.Errorf("%+v", got)
		}
		p.expectList(l, "one", "goes on")
		p.expect(s, "first.example", "goes on")
	})
}

// TestNeighbourIsNoEarlierList: S3 lists by the beginning of a key. A longer one is another object's.
func TestNeighbourIsNoEarlierList(t *testing.T) {
	in(t, func(p place) {
		p.put("list.txt", "one")
		p.put("list.txt", "wrong")
		p.put("list.txt.old", "two")
		p.expectList(policysource.NewList(p.cfg, policysource.Location{Bucket: "bucket", Key: "vpn/list.txt"}, words),
			"one", "goes on")
	})
}

// TestListThatWasRecoveredIsKept: a process that started with a bad list does not go back again and again. It keeps the
// last good one when S3 falls silent.
func TestListThatWasRecoveredIsKept(t *testing.T) {
	in(t, func(p place) {
		p.put("list.txt", "one")
		p.put("list.txt", "wrong")
		l := policysource.NewList(p.cfg, policysource.Location{Bucket: "bucket", Key: "vpn/list.txt"}, words)
		p.expectList(l, "one", "goes on")
		p.cloud.Deny("s3:GetObject", "bucket")
		p.cloud.Deny("s3:ListObjectVersions", "bucket")
		p.expectList(l, "one", "the last good list goes on")
	})
}
