package ledger

import (
	"context"
	"fmt"
	"time"
)

// switchID is the item that is in the table while everything is switched off. The template's outputs and the e-mails
// print commands that write and delete it, so it never changes.
const switchID = "switch#off"

// switchedOn is the state of an item that switches nothing off.
const switchedOn = "on"

// Switch is the off switch: whether somebody has switched everything off, who, and since when. The zero Switch is on.
type Switch struct {
	Off bool
	// By and Since are as the person wrote them; either may be empty.
	By, Since string
}

// String says that everything is switched off, by whom and since when.
func (s Switch) String() string {
	words := "everything is switched off"
	if s.Since != "" {
		words += " since " + s.Since
	}
	if s.By != "" {
		words += " by " + s.By
	}
	return words
}

// switchOf reads the switch among items. Whatever is in the item, its presence means off unless it says on: a person in
// a hurry wrote it.
func switchOf(items map[string]content) Switch {
	known, there := items[switchID]
	r := reader{}
	if !there || r.text("state", known["state"]) == switchedOn {
		return Switch{}
	}
	return Switch{Off: true, By: clip(r.text("by", known["by"])), Since: clip(r.text("since", known["since"]))}
}

// SwitchOff switches everything off: the function terminates nothing, and the client connect handler denies nobody.
func (t *Table) SwitchOff(ctx context.Context, by string) error {
	return t.setSwitch(ctx, content{"by": text(clip(by)), "since": text(time.Now().UTC().Format(time.RFC3339))})
}

// SwitchOn switches everything on again.
func (t *Table) SwitchOn(ctx context.Context, by string) error {
	return t.setSwitch(ctx, content{
		"state": text(switchedOn), "by": text(clip(by)), "since": text(time.Now().UTC().Format(time.RFC3339)),
	})
}

func (t *Table) setSwitch(ctx context.Context, next content) error {
	err := t.change(ctx, switchID, func(content) (content, time.Time, error) { return next, time.Time{}, nil })
	if err != nil {
		return fmt.Errorf("setting the off switch: %w", err)
	}
	return nil
}

// ReadSwitch returns the off switch by a consistent read.
func (t *Table) ReadSwitch(ctx context.Context) (Switch, error) {
	items, err := t.load(ctx, []string{switchID})
	return switchOf(items), err
}
