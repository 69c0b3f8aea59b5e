package door_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"clientvpn-responder/internal/door"
	"clientvpn-responder/internal/emulator"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const provider = "arn:aws:iam::111122223333:saml-provider/okta"

// metadata returns the SAML metadata of an identity provider with a certificate for each use.
func metadata(uses ...string) string { return metadataOf(issuerKey(), uses...) }

func metadataOf(key *rsa.PrivateKey, uses ...string) string {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "okta"}}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	keys := ""
	for _, use := range uses {
		keys += fmt.Sprintf(`<md:KeyDescriptor %s><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>`+
			"<ds:X509Certificate>\n%s\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>", use,
			base64.StdEncoding.EncodeToString(der))
	}
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"><md:IDPSSODescriptor>` + keys +
		`</md:IDPSSODescriptor></md:EntityDescriptor>`
}

// TestSAMLProvidersCertificateIsTheKey: whose assertions let people in may sign them out. Nobody else may.
func TestSAMLProvidersCertificateIsTheKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, test := range []struct {
			metadata string
			key      any
			want     door.Reason
		}{
			{metadata(`use="signing"`), issuerKey(), ""},
			{metadata(""), issuerKey(), ""},
			{metadata(`use="encryption"`), issuerKey(), door.NoKeys},
			{metadata(`use="signing"`), strangerKey(), door.BadSignature},
			{"<md:", issuerKey(), door.NoKeys},
			{"", issuerKey(), door.NoKeys}, // no such provider
		} {
			cloud := &emulator.Cloud{}
			cloud.AddSAMLProvider(provider, test.metadata)
			g := door.NewGate([]door.Door{
				{Path: "/logout", Accepts: door.Logout, Issuer: okta, SAMLProvider: provider},
			}, newIssuer(), over(t, cloud))
			for range 3 {
				f := good("/logout").with(func(f *form) { f.key = test.key })
				if _, why := enter(t, g, request("/logout", f.sign())); why != test.want && why != door.TooSoon {
					t.Errorf("%.40s: %q, want %q", test.metadata, why, test.want)
				}
			}
			if calls := len(cloud.Calls()); calls != 1 {
				t.Errorf("%d calls of IAM", calls)
			}
			time.Sleep(2 * time.Minute)
		}
	})
}

// TestEventNamesItsSAMLProvider: so that the policy can keep the signer to the endpoints that use the provider.
func TestEventNamesItsSAMLProvider(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cloud := &emulator.Cloud{}
		cloud.AddSAMLProvider(provider, metadata(`use="signing"`))
		saml := door.Door{Path: "/saml", Accepts: door.Logout, Issuer: okta, SAMLProvider: provider}
		g := door.NewGate([]door.Door{saml, doors[0]}, newIssuer(), over(t, cloud))
		for path, want := range map[string]bool{"/saml": true, "/logout": false} {
			f := good("/logout").with(func(f *form) { f.claims["aud"] = "https://" + host + path })
			passed, refused := g.Enter(t.Context(), request(path, f.sign()))
			synctest.Wait()
			if refused != nil || strings.Contains(string(passed.Event.Detail), `"saml_provider":"`+provider+`"`) != want {
				t.Errorf("%s: %+v %s", path, refused, passed.Event.Detail)
			}
		}
	})
}

// TestWithdrawnCertificateIsGoodForAnHour: IAM has another certificate by now. If IAM hangs then, nobody gets in.
func TestWithdrawnCertificateIsGoodForAnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cloud := &emulator.Cloud{}
		cloud.AddSAMLProvider(provider, metadata(`use="signing"`))
		g := door.NewGate([]door.Door{
			{Path: "/logout", Accepts: door.Logout, Issuer: okta, SAMLProvider: provider},
		}, newIssuer(), over(t, cloud))
		try := func(want door.Reason) {
			t.Helper()
			began := time.Now()
			_, why := enter(t, g, request("/logout", good("/logout").sign()))
			if took := time.Since(began); why != want || took > 5*time.Second {
				t.Errorf("%q after %s, want %q", why, took, want)
			}
		}
		try("")
		cloud.AddSAMLProvider(provider, metadataOf(strangerKey(), `use="signing"`))
		time.Sleep(59 * time.Minute)
		try("")
		time.Sleep(2 * time.Minute)
		try(door.BadSignature)
		time.Sleep(2 * time.Hour)
		cloud.Inject(emulator.Fault{Action: "GetSAMLProvider", Delay: time.Hour})
		try(door.NoKeys)
	})
}

// over returns a configuration for the cloud.
func over(t *testing.T, cloud *emulator.Cloud) aws.Config {
	t.Helper()
	client, stop := emulator.HTTPClient(cloud)
	t.Cleanup(stop)
	return aws.Config{
		Region: "eu-west-1", HTTPClient: client, BaseEndpoint: aws.String("http://stand-in"),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}
