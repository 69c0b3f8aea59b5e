package signal

import (
	"encoding/json"
	"slices"
	"strings"
)

// securityHubEvents are detail-types of Security Hub's events. Their signals are GuardDuty's: same provider, finding id,
// type and scale, so that a policy does not care which way a finding came.
// Source: AWS Security Hub user guide, "EventBridge integration"; ASFF; OCSF's detection finding.
var securityHubEvents = []meaning{
	{"Security Hub Findings - Imported", Finding, "GuardDuty's (ASFF); only with RecordState ACTIVE and Workflow.Status NEW"},
	{"Findings Imported V2", Finding, "GuardDuty's (OCSF); only with status New"},
	{"Security Hub Findings - Custom Action", "", "which action asks for an end is not known here; forward it in the custom form"},
	{"Security Hub Insight Results", "", "about no one person"},
}

func parseSecurityHub(e event) ([]Signal, error) {
	kind, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
	var list struct {
		Findings []json.RawMessage `json:"findings"`
	}
	if err := decode("detail", e.Detail, &list); err != nil {
		return nil, err
	}
	if len(list.Findings) == 0 {
		return nil, unreadable("detail.findings", "missing or empty; Security Hub's events list findings")
	}
	return parseRecords(list.Findings, func(raw json.RawMessage) ([]Signal, error) {
		var signals []Signal
		var err error
		if e.DetailType == "Findings Imported V2" {
			signals, err = parseOCSF(e, raw)
		} else {
			signals, err = parseASFF(e, raw)
		}
		for i := range signals {
			signals[i].Kind = kind
		}
		return signals, err
	})
}

// asff is what is used of a finding in the AWS Security Finding Format.
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

// accessKey gives the resource's as GuardDuty's own finding would.
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
	switch {
	case !ofGuardDuty(f.ProductName, f.ProductArn, ":product/aws/guardduty"):
		return nil, e.unsupported("a finding of %q, not of GuardDuty", clip(string(f.ProductName), 100))
	case f.ID == "":
		return nil, unreadable("detail.findings.Id", "missing; a finding has an id")
	case f.RecordState != "" && f.RecordState != "ACTIVE":
		return nil, e.unsupported("RecordState is %q", clip(string(f.RecordState), 40))
	case f.Workflow.Status != "" && f.Workflow.Status != "NEW":
		return nil, e.unsupported("Workflow.Status is %q: somebody has seen to it", clip(string(f.Workflow.Status), 40))
	}
	base := Signal{
		ID: findingID(f.ID), ARN: findingARN(f.ID), Type: asffType(f.Types), Reason: string(f.Title), Time: requiredString(f.UpdatedAt).time(),
		Account: string(f.AwsAccountID), Region: string(f.Region),
		Sample: bool(f.Sample) || f.isSample(), Archived: jsonWord(f.ProductFields["aws/guardduty/service/archived"]) == "true",
	}
	// ASFF's scales contradict each other; Product is GuardDuty's own.
	switch {
	case f.Severity.Product.set:
		base.Severity = f.Severity.Product.value
	case severityKnown(f.Severity.Label):
		base.Severity = severityOf(f.Severity.Label)
	case f.Severity.Normalized.set:
		base.Severity = f.Severity.Normalized.value / 10
	default:
		return nil, unreadable("detail.findings.Severity", "missing, or a word that is not known; a finding has Product, Label or Normalized")
	}
	if base.Severity < 0 || base.Severity > 10 {
		return nil, unreadable("detail.findings.Severity", "%v is outside GuardDuty's scale, 1.0 to 10.0", base.Severity)
	}
	var keys []accessKey
	for _, r := range f.Resources {
		keys = append(keys, r.accessKey())
	}
	return withPeople(base, keys), nil
}

// ocsf is what is used of an OCSF detection finding.
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
	Severity     requiredString `json:"severity"`
	SeverityID   requiredString `json:"severity_id"`
	Status       requiredString `json:"status"`
	StatusID     requiredString `json:"status_id"`
	ActivityName lenientString  `json:"activity_name"`
	ActivityID   lenientString  `json:"activity_id"`
	Time         lenientString  `json:"time"`
	TimeDT       lenientString  `json:"time_dt"`
	Cloud        struct {
		Region  lenientString `json:"region"`
		Account struct {
			UID lenientString `json:"uid"`
		} `json:"account"`
	} `json:"cloud"`
	Resources []ocsfResource `json:"resources"`
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

func parseOCSF(e event, raw json.RawMessage) ([]Signal, error) {
	var f ocsf
	if err := decode("detail.findings", raw, &f); err != nil {
		return nil, err
	}
	id := f.FindingInfo.UID
	if f.FindingInfo.UIDAlt != "" {
		id = f.FindingInfo.UIDAlt
	}
	switch {
	case !ofGuardDuty(f.Metadata.Product.Name, f.Metadata.Product.UID, ":productv2/aws/guardduty"):
		return nil, e.unsupported("a finding of %q, not of GuardDuty", clip(string(f.Metadata.Product.Name), 100))
	case id == "":
		return nil, unreadable("detail.findings.finding_info.uid", "missing; a finding has an id")
	case f.Status != "" && Fold(string(f.Status)) != "new" || f.Status == "" && f.StatusID != "" && f.StatusID != "1":
		return nil, e.unsupported("status is %q: somebody has seen to it", clip(string(f.Status), 40))
	case Fold(string(f.ActivityName)) == "close" || f.ActivityID == "3":
		return nil, e.unsupported("the finding was closed")
	}
	base := Signal{
		ID: findingID(id), ARN: findingARN(f.FindingInfo.UID), Type: ocsfType(f.FindingInfo.Types), Reason: string(f.FindingInfo.Title), Time: requiredString(f.TimeDT).time(),
		Account: string(f.Cloud.Account.UID), Region: string(f.Cloud.Region), Severity: severityOf(f.Severity),
	}
	if base.Time.IsZero() {
		base.Time = requiredString(f.Time).time()
	}
	switch {
	case severityKnown(f.Severity):
	case severityKnown(f.SeverityID):
		base.Severity = severityOf(f.SeverityID)
	default:
		return nil, unreadable("detail.findings.severity", "missing, or a word that is not known; a finding has a severity")
	}
	var keys []accessKey
	for _, r := range f.Resources {
		if r.Type == "AWS::IAM::AccessKey" || r.Type == "AwsIamAccessKey" {
			keys = append(keys, r.accessKey())
		}
	}
	return withPeople(base, keys), nil
}

// accessKey reads the three forms in which the resource is met: its data as an object, as the ASFF resource's details in a
// JSON string, and a user beside it.
func (r ocsfResource) accessKey() accessKey {
	var data struct {
		UserName    requiredString `json:"user_name"`
		UserType    requiredString `json:"user_type"`
		PrincipalID requiredString `json:"principal_id"`
	}
	raw := r.Data
	var inner string
	if json.Unmarshal(raw, &inner) == nil {
		raw = json.RawMessage(inner)
	}
	// What cannot be read names nobody; data is free in form.
	if json.Unmarshal(raw, &data) == nil && data.UserType != "" {
		return accessKey{UserName: data.UserName, UserType: data.UserType, PrincipalID: data.PrincipalID}
	}
	var details asffResource
	if json.Unmarshal(raw, &details) == nil && details.accessKey().UserType != "" {
		return details.accessKey()
	}
	if json.Unmarshal(raw, &details.Details) == nil && details.accessKey().UserType != "" {
		return details.accessKey()
	}
	if json.Unmarshal(raw, &details.Details.AwsIamAccessKey) == nil && details.accessKey().UserType != "" {
		return details.accessKey()
	}
	// Long-term keys, which begin with AKIA, are IAM users' only.
	if r.User.Type == "" && strings.HasPrefix(string(r.UID), "AKIA") {
		r.User.Type = "IAMUser"
	}
	return accessKey{UserName: r.User.Name, UserType: r.User.Type}
}

// withPeople gives a signal for each person that the access keys name, or one about nobody.
func withPeople(base Signal, keys []accessKey) []Signal {
	base.Sample = base.Sample || slices.ContainsFunc(keys, accessKey.madeUp)
	var signals []Signal
	seen := map[string]bool{}
	for _, k := range keys {
		if s := k.subject(); !s.IsNobody() && !seen[s.String()] {
			seen[s.String()] = true
			one := base
			one.Subject = s
			signals = append(signals, one)
		}
	}
	if len(signals) == 0 {
		return []Signal{base}
	}
	return signals
}

func severityKnown(word requiredString) bool {
	return severityOf(word) > 0 || slices.Contains([]string{"informational", "1"}, Fold(string(word)))
}

// ofGuardDuty goes by the product's ARN, which Security Hub controls. The name is the importer's to write, and counts only
// where there is no ARN.
func ofGuardDuty(name, arn lenientString, suffix string) bool {
	if arn != "" {
		return strings.HasSuffix(string(arn), suffix)
	}
	return name == "GuardDuty"
}

// isSample looks for GuardDuty's mark among the product's fields.
func (f asff) isSample() bool {
	const info = "aws/guardduty/service/additionalInfo/"
	var inner string
	_ = json.Unmarshal(f.ProductFields[info+"value"], &inner)
	var value struct {
		Sample flag `json:"sample"`
	}
	return jsonWord(f.ProductFields[info+"sample"]) == "true" || json.Unmarshal([]byte(inner), &value) == nil && bool(value.Sample)
}

// findingID gives GuardDuty's own id out of a finding's ARN, so that it is the same by every way.
func findingID(id requiredString) string {
	if _, after, ok := strings.Cut(string(id), "/finding/"); ok && after != "" {
		return after
	}
	return string(id)
}

// findingARN gives the id where it is an ARN.
func findingARN(id requiredString) string {
	if strings.HasPrefix(string(id), "arn:") {
		return string(id)
	}
	return ""
}

// asffType gives GuardDuty's own type out of ASFF's, which puts a category before it and a hyphen for the slash:
// "TTPs/Discovery/Discovery:IAMUser-AnomalousBehavior", or without the purpose where the category has its name.
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

// ocsfType gives the first type that is written as GuardDuty writes them.
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

// severityOf gives the lower end of the range that the word, or OCSF's number for it, stands for on GuardDuty's scale.
func severityOf(word requiredString) float64 {
	switch Fold(string(word)) {
	case "critical", "5", "fatal", "6":
		return 9
	case "high", "4":
		return 7
	case "medium", "3":
		return 4
	case "low", "2":
		return 1
	}
	return 0
}
