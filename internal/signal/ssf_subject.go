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
	Session     json.RawMessage   `json:"session"`
	Identifiers []json.RawMessage `json:"identifiers"`
}

// readSubjectID reads a subject identifier. One that cannot be read names nobody.
func readSubjectID(raw json.RawMessage) ssfSubjectID {
	var id ssfSubjectID
	if json.Unmarshal(snakeKeys(raw), &id) != nil {
		return ssfSubjectID{Format: "unreadable"}
	}
	return id
}

// subject returns the person. An identifier that is no user, such as a device, a session or a tenant, names nobody.
func (id ssfSubjectID) subject(issuer identity.Issuer, depth int) Subject {
	if depth > 3 {
		return Subject{}
	}
	switch id.format() {
	case "complex":
		return readSubjectID(id.User).subject(issuer, depth+1)
	case "aliases":
		var s Subject
		for _, identifier := range id.Identifiers[:min(len(id.Identifiers), maxIdentifiers)] {
			s.merge(readSubjectID(identifier).subject(issuer, depth+1))
		}
		return s
	case "":
		if len(id.User) > 0 {
			return readSubjectID(id.User).subject(issuer, depth+1)
		}
		return id.simple(issuer)
	case "email", "iss_sub", "opaque", "account", "phone_number", "phone", "did", "uri", "id_token_claims":
		return id.simple(issuer)
	}
	return Subject{} // of a session or a token
}

// allSessions reports whether the identifier names all sessions of the user. Keycloak writes "ALL" for the session's id
// when an administrator signs somebody out. Source: a captured token of Keycloak 26.7.3.
func (id ssfSubjectID) allSessions() bool {
	return len(id.Session) > 0 && readSubjectID(id.Session).ID == "ALL"
}

func (id ssfSubjectID) format() string {
	format := snake(string(cmp.Or(id.Format, id.SubjectType)))
	return strings.ReplaceAll(Fold(format), "-", "_")
}

// snakeKeys writes the keys of an object as the specifications do, initiating_entity for initiatingEntity. Some
// transmitters use the other form.
func snakeKeys(raw json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return raw
	}
	for key, member := range members {
		if s := snake(key); s != key && !strings.Contains(key, "/") {
			delete(members, key)
			if _, twice := members[s]; !twice {
				members[s] = member
			}
		}
	}
	renamed, err := json.Marshal(members)
	if err != nil {
		return raw
	}
	return renamed
}

// snake writes a word in camelCase with underscores.
func snake(word string) string {
	if strings.ToUpper(word) == word {
		return strings.ToLower(word)
	}
	var b strings.Builder
	for i, r := range word {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// simple reads an identifier that is not made of others. The token's issuer is the issuer of the names. Where the
// identifier names another issuer of its own, the names are unique only within both.
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
func subOf(sub requiredString) rawName {
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
