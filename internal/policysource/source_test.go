package policysource_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policysource"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	first  = "version: 1\nidentity: {domains: [first.example]}\nrules: []\n"
	second = "version: 1\nidentity: {domains: [second.example]}\nrules: []\n"
	broken = "version: 1\nexcempt: []\n"
	csv    = "issuer,name,person\n,al,alice@first.example\n"
)

// place is a bucket, the file beside the program, and a clock that waits for nobody.
type place struct {
	*testing.T
	cloud *emulator.Cloud
	cfg   aws.Config
	store *policysource.Store
	at    policysource.Location
	file  string
}

func in(t *testing.T, test func(p place)) {
	synctest.Test(t, func(t *testing.T) {
		cloud := &emulator.Cloud{}
		cloud.AddBucket("bucket")
		client, stop := emulator.HTTPClient(cloud)
		defer stop()
		p := place{T: t, cloud: cloud, cfg: config("http://stand-in", client)}
		p.file = filepath.Join(t.TempDir(), "policy.yaml")
		if err := os.WriteFile(p.file, []byte("version: 1\nrules: []\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		p.at = policysource.Location{Bucket: "bucket", Key: "vpn/policy.yaml"}
		p.store = policysource.Open(p.cfg, p.at)
		test(p)
	})
}

func config(url string, client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

func (p place) source() *policysource.Source { return policysource.New(p.cfg, p.at, p.file) }

// put writes a file, good or bad, as the AWS CLI would.
func (p place) put(name, content string) {
	p.Helper()
	time.Sleep(time.Minute)
	if err := p.store.PutBeside(p.Context(), name, []byte(content)); err != nil {
		p.Fatal(err)
	}
}

// expect asks for the policy in force a minute later, and compares its domain and its problem.
func (p place) expect(s *policysource.Source, domain, problem string) {
	p.Helper()
	time.Sleep(time.Minute)
	got := s.InForce(p.Context())
	if got.Err != nil || got.Policy == nil {
		p.Fatalf("no policy: %+v", got)
	}
	people := got.Policy.People("alice@"+domain, "")
	if domain != "" && (len(people) != 1 || people[0] != "alice") {
		p.Errorf("the policy in force makes %q of alice@%s", people, domain)
	}
	if (got.Problem == nil) != (problem == "") || got.Problem != nil && !strings.Contains(got.Problem.Error(), problem) {
		p.Errorf("the problem is %v, want %q", got.Problem, problem)
	}
}

// TestBadPolicyNeverReplacesAGoodOne, neither in this process nor in one that starts now. The next good one does.
func TestBadPolicyNeverReplacesAGoodOne(t *testing.T) {
	in(t, func(p place) {
		p.put("policy.yaml", first)
		running := p.source()
		p.expect(running, "first.example", "")
		p.put("policy.yaml", broken)
		p.put("policy.yaml", "rules: [")
		const problem = "s3://bucket/vpn/policy.yaml:1:"
		p.expect(running, "first.example", problem)
		p.expect(running, "first.example", problem)
		starting := p.source()
		p.expect(starting, "first.example", problem)
		p.expect(starting, "first.example", "goes on")
		p.put("policy.yaml", second)
		p.expect(running, "second.example", "")
		p.expect(starting, "second.example", "")
	})
}

// TestFileHoldsUntilAPolicyIsPut: that is no problem, and the first good one takes its place.
func TestFileHoldsUntilAPolicyIsPut(t *testing.T) {
	in(t, func(p place) {
		s := p.source()
		p.expect(s, "", "")
		p.expect(s, "", "")
		p.put("policy.yaml", broken)
		p.expect(s, "", "policy.yaml beside the program goes on")
		p.put("policy.yaml", first)
		p.expect(s, "first.example", "")
	})
}

// TestDeletedPolicyGoesOn, with the problem that it is gone.
func TestDeletedPolicyGoesOn(t *testing.T) {
	in(t, func(p place) {
		p.put("policy.yaml", first)
		s := p.source()
		p.expect(s, "first.example", "")
		p.cloud.DeleteObject("bucket", "vpn/policy.yaml")
		p.expect(s, "first.example", "NoSuchKey")
		p.expect(p.source(), "first.example", "NoSuchKey")
	})
}

// TestAliasesTravelWithThePolicy: a change of the file of aliases alone is read, and a bad one replaces no good one.
func TestAliasesTravelWithThePolicy(t *testing.T) {
	in(t, func(p place) {
		p.put("aliases.csv", csv)
		p.put("policy.yaml", "version: 1\nidentity: {domains: [first.example], aliases_file: aliases.csv}\nrules: []\n")
		s := p.source()
		p.expect(s, "first.example", "")
		alias := func(s *policysource.Source, name string) {
			if people := s.InForce(p.Context()).Policy.People(name, ""); len(people) != 1 || people[0] != "alice" {
				p.Errorf("%s is %q", name, people)
			}
		}
		alias(s, "al")
		p.put("aliases.csv", csv+",ally,alice@first.example\n")
		p.expect(s, "first.example", "")
		alias(s, "ally")
		p.put("aliases.csv", "nonsense")
		p.expect(s, "first.example", "aliases.csv:1")
		alias(s, "ally")
		fresh := p.source()
		p.expect(fresh, "first.example", "aliases.csv:1")
		alias(fresh, "ally")
	})
}

// TestPolicyIsReadWithItsOwnAliases: a process that starts goes back to the last good policy with the file of aliases
// that then lay beside it. A policy whose file was deleted is no good one. What lies elsewhere says nothing.
func TestPolicyIsReadWithItsOwnAliases(t *testing.T) {
	in(t, func(p place) {
		const withFile = "version: 1\nidentity: {domains: [first.example], aliases_file: aliases.csv}\nrules: []\n"
		p.put("aliases.csv", csv)
		p.put("policy.yaml", withFile)
		p.put("policy.yaml", withFile+"# with a comment\n")
		p.cloud.DeleteObject("bucket", "vpn/aliases.csv")
		time.Sleep(time.Minute)
		elsewhere := policysource.Open(p.cfg, policysource.Location{Bucket: "bucket", Key: "vpn/targets/policy.yaml"})
		for range 25 {
			if err := elsewhere.PutBeside(p.Context(), "policy.yaml", []byte(second)); err != nil {
				p.Fatal(err)
			}
		}
		s := p.source()
		p.expect(s, "first.example", "NoSuchKey")
		if people := s.InForce(p.Context()).Policy.People("al", ""); len(people) != 1 || people[0] != "alice" {
			p.Errorf("al is %q", people)
		}
		if _, err := p.store.Put(p.Context(), policysource.Document{}, []byte(withFile)); err == nil ||
			!strings.Contains(err.Error(), "NoSuchKey") {
			p.Error(err)
		}
	})
}

// TestFileBesideTheProgramMayBeBad: then there is no policy, and the error says why.
func TestFileBesideTheProgramMayBeBad(t *testing.T) {
	in(t, func(p place) {
		if err := os.WriteFile(p.file, []byte(broken), 0o600); err != nil {
			p.Fatal(err)
		}
		s := p.source()
		for range 2 {
			if got := s.InForce(p.Context()); got.Policy != nil || got.Err == nil {
				p.Errorf("%+v", got)
			}
		}
		p.put("policy.yaml", "rules: [")
		if got := p.source().InForce(p.Context()); got.Policy != nil || got.Err == nil {
			p.Errorf("%+v", got)
		}
		p.put("policy.yaml", first)
		p.expect(s, "first.example", "")
	})
}

// TestSilentS3KeepsThePolicy that is in force. A process that has none says so, and asks again at once.
func TestSilentS3KeepsThePolicy(t *testing.T) {
	in(t, func(p place) {
		p.put("policy.yaml", first)
		running, starting := p.source(), p.source()
		p.expect(running, "first.example", "")
		p.cloud.Inject(emulator.Fault{Action: "GetObject", Code: "InternalError", Status: 500, Times: 1})
		p.expect(running, "first.example", "InternalError")
		p.expect(running, "first.example", "")
		p.cloud.Inject(emulator.Fault{Action: "GetObject", Code: "InternalError", Status: 500, Times: 2})
		if got := starting.InForce(p.Context()); got.Policy != nil || got.Err == nil {
			p.Errorf("%+v", got)
		}
		if got := starting.InForce(p.Context()); got.Policy == nil {
			p.Errorf("a moment later: %+v", got)
		}
		p.expect(starting, "first.example", "")
	})
}

// TestAsksS3OnceAMinute, and is sent the policy only when it has changed.
func TestAsksS3OnceAMinute(t *testing.T) {
	in(t, func(p place) {
		p.put("policy.yaml", first)
		s := p.source()
		for range 5 {
			s.InForce(p.Context())
		}
		p.expect(s, "first.example", "")
		var codes []string
		for _, call := range p.cloud.Calls() {
			if call.Action != "PutObject" {
				codes = append(codes, call.Action+" "+call.Code)
			}
		}
		if got := strings.Join(codes, ", "); got != "GetObject , GetObject NotModified" {
			p.Error(got)
		}
	})
}

// TestPutRefusesWhatCannotBeRead, and what somebody else has changed meanwhile.
func TestPutRefusesWhatCannotBeRead(t *testing.T) {
	in(t, func(p place) {
		if _, err := p.store.Get(p.Context()); !errors.Is(err, policysource.ErrNone) {
			p.Error(err)
		}
		if _, err := p.store.Put(p.Context(), policysource.Document{}, []byte(broken)); err == nil ||
			!strings.Contains(err.Error(), "policy.yaml:2:1: unknown field \"excempt") {
			p.Error(err)
		}
		if _, err := p.store.Put(p.Context(), policysource.Document{}, []byte(first)); err != nil {
			p.Fatal(err)
		}
		before, err := p.store.Get(p.Context())
		if err != nil || string(before.Text) != first {
			p.Fatalf("%s, %v", before.Text, err)
		}
		if _, err := p.store.Put(p.Context(), before, []byte(second)); err != nil {
			p.Error(err)
		}
		if _, err := p.store.Put(p.Context(), before, []byte(first)); err == nil ||
			!strings.Contains(err.Error(), "PreconditionFailed") {
			p.Error(err)
		}
	})
}

func TestLocation(t *testing.T) {
	for _, good := range []string{"s3://bucket/policy.yaml", "s3://a.bucket-1/vpn/prod/policy.yaml"} {
		if l, err := policysource.ParseLocation(good); err != nil || l.String() != good {
			t.Errorf("%s is %v, %v", good, l, err)
		}
	}
	for _, bad := range []string{
		"", "bucket/policy.yaml", "s3://bucket", "s3://bucket/", "s3://B/p", "s3://bucket/a b", "s3://bucket//p",
	} {
		if _, err := policysource.ParseLocation(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
