package signal

import (
	"cmp"
	"encoding/json"
	"net/netip"
)

// addresses returns from where somebody acted upon the resource: the private addresses that reached it, or else one
// public address, or else nobody. A private address can be a VPN client's, on an endpoint with a transit gateway. A
// public one is only reported. If the resource is the one that acted, the other side is the victim. A private caller of
// an API is not returned, since it is some VPC's endpoint.
func (f finding) addresses() []Subject {
	if Fold(string(f.Service.ResourceRole)) != "target" {
		return nil
	}
	var action findingAction
	_ = json.Unmarshal(f.Service.Action, &action) // one that cannot be read has no address
	remote := action.remote()
	var private subjects
	var public Subject
	for i, address := range append(remote, action.AWSAPICallAction.value.address()) {
		switch ip, err := netip.ParseAddr(string(address)); {
		case err != nil || ip.Zone() != "":
		case !ip.IsPrivate() && !sharedAddresses.Contains(ip):
			public.PublicIP = cmp.Or(public.PublicIP, string(address))
		case i < len(remote):
			private.add(Subject{ClientIP: string(address)})
		}
	}
	if len(private) > 0 {
		return private
	}
	return []Subject{public}
}

// remote returns the addresses from which somebody reached the resource over the network.
func (a findingAction) remote() []lenientString {
	var remote []lenientString
	if c := a.NetworkConnectionAction.value; Fold(string(c.ConnectionDirection)) == "inbound" {
		remote = append(remote, c.address())
	}
	for _, probe := range a.PortProbeAction.value.PortProbeDetails {
		remote = append(remote, probe.address())
	}
	return remote
}

// sharedAddresses is carrier-grade NAT's range (RFC 6598), which some companies use as a client CIDR.
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")
