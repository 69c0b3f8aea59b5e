package signal

import (
	"encoding/json"
	"slices"
	"strings"

	"clientvpn-responder/internal/lazyregexp"
)

// securityHubEvents are detail-types of Security Hub's events. Their signals are GuardDuty's: same provider, finding
// id, type and scale. A policy does not care by which route a finding came.
// Source: AWS Security Hub user guide, "EventBridge integration"; ASFF; OCSF's detection finding.
var securityHubEvents = []meaning{
	{"Security Hub Findings - Imported", Finding,
		"GuardDuty's (ASFF); only with RecordState ACTIVE and Workflow.Status NEW"},
	{"Findings Imported V2", Finding,
		"GuardDuty's (OCSF); only with status New; actors of attack sequences as OCSF's schema has them: no captured " +
			"sequence is known"},
	{"Security Hub Findings - Custom Action", "",
		"an analyst's button; only you know which one asks to terminate: forward it in the custom form"},
	{"Security Hub Insight Results", "", "about no one person"},
}

func parseSecurityHub(e event) ([]Signal, error) {
	kind, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
	var list struct {
		Findings []json.RawMessage `json:"findings"`
	}
	if err := decode("detail", e.Detail, &list); err != nil {
		return nil, err
	}
	if len(list.Findings) == 0 {
		return nil, unreadable("detail.findings", "missing or empty; Security Hub's events list findings")
	}
	parse := parseASFF
	if e.DetailType == "Findings Imported V2" {
		parse = parseOCSF
	}
	return parseRecords(list.Findings, func(i int, raw json.RawMessage) ([]Signal, error) {
		signals, err := parse(e, element("detail.findings", i), raw)
		for i := range signals {
			signals[i].Kind = kind
		}
		return signals, err
	})
}

// withPeople returns a signal for each person that the access keys or the actors name, or one about nobody.
func withPeople(base Signal, keys []accessKey, actors []actor, account requiredString) []Signal {
	base.Sample = base.Sample || slices.ContainsFunc(keys, accessKey.madeUp)
	var people subjects
	for _, k := range keys {
		people.add(k.subject(account))
	}
	for _, a := range actors {
		people.add(a.subject(account))
	}
	if len(people) == 0 {
		for _, k := range keys {
			people.add(k.seen(account))
		}
		for _, a := range actors {
			people.add(a.seen(account))
		}
	}
	return eachSubject(base, people)
}

// The ARNs of GuardDuty's product, which Security Hub controls. The importer of a finding chooses the product's name.
var (
	guardDutyProduct   = lazyregexp.New(`^arn:aws[a-z-]*:securityhub:[a-z0-9-]+::product/aws/guardduty$`)
	guardDutyProductV2 = lazyregexp.New(`^arn:aws[a-z-]*:securityhub:[a-z0-9-]+::productv2/aws/guardduty$`)
)

// findingID returns GuardDuty's own id from a finding's ARN, so that it is the same by every route.
func findingID(id requiredString) string {
	if _, after, ok := strings.Cut(string(id), "/finding/"); ok && after != "" {
		return after
	}
	return string(id)
}

// findingARN returns the id if it is an ARN.
func findingARN(id requiredString) string {
	if strings.HasPrefix(string(id), "arn:") {
		return string(id)
	}
	return ""
}

// severityKnown reports whether the word, or OCSF's number for it, is a severity.
func severityKnown(word requiredString) bool {
	return severityOf(word) > 0 || slices.Contains([]string{"informational", "1"}, Fold(string(word)))
}

// severityOf returns the lower end of the word's range on GuardDuty's scale. The word may be OCSF's number for it.
func severityOf(word requiredString) float64 {
	switch Fold(string(word)) {
	case "critical", "5", "fatal", "6":
		return 9
	case "high", "4":
		return 7
	case "medium", "3":
		return 4
	case "low", "2":
		return 1
	}
	return 0
}
