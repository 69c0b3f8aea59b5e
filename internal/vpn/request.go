package vpn

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"clientvpn-responder/internal/vpn/ec2call"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// gone are EC2's codes for what is not there any more: the user's connections, the connection, or the endpoint with all
// of them.
var gone = []string{
	"InvalidClientVpnConnection.UserNotFound",
	"InvalidClientVpnConnection.IdNotFound",
	"InvalidClientVpnEndpointId.NotFound",
}

// tooMany is EC2's code for a request by name if the user has more connections than it may terminate.
const tooMany = "ClientVpnTerminateConnectionsLimitExceeded"

var errWithoutConnection = errors.New("terminating by connection-id: EC2 answered without the connection")

// ask sends the request and returns an answer for each of its connections, and for those that EC2 terminated beside
// them. If EC2 passes over a connection, or over all as they are too many, ask asks for each by its id.
func (v *VPN) ask(ctx context.Context, r request, dryRun bool) []Answer {
	if err := ctx.Err(); err != nil {
		return r.each(Answer{Said: NotAccepted, How: r.how(), Err: fmt.Errorf("not asked to terminate: %w", err)})
	}
	a := v.accountOf(r.connections[0].account)
	var sent ec2call.SentTracker
	output, err := a.api.TerminateClientVpnConnections(ctx, r.input(dryRun), sent.Watch, ec2call.FewAttempts)
	answer := Answer{How: r.how(), At: sent.LastAttempt.UTC()}
	if id := ec2call.RequestID(output, err); id != "" {
		answer.RequestIDs = []string{id}
	}
	switch {
	case err == nil:
		answers, passedOver := r.read(output, answer)
		return append(answers, v.askEach(ctx, passedOver, answer.RequestIDs, dryRun)...)
	case r.username != "" && ec2call.Code(err) == tooMany:
		return v.askEach(ctx, r.connections, answer.RequestIDs, dryRun)
	}
	answer.Said, answer.Err = a.explain(err, r, dryRun, sent.Unanswered)
	return r.each(answer)
}

// askEach asks for each connection by its id, after the requests in before.
func (v *VPN) askEach(ctx context.Context, connections []Tracked, before []string, dryRun bool) []Answer {
	var answers []Answer
	for _, t := range connections {
		for _, answer := range v.ask(ctx, request{connections: []Tracked{t}}, dryRun) {
			if answer.ConnectionID == t.ID {
				answer.RequestIDs = slices.Concat(before, answer.RequestIDs)
			}
			answers = append(answers, answer)
		}
	}
	return answers
}

// explain says what err means for the request. unanswered says that an attempt reached EC2 without an answer.
func (a *account) explain(err error, r request, dryRun, unanswered bool) (Said, error) {
	code := ec2call.Code(err)
	switch {
	case dryRun && code == "DryRunOperation":
		return WouldAccept, nil
	case !dryRun && slices.Contains(gone, code):
		return NoSuchConnection, nil
	case !dryRun && !ec2call.Refused(err) && unanswered:
		return NoAnswer, fmt.Errorf("no answer to terminating by %s: %w", r.how(), err)
	case errors.Is(err, ec2call.ErrNotSent):
		return NotAccepted, fmt.Errorf("not asked to terminate%s: %w", a.where(), ec2call.ErrNotSent)
	default:
		err = permission(a.explainAssumeRole(err), "ec2:TerminateClientVpnConnections", r.connections[0].EndpointID)
		return NotAccepted, fmt.Errorf("terminating by %s%s: %w", r.how(), a.where(), err)
	}
}

func (r request) how() How {
	if r.username != "" {
		return ByUsername
	}
	return ByConnectionID
}

func (r request) input(dryRun bool) *ec2.TerminateClientVpnConnectionsInput {
	input := &ec2.TerminateClientVpnConnectionsInput{ClientVpnEndpointId: &r.connections[0].EndpointID}
	if r.username != "" {
		input.Username = &r.username
	} else {
		input.ConnectionId = &r.connections[0].ID
	}
	if dryRun {
		input.DryRun = aws.Bool(true)
	}
	return input
}

// each returns the answer for each connection of the request.
func (r request) each(answer Answer) []Answer {
	var answers []Answer
	for _, t := range r.connections {
		answer.ConnectionID = t.ID
		answers = append(answers, answer)
	}
	return answers
}

// read returns EC2's answers by connection, and the connections of a request by name that EC2 passed over. answer holds
// what they have in common.
func (r request) read(output *ec2.TerminateClientVpnConnectionsOutput, answer Answer) ([]Answer, []Tracked) {
	var answers []Answer
	var passedOver []Tracked
	answered := map[string]bool{}
	for _, row := range output.ConnectionStatuses {
		answer.ConnectionID = aws.ToString(row.ConnectionId)
		answer.Previous, answer.Current = statusOr(row.PreviousStatus, Active), statusOr(row.CurrentStatus, Terminating)
		answer.Message = messageOf(row.CurrentStatus)
		answered[answer.ConnectionID] = true
		answer.Beside = nil
		if !slices.ContainsFunc(r.connections, func(t Tracked) bool { return t.ID == answer.ConnectionID }) {
			answer.Beside = r.beside(answer.ConnectionID)
		}
		answers = append(answers, answer)
	}
	for _, t := range r.connections {
		switch {
		case answered[t.ID]:
		case r.username != "":
			passedOver = append(passedOver, t)
		default:
			answers = append(answers, Answer{
				ConnectionID: t.ID, Said: NotAccepted, How: answer.How, At: answer.At,
				RequestIDs: answer.RequestIDs, Err: errWithoutConnection,
			})
		}
	}
	return answers, passedOver
}

// beside returns what is known of a connection that EC2 terminated along with those of the request.
func (r request) beside(id string) *Match {
	like := r.connections[0]
	return &Match{account: like.account, Connection: Connection{
		EndpointID: like.EndpointID, ID: id, Username: r.username, Account: like.Account, Region: like.Region,
	}}
}
