package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
)

// front is a time in which calls fail.
type front struct {
	from, to time.Time
	one      string // only this action, endpoint or topic; empty for all
	chance   float64
	faults   []emulator.Fault
}

// evils are the faults that chance takes.
var evils = []emulator.Fault{
	{Code: "RequestLimitExceeded"}, {Code: "RequestLimitExceeded"}, {Code: "RequestLimitExceeded"},
	{Code: "InternalError"}, {Code: "Unavailable"}, {Code: "ServiceUnavailable", Status: 502},
	{Drop: true}, {Reset: true}, {Cut: true}, {Truncate: true}, {Empty: true},
	{Code: "InternalError", Drop: true}, {Code: "InternalError", Reset: true},
	{Delay: time.Hour}, {Delay: time.Hour, Code: "InternalError"}, {Delay: 3 * time.Second}, {Delay: 9 * time.Second},
	{Code: "UnauthorizedOperation", Status: 403}, {Code: "InvalidPaginationToken"}, {Code: "InvalidParameterValue"},
	{Code: "InvalidClientVpnConnection.IdNotFound"}, {Code: "InvalidClientVpnConnection.UserNotFound"},
	{Code: "ClientVpnTerminateConnectionsLimitExceeded"},
	{Code: "ThrottlingException"}, {Code: "InternalServerError", Status: 500}, {Code: "AccessDeniedException"},
	{Code: "ConditionalCheckFailedException"},
	{Code: "KMSDisabled"}, {Code: "KMSThrottling"}, {Code: "NotFound", Status: 404},
}

// fits leaves those faults that a service may answer to a call.
func fits(f emulator.Fault, call emulator.Call) bool {
	switch {
	case f.Code == "InvalidPaginationToken":
		return call.Params.Get("NextToken") != ""
	case strings.HasPrefix(f.Code, "InvalidClientVpnConnection."), f.Code == "ClientVpnTerminateConnectionsLimitExceeded":
		return call.Action == endAction
	case strings.HasPrefix(f.Code, "KMS"), f.Code == "NotFound":
		return call.Action == publishAction
	case f.Code == "ThrottlingException", f.Code == "InternalServerError", f.Code == "AccessDeniedException":
		return call.Action == putAction || call.Action == getAction
	case f.Code == "ConditionalCheckFailedException":
		return call.Action == putAction
	}
	return true
}

// fog makes the times in which the connect handler cannot read the list. The function can.
func (d *day) fog() {
	for range 1 + d.r.IntN(3) {
		from := time.Now().Add(time.Duration(d.r.Int64N(int64(time.Until(d.until)))))
		f := front{from: from, to: from.Add(time.Duration(d.r.Int64N(int64(10 * time.Minute)))),
			chance: pick(d.r, []float64{0.3, 1}), faults: unreadable}
		d.door.fronts = append(d.door.fronts, f)
		d.note("fog before the list: %+v", f)
	}
}

// spoil returns the fault of a call. It follows from the seed and the number of calls of the kind. So the order of
// calls that are made side by side does not matter.
func (d *day) spoil(call emulator.Call) emulator.Fault {
	now := time.Now()
	endpoint := call.Params.Get("ClientVpnEndpointId")
	d.mu.Lock()
	key := fmt.Sprint(call.Action, " ", endpoint, call.Params.Get("ConnectionId"), call.Params.Get("Username"),
		call.Params.Get("Filter.1.Name"))
	d.asked[key]++
	key = fmt.Sprint(key, " ", d.asked[key])
	d.mu.Unlock()
	h := fnv.New64a()
	h.Write([]byte(key))
	r := rand.New(rand.NewPCG(d.seed, h.Sum64()))
	for _, f := range d.fronts {
		if now.Before(f.from) || now.After(f.to) ||
			f.one != "" && f.one != call.Action && f.one != endpoint && f.one != call.Params.Get("TopicArn") ||
			r.Float64() >= f.chance {
			continue
		}
		if fault := pick(r, f.faults); fits(fault, call) {
			d.note("%s: %+v", key, fault)
			d.mu.Lock()
			d.tally.Spoilt++
			d.mu.Unlock()
			return fault
		}
	}
	return emulator.Fault{}
}
