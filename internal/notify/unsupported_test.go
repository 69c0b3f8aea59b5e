package notify

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"clientvpn-responder/internal/signal"
)

// TestNothingIsCounted: what a rule let in for nothing is counted by provider and type, and a routine notice is a sign
// of life.
func TestNothingIsCounted(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&signal.UnsupportedError{Provider: "okta", Type: "user.session.end", Why: "a logout"}, `"Unsupported":1`},
		{&signal.UnsupportedError{Provider: "ssf", Type: "verification", Routine: true}, `"RoutineNotices":1`},
		{&signal.UnsupportedError{Type: "aws.inspector2", Why: "source"}, ""},
		{fmt.Errorf("%w: the user is enabled", signal.ErrUnsupported), ""},
		{errors.New("else"), ""},
	} {
		var out bytes.Buffer
		Nothing(t.Context(), slog.New(slog.NewJSONHandler(&out, nil)), "m1", test.err)
		logged := out.String()
		if !strings.Contains(logged, `"msg":"nothing to do"`) || strings.Contains(logged, `"_aws"`) != (test.want != "") ||
			!strings.Contains(logged, test.want) {
			t.Errorf("%v: %s", test.err, logged)
		}
	}
}
