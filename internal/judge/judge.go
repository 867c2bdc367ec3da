// Package judge asks the isolation rules about resources and reports what they
// answered. A rule that panics or does not come to an end has found nothing
// out, and that is a violation: it never passes.
package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/policies"
)

// Within is how long a rule may take over one resource. Rules read a few
// kilobytes and call nothing: one that needs seconds does not end.
const Within = 10 * time.Second

// Judge holds the rules against the resources of one org.
type Judge struct {
	Rules []policies.Rule
	Scope policies.Scope
	// Beside are the resources of the same stack, as far as they are known: a logical
	// name is one resource's only among those of its type, and an exception that names
	// no type must not excuse two.
	Beside []policies.Resource
	// Within bounds each rule; 0 means Within.
	Within time.Duration
}

// Resource returns what the rules say of one resource, passes left out.
func (j Judge) Resource(r policies.Resource) []finding.Policy {
	var out []finding.Policy
	for _, rule := range j.Rules {
		if rule.Check == nil || !rule.Covers(r.Type) {
			continue
		}
		v, failed := bounded(j.within(), func() policies.Verdict { return rule.Check(r, j.Scope) })
		out = append(out, j.findings(rule, r, v, failed)...)
	}
	return out
}

// Stack returns what the rules over a whole stack say of its resources, passes
// left out.
func (j Judge) Stack(rs []policies.Resource) []finding.Policy {
	j.Beside = rs
	var out []finding.Policy
	for _, rule := range j.Rules {
		if rule.CheckStack == nil {
			continue
		}
		// The others may be what the rule compares with: a namespace's policy.
		first := slices.IndexFunc(rs, func(r policies.Resource) bool { return rule.Covers(r.Type) })
		if first < 0 {
			continue
		}
		verdicts, failed := bounded(j.within(), func() map[string]policies.Verdict { return rule.CheckStack(rs, j.Scope) })
		if failed != "" {
			out = append(out, j.findings(rule, rs[first], policies.Verdict{}, failed)...)
			continue
		}
		for _, r := range rs {
			if v, ok := verdicts[r.URN]; ok {
				out = append(out, j.findings(rule, r, v, "")...)
			}
		}
	}
	return out
}

func (j Judge) within() time.Duration {
	if j.Within == 0 {
		return Within
	}
	return j.Within
}

// bounded calls check and waits for it so long. failed says why there is no answer.
func bounded[T any](within time.Duration, check func() T) (answer T, failed string) {
	type result struct {
		answer T
		failed string
	}
	// One place: a check that comes to its end after all must not block for ever.
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r.failed = fmt.Sprintf("the rule panicked: %v", p)
			}
			done <- r
		}()
		r.answer = check()
	}()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.answer, r.failed
	case <-timer.C:
		return answer, fmt.Sprintf("the rule did not answer within %s", within)
	}
}

func (j Judge) findings(rule policies.Rule, r policies.Resource, v policies.Verdict, failed string) []finding.Policy {
	f := finding.Policy{
		Rule: rule.ID, Title: rule.Title, Severity: string(rule.Severity), Org: j.Scope.Org, Layer: j.Scope.Layer,
		Resource: finding.Resource{Type: r.Type, Name: r.Name, URN: r.URN, ID: r.ID},
		Why:      rule.Why, Fix: rule.Fix, Criteria: rule.Criteria, Answer: string(v.Answer),
	}
	switch {
	case failed != "":
		// Nobody has accepted this: no exception answers for it.
		f.Answer, f.Message = string(policies.Violated), "could not be evaluated: "+failed
		return []finding.Policy{f}
	case v.Answer == policies.Pass:
		return nil
	case v.Answer != policies.Undecided:
		f.Answer = string(policies.Violated)
	}
	f.Exception = j.exception(rule, r)
	if len(v.Findings) == 0 {
		f.Message = "it does not hold: " + strings.ToLower(rule.Title[:min(1, len(rule.Title))]) + rule.Title[min(1, len(rule.Title)):]
		return []finding.Policy{f}
	}
	out := make([]finding.Policy, len(v.Findings))
	for i, found := range v.Findings {
		out[i] = f
		out[i].Path, out[i].Statement, out[i].Message = found.Path, found.Statement, found.Message
	}
	return out
}

// exception returns what the org's spec says for a violation, or nil.
func (j Judge) exception(rule policies.Rule, r policies.Resource) *finding.Exception {
	if rule.NoException {
		return nil
	}
	for _, e := range j.Scope.Exceptions {
		if e.Rule == rule.ID && e.Resource != "" && (e.Resource == r.URN || e.Resource == r.Name && !j.ambiguous(rule, r)) {
			return &finding.Exception{Reason: e.Reason, Approver: e.Approver, Expires: e.Expires}
		}
	}
	return nil
}

// ambiguous reports whether a rule looks at a resource of another type with the same name.
func (j Judge) ambiguous(rule policies.Rule, r policies.Resource) bool {
	return slices.ContainsFunc(j.Beside, func(other policies.Resource) bool {
		return other.Name == r.Name && other.Type != r.Type && !other.Component && !strings.HasPrefix(other.Type, "pulumi:") && rule.Covers(other.Type)
	})
}
