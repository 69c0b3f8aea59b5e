package signal

import "strings"

// entraNotices are notices of Microsoft Graph and Event Grid about a subscription itself. Some mean that notifications
// are lost; the others need nobody.
// Source: Microsoft Graph documentation, "Reduce missing subscriptions and change notifications"; Azure Event Grid
// documentation, "Endpoint validation".
var entraNotices = []meaning{
	{"lifecycle missed", SourceInterrupted, "Microsoft Graph could not deliver some notifications"},
	{"lifecycle subscriptionRemoved", SourceInterrupted, "Microsoft Graph removed the subscription: renew it"},
	{"lifecycle reauthorizationRequired", "", "a routine notice: the forwarder must renew the subscription in time"},
	{"lifecycle pollBeganAnew", SourceInterrupted, "the poll of Microsoft Graph began anew: look for changes before that"},
	{"Microsoft.EventGrid.SubscriptionValidationEvent", "", "a routine notice: a new subscription"},
	{"Microsoft.EventGrid.SubscriptionDeletedEvent", SourceInterrupted, "somebody deleted the subscription"},
}

// notice returns the notice that the record is, if it is one.
func (r entraRecord) notice() (requiredString, bool) {
	switch {
	case r.Lifecycle != "":
		return "lifecycle " + requiredString(r.Lifecycle), true
	case strings.HasPrefix(string(r.Type), "Microsoft.EventGrid."):
		return requiredString(r.Type), true
	case strings.HasPrefix(string(r.EventType), "Microsoft.EventGrid."):
		return requiredString(r.EventType), true
	}
	return "", false
}

func parseEntraNotice(e event, r entraRecord, notice requiredString) ([]Signal, error) {
	m, err := e.meaning(notice)
	if err != nil {
		return nil, e.routine(notice, err)
	}
	return []Signal{{
		ID: string(r.ID), Kind: m.kind, Type: string(notice), Reason: m.note, Time: r.Time.time(),
	}}, nil
}
