package policies

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// judge collects what a rule finds on its way through a resource.
type judge struct{ violated, undecided []Finding }

// violate notes a violation at a path.
func (j *judge) violate(path, format string, args ...any) {
	j.violated = append(j.violated, Finding{Path: path, Message: fmt.Sprintf(format, args...)})
}

// wonder notes that a value is not known.
func (j *judge) wonder(path string) {
	j.undecided = append(j.undecided, Finding{Path: path, Message: "the value is not known yet"})
}

// verdict is the answer: one violation is enough, and one unknown keeps a pass back.
func (j *judge) verdict() Verdict {
	switch {
	case len(j.violated) > 0:
		return Verdict{Violated, inOrder(j.violated)}
	case len(j.undecided) > 0:
		return Verdict{Undecided, inOrder(j.undecided)}
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
