package signal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"

	"clientvpn-responder/internal/identity"
)

// guardDutyEvents are detail-types of GuardDuty's events. The types of findings make no difference here, since AWS adds
// to them: what matters is whether a finding names a person.
// Source: Amazon EventBridge events reference, "Amazon GuardDuty events".
var guardDutyEvents = []meaning{
	{"GuardDuty Finding", Finding, "of any type; the next table shows whom it names"},
	{"GuardDuty Runtime Protection Healthy", "", "about GuardDuty itself"},
	{"GuardDuty Runtime Protection Unhealthy", "", "about GuardDuty itself"},
	{"GuardDuty Malware Protection Object Scan Result", "", "about a file"},
	{"GuardDuty Malware Protection Resource Status Active", "", "about GuardDuty itself"},
	{"GuardDuty Malware Protection Resource Status Warning", "", "about GuardDuty itself"},
	{"GuardDuty Malware Protection Resource Status Error", "", "about GuardDuty itself"},
	{"GuardDuty Malware Protection Post Scan Action Failed", "", "about a file"},
}

// finding is the part of a GuardDuty finding that is read, in EventBridge's camelCase. encoding/json accepts any case.
// Source: Amazon GuardDuty user guide, "Finding details", and the GuardDuty API's Finding.
type finding struct {
	ID        requiredString `json:"id"`
	ARN       lenientString  `json:"arn"`
	AccountID requiredString `json:"accountId"`
	Region    lenientString  `json:"region"`
	Type      requiredString `json:"type"`
	Severity  number         `json:"severity"`
	Title     lenientString  `json:"title"`
	UpdatedAt lenientString  `json:"updatedAt"`
	Resource  struct {
		AccessKeyDetails  accessKey           `json:"accessKeyDetails"`
		EKSClusterDetails lenient[eksCluster] `json:"eksClusterDetails"`
		KubernetesDetails struct {
			KubernetesUserDetails struct {
				Username    lenientString   `json:"username"`
				UID         lenientString   `json:"uid"`
				SessionName []lenientString `json:"sessionName"`
			} `json:"kubernetesUserDetails"`
		} `json:"kubernetesDetails"`
	} `json:"resource"`
	Service struct {
		Archived       flag            `json:"archived"`
		AdditionalInfo json.RawMessage `json:"additionalInfo"`
		EventLastSeen  lenientString   `json:"eventLastSeen"`
		ResourceRole   lenientString   `json:"resourceRole"`
		Action         json.RawMessage `json:"action"` // a findingAction
		Detection      struct {
			Sequence struct {
				Actors []actor `json:"actors"`
			} `json:"sequence"`
		} `json:"detection"`
	} `json:"service"`
}

type eksCluster struct {
	Name lenientString `json:"name"`
}

// findingAction says what happened, for the types of action that can have a VPN client's address.
type findingAction struct {
	NetworkConnectionAction lenient[networkConnection] `json:"networkConnectionAction"`
	PortProbeAction         lenient[portProbe]         `json:"portProbeAction"`
	AWSAPICallAction        lenient[remote]            `json:"awsApiCallAction"`
}

type networkConnection struct {
	ConnectionDirection lenientString `json:"connectionDirection"`
	remote
}

type portProbe struct {
	PortProbeDetails []remote `json:"portProbeDetails"`
}

// remote is the other side of a connection or a call.
type remote struct {
	RemoteIPDetails struct {
		IPAddressV4 lenientString `json:"ipAddressV4"`
	} `json:"remoteIpDetails"`
}

func (r remote) address() lenientString { return r.RemoteIPDetails.IPAddressV4 }

func parseGuardDuty(e event) ([]Signal, error) {
	kind, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
	f, err := readFinding(e.Detail)
	if err != nil {
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
	signals := eachSubject(f.signal(kind), f.subjects(cmp.Or(f.AccountID, e.Account)))
	// An address belongs to a person only at the time: GuardDuty may update the finding long after.
	seen := f.Service.EventLastSeen.time()
	for i := range signals {
		if signals[i].Subject.ClientIP != "" {
			signals[i].Time = firstTime(seen, signals[i].Time)
		}
	}
	return signals, nil
}

// readFinding decodes a finding. Most of it is additional information, which only has to be JSON, so it is cut out.
func readFinding(detail []byte) (finding, error) {
	var f finding
	if rest, info, ok := cut(detail, "service", "additionalInfo"); ok && json.Valid(info) {
		if err := json.Unmarshal(rest, &f); err == nil {
			f.Service.AdditionalInfo = info
			return f, nil
		}
		f = finding{}
	}
	return f, decode("detail", detail, &f)
}

// signal returns what the finding says, without whom it is about.
func (f finding) signal(kind Kind) Signal {
	return Signal{
		ID:       string(f.ID),
		ARN:      string(f.ARN),
		Kind:     kind,
		Type:     string(f.Type),
		Severity: f.Severity.value,
		Reason:   string(f.Title),
		Time:     f.UpdatedAt.time(),
		Account:  string(f.AccountID),
		Region:   string(f.Region),
		Sample:   f.isSample(),
		Archived: bool(f.Service.Archived),
	}
}

// subjects returns the people whom the finding names, or else the addresses that it names, or else nobody.
func (f finding) subjects(account requiredString) []Subject {
	var people subjects
	key, kubernetes := f.Resource.AccessKeyDetails, f.Resource.KubernetesDetails.KubernetesUserDetails
	people.add(key.subject(account))
	if len(people) == 0 && key.isRole() {
		for _, session := range kubernetes.SessionName {
			people.add(roleSession(iamOf(account), string(key.UserName), string(session)))
		}
	}
	if len(people) == 0 {
		people.add(kubernetesSubject(string(kubernetes.Username), f.cluster(account)))
	}
	if len(people) == 0 {
		people.add(authenticatorSubject(string(kubernetes.UID)))
	}
	for _, a := range f.Service.Detection.Sequence.Actors {
		people.add(a.subject(account))
	}
	if len(people) == 0 {
		return f.addresses()
	}
	return people
}

// cluster is the issuer of Kubernetes' user names.
func (f finding) cluster(account requiredString) identity.Issuer {
	within := string(account)
	if name := Name(string(f.Resource.EKSClusterDetails.value.Name)); name != "" {
		within += "/" + name
	}
	return identity.Issuer{Provider: identity.Kubernetes, Within: Name(within)}
}

// subjects are different people.
type subjects []Subject

// add adds the subject unless it is nobody or already there. It stops where the people are too many for an event.
func (s *subjects) add(one Subject) {
	known := func(other Subject) bool {
		return other.String() == one.String() && other.issuer() == one.issuer()
	}
	if len(*s) <= maxPeople && !one.IsNobody() && !slices.ContainsFunc(*s, known) {
		*s = append(*s, one)
	}
}

// isSample knows the three ways in which GuardDuty marks a sample. EventBridge has a boolean. The API's form, which
// some forwarders send, has the same inside a JSON string. Both have made-up names.
func (f finding) isSample() bool {
	k := f.Resource.AccessKeyDetails
	if !mentionsSample(f.Service.AdditionalInfo) {
		return k.madeUp() // saves reading kilobytes of it twice more
	}
	outer, value := sampleMark(f.Service.AdditionalInfo)
	inner, _ := sampleMark(unquote(value))
	return outer || inner || k.madeUp()
}

// mentionsSample reports whether a text has the word "sample", in any case of ASCII letters. It looks for the m, which
// is rare in additional information.
func mentionsSample(text []byte) bool {
	for _, m := range []byte("mM") {
		for i := 0; ; i++ {
			n := bytes.IndexByte(text[i:], m)
			if n < 0 {
				break
			}
			i += n
			if word := text[max(i-2, 0):min(i+4, len(text))]; bytes.EqualFold(word, []byte("sample")) {
				return true
			}
		}
	}
	return false
}

// sampleMark reports whether the additional information has the mark, and returns its member "value".
func sampleMark(raw json.RawMessage) (bool, json.RawMessage) {
	var info struct {
		Sample json.RawMessage `json:"sample"`
		Value  json.RawMessage `json:"value"`
	}
	var sample flag
	// Text that cannot be read here is no mark: additionalInfo is free in form.
	_ = json.Unmarshal(raw, &info)
	return info.Sample != nil && sample.UnmarshalJSON(info.Sample) == nil && bool(sample), info.Value
}
