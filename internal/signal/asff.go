package signal

import (
	"cmp"
	"encoding/json"
)

// asff is the part of a finding in the AWS Security Finding Format that is read.
type asff struct {
	ID            requiredString                      `json:"Id"`
	AwsAccountID  requiredString                      `json:"AwsAccountId"`
	Region        lenientString                       `json:"Region"`
	ProductArn    lenientString                       `json:"ProductArn"`
	ProductName   lenientString                       `json:"ProductName"`
	Types         []requiredString                    `json:"Types"`
	Title         lenientString                       `json:"Title"`
	UpdatedAt     lenientString                       `json:"UpdatedAt"`
	RecordState   requiredString                      `json:"RecordState"`
	Sample        flag                                `json:"Sample"`
	ProductFields lenient[map[string]json.RawMessage] `json:"ProductFields"`
	Workflow      struct {
		Status requiredString `json:"Status"`
	} `json:"Workflow"`
	Severity struct {
		Product    number         `json:"Product"`
		Label      requiredString `json:"Label"`
		Normalized number         `json:"Normalized"`
	} `json:"Severity"`
	Resources []asffResource `json:"Resources"`
	Detection struct {
		Sequence struct {
			Actors []actor `json:"Actors"`
		} `json:"Sequence"`
	} `json:"Detection"`
}

type asffResource struct {
	Details struct {
		AwsIamAccessKey struct {
			PrincipalID   requiredString `json:"PrincipalId"`
			PrincipalName requiredString `json:"PrincipalName"`
			PrincipalType requiredString `json:"PrincipalType"`
			UserName      requiredString `json:"UserName"`
		} `json:"AwsIamAccessKey"`
	} `json:"Details"`
}

// accessKey returns the resource's access key as GuardDuty's own finding has it. UserName is deprecated.
func (r asffResource) accessKey() accessKey {
	k := r.Details.AwsIamAccessKey
	name := cmp.Or(k.PrincipalName, k.UserName)
	return accessKey{UserName: name, UserType: k.PrincipalType, PrincipalID: k.PrincipalID}
}

func parseASFF(e event, path string, raw json.RawMessage) ([]Signal, error) {
	var f asff
	if err := decode(path, raw, &f); err != nil {
		return nil, err
	}
	status := f.Workflow.Status
	switch {
	case !guardDutyProduct().MatchString(string(f.ProductArn)):
		return nil, e.unsupported(e.DetailType, "a finding of %q, not of GuardDuty", clip(string(f.ProductName), 100))
	case f.ID == "":
		return nil, unreadable(path+".Id", "missing; a finding has an id")
	case f.RecordState != "" && f.RecordState != "ACTIVE":
		return nil, e.unsupported(e.DetailType, "RecordState is %q", clip(string(f.RecordState), 40))
	case status != "" && status != "NEW":
		return nil, e.unsupported(e.DetailType,
			"Workflow.Status is %q: somebody handles it already", clip(string(status), 40))
	}
	severity, err := f.severity(path + ".Severity")
	if err != nil {
		return nil, err
	}
	base := Signal{
		ID: findingID(f.ID), ARN: findingARN(f.ID), Type: asffType(f.Types), Severity: severity,
		Reason: string(f.Title), Time: f.UpdatedAt.time(), Account: string(f.AwsAccountID), Region: string(f.Region),
		Sample:   bool(f.Sample) || f.isSample(),
		Archived: jsonWord(f.ProductFields.value["aws/guardduty/service/archived"]) == "true",
	}
	var keys []accessKey
	for _, r := range f.Resources {
		keys = append(keys, r.accessKey())
	}
	return withPeople(base, keys, f.Detection.Sequence.Actors, cmp.Or(f.AwsAccountID, e.Account)), nil
}

// severity returns the severity on GuardDuty's scale. ASFF's scales contradict each other; Product is GuardDuty's own.
func (f asff) severity(path string) (float64, error) {
	severity := f.Severity.Product.value
	switch {
	case f.Severity.Product.set:
	case severityKnown(f.Severity.Label):
		severity = severityOf(f.Severity.Label)
	case f.Severity.Normalized.set:
		severity = f.Severity.Normalized.value / 10
	default:
		return 0, unreadable(path,
			"missing or unknown; a finding has Product, Label or Normalized")
	}
	if severity < 0 || severity > 10 {
		return 0, unreadable(path, "%v is outside GuardDuty's scale, 1.0 to 10.0", severity)
	}
	return severity, nil
}

// isSample looks for GuardDuty's mark among the product's fields.
func (f asff) isSample() bool {
	const info = "aws/guardduty/service/additionalInfo/"
	var inner string
	_ = json.Unmarshal(f.ProductFields.value[info+"value"], &inner)
	var value struct {
		Sample flag `json:"sample"`
	}
	marked := json.Unmarshal([]byte(inner), &value) == nil && bool(value.Sample)
	return marked || jsonWord(f.ProductFields.value[info+"sample"]) == "true"
}
