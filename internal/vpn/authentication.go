package vpn

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Authentication is a way in which an endpoint authenticates clients. An endpoint may have more than one, and then asks
// for all of them.
type Authentication struct {
	Method AuthenticationMethod
	// Authority vouches for the client. It is the ARN of the IAM SAML provider, the id of the Active Directory, or the
	// ARN of the root certificate in ACM.
	Authority string
}

// AuthenticationMethod is how clients prove who they are, in EC2's words.
type AuthenticationMethod string

// The methods. Source: EC2 API reference, ClientVpnAuthentication.
const (
	ByCertificate AuthenticationMethod = "certificate-authentication"
	ByDirectory   AuthenticationMethod = "directory-service-authentication"
	BySAML        AuthenticationMethod = "federated-authentication"
)

// authentications returns the endpoint's ways to authenticate clients.
func authentications(options []types.ClientVpnAuthentication) []Authentication {
	var all []Authentication
	for _, o := range options {
		a := Authentication{Method: AuthenticationMethod(o.Type)}
		switch {
		case o.FederatedAuthentication != nil:
			a.Authority = aws.ToString(o.FederatedAuthentication.SamlProviderArn)
		case o.ActiveDirectory != nil:
			a.Authority = aws.ToString(o.ActiveDirectory.DirectoryId)
		case o.MutualAuthentication != nil:
			a.Authority = aws.ToString(o.MutualAuthentication.ClientRootCertificateChain)
		}
		all = append(all, a)
	}
	return all
}

// nameTag returns the value of the tag Name, which the console shows.
func nameTag(tags []types.Tag) string {
	for _, tag := range tags {
		if aws.ToString(tag.Key) == "Name" {
			return aws.ToString(tag.Value)
		}
	}
	return ""
}

// hours returns EC2's whole hours as a duration.
func hours(n *int32) time.Duration { return time.Duration(aws.ToInt32(n)) * time.Hour }
