package main

import (
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/directory"
	"clientvpn-responder/internal/entra"
	"clientvpn-responder/internal/lambdaenv"
	"clientvpn-responder/internal/ledger"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/policy"
	"clientvpn-responder/internal/policysource"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// settings is the environment, read and found sound.
type settings struct {
	region      string
	topics      notify.Topics
	mode        policy.Mode
	endpointIDs []string
	policyFile  string
	policyAt    policysource.Location // zero where the file is the policy
	watch       time.Duration
	store       directory.Store // of IAM Identity Center; without an id there is none
	tenant      string          // of Microsoft Entra ID; empty for none
	tenantPoll  string          // the function that answers for it
	partners    []string        // partner event sources
	storeRole   arn.ARN         // to assume for the store; zero if it is this account's
	targets     []target
	targetsAt   policysource.Location // of further targets; zero for none
	externalID  string
	table       string // the ledger's; empty for none
	keepOut     bool   // people may be kept out
	heldURL     string // queue of held events; empty for none
	eventsURL   string // queue that they came from
	taskRoot    string // where Lambda unpacks the function
	stack       string // its name, for e-mails
	logGroup    string // the function's, for e-mails
	ownForm     ownForm
}

// target is another account or Region with endpoints. The zero role is that of the function.
type target struct {
	role   arn.ARN
	region string
}

// defaultWatch is long enough for a client that learns of its end and reconnects by itself, which takes 2 to 6 seconds.
// It is too short for one that does not learn it, which takes 21 to 26. Source: doc/settings.md, "How long to watch".
const defaultWatch = 15 * time.Second

type setting = lambdaenv.Setting[settings]

// environment is what the function reads; doc/settings.md has the same rows. AWS_REGION comes before TARGETS, which
// leaves it out.
var environment = []setting{
	{
		Name: "AWS_REGION", Missing: "missing; Lambda sets it, elsewhere name the Region of the endpoints",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.region }),
	},
	{
		Name: "TOPIC_ARN", Doc: "SNS topic for outcomes as JSON; a standard topic, in any Region", Absent: "error",
		Missing: "missing; name the SNS topic that outcomes go to",
		Parse:   topicARN(func(t *notify.Topics) *arn.ARN { return &t.JSON }),
	},
	{
		Name: "MESSAGE_TOPIC_ARN", Doc: "SNS topic for outcomes as text, for e-mail", Absent: "no text",
		Parse: topicARN(func(t *notify.Topics) *arn.ARN { return &t.Text }),
	},
	{
		Name: "CHAT_TOPIC_ARN", Absent: "no chat",
		Doc:   "SNS topic for outcomes as custom notifications, for Amazon Q Developer in chat applications",
		Parse: topicARN(func(t *notify.Topics) *arn.ARN { return &t.Chat }),
	},
	{Name: "MODE", Doc: "`dry-run` or `enforce`", Absent: "`dry-run`", Parse: parseMode},
	{
		Name: "ENDPOINT_IDS", Doc: "comma-separated ids of the endpoints to guard",
		Absent: "every endpoint of the Region, discovered each time", Parse: parseEndpointIDs,
	},
	{
		Name: "POLICY_FILE", Doc: "path of the policy", Absent: "`policy.yaml` beside the binary",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.policyFile }),
	},
	{
		Name: "POLICY_SOURCE", Absent: "the file",
		Doc:   "where the policy is in S3, as `s3://bucket/policy.yaml`; until one is put there, the file holds",
		Parse: lambdaenv.Parsed(func(s *settings) *policysource.Location { return &s.policyAt }, policysource.ParseLocation),
	},
	{
		Name: "STACK_NAME", Absent: "they name no stack", Doc: "the stack's name, for the commands and links in e-mails",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.stack }),
	},
	{Name: "AWS_LAMBDA_LOG_GROUP_NAME", Parse: lambdaenv.Text(func(s *settings) *string { return &s.logGroup })},
	{Name: "LAMBDA_TASK_ROOT", Parse: lambdaenv.Text(func(s *settings) *string { return &s.taskRoot })},
	{
		Name: "WATCH", Doc: "how long to watch for a reconnection, as a Go duration; `0` is off", Absent: "`15s`",
		Parse: parseWatch,
	},
	{
		Name: "IDENTITY_STORE_ID", Absent: "no lookup",
		Doc: "identity store of IAM Identity Center, `d-…`; it is asked for the names of users whom events name by id only",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.store.ID },
			lambdaenv.Matching(`^d-[0-9a-f]{10}$`, "%q is not the id of an identity store, like d-1234567890")),
	},
	{
		Name: "IDENTITY_STORE_REGION", Absent: "the function's Region",
		Doc: "Region of the identity store, for the ids in `SCIM_ISSUERS`",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.store.Region },
			lambdaenv.Matching(regionPattern, "%q is not a Region like eu-central-1")),
	},
	{
		Name: "IDENTITY_STORE_ROLE", Absent: "the identity store is this account's",
		Doc:   "ARN of the role to assume for the identity store of another account, with `EXTERNAL_ID`",
		Parse: lambdaenv.Parsed(func(s *settings) *arn.ARN { return &s.storeRole }, parseRole),
	},
	{
		Name: "SCIM_ISSUERS", Absent: "ids of other providers need an alias",
		Parse: func(s *settings, value string) (err error) {
			s.store.Provisioners, err = directory.ReadProvisioners(value)
			return err
		},
		Doc: "providers that make the identity store's users by SCIM, comma-separated, as `PROVIDER[:TENANT]=ISSUER`; " +
			"`aws identitystore describe-user` shows the issuer among a user's `ExternalIds`",
	},
	{
		Name: "ENTRA_TENANT_ID", Absent: "ids of Entra's users need an alias, or `SCIM_ISSUERS`",
		Doc:   "tenant of Microsoft Entra ID that the function asks for names of users, and for the sweep",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.tenant }, entra.CheckID),
	},
	{
		Name: "ENTRA_FUNCTION", Absent: "needed with `ENTRA_TENANT_ID`",
		Doc: "name of the function that polls Microsoft Graph, which answers for the tenant",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.tenantPoll },
			lambdaenv.Matching(`^[a-zA-Z0-9_-]{1,64}$`, "%q is not the name of a function")),
	},
	{
		Name: "TARGETS", Absent: "this account and Region only", Parse: parseTargets,
		Doc: "other accounts and Regions to guard too, comma-separated: `Region`, or `role-arn@Region` for another account",
	},
	{
		Name: "TARGETS_SOURCE", Absent: "`TARGETS` alone",
		Doc: "where further targets are in S3, as `s3://bucket/targets/targets.txt`, one on a line; " +
			"the environment has room for some 50",
		Parse: lambdaenv.Parsed(func(s *settings) *policysource.Location { return &s.targetsAt }, policysource.ParseLocation),
	},
	{
		Name: "EXTERNAL_ID", Doc: "the external id that the roles of other accounts require", Absent: "none",
		Parse: parseExternalID,
	},
	{
		Name: "LEDGER_TABLE", Parse: lambdaenv.Text(func(s *settings) *string { return &s.table }, ledger.CheckName),
		Absent: "no memory across instances; the brake counts in each alone; keep-out is off",
		Doc:    "DynamoDB table of the ledger, in the function's account and Region",
	},
	{
		Name: "KEEP_OUT", Absent: "`on`", Parse: parseKeepOut,
		Doc: "`off` if no client connect handler is attached: nobody is put on the keep-out list then",
	},
	{
		Name: "PARTNER_SOURCES", Absent: "it asks about none", Parse: parsePartners,
		Doc: "comma-separated names of partner event sources, about which the self-test asks EventBridge",
	},
	{
		Name: "OWN_FORM_CLOSES", Absent: "any kind may come", Parse: parseOwnFormCloses,
		Doc: "`no` if an event of our own form from the queue may not be of a closing kind: " +
			"`account-disabled`, `account-purged`, `token-claims-change`; `yes` if it may. With both, " +
			"`account-enabled` needs the detail-type `Reinstate`",
	},
	{
		Name: "HELD_QUEUE_URL", Absent: "an event that the brake holds ends in the dead letters",
		Doc:   "SQS queue for events that the brake holds",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.heldURL }, lambdaenv.QueueURL),
	},
	{
		Name: "EVENT_QUEUE_URL", Absent: "needed with `HELD_QUEUE_URL`",
		Doc:   "SQS queue that events come from, for events that are released",
		Parse: lambdaenv.Text(func(s *settings) *string { return &s.eventsURL }, lambdaenv.QueueURL),
	},
}

// readSettings reads the environment through getenv; program is the path of the binary. It returns every problem, each
// beginning with the variable's name.
func readSettings(getenv func(string) string, program string) (settings, []string) {
	s := settings{mode: policy.DryRun, watch: defaultWatch, keepOut: true}
	problems := lambdaenv.Read(environment, getenv, &s)
	if (getenv("HELD_QUEUE_URL") == "") != (getenv("EVENT_QUEUE_URL") == "") {
		problems = append(problems, "HELD_QUEUE_URL: name EVENT_QUEUE_URL, too, or neither")
	}
	if s.store.ID == "" && s.storeRole.Resource != "" {
		problems = append(problems, "IDENTITY_STORE_ROLE: name IDENTITY_STORE_ID, too, which the role may ask")
	}
	if s.store.ID == "" && len(s.store.Provisioners) > 0 {
		problems = append(problems, "SCIM_ISSUERS: name IDENTITY_STORE_ID, too, which has the ids")
	}
	if (s.tenant == "") != (s.tenantPoll == "") {
		problems = append(problems, "ENTRA_TENANT_ID: name ENTRA_FUNCTION, too, or neither")
	}
	problems = append(problems, sharedTopics(getenv)...)
	s.policyFile = policy.File(s.policyFile, s.taskRoot, program)
	return s, problems
}

func topicARN(field func(*notify.Topics) *arn.ARN) func(*settings, string) error {
	return func(s *settings, value string) error {
		parsed, err := arn.Parse(value)
		switch {
		case err != nil || parsed.Service != "sns" || parsed.Region == "" || parsed.Resource == "" ||
			strings.Contains(parsed.Resource, ":"):
			return fmt.Errorf("%q is not the ARN of an SNS topic, like arn:aws:sns:eu-west-1:111122223333:outcomes", value)
		case strings.HasSuffix(parsed.Resource, ".fifo"):
			return fmt.Errorf("%q is a FIFO topic; use a standard one, which e-mail and chat can subscribe to", value)
		}
		*field(&s.topics) = parsed
		return nil
	}
}

// sharedTopics reports a topic that two variables name.
func sharedTopics(getenv func(string) string) (problems []string) {
	first := map[string]string{}
	for _, name := range []string{"TOPIC_ARN", "MESSAGE_TOPIC_ARN", "CHAT_TOPIC_ARN"} {
		topic := getenv(name)
		if topic != "" && first[topic] != "" {
			problems = append(problems, fmt.Sprintf(
				"%s: %q is the topic of %s, too; each form of message needs a topic of its own", name, topic, first[topic]))
		}
		first[topic] = name
	}
	return problems
}
