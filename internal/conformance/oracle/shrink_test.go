package oracle_test

import (
	"maps"
	"slices"
	"testing"

	"freehold.dev/freehold/internal/conformance/oracle"
	"freehold.dev/freehold/internal/iam"
)

// shrink takes away what a disagreement does not need: policies, statements, lines
// of conditions, values, and keys of the request.
func shrink(t *testing.T, o *oracle.Oracle, q oracle.Question) oracle.Question {
	t.Helper()
	for {
		smaller := smallerThan(q)
		asked := make([]oracle.Question, len(smaller))
		for i, s := range smaller {
			asked[i] = written(s)
		}
		replies, err := o.Ask(asked...)
		if err != nil {
			t.Fatal(err)
		}
		next := -1
		for i, r := range replies {
			if r.Error == "" && smaller[i].Decide() == q.Decide() && disagree(smaller[i].Decide(), r) {
				next = i
				break
			}
		}
		if next < 0 {
			return q
		}
		q = smaller[next]
	}
}

// smallerThan returns every question with one thing less.
func smallerThan(q oracle.Question) []oracle.Question {
	var out []oracle.Question
	add := func(change func(*oracle.Question)) {
		next := q
		change(&next)
		out = append(out, next)
	}
	if q.Boundary != nil {
		add(func(n *oracle.Question) { n.Boundary = nil })
	}
	if q.Resources != nil {
		add(func(n *oracle.Question) { n.Resources = nil })
	}
	if q.ServiceControl != nil {
		add(func(n *oracle.Question) { n.ServiceControl = nil })
	}
	if q.ResourceControl != nil {
		add(func(n *oracle.Question) { n.ResourceControl = nil })
	}
	for i := range q.Identity {
		add(func(n *oracle.Question) { n.Identity = without(q.Identity, i) })
	}
	for k := range q.Context {
		add(func(n *oracle.Question) { n.Context = maps.Clone(q.Context); delete(n.Context, k) })
	}
	for k := range q.Lists {
		add(func(n *oracle.Question) { n.Lists = maps.Clone(q.Lists); delete(n.Lists, k) })
	}
	each := func(doc iam.Document, put func(*oracle.Question, iam.Document)) {
		for _, d := range smallerDocuments(doc) {
			add(func(n *oracle.Question) { put(n, d) })
		}
	}
	for i, doc := range q.Identity {
		each(doc, func(n *oracle.Question, d iam.Document) { n.Identity = slices.Clone(q.Identity); n.Identity[i] = d })
	}
	if q.Boundary != nil {
		each(*q.Boundary, func(n *oracle.Question, d iam.Document) { n.Boundary = &d })
	}
	if q.Resources != nil {
		each(*q.Resources, func(n *oracle.Question, d iam.Document) { n.Resources = &d })
	}
	in := func(levels [][]iam.Document, put func(*oracle.Question, [][]iam.Document)) {
		for i, level := range levels {
			for j, doc := range level {
				each(doc, func(n *oracle.Question, d iam.Document) {
					changed := slices.Clone(levels)
					changed[i] = slices.Clone(level)
					changed[i][j] = d
					put(n, changed)
				})
			}
		}
	}
	in(q.ServiceControl, func(n *oracle.Question, l [][]iam.Document) { n.ServiceControl = l })
	in(q.ResourceControl, func(n *oracle.Question, l [][]iam.Document) { n.ResourceControl = l })
	return out
}

func smallerDocuments(doc iam.Document) []iam.Document {
	var out []iam.Document
	for i, s := range doc.Statement {
		if len(doc.Statement) > 1 {
			out = append(out, iam.Document{Version: doc.Version, Statement: without(doc.Statement, i)})
		}
		for _, smaller := range smallerStatements(s) {
			next := slices.Clone(doc.Statement)
			next[i] = smaller
			out = append(out, iam.Document{Version: doc.Version, Statement: next})
		}
	}
	return out
}

func smallerStatements(s iam.Statement) []iam.Statement {
	var out []iam.Statement
	for operator, keys := range s.Condition {
		for key, values := range keys {
			change := func(v iam.Values) {
				next := s
				next.Condition = maps.Clone(s.Condition)
				next.Condition[operator] = maps.Clone(keys)
				if v == nil {
					delete(next.Condition[operator], key)
				} else {
					next.Condition[operator][key] = v
				}
				if len(next.Condition[operator]) == 0 {
					delete(next.Condition, operator)
				}
				out = append(out, next)
			}
			change(nil)
			for i := range values {
				if len(values) > 1 {
					change(without(values, i))
				}
			}
		}
	}
	for _, list := range []*iam.Values{&s.Action, &s.NotAction, &s.Resource, &s.NotResource} {
		whole := *list
		for i := range whole {
			if len(whole) > 1 {
				*list = without(whole, i)
				out = append(out, s)
			}
		}
		*list = whole
	}
	return out
}

func without[S ~[]E, E any](list S, i int) S {
	return slices.Delete(slices.Clone(list), i, i+1)
}
