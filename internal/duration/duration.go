// Package duration writes durations for people. It promises the form in which the policy has them: 1h, not 1h0m0s.
package duration

import (
	"strings"
	"time"
)

// Short returns the duration as [time.Duration.String] does, without minutes and seconds that are zero: 1h, 48h9s,
// 1m30s, 2.4s. [time.ParseDuration] reads it back.
func Short(d time.Duration) string {
	s := d.String()
	if minutes, whole := strings.CutSuffix(s, "m0s"); whole {
		s = minutes + "m"
	}
	return strings.Replace(s, "h0m", "h", 1)
}
