package vpn_test

import (
	"testing"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/vpn"
)

// TestEndpointSaysByWhatItsPeopleAreKnown: by user names, or by the common names of certificates. Beside a user, a
// certificate may be the device's.
func TestEndpointSaysByWhatItsPeopleAreKnown(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		const both = "cvpn-endpoint-0a1b2c3d4e5f60009"
		cloud.AddEndpoint(emulator.Endpoint{
			ID: both, Authentication: []string{"certificate-authentication", "federated-authentication"},
		})
		for _, k := range []emulator.Client{
			{EndpointID: saml, Username: "ann@example.com", CommonName: "bob"},
			{EndpointID: saml, Username: "bob@example.com", CommonName: "ann"}, // the endpoint has no certificates
			{EndpointID: saml, CommonName: "Ann"},                              // EC2 has the user in the other field
			{EndpointID: saml, CommonName: "ann.laptop"},                       // a template is for certificates
			{EndpointID: certs, CommonName: "ann.laptop"},
			{EndpointID: both, Username: "ann", CommonName: "device-7"},
			{EndpointID: both, Username: "bob", CommonName: "ann.laptop"},
			{EndpointID: both, CommonName: "ann.laptop"},
		} {
			cloud.Connect(k)
		}
		target := vpn.Target{Names: []string{"ann", "ann@example.com"}, CommonNames: []string{"ann.laptop"}}
		equal(t, "found", find(t, v, target), []string{
			"1/ann@example.com/bob", "1//Ann", "3//ann.laptop", "9/ann/device-7", "9/bob/ann.laptop?", "9//ann.laptop",
		})
	})
}

// TestSimilarNamesAreDoubts: another domain, a slash or an accent makes it a doubt; another bare name makes it nobody.
func TestSimilarNamesAreDoubts(t *testing.T) {
	inCloud(t, func(t *testing.T, cloud *emulator.Cloud, v *vpn.VPN) {
		for _, name := range []string{
			"ann@ad.example.com", "EXAMPLE/Ann", "\u00e1nn", "anna", "joanna@example.com", "ann.x@example.com", "ann",
		} {
			cloud.Connect(emulator.Client{EndpointID: saml, Username: name})
		}
		equal(t, "found", find(t, v, vpn.Target{Names: []string{"ann", "ann@example.com"}}), []string{
			"1/ann@ad.example.com/?", "1/EXAMPLE/Ann/?", "1/\u00e1nn/?", "1/ann/",
		})
		// A person of another domain has no similar names: nobody knows whose the bare name is.
		equal(t, "found", find(t, v, vpn.Target{Names: []string{"ann@partner.test"}}), nil)
	})
}
