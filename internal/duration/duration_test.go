package duration

import (
	"testing"
	"time"
)

// TestShortLeavesOutZeros, and nothing else: what it writes is the same duration.
func TestShortLeavesOutZeros(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "9s": 9 * time.Second, "2.4s": 2400 * time.Millisecond, "250ms": 250 * time.Millisecond,
		"1m": time.Minute, "10m": 10 * time.Minute, "1m30s": 90 * time.Second, "1h": time.Hour, "168h": 168 * time.Hour,
		"1h10m": 70 * time.Minute, "48h9s": 48*time.Hour + 9*time.Second, "1h0.5s": time.Hour + time.Second/2,
		"-1h": -time.Hour, "10h10m10s": 10*time.Hour + 10*time.Minute + 10*time.Second,
	} {
		got := Short(d)
		if got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
		if back, err := time.ParseDuration(got); err != nil || back != d {
			t.Errorf("%s: read back as %s, %v", got, back, err)
		}
	}
}
