package door_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"clientvpn-responder/internal/door"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestTokensOfOthersPass: tokens that PyJWT, Authlib and the npm package jose have signed. testdata has the programs
// that made them.
func TestTokensOfOthersPass(t *testing.T) {
	for file, count := range map[string]int{"python.json": 18, "npm.json": 9} {
		raw, err := os.ReadFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var foreign struct {
			At     int64
			JWKS   json.RawMessage
			Tokens []struct{ By, Path, Token string }
		}
		if err := json.Unmarshal(raw, &foreign); err != nil || len(foreign.Tokens) != count {
			t.Fatalf("%s has %d tokens, %v", file, len(foreign.Tokens), err)
		}
		bubble(t, func(t *testing.T) {
			keys := newIssuer()
			keys.body = foreign.JWKS
			g := door.NewGate(doors, keys, aws.Config{})
			for _, f := range foreign.Tokens {
				r := request(f.Path, f.Token)
				r.At = time.Unix(foreign.At, 0)
				if answer, why := enter(t, g, r); why != "" || answer.Status >= 300 {
					t.Errorf("%s, %s: %d %s", f.By, f.Path, answer.Status, why)
				}
				header, rest, _ := strings.Cut(f.Token, ".")
				payload, signature, _ := strings.Cut(rest, ".")
				spoilt := []byte(signature)
				slices.Reverse(spoilt)
				r = request(f.Path, header+"."+payload+"."+string(spoilt))
				r.At = time.Unix(foreign.At, 0)
				if _, why := enter(t, g, r); why != door.BadSignature && why != door.BadToken {
					t.Errorf("%s, %s, with a spoilt signature: %q", f.By, f.Path, why)
				}
			}
		})
	}
}
