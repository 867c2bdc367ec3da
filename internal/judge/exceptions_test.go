package judge_test

import (
	"testing"

	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/policies"
)

func TestAnExceptionByNameExcusesOneResource(t *testing.T) {
	never := policies.Rule{ID: "FH999", Title: "Never", Types: []string{"aws:*"}, Check: func(policies.Resource, policies.Scope) policies.Verdict {
		return policies.Verdict{Answer: policies.Violated, Findings: []policies.Finding{{Message: "it is there"}}}
	}}
	resource := func(typ string) policies.Resource {
		return policies.Resource{URN: "urn:pulumi:acme.cluster::freehold::" + typ + "::jobs", Type: typ, Name: "jobs"}
	}
	queue, topic := resource("aws:sqs/queue:Queue"), resource("aws:sns/topic:Topic")
	component := resource("freehold:index:Jobs")
	component.Component = true
	by := func(resource string) policies.Scope {
		return policies.Scope{Org: "acme", Layer: "cluster", Exceptions: []policies.Exception{{Rule: "FH999", Resource: resource, Reason: "for now"}}}
	}
	for _, c := range []struct {
		name    string
		scope   policies.Scope
		stack   []policies.Resource
		excused map[string]bool
	}{
		{"a name that one resource has", by("jobs"), []policies.Resource{queue}, map[string]bool{queue.URN: true}},
		{"a name that a component has, too", by("jobs"), []policies.Resource{component, queue}, map[string]bool{queue.URN: true}},
		{"a name that resources of two types have", by("jobs"), []policies.Resource{queue, topic}, nil},
		{"a URN", by(queue.URN), []policies.Resource{queue, topic}, map[string]bool{queue.URN: true}},
		{"another name", by("job"), []policies.Resource{queue}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := judge.NewIndex([]policies.Rule{never}).All(c.stack, c.scope)
			violations := map[string]bool{}
			for _, f := range found {
				violations[f.Resource.URN] = true
				if got := f.Exception != nil; got != c.excused[f.Resource.URN] {
					t.Errorf("%s is excused: %t", f.Resource.URN, got)
				}
			}
			for _, r := range c.stack {
				if violations[r.URN] == r.Component {
					t.Errorf("%s is reported: %t", r.URN, violations[r.URN])
				}
			}
		})
	}
}
