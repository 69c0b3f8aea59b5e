package notify

import "github.com/aws/aws-sdk-go-v2/service/sns"

// event is what is known of one that was reported before.
type event struct {
	settled bool   // its outcome left nothing to do, so that to find nobody is no news
	last    string // its last outcome, in words
	owed    []debt // what could not be published of it
}

// debt is a message that a topic has not got.
type debt struct {
	topic   int
	message *sns.PublishInput
}

// take gives what is known of the event, and leaves what is owed of it to the caller.
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
