package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/signal"

	"github.com/aws/smithy-go"
)

// findMembers adds the user and the group to the signals that have only the id of a membership. The store forgets a
// membership when it is deleted, so it often knows no more. The signal then says so, and stays about nobody.
func (d *Directory) findMembers(ctx context.Context, slots slots, signals []signal.Signal) {
	var wait sync.WaitGroup
	for i := range signals {
		s := &signals[i]
		if s.Provider != signal.IdentityCenter || s.Membership == nil || s.Membership.Reference == "" ||
			len(s.Subject.IDs) > 0 {
			continue
		}
		wait.Go(func() { slots.use(func() { d.findMember(ctx, s) }) })
	}
	wait.Wait()
}

func (d *Directory) findMember(ctx context.Context, s *signal.Signal) {
	id, store := s.Membership.Reference, s.Subject.IdentityStore
	if why := d.cannotAsk(store); why != "" {
		s.Lookup = "not asked for the member, " + why
		return
	}
	output, err := d.api.DescribeGroupMembership(ctx, &describeMembershipInput{
		IdentityStoreID: d.ID, MembershipID: id, region: s.Region,
	})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == notFound:
		s.Lookup = fmt.Sprintf("%s knows no membership %s: already deleted", d.ID, id)
	case errors.As(err, &api):
		s.Lookup = fmt.Sprintf("%s could not be asked for membership %s: %s", d.ID, id, api.ErrorCode())
	case err != nil:
		s.Lookup = fmt.Sprintf("%s did not answer in time about membership %s", d.ID, id)
	default:
		group := *s.Membership // the parser's is shared by all signals of the event
		group.ID = signal.Name(output.GroupID)
		s.Membership, s.Subject.IdentityStore = &group, d.ID
		s.Subject.Add(identity.Name{Issuer: d.Issuer(), Form: identity.OpaqueID, Value: output.MemberID.UserID})
	}
}
