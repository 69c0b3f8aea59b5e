package main

import (
	"fmt"
	"time"
)

// spoofed is an event about a name that anybody could have chosen: nobody may be cut off by it.
const spoofed asks = "unmapped"

// spoofs are events with such a name: of an IAM user, a directory, a user pool, a database with sign-up and a token.
var spoofs = []string{
	`"detail-type":"AWS API Call via CloudTrail","source":"aws.iam","detail":{` +
		`"eventSource":"iam.amazonaws.com","eventName":"DeleteUser",` +
		`"requestParameters":{"userName":%q},"recipientAccountId":"999988887777"}`,
	`"detail-type":"AWS API Call via CloudTrail","source":"aws.ds-data","detail":{` +
		`"eventSource":"ds-data.amazonaws.com","eventName":"DisableUser",` +
		`"requestParameters":{"directoryId":"d-0000000000","sAMAccountName":%q}}`,
	`"detail-type":"AWS API Call via CloudTrail","source":"aws.cognito-idp","detail":{` +
		`"eventSource":"cognito-idp.amazonaws.com","eventName":"AdminDisableUser",` +
		`"requestParameters":{"userPoolId":"eu-west-1_AbCdEfGhI","username":"%s@example.com"}}`,
	`"detail-type":"Auth0 log","source":"aws.partner/auth0.com/acme-0a1b/auth0.logs","detail":{"data":{"type":"sdu",` +
		`"connection":"Sign-Up","user_name":"%s@example.com"}}`,
	`"detail-type":"Security Event Token","source":"custom.ssf","detail":{"iss":"https://evil.test/",` +
		`"sub_id":{"format":"email","email":"%s@example.com"},"events":{` +
		`"https://schemas.openid.net/secevent/risc/event-type/account-disabled":{}}}`,
}

// addSpoofed makes an event about the person that a stranger could have caused.
func (w *world) addSpoofed(id, person string, nth int) *event {
	now, name := time.Now(), person
	if nth >= 2 {
		name += "@example.com"
	}
	body := fmt.Sprintf(`{"version":"0","id":%q,"account":"111122223333","time":%q,"region":"eu-west-1",`,
		id, now.UTC().Format(time.RFC3339)) + fmt.Sprintf(spoofs[nth], person) + "}"
	return w.put(
		&event{id: id, at: now.Truncate(time.Second), asks: spoofed, people: map[string]string{name: person}, body: body},
	)
}
