package signal

import (
	"cmp"
	"encoding/json"
	"strings"
)

// maxIdentifiers limits the names of one person that are read. Nobody has as many.
const maxIdentifiers = 50

// ssfSubjectID is a subject identifier, of any format.
// Source: RFC 9493; Shared Signals Framework 1.0, "Complex subjects"; earlier drafts wrote subject_type.
type ssfSubjectID struct {
	Format      lenientString     `json:"format"`
	SubjectType lenientString     `json:"subject_type"`
	Email       lenientString     `json:"email"`
	Sub         lenientString     `json:"sub"`
	ID          lenientString     `json:"id"`
	URI         lenientString     `json:"uri"`
	URL         lenientString     `json:"url"`
	PhoneNumber lenientString     `json:"phone_number"`
	User        json.RawMessage   `json:"user"`
	Identifiers []json.RawMessage `json:"identifiers"`
}

// ssfSubject reads a subject identifier. One that is no user, such as a device, a session or a tenant, names nobody.
func ssfSubject(raw json.RawMessage, depth int) Subject {
	var id ssfSubjectID
	if depth > 3 || json.Unmarshal(raw, &id) != nil {
		return Subject{}
	}
	switch id.format() {
	case "complex":
		return ssfSubject(id.User, depth+1)
	case "aliases":
		var s Subject
		for _, identifier := range id.Identifiers[:min(len(id.Identifiers), maxIdentifiers)] {
			s.merge(ssfSubject(identifier, depth+1))
		}
		return s
	case "":
		if len(id.User) > 0 {
			return ssfSubject(id.User, depth+1)
		}
		return id.simple()
	case "email", "iss_sub", "opaque", "account", "phone_number", "phone", "did", "uri", "id_token_claims":
		return id.simple()
	}
	return Subject{} // of a session or a token
}

func (id ssfSubjectID) format() string {
	return strings.ReplaceAll(Fold(string(cmp.Or(id.Format, id.SubjectType))), "-", "_")
}

// simple reads an identifier that is not made of others.
func (id ssfSubjectID) simple() Subject {
	var s Subject
	account, isAccount := strings.CutPrefix(string(id.URI), "acct:")
	if !isAccount {
		account = ""
		s.IDs = names(requiredString(id.URI))
	}
	s.merge(Subject{
		Usernames: names(requiredString(id.Email), requiredString(account)),
		IDs:       names(requiredString(id.ID), requiredString(id.URL), requiredString(id.PhoneNumber)),
	})
	s.addChosen(string(id.Sub))
	return s
}

// merge adds the names and ids of another identifier of the same person.
func (s *Subject) merge(other Subject) {
	s.Usernames = names(append(asRequired(s.Usernames), asRequired(other.Usernames)...)...)
	s.IDs = names(append(asRequired(s.IDs), asRequired(other.IDs)...)...)
}

// asRequired converts words for names.
func asRequired(words []string) []requiredString {
	var all []requiredString
	for _, w := range words {
		all = append(all, requiredString(w))
	}
	return all
}
