package signal

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
)

// guardDutyEvents are detail-types of GuardDuty's events. Findings are not told apart by their types, to which AWS adds:
// what matters is whether a person is named.
// Source: Amazon EventBridge events reference, "Amazon GuardDuty events".
var guardDutyEvents = []meaning{
	{"GuardDuty Finding", Finding, "of any type; who is named is said below"},
	{"GuardDuty Runtime Protection Healthy", "", "about GuardDuty itself"},
	{"GuardDuty Runtime Protection Unhealthy", "", "about GuardDuty itself"},
	{"GuardDuty Malware Protection Object Scan Result", "", "about a file"},
	{"GuardDuty Malware Protection Resource Status Active", "", "about GuardDuty itself"},
	{"GuardDuty Malware Protection Resource Status Warning", "", "about GuardDuty itself"},
	{"GuardDuty Malware Protection Resource Status Error", "", "about GuardDuty itself"},
	{"GuardDuty Malware Protection Post Scan Action Failed", "", "about a file"},
}

// finding is what is used of a GuardDuty finding, in EventBridge's camelCase; encoding/json takes any case.
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
		AccessKeyDetails  accessKey `json:"accessKeyDetails"`
		KubernetesDetails struct {
			KubernetesUserDetails struct {
				Username    lenientString   `json:"username"`
				SessionName []lenientString `json:"sessionName"`
			} `json:"kubernetesUserDetails"`
		} `json:"kubernetesDetails"`
	} `json:"resource"`
	Service struct {
		Archived       flag            `json:"archived"`
		AdditionalInfo json.RawMessage `json:"additionalInfo"`
		EventLastSeen  lenientString   `json:"eventLastSeen"`
		ResourceRole   lenientString   `json:"resourceRole"`
		Action         struct {
			NetworkConnectionAction struct {
				ConnectionDirection lenientString `json:"connectionDirection"`
				RemoteIPDetails     remoteIP      `json:"remoteIpDetails"`
			} `json:"networkConnectionAction"`
			PortProbeAction struct {
				PortProbeDetails []struct {
					RemoteIPDetails remoteIP `json:"remoteIpDetails"`
				} `json:"portProbeDetails"`
			} `json:"portProbeAction"`
			AWSAPICallAction struct {
				RemoteIPDetails remoteIP `json:"remoteIpDetails"`
			} `json:"awsApiCallAction"`
		} `json:"action"`
		Detection struct {
			Sequence struct {
				Actors []actor `json:"actors"`
			} `json:"sequence"`
		} `json:"detection"`
	} `json:"service"`
}

type remoteIP struct {
	IPAddressV4 lenientString `json:"ipAddressV4"`
}

type accessKey struct {
	UserName    requiredString `json:"userName"`
	UserType    requiredString `json:"userType"`
	PrincipalID requiredString `json:"principalId"`
}

// actor is who is behind an attack sequence; only some have a user.
type actor struct {
	ID   requiredString `json:"id"`
	User struct {
		Name requiredString `json:"name"`
		Type requiredString `json:"type"`
		UID  requiredString `json:"uid"`
	} `json:"user"`
	Session struct {
		Issuer requiredString `json:"issuer"`
	} `json:"session"`
}

func parseGuardDuty(e event) ([]Signal, error) {
	kind, err := e.kind(e.DetailType)
	if err != nil {
		return nil, err
	}
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
	base := Signal{
		ID:       string(f.ID),
		ARN:      string(f.ARN),
		Kind:     kind,
		Type:     string(f.Type),
		Severity: f.Severity.value,
		Reason:   string(f.Title),
		Time:     requiredString(f.UpdatedAt).time(),
		Account:  string(f.AccountID),
		Region:   string(f.Region),
		Sample:   isSample(f),
		Archived: bool(f.Service.Archived),
	}
	var signals []Signal
	for _, subject := range f.subjects() {
		s := base
		s.Subject = subject
		// An address is somebody's only at the time: the finding may be updated long after.
		if seen := requiredString(f.Service.EventLastSeen).time(); subject.ClientIP != "" && !seen.IsZero() {
			s.Time = seen
		}
		signals = append(signals, s)
	}
	return signals, nil
}

// subjects gives the people whom the finding names, or else the address that it names, or else nobody.
func (f finding) subjects() []Subject {
	var people []Subject
	seen := map[string]bool{}
	add := func(s Subject) {
		if !s.IsNobody() && !seen[s.String()] {
			seen[s.String()] = true
			people = append(people, s)
		}
	}
	key, kubernetes := f.Resource.AccessKeyDetails, f.Resource.KubernetesDetails.KubernetesUserDetails
	add(key.subject())
	if len(people) == 0 && key.isRole() {
		for _, session := range kubernetes.SessionName {
			add(roleSession(string(key.UserName), string(session)))
		}
	}
	if len(people) == 0 {
		add(kubernetesSubject(string(kubernetes.Username)))
	}
	for _, a := range f.Service.Detection.Sequence.Actors {
		add(a.subject())
	}
	if len(people) == 0 {
		return f.addresses()
	}
	return people
}

// subject reads userType, which takes the types of CloudTrail's userIdentity. For a role, userName is the role's name
// and never a person's; the person, if any, is the session's name behind the colon of the principal id.
func (k accessKey) subject() Subject {
	switch k.UserType {
	case "IAMUser":
		return Subject{Usernames: names(k.UserName), IDs: names(k.PrincipalID)}
	case "AssumedRole", "Role":
		_, session, _ := strings.Cut(string(k.PrincipalID), ":")
		return roleSession(string(k.UserName), session)
	case "FederatedUser":
		// GetFederationToken lets the caller choose the name, so it is worth what a session's name is worth. No role can
		// be called so, for the colon.
		_, name, _ := strings.Cut(string(k.PrincipalID), ":")
		return roleSession("sts:FederatedUser", name)
	}
	return Subject{}
}

func (k accessKey) isRole() bool { return k.UserType == "AssumedRole" || k.UserType == "Role" }

// subject reads the actor's user, whose uid is a principal id. What the name is for a role, AWS does not say; the role
// is that of the session's issuer.
func (a actor) subject() Subject {
	k := accessKey{UserName: a.User.Name, UserType: a.User.Type, PrincipalID: a.User.UID}
	if !k.isRole() {
		return k.subject()
	}
	if role, ok := lastSegment(string(a.Session.Issuer), "role/"); ok {
		k.UserName = requiredString(role)
	}
	if !strings.Contains(string(k.PrincipalID), ":") {
		if rest, ok := strings.CutPrefix(string(a.ID), "user:AssumedRole:"); ok {
			k.PrincipalID = requiredString(rest)
		}
	}
	return k.subject()
}

// programName matches session names that no person has: of EC2 instances and of the SDKs' own choosing.
var programName = lazy(`^(i-[0-9a-f]{8,17}|(aws-go-sdk|botocore-session|aws-sdk-[a-z]+)-.*|AWSCLI-Session|EKSGetTokenAuth|AWS-SSO.*)$`)

func roleSession(role, session string) Subject {
	session = Name(session)
	if session == "" || Name(role) == "" || session == role || programName().MatchString(session) {
		return Subject{}
	}
	return Subject{Session: &Session{Role: role, Name: session}}
}

// kubernetesSubject reads the user name of an EKS audit log. Of the many forms it has, only an e-mail address, which an
// OpenID Connect provider gives, and the ARN of a user or a role session, which EKS gives by default, are a person's.
func kubernetesSubject(username string) Subject {
	if user, ok := lastSegment(username, "user/"); ok {
		return Subject{Usernames: names(requiredString(user))}
	}
	if strings.HasPrefix(username, "arn:") {
		if _, path, ok := strings.Cut(username, ":assumed-role/"); ok {
			role, session, _ := strings.Cut(path, "/")
			return roleSession(role, session)
		}
		return Subject{}
	}
	if before, after, ok := strings.Cut(username, "@"); ok && before != "" && after != "" && !strings.ContainsAny(username, ":#/") {
		return Subject{Usernames: names(requiredString(username))}
	}
	return Subject{}
}

// lastSegment gives the name at the end of the ARN of a resource of the type, "user/" or "role/", whatever path leads there.
func lastSegment(arn, resourceType string) (string, bool) {
	_, path, ok := strings.Cut(arn, ":"+resourceType)
	if !ok || !strings.HasPrefix(arn, "arn:") {
		return "", false
	}
	return path[strings.LastIndex(path, "/")+1:], true
}

// addresses gives where whoever acted upon the resource did so: the private addresses from which it was reached, each of
// which can be a VPN client's, on an endpoint with a transit gateway; or else a public one, which is only told; or nobody.
// Where the resource is the one that acted, the other side suffered. The address of an API call counts as told, as a
// private one is of some VPC's endpoint.
func (f finding) addresses() []Subject {
	if Fold(string(f.Service.ResourceRole)) != "target" {
		return []Subject{{}}
	}
	action := f.Service.Action
	var remote []lenientString
	if Fold(string(action.NetworkConnectionAction.ConnectionDirection)) == "inbound" {
		remote = append(remote, action.NetworkConnectionAction.RemoteIPDetails.IPAddressV4)
	}
	for _, probe := range action.PortProbeAction.PortProbeDetails {
		remote = append(remote, probe.RemoteIPDetails.IPAddressV4)
	}
	var private []Subject
	var public Subject
	for _, address := range append(remote, action.AWSAPICallAction.RemoteIPDetails.IPAddressV4) {
		switch ip, err := netip.ParseAddr(string(address)); {
		case err != nil || ip.Zone() != "":
		case !ip.IsPrivate() && !sharedAddresses.Contains(ip):
			if public.PublicIP == "" {
				public.PublicIP = string(address)
			}
		case slices.Contains(remote, address) && !slices.ContainsFunc(private, func(s Subject) bool { return s.ClientIP == string(address) }):
			private = append(private, Subject{ClientIP: string(address)})
		}
	}
	if len(private) > 0 {
		return private
	}
	return []Subject{public}
}

// sharedAddresses is carrier-grade NAT's range (RFC 6598), which some companies use as a client CIDR.
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

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
	k := f.Resource.AccessKeyDetails
	if !bytes.Contains(bytes.ToLower(f.Service.AdditionalInfo), []byte("sample")) {
		return k.madeUp() // kilobytes of it need not be read twice more
	}
	outer, value := marked(f.Service.AdditionalInfo)
	var nested string
	if json.Unmarshal(value, &nested) == nil {
		value = json.RawMessage(nested)
	}
	inner, _ := marked(value)
	return outer || inner || k.madeUp()
}

// madeUp reports whether the names are those that GuardDuty invents for samples.
func (k accessKey) madeUp() bool {
	return strings.HasPrefix(string(k.UserName), "GeneratedFinding") || strings.HasPrefix(string(k.PrincipalID), "GeneratedFinding")
}
