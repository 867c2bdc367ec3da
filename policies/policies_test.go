package policies

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ask asks a rule about an example, as a caller does.
func ask(r Rule, e Example) Verdict {
	if r.Check != nil {
		if !r.Covers(e.Resource.Type) {
			return Verdict{Answer: Pass}
		}
		return r.Check(e.Resource, e.Scope)
	}
	v, ok := r.CheckStack(append(slices.Clone(e.Others), e.Resource), e.Scope)[e.Resource.URN]
	if !ok {
		return Verdict{Answer: Pass}
	}
	return v
}

func TestEveryRuleSaysWhatAReviewerAsks(t *testing.T) {
	id, criterion := regexp.MustCompile(`^FH[1-9]\d\d$`), regexp.MustCompile(`^CC\d\.\d$|^A1\.\d$|^C1\.\d$`)
	seen := map[string]bool{}
	for _, r := range All() {
		if !id.MatchString(r.ID) || seen[r.ID] {
			t.Errorf("%s is no id, or there twice", r.ID)
		}
		seen[r.ID] = true
		if r.Title == "" || r.Why == "" || r.Fix == "" || len(r.Types) == 0 || len(r.Criteria) == 0 {
			t.Errorf("%s lacks a title, why, fix, types or criteria", r.ID)
		}
		if strings.HasSuffix(r.Title+r.Why+r.Fix, ".") {
			t.Errorf("%s: title, why and fix have no full stop", r.ID)
		}
		for _, c := range r.Criteria {
			if !criterion.MatchString(c) {
				t.Errorf("%s: %s is no criterion", r.ID, c)
			}
		}
		if !slices.Contains([]Severity{Critical, High, Medium}, r.Severity) {
			t.Errorf("%s: severity %q", r.ID, r.Severity)
		}
		if (r.Check == nil) == (r.CheckStack == nil) {
			t.Errorf("%s must have one of Check and CheckStack", r.ID)
		}
		if len(r.Bad) < 2 || len(r.Good) < 2 {
			t.Errorf("%s has %d bad and %d good examples, and needs two of each", r.ID, len(r.Bad), len(r.Good))
		}
	}
}

func TestEveryRuleAnswersItsExamples(t *testing.T) {
	for _, r := range All() {
		for _, e := range r.Bad {
			t.Run(r.ID+"/bad/"+e.Name, func(t *testing.T) {
				v := ask(r, e)
				if v.Answer != Violated || len(v.Findings) == 0 {
					t.Fatalf("%s %v, want violated", v.Answer, v.Findings)
				}
				for _, f := range v.Findings {
					if f.Message == "" || strings.HasSuffix(f.Message, ".") {
						t.Errorf("the finding %+v", f)
					}
				}
			})
		}
		for _, e := range r.Good {
			t.Run(r.ID+"/good/"+e.Name, func(t *testing.T) {
				if v := ask(r, e); v.Answer != Pass {
					t.Errorf("%s %v, want pass", v.Answer, v.Findings)
				}
			})
		}
	}
}

// What is not known must never make a violation pass: neither a value that
// hides it, nor one beside it.
func TestAnUnknownValueNeverTurnsAViolationIntoAPass(t *testing.T) {
	for _, r := range All() {
		for _, e := range r.Bad {
			for path, hidden := range hideEach(e.Resource.Properties) {
				h := e
				h.Resource.Properties = hidden.(map[string]any)
				if v := ask(r, h); v.Answer == Pass {
					t.Errorf("%s: %s: with %s unknown it passes", r.ID, e.Name, path)
				}
			}
			for path, hidden := range hideEach(e.Resource.Provider.Properties) {
				h := e
				h.Resource.Provider.Properties = hidden.(map[string]any)
				if v := ask(r, h); v.Answer == Pass {
					t.Errorf("%s: %s: with the provider's %s unknown it passes", r.ID, e.Name, path)
				}
			}
			h := e
			h.Scope.AccountID, h.Scope.BoundaryARN = "", ""
			if v := ask(r, h); v.Answer == Pass {
				t.Errorf("%s: %s: before the account is known it passes", r.ID, e.Name)
			}
		}
	}
}

// hideEach returns copies of a value, each with one part unknown: every leaf,
// and every map and list as a whole.
func hideEach(v any) map[string]any {
	out := map[string]any{}
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			put := func(hidden any) any {
				c := maps.Clone(v)
				c[k] = hidden
				return c
			}
			out[k] = put(Unknown{})
			for path, hidden := range hideEach(e) {
				out[k+"."+path] = put(hidden)
			}
		}
	case []any:
		for i, e := range v {
			put := func(hidden any) any {
				c := slices.Clone(v)
				c[i] = hidden
				return c
			}
			out[fmt.Sprint(i)] = put(Unknown{})
			for path, hidden := range hideEach(e) {
				out[fmt.Sprint(i)+"."+path] = put(hidden)
			}
		}
	}
	return out
}

// A rule is asked of whatever a program has made, and of whatever a customer has.
func TestNoRulePanicsOnValuesOfOtherTypes(t *testing.T) {
	for _, r := range All() {
		for _, e := range slices.Concat(r.Bad, r.Good) {
			for _, odd := range []any{nil, "text", 7.0, true, []any{}, []any{nil, 1.0}, map[string]any{}, map[string]any{"a": nil}} {
				for k := range e.Resource.Properties {
					h := e
					h.Resource.Properties = maps.Clone(e.Resource.Properties)
					h.Resource.Properties[k] = odd
					ask(r, h)
				}
			}
		}
	}
}
