package emulator

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// deltaOfUsers answers users/delta. A user may come several times, and out of order.
// Source: Microsoft Graph, "Use delta query to track changes in Microsoft Graph data".
func (g *Graph) deltaOfUsers(w http.ResponseWriter, r *http.Request) {
	g.delta(w, r, func(c graphChange) any {
		u := g.users[c.id]
		switch {
		case c.group != "" || c.id == "":
			return nil
		case c.raw != "":
			return json.RawMessage(c.raw)
		case c.removed != "" || u.ID == "":
			return map[string]any{"id": c.id, "@removed": map[string]string{"reason": cmp.Or(c.removed, "changed")}}
		}
		return map[string]any{"id": u.ID, "userPrincipalName": u.Name, "mail": u.Name, "accountEnabled": !u.Disabled,
			"onPremisesSamAccountName": nil}
	})
}

// deltaOfGroups answers groups/delta for the groups that the filter names.
func (g *Graph) deltaOfGroups(w http.ResponseWriter, r *http.Request) {
	g.delta(w, r, func(c graphChange) any {
		if c.group != "" && c.raw != "" {
			return json.RawMessage(c.raw)
		}
		filter := r.URL.Query().Get("$filter")
		if c.group == "" || filter != "" && !strings.Contains(filter, "'"+c.group+"'") {
			return nil
		}
		return map[string]any{"id": c.group, "members@delta": []any{map[string]any{
			"@odata.type": "#microsoft.graph.user", "id": c.id, "@removed": map[string]string{"reason": c.removed},
		}}}
	})
}

// delta answers a delta query with the changes that show returns something for.
func (g *Graph) delta(w http.ResponseWriter, r *http.Request, show func(graphChange) any) {
	query := r.URL.Query()
	from := 0
	switch token := cmp.Or(query.Get("$deltatoken"), query.Get("$deltaToken"), query.Get("$skiptoken")); token {
	case "latest":
		from = len(g.changes)
	case "":
	default:
		n, err := strconv.Atoi(token)
		if err != nil || n < g.gone {
			graphError(w, http.StatusGone, "syncStateNotFound",
				"The sync state generation is not found; perform a full resynchronization.")
			return
		}
		from = n
	}
	size := cmp.Or(g.PageSize, 100)
	values, next := []any{}, from
	for ; next < len(g.changes) && len(values) < size; next++ {
		if value := show(g.changes[next]); value != nil {
			values = append(values, value)
		}
	}
	name, token := "@odata.deltaLink", "$deltatoken"
	if next < len(g.changes) {
		name, token = "@odata.nextLink", "$skiptoken"
	}
	parameters := url.Values{token: {strconv.Itoa(next)}}
	if filter := query.Get("$filter"); filter != "" {
		parameters.Set("$filter", filter) // which Graph keeps inside the token
	}
	answerJSON(w, http.StatusOK, map[string]any{"value": values, name: link(r, parameters)})
}

// listUsers answers GET /users, in the order of the ids.
// Source: Microsoft Graph REST API v1.0 reference, "List users": 100 in a page, at most 999.
func (g *Graph) listUsers(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	size := cmp.Or(g.PageSize, 100)
	if top, err := strconv.Atoi(query.Get("$top")); err == nil && g.PageSize == 0 {
		size = min(top, 999)
	}
	ids := slices.Sorted(maps.Keys(g.users))
	from, _ := slices.BinarySearch(ids, query.Get("$skiptoken"))
	page := ids[from:min(from+size, len(ids))]
	values := []any{}
	for _, id := range page {
		values = append(values, graphUser(g.users[id]))
	}
	answer := map[string]any{"value": values}
	if next := from + len(page); next < len(ids) {
		query.Set("$skiptoken", ids[next])
		answer["@odata.nextLink"] = link(r, query)
	}
	answerJSON(w, http.StatusOK, answer)
}

// oneUser answers GET /users/{id}.
func (g *Graph) oneUser(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	for _, u := range g.users {
		if u.ID == id || strings.EqualFold(u.Name, id) {
			describeGraphUser(w, u)
			return
		}
	}
	noGraphUser(w, id)
}

// oneDeleted answers GET /directory/deletedItems/{id}.
func (g *Graph) oneDeleted(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if u, known := g.deleted[id]; known {
		describeGraphUser(w, u)
		return
	}
	noGraphUser(w, id)
}

func describeGraphUser(w http.ResponseWriter, u GraphUser) {
	answerJSON(w, http.StatusOK, graphUser(u))
}

func graphUser(u GraphUser) map[string]any {
	return map[string]any{"id": u.ID, "userPrincipalName": u.Name, "accountEnabled": !u.Disabled}
}

func noGraphUser(w http.ResponseWriter, id string) {
	graphError(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+id+"' does not exist")
}
