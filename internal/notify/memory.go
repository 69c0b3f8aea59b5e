package notify

import "github.com/aws/aws-sdk-go-v2/service/sns"

// event is what the reporter remembers of a reported event.
type event struct {
	settled bool   // its outcome left nothing to do, so finding nobody is no news
	last    string // its last outcome, in words
	owed    []debt // its messages that could not be published
}

// debt is a message that a topic still lacks.
type debt struct {
	topic   int
	message *sns.PublishInput
}

// take returns what is remembered of the event, and hands its unpublished messages over to the caller.
func (r *Reporter) take(key string) event {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.events[key]
	if len(e.owed) > 0 {
		r.owed -= len(e.owed)
		rest := e
		rest.owed = nil
		r.events[key] = rest
	}
	return e
}

func (r *Reporter) keep(key string, e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.owed+len(e.owed) > maxOwed {
		e = event{}
	}
	if !e.settled && len(e.owed) == 0 {
		delete(r.events, key)
		return
	}
	if r.events == nil || len(r.events) >= maxEvents {
		r.events, r.owed = map[string]event{}, 0
	}
	r.owed += len(e.owed)
	r.events[key] = e
}
