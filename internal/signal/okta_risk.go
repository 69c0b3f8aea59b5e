package signal

import (
	"strings"

	"clientvpn-responder/internal/lazyregexp"
)

var terminatesSession = lazyregexp.New(`(?i)terminat|logout|sign[ _-]?out`)

// terminatesSessions looks for the action among the targets that are not people. Okta documents no list of the actions'
// names.
func (o oktaEvent) terminatesSessions() bool {
	for _, t := range o.Target {
		names := string(t.DisplayName) + " " + string(t.AlternateID)
		if t.Type == "PolicyAction" && terminatesSession().MatchString(names) {
			return true
		}
	}
	return false
}

// riskLevel matches a level in a text such as {level=HIGH, reasons=…} or {"level":"HIGH"}, but not a level called
// previous or old.
var riskLevel = lazyregexp.New(`(?i)(?:^|[^a-z_])(?:current_?|new_?)?(?:risk_?)?level\\?"?\s*[=:]\s*\\?"?([a-z]+)`)

var formerLevel = lazyregexp.New(`previous|prior|old|from|before`)

// isHighRisk looks for the level in the debug data, which is free in form.
func (o oktaEvent) isHighRisk() bool {
	for key, value := range o.DebugContext.value.DebugData {
		key, value := Fold(key), Fold(strings.Trim(string(value), `"`))
		if !strings.Contains(key, "risk") && key != "level" || formerLevel().MatchString(key) {
			continue
		}
		levels := riskLevel().FindAllStringSubmatch(value, -1)
		if value == "high" || len(levels) == 1 && levels[0][1] == "high" {
			return true
		}
	}
	return false
}
