package signal

import (
	"encoding/json"
	"regexp"
	"strings"
)

// finding is what is used of a GuardDuty finding, in EventBridge's camelCase; encoding/json takes any case.
// Source: Amazon GuardDuty user guide, "Finding details", and the GuardDuty API's Finding.
type finding struct {
	ID        text   `json:"id"`
	AccountID text   `json:"accountId"`
	Region    loose  `json:"region"`
	Type      text   `json:"type"`
	Severity  number `json:"severity"`
	Title     loose  `json:"title"`
	UpdatedAt loose  `json:"updatedAt"`
	Resource  struct {
		AccessKeyDetails accessKey `json:"accessKeyDetails"`
	} `json:"resource"`
	Service struct {
		Archived       flag            `json:"archived"`
		AdditionalInfo json.RawMessage `json:"additionalInfo"`
	} `json:"service"`
}

type accessKey struct {
	UserName    text `json:"userName"`
	UserType    text `json:"userType"`
	PrincipalID text `json:"principalId"`
}

func parseGuardDuty(e event) ([]Signal, error) {
	var f finding
	if err := decode("detail", e.Detail, &f); err != nil {
		return nil, err
	}
	switch {
	case f.ID == "":
		return nil, unreadable("detail.id", "missing; a finding has an id")
	case f.Type == "":
		return nil, unreadable("detail.type", "missing; a finding has a type")
	case !f.Severity.set:
		return nil, unreadable("detail.severity", "missing; a finding has a severity from 1.0 to 10.0")
	case f.Severity.value < 0 || f.Severity.value > 10:
		return nil, unreadable("detail.severity", "%v is outside GuardDuty's scale, 1.0 to 10.0", f.Severity.value)
	}
	return []Signal{{
		ID:       string(f.ID),
		Kind:     Finding,
		Type:     string(f.Type),
		Severity: f.Severity.value,
		Subject:  f.Resource.AccessKeyDetails.subject(),
		Reason:   string(f.Title),
		Time:     text(f.UpdatedAt).time(),
		Account:  string(f.AccountID),
		Region:   string(f.Region),
		Sample:   isSample(f),
		Archived: bool(f.Service.Archived),
	}}, nil
}

// subject reads userType, which takes the types of CloudTrail's userIdentity. For a role, userName is the role's name
// and never a person's; the person, if any, is the session's name behind the colon of the principal id.
func (k accessKey) subject() Subject {
	switch k.UserType {
	case "IAMUser":
		return Subject{Usernames: names(k.UserName), IDs: names(k.PrincipalID)}
	case "AssumedRole", "Role":
		return k.session(string(k.UserName))
	case "FederatedUser":
		// GetFederationToken lets the caller choose the name, so it is worth what a session's name is worth. No role can
		// be called so, for the colon.
		return k.session("sts:FederatedUser")
	}
	return Subject{}
}

// programName matches session names that no person has: of EC2 instances and of the SDKs' own choosing.
var programName = regexp.MustCompile(`^(i-[0-9a-f]{8,17}|(aws-go-sdk|botocore-session|aws-sdk-[a-z]+)-.*|AWSCLI-Session)$`)

func (k accessKey) session(role string) Subject {
	_, after, _ := strings.Cut(string(k.PrincipalID), ":")
	name := Name(after)
	if name == "" || Name(role) == "" || programName.MatchString(name) {
		return Subject{}
	}
	return Subject{Session: &Session{Role: role, Name: name}}
}

// isSample knows the three ways in which GuardDuty marks a sample: a boolean (EventBridge), the same inside a JSON
// string (the API's form, which some forwarders send), and the names that it makes up.
func isSample(f finding) bool {
	marked := func(raw json.RawMessage) (bool, json.RawMessage) {
		var info struct {
			Sample json.RawMessage `json:"sample"`
			Value  json.RawMessage `json:"value"`
		}
		var sample flag
		// What cannot be read here is no mark; additionalInfo is free in form.
		_ = json.Unmarshal(raw, &info)
		return info.Sample != nil && sample.UnmarshalJSON(info.Sample) == nil && bool(sample), info.Value
	}
	outer, value := marked(f.Service.AdditionalInfo)
	var text string
	if json.Unmarshal(value, &text) == nil {
		value = json.RawMessage(text)
	}
	inner, _ := marked(value)
	k := f.Resource.AccessKeyDetails
	return outer || inner ||
		strings.HasPrefix(string(k.UserName), "GeneratedFinding") || strings.HasPrefix(string(k.PrincipalID), "GeneratedFinding")
}
