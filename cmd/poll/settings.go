package main

import (
	"fmt"
	"net/url"
	"strings"

	"clientvpn-responder/internal/entra"
	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/ledger"
)

// settings is the environment, read and found sound.
type settings struct {
	tenant, client string
	secret         string // ARN of the client secret; empty for a federated credential
	groups         []string
	graph, login   string
	queueURL       string
	table          string
}

type setting = lambdaenv.Setting[settings]

// environment is what the function reads; doc/doors.md has the same rows.
var environment = []setting{
	{
		Name: "AWS_REGION", Missing: "missing; Lambda sets it, elsewhere name the Region of the queue",
		Parse: func(*settings, string) error { return nil }, // the SDK's configuration reads it
	},
	{
		Name: "ENTRA_TENANT_ID", Doc: "the tenant's id", Absent: "error", Missing: "missing; name the tenant's id",
		Parse: guid(func(s *settings) *string { return &s.tenant }),
	},
	{
		Name: "ENTRA_CLIENT_ID", Doc: "the id of the application that asks", Absent: "error",
		Missing: "missing; name the application's (client) id", Parse: guid(func(s *settings) *string { return &s.client }),
	},
	{
		Name: "ENTRA_SECRET_ARN", Doc: "secret of Secrets Manager whose text is the application's client secret",
		Absent: "a federated credential",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.secret }, lambdaenv.Matching(
			`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$`, "%q is not the ARN of a secret")),
	},
	{
		Name: "ENTRA_GROUP_IDS", Doc: "comma-separated object ids of the groups that carry the VPN, at most 50",
		Absent: "members of groups come from the audit log alone", Parse: parseGroups,
	},
	{
		Name: "GRAPH_URL", Doc: "Microsoft Graph, in a national cloud", Absent: "`https://graph.microsoft.com`",
		Parse: origin(func(s *settings) *string { return &s.graph }),
	},
	{
		Name: "LOGIN_URL", Doc: "the sign-in, in a national cloud", Absent: "`https://login.microsoftonline.com`",
		Parse: origin(func(s *settings) *string { return &s.login }),
	},
	{
		Name: "EVENT_QUEUE_URL", Doc: "SQS queue that the responder reads", Absent: "error",
		Missing: "missing; name the queue that events go to",
		Parse:   lambdaenv.Text(func(s *settings) *string { return &s.queueURL }, lambdaenv.QueueURL),
	},
	{
		Name: "LEDGER_TABLE", Doc: "DynamoDB table of the ledger, for the cursor", Absent: "error",
		Missing: "missing; name the DynamoDB table of the ledger",
		Parse:   lambdaenv.Text(func(s *settings) *string { return &s.table }, ledger.CheckName),
	},
}

func guid(field func(*settings) *string) func(*settings, string) error {
	return lambdaenv.Parsed(field, func(value string) (string, error) {
		return strings.ToLower(value), entra.CheckID(value)
	})
}

// parseGroups reads the groups. Source: Microsoft Graph, group: delta; a filter has at most 50 ids.
func parseGroups(s *settings, value string) error {
	for id := range strings.SplitSeq(value, ",") {
		if id = strings.TrimSpace(id); !entra.IsID(id) {
			return fmt.Errorf("%q is not the object id of a group", id)
		}
		s.groups = append(s.groups, strings.ToLower(id))
	}
	if len(s.groups) > 50 {
		return fmt.Errorf("has %d groups, and Microsoft Graph accepts 50", len(s.groups))
	}
	return nil
}

// origin stores the address of a service without a path. A server on the same machine needs no TLS.
func origin(field func(*settings) *string) func(*settings, string) error {
	return func(s *settings, value string) error {
		u, err := url.Parse(strings.TrimSuffix(value, "/"))
		local := err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
		if err != nil || u.Host == "" || u.Path != "" || u.Scheme != "https" && !local {
			return fmt.Errorf("%q is not an https URL without a path", value)
		}
		*field(s) = u.String()
		return nil
	}
}
