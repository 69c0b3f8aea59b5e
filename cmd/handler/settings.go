package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"clientvpn-responder/internal/keepout"
	"clientvpn-responder/internal/notify"
	"clientvpn-responder/internal/policy"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// settings is the environment, read and found sound.
type settings struct {
	topics      notify.Topics
	mode        policy.Mode
	endpointIDs []string
	policyFile  string
	watch       time.Duration
	store       string // identity store to ask for names; empty for none
	targets     []target
	externalID  string
	keepOut     string // table of people who may not come back; empty for none
}

// target is another account or Region with endpoints. The zero role is that of the function.
type target struct {
	role   arn.ARN
	region string
}

// defaultWatch is long enough for a client that comes back by itself, which takes two to three seconds.
const defaultWatch = 15 * time.Second

var identityStoreID = regexp.MustCompile(`^d-[0-9a-f]{10}$`)

var endpointID = regexp.MustCompile(`^cvpn-endpoint-[0-9a-f]+$`)

var regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)

// Source: AWS STS API reference, AssumeRole.
var externalID = regexp.MustCompile(`^[\w+=,.@:/-]+$`)

// readSettings reads the environment through getenv; program is the path of the binary. A variable that is empty counts as
// absent. The error lists every problem, each beginning with the variable's name.
func readSettings(getenv func(string) string, program string) (settings, error) {
	s := settings{mode: policy.DryRun, watch: defaultWatch}
	var problems []error
	wrong := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}

	if getenv("AWS_REGION") == "" {
		wrong("AWS_REGION", "missing; Lambda sets it, elsewhere name the Region of the endpoints")
	}
	seen := map[string]string{}
	topic := func(name, value string) arn.ARN {
		parsed, err := arn.Parse(value)
		switch {
		case value == "":
			return arn.ARN{}
		case err != nil || parsed.Service != "sns" || parsed.Region == "" || parsed.Resource == "" || strings.Contains(parsed.Resource, ":"):
			wrong(name, "%q is not the ARN of an SNS topic, like arn:aws:sns:eu-west-1:111122223333:outcomes", value)
		case strings.HasSuffix(parsed.Resource, ".fifo"):
			wrong(name, "%q is a FIFO topic; use a standard one, which e-mail and chat can subscribe to", value)
		case seen[value] != "":
			wrong(name, "%q is the topic of %s, too; each form of message needs a topic of its own", value, seen[value])
		}
		seen[value] = name
		return parsed
	}
	if getenv("TOPIC_ARN") == "" {
		wrong("TOPIC_ARN", "missing; name the SNS topic that outcomes go to")
	}
	s.topics = notify.Topics{
		JSON: topic("TOPIC_ARN", getenv("TOPIC_ARN")),
		Text: topic("MESSAGE_TOPIC_ARN", getenv("MESSAGE_TOPIC_ARN")),
		Chat: topic("CHAT_TOPIC_ARN", getenv("CHAT_TOPIC_ARN")),
	}
	switch mode := policy.Mode(getenv("MODE")); mode {
	case "":
	case policy.DryRun, policy.Enforce:
		s.mode = mode
	default:
		wrong("MODE", "%q is neither dry-run nor enforce", mode)
	}
	for id := range strings.SplitSeq(getenv("ENDPOINT_IDS"), ",") {
		switch id = strings.TrimSpace(id); {
		case id == "" && getenv("ENDPOINT_IDS") == "", slices.Contains(s.endpointIDs, id):
		case !endpointID.MatchString(id):
			wrong("ENDPOINT_IDS", "%q is not an endpoint id like cvpn-endpoint-0123456789abcdef0; separate several by commas", id)
		default:
			s.endpointIDs = append(s.endpointIDs, id)
		}
	}
	if value := getenv("WATCH"); value != "" {
		watch, err := time.ParseDuration(value)
		if err != nil || watch < 0 {
			wrong("WATCH", "%q is not a duration like 15s; 0 is off", value)
		}
		s.watch = watch
	}
	s.store = getenv("IDENTITY_STORE_ID")
	if s.store != "" && !identityStoreID.MatchString(s.store) {
		wrong("IDENTITY_STORE_ID", "%q is not the id of an identity store, like d-1234567890", s.store)
	}
	s.policyFile = policy.File(getenv("POLICY_FILE"), getenv("LAMBDA_TASK_ROOT"), program)
	for entry := range strings.SplitSeq(getenv("TARGETS"), ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" && getenv("TARGETS") == "" {
			continue
		}
		t := target{region: entry}
		role, region, hasRole := strings.Cut(entry, "@")
		if hasRole {
			parsed, err := arn.Parse(role)
			if err != nil || parsed.Service != "iam" || parsed.AccountID == "" || !strings.HasPrefix(parsed.Resource, "role/") {
				wrong("TARGETS", "%q: %q is not the ARN of a role, like arn:aws:iam::444455556666:role/clientvpn-responder", entry, role)
				continue
			}
			t = target{parsed, region}
		}
		switch {
		case !regionName.MatchString(t.region):
			wrong("TARGETS", "%q is neither a Region like eu-west-1 nor a role and a Region, like arn:aws:iam::444455556666:role/clientvpn-responder@eu-west-1; separate several by commas", entry)
		case !hasRole && t.region == getenv("AWS_REGION"), slices.Contains(s.targets, t): // guarded already
		default:
			s.targets = append(s.targets, t)
		}
	}
	s.externalID = getenv("EXTERNAL_ID")
	if n := len(s.externalID); n > 0 && (n < 2 || n > 1224 || !externalID.MatchString(s.externalID)) {
		wrong("EXTERNAL_ID", "must be 2 to 1224 letters, digits and the signs +=,.@:/_-")
	}
	s.keepOut = getenv("KEEPOUT_TABLE")
	if s.keepOut != "" && !keepout.ValidName(s.keepOut) {
		wrong("KEEPOUT_TABLE", "%q is not the name of a DynamoDB table: 3 to 255 letters, digits and the signs _.-", s.keepOut)
	}
	return s, errors.Join(problems...)
}
