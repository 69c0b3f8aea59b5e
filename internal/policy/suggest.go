package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// didYouMean returns words that suggest the most similar of the known words, or "" if none is similar.
func didYouMean(word string, known []string) string {
	if word == "" {
		return ""
	}
	known = slices.Sorted(slices.Values(known))
	best, least := "", max(2, len(word)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" || best == word {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// inHours returns words that suggest the same time in hours, if it is written in days or weeks; "" otherwise.
func inHours(text string) string {
	for unit, hours := range map[string]int{"d": 24, "w": 7 * 24} {
		number, found := strings.CutSuffix(text, unit)
		if n, err := strconv.Atoi(number); found && err == nil && n > 0 && n < 10_000 {
			return fmt.Sprintf("; write %dh", n*hours)
		}
	}
	return ""
}

// distance is the number of letters to insert, remove, replace or swap to make b of a.
func distance(a, b string) int {
	before, last, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, make([]int, len(b)+1)
	}
	return last[len(b)]
}
