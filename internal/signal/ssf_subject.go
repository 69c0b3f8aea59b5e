package signal

import (
	"cmp"
	"encoding/json"
	"strings"

	"clientvpn-responder/internal/identity"
)

// maxIdentifiers limits the names of one person that are read. Nobody has as many.
const maxIdentifiers = 50

// ssfSubjectID is a subject identifier, of any format.
// Source: RFC 9493; Shared Signals Framework 1.0, "Complex subjects"; earlier drafts wrote subject_type.
type ssfSubjectID struct {
	Format      lenientString     `json:"format"`
	SubjectType lenientString     `json:"subject_type"`
	Email       lenientString     `json:"email"`
	ISS         lenientString     `json:"iss"`
	Sub         lenientString     `json:"sub"`
	ID          lenientString     `json:"id"`
	URI         lenientString     `json:"uri"`
	URL         lenientString     `json:"url"`
	PhoneNumber lenientString     `json:"phone_number"`
	User        json.RawMessage   `json:"user"`
	Identifiers []json.RawMessage `json:"identifiers"`
}

// ssfSubject reads a subject identifier. One that is no user, such as a device, a session or a tenant, names nobody.
func ssfSubject(raw json.RawMessage, issuer identity.Issuer, depth int) Subject {
	var id ssfSubjectID
	if depth > 3 || json.Unmarshal(raw, &id) != nil {
		return Subject{}
	}
	switch id.format() {
	case "complex":
		return ssfSubject(id.User, issuer, depth+1)
	case "aliases":
		var s Subject
		for _, identifier := range id.Identifiers[:min(len(id.Identifiers), maxIdentifiers)] {
			s.merge(ssfSubject(identifier, issuer, depth+1))
		}
		return s
	case "":
		if len(id.User) > 0 {
			return ssfSubject(id.User, issuer, depth+1)
		}
		return id.simple(issuer)
	case "email", "iss_sub", "opaque", "account", "phone_number", "phone", "did", "uri", "id_token_claims":
		return id.simple(issuer)
	}
	return Subject{} // of a session or a token
}

func (id ssfSubjectID) format() string {
	return strings.ReplaceAll(Fold(string(cmp.Or(id.Format, id.SubjectType))), "-", "_")
}

// simple reads an identifier that is not made of others. The token's issuer is the issuer of the names. Where the identifier names
// another issuer of its own, the names are unique only within both.
func (id ssfSubjectID) simple(issuer identity.Issuer) Subject {
	if own := Name(string(id.ISS)); own != "" && own != issuer.Within {
		issuer.Within += "#" + own
	}
	uri := opaque(requiredString(id.URI))
	if account, ok := strings.CutPrefix(string(id.URI), "acct:"); ok {
		uri = address(requiredString(account))
	}
	return subjectOf(issuer,
		uri, address(requiredString(id.Email)), opaque(requiredString(id.ID)), opaque(requiredString(id.URL)),
		opaque(requiredString(id.PhoneNumber)), subOf(requiredString(id.Sub)))
}

// subOf reads "sub": an address, or an id.
func subOf(sub requiredString) given {
	if strings.Contains(string(sub), "@") {
		return address(sub)
	}
	return opaque(sub)
}

// merge adds the names of another identifier of the same person.
func (s *Subject) merge(other Subject) {
	for _, n := range other.Names {
		s.Add(n)
	}
}
