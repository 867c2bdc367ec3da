package render

import (
	"fmt"
	"io"
	"strings"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// onboardingWords are the ends of an onboarding as people read them.
var onboardingWords = map[event.OnboardingState]string{
	event.OnboardingSucceeded:  "ready",
	event.OnboardingNotStarted: "not started",
}

// OnboardingWord is how people read the end of an onboarding.
func OnboardingWord(s event.OnboardingState) string {
	if word, ok := onboardingWords[s]; ok {
		return word
	}
	return string(s)
}

// TextOnboardings writes what became of several orgs: the totals, and one line
// for each.
func TextOnboardings(w io.Writer, o event.Onboardings) error {
	n := map[event.OnboardingState]int{}
	rows := [][]string{{"ORG", "STATE", "CHANGES", "TOOK", "ACCOUNT"}}
	for _, one := range o.Orgs {
		n[one.State]++
		took := ""
		if one.State != event.OnboardingNotStarted {
			took = Took(one.Duration)
		}
		rows = append(rows, []string{one.Org, OnboardingWord(one.State), onboardingChanges(one), took, accountOf(one)})
	}
	var totals []string
	for _, s := range event.OnboardingStates() {
		if n[s] > 0 {
			totals = append(totals, fmt.Sprintf("%d %s", n[s], OnboardingWord(s)))
		}
	}
	if _, err := fmt.Fprintf(w, "%s: %s (%s)\n\n", plural(len(o.Orgs), "org", "orgs"), strings.Join(totals, ", "), Took(o.Duration)); err != nil {
		return err
	}
	if err := table(w, "  ", rows); err != nil {
		return err
	}
	return textAside(w, o.Orgs)
}

// textAside writes what an operator looks at next, of the orgs that have it.
func textAside(w io.Writer, orgs []event.OrgOnboarding) error {
	between := "\n"
	for _, one := range orgs {
		if one.Result == nil {
			continue
		}
		var notes []string
		if n := len(one.Result.PutBack); n > 0 {
			notes = append(notes, plural(n, "change by hand was put back", "changes by hand were put back"))
		}
		if n := len(one.Result.Unmanaged); n > 0 {
			notes = append(notes, fmt.Sprintf("%s (freehold plan -f %s --prune lists %s)",
				plural(n, "resource that no layer declares", "resources that no layer declares"), one.File, map[bool]string{true: "it", false: "them"}[n == 1]))
		}
		if n := accepted(one.Result.Policy); n > 0 {
			notes = append(notes, plural(n, "accepted exception from the policies", "accepted exceptions from the policies"))
		}
		if len(notes) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "%snote: %s: %s\n", between, one.Org, strings.Join(notes, "; ")); err != nil {
			return err
		}
		between = ""
	}
	return nil
}

// accepted counts the findings that somebody answers for.
func accepted(found []finding.Policy) int {
	n := 0
	for _, f := range found {
		if f.Exception != nil {
			n++
		}
	}
	return n
}

// onboardingChanges is what was changed of an org, or the layer at which it ended.
func onboardingChanges(o event.OrgOnboarding) string {
	if o.Result == nil {
		return ""
	}
	all := map[string]int{}
	for _, l := range o.Result.Layers {
		for op, n := range l.Changes {
			all[op] += n
		}
		if l.State == "failed" {
			return "up to " + l.Layer
		}
	}
	text := Counts(all)
	if pruned := len(o.Result.Pruned); pruned > 0 {
		text = strings.TrimPrefix(fmt.Sprintf("%s, %d pruned", text, pruned), ", ")
	}
	if text == "" && o.State == event.OnboardingSucceeded {
		return "no changes"
	}
	return text
}

func accountOf(o event.OrgOnboarding) string {
	if o.Result == nil {
		return ""
	}
	return o.Result.DataPlane.AccountID
}
