package emulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Graph stands in for Microsoft Graph and for the sign-in of Microsoft Entra ID, as an [http.Handler]. It has users,
// groups, their delta queries, and the audit log of the directory. The zero value is a tenant without people. Its
// methods can be called from several goroutines.
// Source: Microsoft Graph REST API v1.0 reference, user: delta, group: delta, directoryAudit; Microsoft identity
// platform, "OAuth 2.0 client credentials flow".
type Graph struct {
	Tenant      string        // default 72f988bf-0000-4000-8000-2d7cd011db47
	Client      string        // the application's id; default 11111111-0000-4000-8000-000000000001
	Secret      string        // of the application; empty for a federated credential alone
	Permissions []string      // of the application; nil for all that are asked for
	PageSize    int           // default 100
	AuditDelay  time.Duration // before the audit log has a record of what happens now

	mu       sync.Mutex
	users    map[string]GraphUser
	deleted  map[string]GraphUser
	changes  []graphChange // of users and of members, in their order
	audits   []audit
	gone     int // delta tokens before this one are no longer known
	throttle []time.Duration
	requests []string
	tokens   int
}

// GraphUser is a user of the tenant.
type GraphUser struct {
	ID, Name string // Name is the user principal name
	Disabled bool
}

// graphChange is what a delta query returns: a user, or a group with members.
type graphChange struct {
	group   string // empty for a change of a user
	id      string // of the user
	removed string // the reason; empty for a user who is there
	raw     string // the record as it is sent, in place of everything else
}

// AddRawRecord adds a record as it is to the users' changes, the groups' or the audit log: "users", "groups", "audits".
func (g *Graph) AddRawRecord(list, record string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch list {
	case "audits":
		g.audits = append(g.audits, audit{At: time.Now().UTC(), raw: record, shown: time.Now().Add(g.AuditDelay)})
	case "groups":
		g.changes = append(g.changes, graphChange{group: list, raw: record})
	default:
		g.changes = append(g.changes, graphChange{id: list, raw: record})
	}
}

// AddGraphUser adds a user without a trace in the audit log.
func (g *Graph) AddGraphUser(u GraphUser) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.put(u)
}

func (g *Graph) put(u GraphUser) {
	if g.users == nil {
		g.users = map[string]GraphUser{}
	}
	g.users[u.ID] = u
}

// SetEnabled has an administrator disable a user, or enable one.
func (g *Graph) SetEnabled(id string, enabled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	u := g.users[id]
	u.Disabled = !enabled
	g.put(u)
	g.changes = append(g.changes, graphChange{id: id})
	if enabled {
		g.record("Enable account", u, nil)
		return
	}
	g.record("Disable account", u, nil)
}

// DeleteGraphUser has an administrator delete a user. Entra keeps the user for 30 days, under another name.
func (g *Graph) DeleteGraphUser(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	u := g.users[id]
	delete(g.users, id)
	g.changes = append(g.changes, graphChange{id: id, removed: "changed"})
	u.Name = strings.ReplaceAll(id, "-", "") + u.Name
	if g.deleted == nil {
		g.deleted = map[string]GraphUser{}
	}
	g.deleted[id] = u
	g.record("Delete user", u, nil)
}

// RemoveMember has an administrator remove a user from a group.
func (g *Graph) RemoveMember(group, id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes = append(g.changes, graphChange{group: group, id: id, removed: "deleted"})
	g.record("Remove member from group", g.users[id], map[string]string{"Group.ObjectID": group})
}

// ForgetDeltas has the tenant no longer know the delta tokens that it has issued.
func (g *Graph) ForgetDeltas() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changes = append(g.changes, graphChange{})
	g.gone = len(g.changes)
}

// Throttle has the next request answered with 429, and with how long to wait.
func (g *Graph) Throttle(wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.throttle = append(g.throttle, wait)
}

// Requests returns the paths and queries of all requests, in their order.
func (g *Graph) Requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.requests)
}

// ServeHTTP answers one request.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, r.URL.RequestURI())
	if r.Method == http.MethodPost {
		g.token(w, r)
		return
	}
	if len(g.throttle) > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(g.throttle[0].Seconds())))
		g.throttle = g.throttle[1:]
		graphError(w, http.StatusTooManyRequests, "TooManyRequests", "Too many requests")
		return
	}
	if r.Header.Get("Authorization") != "Bearer graph-"+strconv.Itoa(g.tokens) || g.tokens == 0 {
		graphError(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1.0/auditLogs/directoryAudits", g.with("AuditLog.Read.All", g.listAudits))
	mux.HandleFunc("GET /v1.0/users/delta", g.with("User.Read.All", g.deltaOfUsers))
	mux.HandleFunc("GET /v1.0/groups/delta", g.with("GroupMember.Read.All", g.deltaOfGroups))
	mux.HandleFunc("GET /v1.0/users", g.with("User.Read.All", g.listUsers))
	mux.HandleFunc("GET /v1.0/users/{id}", g.with("User.Read.All", g.oneUser))
	mux.HandleFunc("GET /v1.0/directory/deletedItems/{id}", g.with("User.Read.All", g.oneDeleted))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		graphError(w, http.StatusBadRequest, "BadRequest", "Resource not found for the segment")
	})
	mux.ServeHTTP(w, r)
}

// with answers only if the application has the permission.
func (g *Graph) with(permission string, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if g.Permissions != nil && !slices.Contains(g.Permissions, permission) {
			graphError(w, http.StatusForbidden, "Authorization_RequestDenied",
				"Insufficient privileges to complete the operation.")
			return
		}
		answer(w, r)
	}
}

// token answers a request for an access token.
func (g *Graph) token(w http.ResponseWriter, r *http.Request) {
	tenant := cmp.Or(g.Tenant, DefaultTenant)
	_ = r.ParseForm() // a form that cannot be read has no members
	form := r.PostForm
	assertion := form.Get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" &&
		strings.Count(form.Get("client_assertion"), ".") == 2
	secret := g.Secret != "" && form.Get("client_secret") == g.Secret
	if r.URL.Path != "/"+tenant+"/oauth2/v2.0/token" || form.Get("grant_type") != "client_credentials" ||
		form.Get("client_id") != cmp.Or(g.Client, DefaultClient) || !strings.HasSuffix(form.Get("scope"), "/.default") ||
		!assertion && !secret {
		answerJSON(w, http.StatusUnauthorized, map[string]any{
			"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided.",
		})
		return
	}
	g.tokens++
	answerJSON(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": 3599, "access_token": "graph-" + strconv.Itoa(g.tokens),
	})
}

// The tenant and the application where a Graph names none.
const (
	DefaultTenant = "72f988bf-0000-4000-8000-2d7cd011db47"
	DefaultClient = "11111111-0000-4000-8000-000000000001"
)

// ExpireToken has the tenant no longer accept the access tokens that it has issued.
func (g *Graph) ExpireToken() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens++
}

func graphError(w http.ResponseWriter, status int, code, message string) {
	answerJSON(w, status, map[string]any{"error": map[string]any{
		"code": code, "message": message, "innerError": map[string]any{"request-id": uuid("graph", 1)},
	}})
}

func answerJSON(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document) // an error means that the client has gone
}

// link returns an address of the same server with other parameters.
func link(r *http.Request, parameters url.Values) string {
	return "http://" + r.Host + r.URL.Path + "?" + parameters.Encode()
}

// ForgetUser has the tenant no longer know a user, as after 30 days.
func (g *Graph) ForgetUser(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.users, id)
	delete(g.deleted, id)
}
