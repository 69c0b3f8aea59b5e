package signal

import (
	"cmp"
	"encoding/json"
	"strings"
)

// asff is the part of a finding in the AWS Security Finding Format that is read.
type asff struct {
	ID            requiredString             `json:"Id"`
	AwsAccountID  requiredString             `json:"AwsAccountId"`
	Region        lenientString              `json:"Region"`
	ProductArn    lenientString              `json:"ProductArn"`
	ProductName   lenientString              `json:"ProductName"`
	Types         []requiredString           `json:"Types"`
	Title         lenientString              `json:"Title"`
	UpdatedAt     lenientString              `json:"UpdatedAt"`
	RecordState   requiredString             `json:"RecordState"`
	Sample        flag                       `json:"Sample"`
	ProductFields map[string]json.RawMessage `json:"ProductFields"`
	Workflow      struct {
		Status requiredString `json:"Status"`
	} `json:"Workflow"`
	Severity struct {
		Product    number         `json:"Product"`
		Label      requiredString `json:"Label"`
		Normalized number         `json:"Normalized"`
	} `json:"Severity"`
	Resources []asffResource `json:"Resources"`
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

// accessKey returns the resource's access key as GuardDuty's own finding has it.
func (r asffResource) accessKey() accessKey {
	k := r.Details.AwsIamAccessKey
	if k.PrincipalName == "" {
		k.PrincipalName = k.UserName // deprecated
	}
	return accessKey{UserName: k.PrincipalName, UserType: k.PrincipalType, PrincipalID: k.PrincipalID}
}

func parseASFF(e event, raw json.RawMessage) ([]Signal, error) {
	var f asff
	if err := decode("detail.findings", raw, &f); err != nil {
		return nil, err
	}
	status := f.Workflow.Status
	switch {
	case !ofGuardDuty(f.ProductName, f.ProductArn, ":product/aws/guardduty"):
		return nil, e.unsupported("a finding of %q, not of GuardDuty", clip(string(f.ProductName), 100))
	case f.ID == "":
		return nil, unreadable("detail.findings.Id", "missing; a finding has an id")
	case f.RecordState != "" && f.RecordState != "ACTIVE":
		return nil, e.unsupported("RecordState is %q", clip(string(f.RecordState), 40))
	case status != "" && status != "NEW":
		return nil, e.unsupported("Workflow.Status is %q: somebody handles it already", clip(string(status), 40))
	}
	severity, err := f.severity()
	if err != nil {
		return nil, err
	}
	base := Signal{
		ID: findingID(f.ID), ARN: findingARN(f.ID), Type: asffType(f.Types), Severity: severity,
		Reason: string(f.Title), Time: f.UpdatedAt.time(), Account: string(f.AwsAccountID), Region: string(f.Region),
		Sample:   bool(f.Sample) || f.isSample(),
		Archived: jsonWord(f.ProductFields["aws/guardduty/service/archived"]) == "true",
	}
	var keys []accessKey
	for _, r := range f.Resources {
		keys = append(keys, r.accessKey())
	}
	return withPeople(base, keys, cmp.Or(f.AwsAccountID, e.Account)), nil
}

// severity returns the severity on GuardDuty's scale. ASFF's scales contradict each other; Product is GuardDuty's own.
func (f asff) severity() (float64, error) {
	severity := f.Severity.Product.value
	switch {
	case f.Severity.Product.set:
	case severityKnown(f.Severity.Label):
		severity = severityOf(f.Severity.Label)
	case f.Severity.Normalized.set:
		severity = f.Severity.Normalized.value / 10
	default:
		return 0, unreadable("detail.findings.Severity",
			"missing or unknown; a finding has Product, Label or Normalized")
	}
	if severity < 0 || severity > 10 {
		return 0, unreadable("detail.findings.Severity", "%v is outside GuardDuty's scale, 1.0 to 10.0", severity)
	}
	return severity, nil
}

// isSample looks for GuardDuty's mark among the product's fields.
func (f asff) isSample() bool {
	const info = "aws/guardduty/service/additionalInfo/"
	var inner string
	_ = json.Unmarshal(f.ProductFields[info+"value"], &inner)
	var value struct {
		Sample flag `json:"sample"`
	}
	marked := json.Unmarshal([]byte(inner), &value) == nil && bool(value.Sample)
	return marked || jsonWord(f.ProductFields[info+"sample"]) == "true"
}

// asffType returns GuardDuty's own type. ASFF puts a category before it and a hyphen in place of the slash,
// "TTPs/Discovery/Discovery:IAMUser-AnomalousBehavior", or leaves out the purpose where the category has its name.
func asffType(types []requiredString) string {
	if len(types) == 0 {
		return "unknown"
	}
	parts := strings.Split(string(types[0]), "/")
	last := parts[len(parts)-1]
	if !strings.Contains(last, ":") && len(parts) > 2 {
		last = strings.ReplaceAll(parts[1], " ", "") + ":" + last
	}
	if strings.Contains(last, ":") {
		last = strings.Replace(last, "-", "/", 1)
	}
	if last == "" {
		return "unknown"
	}
	return last
}
