package rule

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/iam"
)

// Judge collects what a rule finds on its way through a resource.
type Judge struct{ violations, unknowns []Finding }

// Violate notes a violation at a path.
func (j *Judge) Violate(path, format string, args ...any) {
	j.violations = append(j.violations, Finding{Path: path, Message: fmt.Sprintf(format, args...)})
}

// Undecided notes that a value is not known.
func (j *Judge) Undecided(path string) {
	j.unknowns = append(j.unknowns, Finding{Path: path, Message: "the value is not known yet"})
}

// Verdict is the answer: one violation is enough, and one unknown keeps a pass back.
func (j *Judge) Verdict() Verdict {
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

// JoinPath writes a property path: keys that are no identifiers are quoted.
func JoinPath(path, key string) string {
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

// everybody reports whether a range is the internet, or so much of it that the
// difference matters to nobody: two halves of it are the whole.
func everybody(text string) (yes, valid bool) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return false, false
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Addr().Is4() {
		return p.Bits() < 8, true
	}
	return p.Bits() < 16, true
}

// Closed violates where a range lets everybody in, or is none.
func (j *Judge) Closed(v Value) {
	if !j.Known(v) || v.Text() == "" {
		return
	}
	switch yes, valid := everybody(v.Text()); {
	case !valid:
		j.Violate(v.Path, "%s is not a range of addresses", v.Text())
	case yes:
		j.Violate(v.Path, "%s is the whole internet", v.Text())
	}
}

// UnknownAccount reports whether a statement's answer waits for the org's account id.
func (j *Judge) UnknownAccount(path string, s Scope) bool {
	if s.AccountID == "" {
		j.Undecided(path)
	}
	return s.AccountID == ""
}

// ViolateBy notes a violation by a statement.
func (j *Judge) ViolateBy(path string, st iam.Statement, format string, args ...any) {
	j.Violate(path, format, args...)
	j.violations[len(j.violations)-1].Statement = st.String()
}
