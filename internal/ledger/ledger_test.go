package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/moto"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

const table = "ledger"

func config(url string, client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: &url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

// standIn returns a cloud with an empty table, and its configuration.
func standIn(t *testing.T) (*emulator.Cloud, aws.Config) {
	cloud := &emulator.Cloud{}
	cloud.AddTable(table, "id")
	client, stop := emulator.HTTPClient(cloud)
	t.Cleanup(stop)
	return cloud, config("http://stand-in", client)
}

// everywhere runs a test against the stand-in and against moto, a DynamoDB that we did not write.
func everywhere(t *testing.T, test func(t *testing.T, cfg aws.Config)) {
	t.Run("stand-in", func(t *testing.T) {
		_, cfg := standIn(t)
		test(t, cfg)
	})
	t.Run("moto", func(t *testing.T) {
		cfg := config(moto.URL(t, "OUR OWN DYNAMODB"), nil)
		api := dynamodb.NewFromConfig(cfg)
		if _, err := api.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(table)}); err != nil {
			if _, absent := errors.AsType[*types.ResourceNotFoundException](err); !absent {
				t.Fatal(err)
			}
		}
		if _, err := api.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{
				{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
			},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		}); err != nil {
			t.Fatal(err)
		}
		test(t, cfg)
	})
}

// ago is the time so long ago, to the second, as events have it.
func ago(d time.Duration) time.Time { return time.Now().Add(-d).UTC().Truncate(time.Second) }

func in(d time.Duration) time.Time { return ago(-d) }

func put(t *testing.T, list *ledger.Table, e ledger.Entry) time.Time {
	t.Helper()
	until, err := list.Put(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return until
}

// found returns the entries of people, or the error, as "person cause until".
func found(t *testing.T, list *ledger.Table, people ...string) string {
	t.Helper()
	entries, err := list.Find(t.Context(), people)
	return tell(entries, err)
}

func tell(entries []ledger.Entry, err error) string {
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, e := range entries {
		until := "forever"
		if !e.Until.IsZero() {
			until = time.Until(e.Until).Round(time.Minute).String()
		}
		all = append(all, fmt.Sprintf("%s %s %s", e.Person, e.Cause, until))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func TestEntryIsReadAsItWasPut(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		e := ledger.Entry{
			Person: `bücher\alice "al" ☃`, Cause: ledger.Finding, Reason: "stolen <credentials>\n",
			OutcomeID: "guardduty 1a2b", By: "guardduty",
			Issuer: "okta:example", Names: []string{`EXAMPLE\Alice`, "alice@example.com"},
			Since: in(0), EventAt: ago(time.Hour), Arrived: ago(time.Minute), Until: in(24 * time.Hour),
		}
		if until := put(t, list, e); !until.Equal(e.Until) {
			t.Error(until)
		}
		leaver := ledger.Entry{Person: "bob", Cause: ledger.Deprovisioning}
		if until := put(t, list, leaver); !until.IsZero() {
			t.Error(until)
		}
		got, err := list.Find(t.Context(), []string{e.Person, "nobody", "", e.Person})
		if diff := cmp.Diff([]ledger.Entry{e}, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
		all, err := list.List(t.Context())
		if got := tell(all, err); got != `bob deprovisioning forever, bücher\alice "al" ☃ finding 24h0m0s` {
			t.Error(got)
		}
		if b := all[0]; time.Since(b.Since) > time.Minute || !b.EventAt.Equal(b.Since) {
			t.Errorf("the times that were not given: %+v", b)
		}
		if got := found(t, list); got != "" {
			t.Error(got)
		}
	})
}

func TestNobodyIsNotPut(t *testing.T) {
	_, cfg := standIn(t)
	list := ledger.New(cfg, table)
	if _, err := list.Put(t.Context(), ledger.Entry{Cause: ledger.Finding}); err == nil {
		t.Error("nobody is kept out")
	}
	if _, err := list.Lift(t.Context(), "", ledger.Lift{Causes: []ledger.Cause{ledger.Finding}}); err == nil {
		t.Error("nobody is reinstated")
	}
}

func TestNothingShortensTheTime(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		const hour = time.Hour
		for _, step := range []struct {
			cause ledger.Cause
			hours time.Duration // 0 is for ever
			until string
			find  string
		}{
			{ledger.Finding, 4, "4h0m0s", "alice finding 4h0m0s"},
			{ledger.Finding, 1, "4h0m0s", "alice finding 4h0m0s"},
			{ledger.Finding, 24, "24h0m0s", "alice finding 24h0m0s"},
			{ledger.Request, 2, "24h0m0s", "alice finding 24h0m0s, alice request 2h0m0s"},
			{ledger.Deprovisioning, 0, "forever", "alice deprovisioning forever, alice finding 24h0m0s, alice request 2h0m0s"},
			{ledger.Deprovisioning, 5, "forever", "alice deprovisioning forever, alice finding 24h0m0s, alice request 2h0m0s"},
			{ledger.Request, 48, "forever", "alice deprovisioning forever, alice finding 24h0m0s, alice request 48h0m0s"},
		} {
			e := ledger.Entry{Person: "alice", Cause: step.cause}
			if step.hours > 0 {
				e.Until = in(step.hours * hour)
			}
			if got := tell([]ledger.Entry{{Until: put(t, list, e)}}, nil); strings.TrimSpace(got) != step.until {
				t.Errorf("%s %d h: until %s, want %s", step.cause, step.hours, got, step.until)
			}
			if got := found(t, list, "alice"); got != step.find {
				t.Errorf("%s %d h: %s, want %s", step.cause, step.hours, got, step.find)
			}
		}
	})
}

// TestOrderOfArrivalDoesNotMatter: suspended, reinstated and suspended again arrive in every order, and some twice.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		type event struct {
			name string
			do   func(person string) error
		}
		suspend := func(at time.Time, d time.Duration) func(string) error {
			return func(person string) error {
				_, err := list.Put(t.Context(), ledger.Entry{
					Person: person, Cause: ledger.Deprovisioning, EventAt: at, Until: in(d),
				})
				return err
			}
		}
		first := event{"suspended", suspend(ago(3*time.Hour), 48*time.Hour)}
		again := event{"suspended again", suspend(ago(time.Hour), 24*time.Hour)}
		back := event{"reinstated", func(person string) error {
			_, err := list.Lift(t.Context(), person, ledger.Lift{
				Causes: []ledger.Cause{ledger.Deprovisioning}, At: ago(2 * time.Hour),
			})
			return err
		}}
		for i, story := range []struct {
			events []event
			want   []string // any of these
		}{
			{[]event{first, back}, []string{""}},
			{[]event{back, first}, []string{""}},
			{[]event{back, first, back, first}, []string{""}},
			{[]event{first, back, again}, []string{"deprovisioning 24h0m0s"}},
			{[]event{back, first, again}, []string{"deprovisioning 24h0m0s"}},
			{[]event{back, again, first}, []string{"deprovisioning 24h0m0s"}},
			{[]event{again, back, first}, []string{"deprovisioning 24h0m0s"}},
			// The longer end of the older event stays, where the reinstatement in between came last: nothing shortens
			// the time.
			{[]event{first, again, back}, []string{"deprovisioning 48h0m0s"}},
			{[]event{again, first, back}, []string{"deprovisioning 48h0m0s"}},
		} {
			person := fmt.Sprint("person", i)
			var names []string
			for _, e := range story.events {
				names = append(names, e.name)
				if err := e.do(person); err != nil && !errors.Is(err, ledger.ErrLifted) {
					t.Fatal(err)
				}
			}
			if got := strings.TrimPrefix(found(t, list, person), person+" "); !slices.Contains(story.want, got) {
				t.Errorf("%s: %q, want %q", strings.Join(names, ", "), got, story.want)
			}
		}
	})
}

func TestLiftTakesWhatItMay(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		for _, cause := range []ledger.Cause{ledger.Deprovisioning, ledger.Finding} {
			put(t, list, ledger.Entry{Person: "alice", Cause: cause, Reason: "left", EventAt: ago(time.Hour)})
		}
		provider := ledger.Lift{
			Causes: []ledger.Cause{ledger.Deprovisioning}, By: "okta", Reason: "back", At: ago(time.Minute),
		}
		for range 2 { // the same again when the event comes again
			lifted, err := list.Lift(t.Context(), "alice", provider)
			if got := tell(lifted, err); got != "alice deprovisioning forever" || lifted[0].Reason != "left" {
				t.Errorf("%s %+v", got, lifted)
			}
		}
		if got := found(t, list, "alice"); got != "alice finding forever" {
			t.Error(got)
		}
		_, err := list.Put(t.Context(), ledger.Entry{Person: "alice", Cause: ledger.Deprovisioning, EventAt: ago(time.Hour)})
		if !errors.Is(err, ledger.ErrLifted) || !strings.Contains(err.Error(), "okta") {
			t.Errorf("an event from before: %v", err)
		}
		all := ledger.Lift{
			Causes: []ledger.Cause{ledger.Deprovisioning, ledger.Finding, ledger.Request}, By: "carol", At: in(0),
		}
		lifted, err := list.Lift(t.Context(), "alice", all)
		if got := tell(lifted, err); got != "alice finding forever" {
			t.Error(got)
		}
		if got := found(t, list, "alice"); got != "" {
			t.Error(got)
		}
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Finding, EventAt: in(time.Second)})
		if got := found(t, list, "alice"); got != "alice finding forever" {
			t.Error(got)
		}
	})
}

// TestExpiredHoldsNobody: whether or not the item is still there.
func TestExpiredHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := standIn(t)
		list := ledger.New(cfg, table)
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Finding, Until: time.Now().Add(time.Hour)})
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Request, Until: time.Now().Add(2 * time.Hour)})
		time.Sleep(time.Hour - 1)
		if got := found(t, list, "alice"); got != "alice finding 0s, alice request 1h0m0s" {
			t.Error(got)
		}
		time.Sleep(time.Nanosecond)
		if got := found(t, list, "alice"); got != "alice request 1h0m0s" {
			t.Error(got)
		}
		lifted, err := list.Lift(t.Context(), "alice", ledger.Lift{Causes: []ledger.Cause{ledger.Finding}})
		if got := tell(lifted, err); got != "" {
			t.Errorf("lifted what had ended: %s", got)
		}
		time.Sleep(time.Hour)
		all, err := list.List(t.Context())
		if got := found(t, list, "alice") + tell(all, err); got != "" {
			t.Error(got)
		}
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Request, Until: time.Now().Add(time.Minute)})
		if got := found(t, list, "alice"); got != "alice request 1m0s" {
			t.Errorf("after an end, a shorter time: %s", got)
		}
	})
}

// TestItemOutlivesEveryEvent: and never, while it holds for ever.
func TestItemOutlivesEveryEvent(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list, api := ledger.New(cfg, table), dynamodb.NewFromConfig(cfg)
		const remembered = 45 * 24 * time.Hour
		want := func(at time.Time) {
			t.Helper()
			output, err := api.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(table)})
			if err != nil || len(output.Items) != 1 {
				t.Fatal(err, output)
			}
			expiry, limited := output.Items[0]["expires_at"].(*types.AttributeValueMemberN)
			if limited == at.IsZero() {
				t.Errorf("expires_at is %+v, want %s", expiry, at)
			}
			if limited {
				seconds, err := strconv.ParseInt(expiry.Value, 10, 64)
				if off := time.Unix(seconds, 0).Sub(at.Add(remembered)); err != nil || off.Abs() > time.Minute {
					t.Errorf("expires_at is %s, want %s: %v", expiry.Value, at, err)
				}
			}
		}
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Finding, Until: ago(9999 * time.Hour)})
		want(time.Now())
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Finding, Until: in(5 * time.Hour)})
		want(in(5 * time.Hour))
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Request, Until: in(2 * time.Hour)})
		want(in(5 * time.Hour))
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Deprovisioning})
		want(time.Time{})
		if _, err := list.Lift(t.Context(), "alice", ledger.Lift{
			Causes: []ledger.Cause{ledger.Deprovisioning}, At: in(9 * time.Hour),
		}); err != nil {
			t.Fatal(err)
		}
		want(in(9 * time.Hour))
	})
}

// TestWritersLoseNothingOfEachOther: several instances at once, each with a cause of its own, and one that
// reinstates. moto's conditions are not atomic, so the stand-in alone can show it.
func TestWritersLoseNothingOfEachOther(t *testing.T) {
	for range 5 {
		_, cfg := standIn(t)
		put(t, ledger.New(cfg, table), ledger.Entry{Person: "alice", Cause: ledger.Deprovisioning, EventAt: ago(time.Hour)})
		var writers sync.WaitGroup
		for i := range 4 {
			writers.Go(func() {
				_, err := ledger.New(cfg, table).Put(t.Context(), ledger.Entry{
					Person: "alice", Cause: ledger.Cause(fmt.Sprint("cause", i)), Until: in(time.Hour),
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		writers.Go(func() {
			lifted, err := ledger.New(cfg, table).Lift(t.Context(), "alice", ledger.Lift{
				Causes: []ledger.Cause{ledger.Deprovisioning},
			})
			if got := tell(lifted, err); got != "alice deprovisioning forever" {
				t.Error(got)
			}
		})
		writers.Wait()
		want := "alice cause0 1h0m0s, alice cause1 1h0m0s, alice cause2 1h0m0s, alice cause3 1h0m0s"
		if got := found(t, ledger.New(cfg, table), "alice"); got != want {
			t.Error(got)
		}
	}
}

// TestOneCallForANewcomer: the way from an event to the cut-off has one write on it, and a repeat costs no more.
func TestOneCallForANewcomer(t *testing.T) {
	cloud, cfg := standIn(t)
	list := ledger.New(cfg, table)
	e := ledger.Entry{Person: "alice", Cause: ledger.Finding, EventAt: ago(time.Minute)}
	for want := 1; want <= 2; want++ {
		put(t, list, e)
		if got := len(cloud.Calls()); got != want {
			t.Errorf("%d calls, want %d", got, want)
		}
	}
}

// TestEverybodyIsRead: more people than one call takes, from a table that answers some of them at a time.
func TestEverybodyIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, cfg := standIn(t)
		cloud.PageItems = 60
		list := ledger.New(cfg, table)
		var people []string
		for i := range 130 {
			people = append(people, fmt.Sprint("person", i))
			put(t, list, ledger.Entry{Person: people[i], Cause: ledger.Finding})
		}
		entries, err := list.Find(t.Context(), people)
		if len(entries) != 130 || err != nil {
			t.Errorf("found %d: %v", len(entries), err)
		}
		entries, err = list.List(t.Context())
		if len(entries) != 130 || err != nil {
			t.Errorf("listed %d: %v", len(entries), err)
		}
		for _, call := range cloud.Calls() {
			if call.Action == "BatchGetItem" && !strings.Contains(call.Params.Get("RequestItems"), `"ConsistentRead":true`) ||
				call.Action == "Scan" && call.Params.Get("ConsistentRead") != "true" {
				t.Errorf("%v may read what was", call.Params)
			}
		}
	})
}

func TestThrottledReadEndsWithTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, cfg := standIn(t)
		cloud.PageItems = -1 // leaves everything for the next call
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := ledger.New(cfg, table).Find(ctx, []string{"alice"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestWhatCannotBeReadIsNoEmptyList: an item that somebody spoilt by hand, a table that is not there or refuses.
func TestWhatCannotBeReadIsNoEmptyList(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list, api := ledger.New(cfg, table), dynamodb.NewFromConfig(cfg)
		entry := func(members ...string) types.AttributeValue {
			m := map[string]types.AttributeValue{}
			for i := 0; i < len(members); i += 2 {
				m[members[i]] = &types.AttributeValueMemberS{Value: members[i+1]}
			}
			entries := &types.AttributeValueMemberM{
				Value: map[string]types.AttributeValue{"finding": &types.AttributeValueMemberM{Value: m}},
			}
			return &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"entries": entries}}
		}
		for i, known := range []types.AttributeValue{
			entry("reason", "left"), entry("until", "tomorrow"), entry("until", "forever", "since", "yesterday"),
			&types.AttributeValueMemberS{Value: "finding"},
		} {
			person := fmt.Sprint("person", i)
			if _, err := api.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: aws.String(table),
				Key: map[string]types.AttributeValue{
					"id": &types.AttributeValueMemberS{Value: "person#" + person},
				},
				ConditionExpression:       aws.String("attribute_not_exists(known)"),
				UpdateExpression:          aws.String("SET known = :known"),
				ExpressionAttributeValues: map[string]types.AttributeValue{":known": known},
			}); err != nil {
				t.Fatal(err)
			}
			_, putErr := list.Put(t.Context(), ledger.Entry{Person: person, Cause: ledger.Request})
			_, listErr := list.List(t.Context())
			_, findErr := list.Find(t.Context(), []string{person})
			for _, err := range []error{putErr, findErr, listErr} {
				if err == nil || !strings.Contains(err.Error(), `person`) {
					t.Errorf("%d: %v", i, err)
				}
			}
		}
		_, err := ledger.New(cfg, "another").Find(t.Context(), []string{"alice"})
		if refused, ok := errors.AsType[smithy.APIError](err); !ok || refused.ErrorCode() != "ResourceNotFoundException" {
			t.Error(err)
		}
	})
	cloud, cfg := standIn(t)
	cloud.Deny("dynamodb:BatchGetItem", table)
	_, err := ledger.New(cfg, table).Find(t.Context(), []string{"alice"})
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "AccessDeniedException" ||
		!strings.Contains(api.ErrorMessage(), "table/ledger") {
		t.Error(err)
	}
}

func TestLongReasonIsCut(t *testing.T) {
	everywhere(t, func(t *testing.T, cfg aws.Config) {
		list := ledger.New(cfg, table)
		put(t, list, ledger.Entry{Person: "alice", Cause: ledger.Finding, Reason: "x" + strings.Repeat("ü", 300_000)})
		entries, err := list.Find(t.Context(), []string{"alice"})
		if err != nil || len(entries) != 1 || entries[0].Reason != "x"+strings.Repeat("ü", 499) {
			t.Errorf("%v %.80v", err, entries)
		}
	})
}

func TestCheckName(t *testing.T) {
	for name, want := range map[string]bool{
		"": false, "ab": false, "abc": true, "clientvpn-LedgerTable_1.2": true,
		strings.Repeat("x", 255): true, strings.Repeat("x", 256): false,
		"a b": false, "tablé": false, "arn:aws:dynamodb": false, "abc\n": false,
	} {
		if got := ledger.CheckName(name) == nil; got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}
