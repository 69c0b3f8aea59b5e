package vpn

import (
	"iter"
	"slices"
	"unicode/utf8"

	"clientvpn-responder/internal/identity"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const (
	// maxSimilar is how many similar names a search yields for a target.
	maxSimilar = 5
	// maxAlike is how many rows of an endpoint are decoded for a similar name alone.
	maxAlike = 50
	// minSimilar is how many letters a name has at least that another may differ from by one.
	minSimilar = 3
	// maxVaried is how long a skeleton is at most, in bytes, if names one letter apart are found.
	maxVaried = 64
	// maxSimilarName is how many letters of a similar name are kept.
	maxSimilarName = 100
)

// Similar is a connection under a name that resembles a target's: the same without its domain and accents, or one
// letter apart. It is evidence for a person to read. It is no [Match], so nothing can terminate it.
type Similar struct {
	// Target is the target's index.
	Target       int
	Name         string
	ConnectionID string
	EndpointID   string
}

// likeness finds names that resemble the targets'. Two names are one letter apart if one becomes the other without one
// of its letters, or if both become the same. So likeness knows the names, and each without one letter.
type likeness struct {
	targets  map[string][]int    // by skeleton
	variants map[string][]string // the skeletons, by themselves and with each letter left out
}

func newLikeness(targets []Target) *likeness {
	l := &likeness{targets: map[string][]int{}, variants: map[string][]string{}}
	for i, t := range targets {
		for _, name := range slices.Concat(t.Names, t.CommonNames) {
			if fold(name) != "" {
				l.add(identity.Skeleton(name), i)
			}
		}
	}
	return l
}

func (l *likeness) add(skeleton string, target int) {
	known := l.targets[skeleton]
	if skeleton == "" || slices.Contains(known, target) {
		return
	}
	l.targets[skeleton] = append(known, target)
	if len(known) > 0 || utf8.RuneCountInString(skeleton) < minSimilar {
		return
	}
	for v := range variants([]byte(skeleton)) {
		if same := l.variants[string(v)]; !slices.Contains(same, skeleton) {
			l.variants[string(v)] = append(same, skeleton)
		}
	}
}

// variants yields a skeleton, and what is left of it without each of its letters. It skips a very long one.
func variants(skeleton []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(skeleton) > maxVaried || !yield(skeleton) {
			return
		}
		var left [maxVaried]byte
		for at := 0; at < len(skeleton); {
			_, width := utf8.DecodeRune(skeleton[at:])
			n := copy(left[:], skeleton[:at])
			n += copy(left[n:], skeleton[at+width:])
			if !yield(left[:n]) {
				return
			}
			at += width
		}
	}
}

// has reports whether a skeleton resembles that of any target.
func (l *likeness) has(skeleton []byte) bool {
	if len(l.targets[string(skeleton)]) > 0 {
		return true
	}
	for range l.oneApart(skeleton) {
		return true
	}
	return false
}

// of returns the targets whose names a name resembles.
func (l *likeness) of(name string) []int {
	skeleton := identity.Skeleton(name)
	all := slices.Clone(l.targets[skeleton])
	for other := range l.oneApart([]byte(skeleton)) {
		all = append(all, l.targets[other]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// oneApart yields the skeletons that are one letter apart from this one, some of them twice.
func (l *likeness) oneApart(skeleton []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for v := range variants(skeleton) {
			for _, other := range l.variants[string(v)] {
				if oneLetterApart([]rune(other), []rune(string(skeleton))) && !yield(other) {
					return
				}
			}
		}
	}
}

// oneLetterApart reports whether one letter was put in, left out or replaced.
func oneLetterApart(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i < len(a) && slices.Equal(a[i+1:], b[i+1:])
	}
	return slices.Equal(a[i:], b[i+1:])
}

// similar returns what the row says of targets whose name it resembles, except those that it belongs to, and rows that
// have ended.
func (m *matcher) similarTo(row types.ClientVpnConnection, hits []hit) []Similar {
	name := aws.ToString(row.Username)
	if fold(name) == "" {
		name = aws.ToString(row.CommonName)
	}
	if fold(name) == "" || currentStatus(row) == Terminated {
		return nil
	}
	var all []Similar
	for _, t := range m.likeness.of(name) {
		if !slices.ContainsFunc(hits, func(h hit) bool { return h.target == t }) {
			all = append(all, Similar{
				Target: t, Name: shortened(name),
				ConnectionID: aws.ToString(row.ConnectionId), EndpointID: aws.ToString(row.ClientVpnEndpointId),
			})
		}
	}
	return all
}

// shortened returns the first letters of a long name. Clients may have names of a thousand.
func shortened(name string) string {
	if letters := []rune(name); len(letters) > maxSimilarName {
		return string(letters[:maxSimilarName]) + "…"
	}
	return name
}

// firstSimilar returns the first few for each target.
func firstSimilar(all []Similar) []Similar {
	count := map[int]int{}
	return slices.DeleteFunc(all, func(s Similar) bool {
		count[s.Target]++
		return count[s.Target] > maxSimilar
	})
}
