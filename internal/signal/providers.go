package signal

import (
	"slices"
	"strings"
)

// IdentityCenter is the provider whose events know people only by their user ids in an identity store.
const IdentityCenter = "identity-center"

// Custom is the provider of our own form, in which people ask.
const Custom = "custom"

// provider is one source of events. Several rows may share a name: the routes by which one provider's events arrive.
// parse decodes the detail or calls checkDetail, so that no signal comes from a detail that is no JSON.
type provider struct {
	name       string
	source     string // one that ends in "/" is a prefix
	detailType string // "" for any
	known      []meaning
	parse      func(event) ([]Signal, error)
}

// sends reports whether events of the source are the provider's.
func (p provider) sends(source string) bool {
	return source == p.source || strings.HasSuffix(p.source, "/") && strings.HasPrefix(source, p.source)
}

// meaning says what one of a provider's event types means: a row of doc/events.md.
type meaning struct {
	eventType string
	kind      Kind   // "" asks for nothing
	note      string // for people
}

// providers lists all sources that Parse understands. A new provider is a file of this package and a row here.
var providers = []provider{
	{"guardduty", "aws.guardduty", "", guardDutyEvents, parseGuardDuty},
	{"guardduty", "aws.securityhub", "", securityHubEvents, parseSecurityHub},
	{"okta", "aws.partner/okta.com/", "SystemLog", oktaEvents, parseOkta},
	{"okta", "custom.okta", "", oktaEvents, parseOkta},
	{"entra", "custom.entra", "", slices.Concat(entraEvents, entraChanges, entraNotices), parseEntra},
	{"entra", "custom.microsoftgraph", "", slices.Concat(entraEvents, entraChanges, entraNotices), parseEntra},
	{"auth0", "aws.partner/auth0.com/", "", auth0Events, parseAuth0},
	{"onelogin", "aws.partner/onelogin.com/", "", oneLoginEvents, parseOneLogin},
	{"sailpoint", "aws.partner/sailpoint.com/", "", sailPointEvents, parseSailPoint},
	{IdentityCenter, "aws.sso-directory", cloudTrail, identityCenterEvents, parseIdentityCenter},
	{IdentityCenter, "aws.identitystore-scim", cloudTrail, identityCenterEvents, parseIdentityCenter},
	{IdentityCenter, "aws.identitystore", "", identityCenterEvents, parseIdentityCenter},
	{IdentityCenter, "aws.sso", cloudTrail, identityCenterEvents, parseIdentityCenter},
	{"iam", "aws.iam", cloudTrail, iamEvents, parseUserCall},
	{"directory-service", "aws.ds-data", cloudTrail, directoryServiceEvents, parseUserCall},
	{"cognito", "aws.cognito-idp", cloudTrail, cognitoEvents, parseUserCall},
	{"google-workspace", "custom.googleworkspace", "", googleWorkspaceEvents, parseGoogleWorkspace},
	{"jumpcloud", "custom.jumpcloud", "", jumpCloudEvents, parseJumpCloud},
	{"pingone", "custom.pingone", "", pingOneEvents, parsePingOne},
	{"duo", "custom.duo", "", duoEvents, parseDuo},
	{"cyberark", "custom.cyberark", "", cyberArkEvents, parseCyberArk},
	{"ssf", "custom.ssf", "Security Event Token", ssfEvents, parseSSF},
	{Custom, "clientvpn-responder", "", customEvents, parseCustom},
	{SweepProvider, SweepSource, "", sweepEvents, parseSweep},
}

// Providers lists the names that [Signal.Provider] can have.
func Providers() []string {
	var names []string
	for _, p := range providers {
		if !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	return names
}
