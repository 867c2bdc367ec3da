package orgcontext

import "regexp"

var name = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// IsName reports whether an org may have the name: a DNS label of 3 to 40
// characters without two hyphens in a row, which no internationalized name is.
// Everything that takes an org's name from outside asks it.
func IsName(org string) bool {
	return len(org) >= 3 && len(org) <= 40 && name.MatchString(org)
}
