package signal

import (
	"cmp"
	"encoding/json"
	"strings"
)

// ocsf is the part of an OCSF detection finding that is read.
type ocsf struct {
	Metadata struct {
		Product struct {
			Name lenientString `json:"name"`
			UID  lenientString `json:"uid"`
		} `json:"product"`
	} `json:"metadata"`
	FindingInfo struct {
		UID    requiredString   `json:"uid"`
		UIDAlt requiredString   `json:"uid_alt"`
		Title  lenientString    `json:"title"`
		Types  []requiredString `json:"types"`
	} `json:"finding_info"`
	Severity     requiredString     `json:"severity"`
	SeverityID   requiredString     `json:"severity_id"`
	Status       requiredString     `json:"status"`
	StatusID     requiredString     `json:"status_id"`
	ActivityName lenientString      `json:"activity_name"`
	ActivityID   lenientString      `json:"activity_id"`
	Time         lenientString      `json:"time"`
	TimeDT       lenientString      `json:"time_dt"`
	Cloud        lenient[ocsfCloud] `json:"cloud"`
	Resources    []ocsfResource     `json:"resources"`
	Evidences    []struct {
		Actor lenient[actor] `json:"actor"`
	} `json:"evidences"`
}

type ocsfCloud struct {
	Region  lenientString `json:"region"`
	Account struct {
		UID lenientString `json:"uid"`
	} `json:"account"`
}

type ocsfResource struct {
	Type lenientString   `json:"type"`
	UID  lenientString   `json:"uid"`
	Data json.RawMessage `json:"data"`
	User struct {
		Name requiredString `json:"name"`
		Type requiredString `json:"type"`
	} `json:"user"`
}

func parseOCSF(e event, path string, raw json.RawMessage) ([]Signal, error) {
	var f ocsf
	if err := decode(path, raw, &f); err != nil {
		return nil, err
	}
	id, product := cmp.Or(f.FindingInfo.UIDAlt, f.FindingInfo.UID), f.Metadata.Product
	switch {
	case !guardDutyProductV2().MatchString(string(product.UID)):
		return nil, e.unsupported(e.DetailType, "a finding of %q, not of GuardDuty", clip(string(product.Name), 100))
	case id == "":
		return nil, unreadable(path+".finding_info.uid", "missing; a finding has an id")
	case f.Status != "" && Fold(string(f.Status)) != "new" || f.Status == "" && f.StatusID != "" && f.StatusID != "1":
		return nil, e.unsupported(e.DetailType, "status is %q: somebody handles it already", clip(string(f.Status), 40))
	case Fold(string(f.ActivityName)) == "close" || f.ActivityID == "3":
		return nil, e.unsupported(e.DetailType, "the finding was closed")
	}
	severity := f.Severity
	if !severityKnown(severity) {
		severity = f.SeverityID
	}
	if !severityKnown(severity) {
		return nil, unreadable(path+".severity", "missing or unknown; a finding has a severity")
	}
	base := Signal{
		ID: findingID(id), ARN: findingARN(f.FindingInfo.UID), Type: ocsfType(f.FindingInfo.Types),
		Severity: severityOf(severity), Reason: string(f.FindingInfo.Title), Time: firstTime(f.TimeDT.time(), f.Time.time()),
		Account: string(f.Cloud.value.Account.UID), Region: string(f.Cloud.value.Region),
	}
	var keys []accessKey
	for _, r := range f.Resources {
		if r.Type == "AWS::IAM::AccessKey" || r.Type == "AwsIamAccessKey" {
			keys = append(keys, r.accessKey())
		}
	}
	account := cmp.Or(requiredString(f.Cloud.value.Account.UID), e.Account)
	return withPeople(base, keys, f.actors(base.Type), account), nil
}

// actors returns who is behind an attack sequence. No captured sequence is known in this format, so the path is that of
// OCSF's schema.
func (f ocsf) actors(findingType string) []actor {
	if !strings.HasPrefix(findingType, "AttackSequence:") {
		return nil
	}
	var actors []actor
	for _, evidence := range f.Evidences {
		actors = append(actors, evidence.Actor.value)
	}
	return actors
}

// accessKey reads the three known forms of the resource. Its data is an object, or the details of the ASFF resource in
// a JSON string, or a user is beside it.
func (r ocsfResource) accessKey() accessKey {
	raw := unquote(r.Data)
	var data struct {
		UserName    requiredString `json:"user_name"`
		UserType    requiredString `json:"user_type"`
		PrincipalID requiredString `json:"principal_id"`
	}
	// Data that cannot be read names nobody: it is free in form.
	if json.Unmarshal(raw, &data) == nil && data.UserType != "" {
		return accessKey{UserName: data.UserName, UserType: data.UserType, PrincipalID: data.PrincipalID}
	}
	var resource asffResource
	for _, v := range []any{&resource, &resource.Details, &resource.Details.AwsIamAccessKey} {
		if json.Unmarshal(raw, v) == nil && resource.accessKey().UserType != "" {
			return resource.accessKey()
		}
	}
	if key := resource.accessKey(); key != (accessKey{}) {
		return key
	}
	if data.UserName != "" {
		return accessKey{UserName: data.UserName, PrincipalID: data.PrincipalID}
	}
	// Long-term keys, which begin with AKIA, belong only to IAM users.
	if r.User.Type == "" && strings.HasPrefix(string(r.UID), "AKIA") {
		r.User.Type = "IAMUser"
	}
	return accessKey{UserName: r.User.Name, UserType: r.User.Type}
}

// ocsfType returns the first type that has the form of GuardDuty's types.
func ocsfType(types []requiredString) string {
	for _, t := range types {
		if strings.Contains(string(t), ":") {
			return string(t)
		}
	}
	if len(types) > 0 && types[0] != "" {
		return string(types[0])
	}
	return "unknown"
}
