package ledger_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/ledger"
)

// TestSilentDoorIsNotReady: a stream that has gone silent, and a poll that fails, are problems of the self-test.
func TestSilentDoorIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := standIn(t)
		table := ledger.New(cfg, table)
		problems := func() string { return errors.Join(table.QuietDoors(t.Context(), time.Now())...).Error() }
		if all := table.QuietDoors(t.Context(), time.Now()); len(all) > 0 {
			t.Errorf("without doors: %v", all)
		}
		for _, path := range []string{"/ssf", "/okta"} {
			if err := table.HeardAtDoor(t.Context(), path, time.Now(), 24*time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		cursor := ledger.Cursor{Succeeded: time.Now()}
		if err := table.SaveCursor(t.Context(), "entra", cursor); err != nil {
			t.Fatal(err)
		}
		if all := table.QuietDoors(t.Context(), time.Now()); len(all) > 0 {
			t.Errorf("at once: %v", all)
		}
		time.Sleep(16 * time.Minute)
		if said := problems(); !strings.Contains(said, "the function does not run") || strings.Contains(said, "/ssf") {
			t.Error(said)
		}
		cursor.Problem = "missing permission User.Read.All of Microsoft Graph"
		if err := table.SaveCursor(t.Context(), "entra", cursor); err != nil {
			t.Fatal(err)
		}
		if said := problems(); !strings.Contains(said, "missing permission User.Read.All") {
			t.Error(said)
		}
		time.Sleep(24 * time.Hour)
		if err := table.HeardAtDoor(t.Context(), "/okta", time.Now(), 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if said := problems(); !strings.Contains(said, "the door /ssf has heard nothing") || strings.Contains(said, "/okta") {
			t.Error(said)
		}
	})
}
