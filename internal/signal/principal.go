package signal

import (
	"cmp"
	"strings"

	"clientvpn-responder/internal/identity"
	"clientvpn-responder/internal/lazyregexp"
)

// accessKey is the principal whose credentials were used.
type accessKey struct {
	UserName    requiredString `json:"userName"`
	UserType    requiredString `json:"userType"`
	PrincipalID requiredString `json:"principalId"`
}

// actor is behind an attack sequence. Only some actors have a user.
type actor struct {
	ID   requiredString `json:"id"`
	User struct {
		Name    requiredString `json:"name"`
		Type    requiredString `json:"type"`
		UID     requiredString `json:"uid"`
		Account struct {
			UID requiredString `json:"uid"`
		} `json:"account"`
	} `json:"user"`
	Session struct {
		Issuer requiredString `json:"issuer"`
	} `json:"session"`
}

// subject reads userType, which has the types of CloudTrail's userIdentity. For a role, userName is the role's name and
// never a person's. The person, if any, is the session's name after the colon of the principal id.
func (k accessKey) subject(account requiredString) Subject {
	switch k.UserType {
	case "IAMUser":
		return subjectOf(iamOf(account), rawName{form: identity.Login, value: k.UserName}, opaque(k.PrincipalID))
	case "AssumedRole", "Role":
		_, session, _ := strings.Cut(string(k.PrincipalID), ":")
		return roleSession(iamOf(account), string(k.UserName), session)
	case "FederatedUser":
		// GetFederationToken lets the caller choose the name, so it counts as a session's name does. The colon keeps a
		// real role from having this name.
		_, name, _ := strings.Cut(string(k.PrincipalID), ":")
		return roleSession(iamOf(account), "sts:FederatedUser", name)
	}
	return Subject{}
}

// seen returns the name of a key as an id, if the key does not say whose it is: it may be a role's name.
func (k accessKey) seen(account requiredString) Subject {
	if k.UserType != "" || k.madeUp() {
		return Subject{}
	}
	return subjectOf(iamOf(account), opaque(k.UserName), opaque(k.PrincipalID))
}

func (k accessKey) isRole() bool { return k.UserType == "AssumedRole" || k.UserType == "Role" }

// subject reads the actor's user, whose uid is a principal id. AWS does not say what the name is for a role; the role
// is the session's issuer.
func (a actor) subject(account requiredString) Subject {
	account = cmp.Or(a.User.Account.UID, account)
	k := accessKey{UserName: a.User.Name, UserType: a.principalType(), PrincipalID: a.User.UID}
	if !k.isRole() {
		return k.subject(account)
	}
	if role, ok := lastSegment(string(a.Session.Issuer), "role/"); ok {
		k.UserName = requiredString(role)
	}
	if !strings.Contains(string(k.PrincipalID), ":") {
		if rest, ok := strings.CutPrefix(string(a.ID), "user:AssumedRole:"); ok {
			k.PrincipalID = requiredString(rest)
		}
	}
	return k.subject(account)
}

// principalType returns the type of the actor's user, in CloudTrail's words. OCSF has words of its own, such as "User":
// the principal's id then says what it is.
// Source: IAM user guide, "IAM identifiers", the table of prefixes.
func (a actor) principalType() requiredString {
	switch t, id := a.User.Type, string(a.User.UID); {
	case t != "" && t != "User" && t != "Admin" && t != "Other":
		return t
	case strings.HasPrefix(id, "AIDA"):
		return "IAMUser"
	case strings.HasPrefix(id, "AROA"):
		return "AssumedRole"
	default:
		return t
	}
}

// seen returns the name of an actor as an id, if nothing says what the actor is: it may be a role's name.
func (a actor) seen(account requiredString) Subject {
	if t := a.principalType(); t != "" && t != "User" && t != "Admin" && t != "Other" {
		return Subject{}
	}
	return accessKey{UserName: a.User.Name, PrincipalID: a.User.UID}.seen(cmp.Or(a.User.Account.UID, account))
}

// programName matches session names that no person has: EC2 instances, and the defaults of the SDKs.
var programName = lazyregexp.New(`^(i-[0-9a-f]{8,17}|(aws-go-sdk|botocore-session|aws-sdk-[a-z]+)-.*|` +
	`AWSCLI-Session|EKSGetTokenAuth|AWS-SSO.*)$`)

// roleSession returns the session of the role, or nobody if its name cannot be a person's.
func roleSession(issuer identity.Issuer, role, session string) Subject {
	session = Name(session)
	if session == "" || Name(role) == "" || session == role || programName().MatchString(session) {
		return Subject{}
	}
	return Subject{
		Session: &Session{Role: role, Name: session},
		Names:   []identity.Name{{Issuer: issuer, Form: identity.RoleSession, Value: session}},
	}
}

// kubernetesSubject reads the user name of an EKS audit log. Two of its many forms name a person. An OpenID Connect
// provider writes an e-mail address. EKS by default writes the ARN of a user or a role session.
func kubernetesSubject(username string, cluster identity.Issuer) Subject {
	if user, ok := lastSegment(username, "user/"); ok {
		return subjectOf(iamOf(arnAccount(username)), rawName{form: identity.Login, value: requiredString(user)})
	}
	if strings.HasPrefix(username, "arn:") {
		if _, path, ok := strings.Cut(username, ":assumed-role/"); ok {
			role, session, _ := strings.Cut(path, "/")
			return roleSession(iamOf(arnAccount(username)), role, session)
		}
		return Subject{}
	}
	before, after, _ := strings.Cut(username, "@")
	if before == "" || after == "" || strings.ContainsAny(username, ":#/") {
		return Subject{}
	}
	return subjectOf(cluster, address(requiredString(username)))
}

// authenticator matches the uid of a Kubernetes user of the IAM authenticator: the account and the principal's id.
var authenticator = lazyregexp.New(`^aws-iam-authenticator:([0-9]{12}):(AIDA[0-9A-Z]+)$`)

// authenticatorSubject returns the IAM user who stands behind a Kubernetes user, as an id. The name of the Kubernetes
// user is the cluster's choice.
func authenticatorSubject(uid string) Subject {
	m := authenticator().FindStringSubmatch(uid)
	if m == nil {
		return Subject{}
	}
	return subjectOf(iamOf(requiredString(m[1])), opaque(requiredString(m[2])))
}

// arnAccount returns the account in an ARN.
func arnAccount(arn string) requiredString {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return requiredString(parts[4])
	}
	return ""
}

// lastSegment returns the name at the end of the ARN of a resource of the type, "user/" or "role/". It skips the path.
func lastSegment(arn, resourceType string) (string, bool) {
	_, path, ok := strings.Cut(arn, ":"+resourceType)
	if !ok || !strings.HasPrefix(arn, "arn:") {
		return "", false
	}
	return path[strings.LastIndex(path, "/")+1:], true
}

// madeUp reports whether the names are those that GuardDuty invents for samples.
func (k accessKey) madeUp() bool {
	const prefix = "GeneratedFinding"
	return strings.HasPrefix(string(k.UserName), prefix) || strings.HasPrefix(string(k.PrincipalID), prefix)
}
