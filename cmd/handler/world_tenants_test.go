package main

import (
	"fmt"
	"strings"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/policy"
)

// daughter is the endpoint of a second company, whose people have the same names as the first company's.
const daughter = "cvpn-endpoint-00000000000000004"

// ofDaughter is the person of the second company who has the same name.
func ofDaughter(person string) string { return person + " of daughter" }

// bare is the name that the people of both companies have.
func bare(person string) string { return strings.TrimSuffix(person, " of daughter") }

// tenantsIdentity names two tenants of Okta, one for each company, one of two directories, and an id of OneLogin's.
// Every other issuer's names are strangers'.
const tenantsIdentity = `
  issuers: ["okta:acme", "okta:daughter", "directory-service:d-1111111111"]
  endpoints:
    okta:daughter: [` + daughter + `]
    okta:acme: [` + saml + `, ` + ad + `, ` + certs + `, ` + abroad + `]
    directory-service: [` + saml + `, ` + ad + `, ` + certs + `, ` + abroad + `]
    onelogin: [` + saml + `, ` + ad + `, ` + certs + `, ` + abroad + `]
    custom: [` + saml + `, ` + ad + `, ` + certs + `, ` + abroad + `]
  aliases:
    onelogin:7: {"92345678": ann}
lifts: {"okta:acme": ["onelogin:7", "directory-service:d-1111111111"]}`

// rules returns the policy of the day.
func (w *world) rules() string {
	rules := worldRules
	if w.tenants {
		rules = strings.Replace(rules, "\nexempt:", tenantsIdentity+"\nexempt:", 1)
	}
	if w.brake > 0 {
		rules = strings.Replace(rules, "brake: off", fmt.Sprintf("brake: {people: %d, within: 1h}", w.brake), 1)
	}
	if w.keepOut {
		rules = strings.ReplaceAll(rules, "then: terminate\n", "then: terminate\n    keep_out: 24h\n")
	}
	return rules
}

func (w *world) policy() *policy.Policy {
	p, err := policy.Parse("policy.yaml", []byte(w.rules()))
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// found opens the second company.
func (w *world) found() {
	w.tenants = true
	w.cloud.AddEndpoint(emulator.Endpoint{ID: daughter})
}

// arriveAtDaughter lets somebody of the second company connect, who has the person's name.
func (d *day) arriveAtDaughter(person string) {
	if d.many(person) {
		return
	}
	k := emulator.Client{EndpointID: daughter, Username: pick(d.r, spellings(person))}
	id := d.connect(ofDaughter(person), k)
	d.note("%s connects: %s %q on %s", ofDaughter(person), id, k.Username, k.EndpointID)
}

// oktaCall is an event of a tenant of Okta's.
const oktaCall = `"detail-type":"SystemLog","source":"aws.partner/okta.com/%[2]s/log","detail":{"uuid":%[1]q,` +
	`"eventType":"user.lifecycle.%[4]s","outcome":{"result":"SUCCESS"},"target":[{"id":"00u%[1]s","type":"User",` +
	`"alternateId":%[3]q}]}`

// directoryCall is an event of a directory.
const directoryCall = `"detail-type":"AWS API Call via CloudTrail","source":"aws.ds-data","detail":{` +
	`"eventID":%[1]q,"eventSource":"ds-data.amazonaws.com","eventName":"DisableUser",` +
	`"requestParameters":{"directoryId":%[2]q,"sAMAccountName":%[3]q}}`

// oneLoginCall is an event of an account of OneLogin's. It has an id, and no name.
const oneLoginCall = `"detail-type":"x","source":"aws.partner/onelogin.com/%[2]s/x","detail":{"uuid":%[1]q,` +
	`"event_type_id":"15","account_id":%[2]q,"user_id":"92345678"}`

// addTenants makes an event about the person that only one company's people are meant by, or nobody's.
func (w *world) addTenants(id, person string, nth int) *event {
	name := person + "@example.com"
	e := &event{id: id, at: time.Now().Add(-w.late).Truncate(time.Second), asks: forEnd, issuer: "okta:acme",
		people: map[string]string{name: person}}
	switch nth {
	case 0:
		e.body = fmt.Sprintf(oktaCall, id, "acme", name, "deactivate")
	case 1:
		e.people[name], e.issuer = ofDaughter(person), "okta:daughter"
		e.body = fmt.Sprintf(oktaCall, id, "daughter", name, "deactivate")
	case 2:
		e.asks, e.people[name], e.issuer = forNone, ofDaughter(person), "okta:daughter"
		e.body = fmt.Sprintf(oktaCall, id, "daughter", name, "activate")
	case 3:
		e.asks = spoofed // a tenant that the policy does not name
		e.body = fmt.Sprintf(oktaCall, id, "stranger", name, "deactivate")
	case 4:
		e.people, e.issuer = map[string]string{person: person}, "directory-service:d-1111111111"
		e.body = fmt.Sprintf(directoryCall, id, "d-1111111111", person)
	case 5:
		e.people, e.issuer = map[string]string{"92345678": "ann"}, "onelogin:7"
		e.body = fmt.Sprintf(oneLoginCall, id, "7")
	case 6: // an archive of the bus is replayed: reported, not done
		e.asks = tooOld
		e.body = `"replay-name":"yesterday",` + fmt.Sprintf(oktaCall, id, "acme", name, "deactivate")
	case 7, 8:
		e.asks = forNone
		e.body = fmt.Sprintf(oktaCall, id, "acme", name, "activate")
	default:
		e.asks = spoofed // an account whose ids mean other people
		e.people = map[string]string{"92345678": "ann"}
		e.body = fmt.Sprintf(oneLoginCall, id, "8")
	}
	e.body = fmt.Sprintf(`{"version":"0","id":%q,"account":"111122223333","time":%q,"region":"eu-west-1",%s}`,
		id, e.at.UTC().Format(time.RFC3339), e.body)
	return w.put(e)
}

// listed returns whom an entry of the list keeps out.
func listed(person, issuer string) string {
	if issuer == "okta:daughter" {
		return ofDaughter(person)
	}
	return person
}
