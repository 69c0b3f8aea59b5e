package emulator

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strconv"
)

// list collects prefix.1, prefix.2 and so on.
func list(form url.Values, prefix string) (values []string) {
	for i := 1; ; i++ {
		v, found := form[fmt.Sprint(prefix, ".", i)]
		if !found {
			return values
		}
		values = append(values, v[0])
	}
}

type filter struct {
	name   string
	values []string
}

// filtersOf reads a request's filters, and refuses those that known does not know.
func filtersOf(form url.Values, known func(name string) bool) (filters []filter, refused *refusal) {
	for i := 1; ; i++ {
		prefix := fmt.Sprint("Filter.", i)
		if !form.Has(prefix + ".Name") {
			return filters, nil
		}
		f := filter{form.Get(prefix + ".Name"), list(form, prefix+".Value")}
		switch {
		case !known(f.name): // AWS does not document the code for these actions
			return nil, refuse("InvalidFilter", "The filter '%s' is invalid", f.name)
		case len(f.values) == 0: // AWS does not document it
			return nil, refuse("InvalidParameterValue", "The filter '%s' has no values", f.name)
		case len(f.values) > 200: // EC2 User Guide, filtering considerations
			return nil, refuse("FilterLimitExceeded",
				"The maximum number of filter values specified on a single call is 200")
		}
		filters = append(filters, f)
	}
}

// matches reports whether every filter names what a thing has. An empty name is no name, so nothing matches it.
func matches(filters []filter, has func(name string) string) bool {
	for _, f := range filters {
		if value := has(f.name); value == "" || !slices.Contains(f.values, value) {
			return false
		}
	}
	return true
}

// listing is what a request pages through.
type listing[T any] struct {
	scope  string // ties the tokens to this request
	things []T    // sorted by seq
	seq    func(T) int
	keep   func(T) bool
}

// page returns the page that a request asks for, and the token of the next.
func (l listing[T]) page(form url.Values, size int) (page []T, token string, refused *refusal) {
	limit, refused := pageSize(form, size)
	if refused != nil {
		return nil, "", refused
	}
	sum := digest(form.Get("Action")+l.scope, 0)[:16]
	from, refused := tokenOf(form, sum)
	if refused != nil {
		return nil, "", refused
	}
	// By number, not by index: entries that left the list between two pages must not shift those after them.
	first := sort.Search(len(l.things), func(i int) bool { return l.seq(l.things[i]) >= from })
	for _, thing := range l.things[first:] {
		if !l.keep(thing) {
			continue
		}
		if len(page) == limit {
			return page, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", sum, l.seq(thing))), nil
		}
		page = append(page, thing)
	}
	return page, "", nil
}

// pageSize returns how many things a page has at most.
func pageSize(form url.Values, size int) (int, *refusal) {
	limit := cmp.Or(size, 1000)
	asked := form.Get("MaxResults")
	if asked == "" {
		return limit, nil
	}
	n, err := strconv.Atoi(asked)
	if err != nil || n < 5 || n > 1000 { // EC2 API reference: valid range 5 to 1000
		return 0, refuse("InvalidParameterValue",
			"Value ( %s ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.", asked)
	}
	return min(limit, n), nil
}

// tokenOf returns the number that a page begins with; 0 without a token.
func tokenOf(form url.Values, sum string) (from int, refused *refusal) {
	asked := form.Get("NextToken")
	if asked == "" {
		return 0, nil
	}
	plain, _ := base64.RawURLEncoding.DecodeString(asked)
	var of string
	if n, _ := fmt.Sscanf(string(plain), "%s %d", &of, &from); n != 2 || of != sum {
		return 0, refuse("InvalidPaginationToken", "The specified pagination token is not valid or is expired.")
	}
	return from, nil
}
