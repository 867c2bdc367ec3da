package spec

import "strings"

// suggest returns the candidate that the writer most likely meant, or "". Two
// edits are a slip of the hand; in a short word they make another word, so
// that words of up to four letters get one.
func suggest(got string, candidates []string) string {
	best, bestDistance := "", 3
	if len([]rune(got)) <= 4 {
		bestDistance = 2
	}
	for _, c := range candidates {
		if strings.EqualFold(got, c) {
			return c
		}
		if diff := len(got) - len(c); diff > 4 || diff < -4 || withoutDigits(got) == withoutDigits(c) {
			continue
		}
		if d := distance(strings.ToLower(got), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b. Words longer than 64 runes are never close:
// the limit keeps a hostile document cheap.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return 65
	}
	d := make([][]int, len(x)+1)
	for i := range d {
		d[i] = make([]int, len(y)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}

func withoutDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, s)
}
