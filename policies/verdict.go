package policies

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// judge collects what a rule finds on its way through a resource.
type judge struct{ violations, unknowns []Finding }

// violate notes a violation at a path.
func (j *judge) violate(path, format string, args ...any) {
	j.violations = append(j.violations, Finding{Path: path, Message: fmt.Sprintf(format, args...)})
}

// undecided notes that a value is not known.
func (j *judge) undecided(path string) {
	j.unknowns = append(j.unknowns, Finding{Path: path, Message: "the value is not known yet"})
}

// verdict is the answer: one violation is enough, and one unknown keeps a pass back.
func (j *judge) verdict() Verdict {
	switch {
	case len(j.violations) > 0:
		return Verdict{Violated, inOrder(j.violations)}
	case len(j.unknowns) > 0:
		return Verdict{Undecided, inOrder(j.unknowns)}
	default:
		return Verdict{Answer: Pass}
	}
}

// inOrder sorts findings by their path: maps come in another order each time,
// and a report must not.
func inOrder(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(findings)
}

// join writes a property path: keys that are no identifiers are quoted.
func join(path, key string) string {
	for _, r := range key {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return path + "[" + strconv.Quote(key) + "]"
		}
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
