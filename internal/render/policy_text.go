package render

import (
	"fmt"
	"io"
	"strings"

	"freehold.dev/freehold/internal/finding"
)

// TextPolicy writes what the rules found, the worst first as it was given, and
// then what an exception accepts.
func TextPolicy(w io.Writer, findings []finding.Policy) error {
	for _, f := range findings {
		if !f.Blocks() {
			continue
		}
		if err := textPolicyFinding(w, f); err != nil {
			return err
		}
	}
	for _, f := range findings {
		if f.Blocks() {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s accepted until %s  %s: %s (%s, approved by %s)\n",
			f.Rule, f.Exception.Expires, textPlace(f), f.Message, f.Exception.Reason, f.Exception.Approver); err != nil {
			return err
		}
	}
	return nil
}

func textPolicyFinding(w io.Writer, f finding.Policy) error {
	head := f.Rule + " " + f.Severity
	if f.Answer != "violated" {
		head += " (" + f.Answer + ")"
	}
	if _, err := fmt.Fprintf(w, "%s  %s: %s\n", head, textPlace(f), f.Message); err != nil {
		return err
	}
	return facts(w, "    ", "rule", f.Title, "at", f.Path, "statement", f.Statement, "why", f.Why, "fix", f.Fix)
}

func textPlace(f finding.Policy) string {
	place := fmt.Sprintf("%s %q", f.Resource.Type, f.Resource.Name)
	for _, s := range []string{f.Layer, f.Org} {
		if s != "" {
			place = s + "  " + place
		}
	}
	return place
}

// TextAudit writes what was found, then what could not be read, then a summary.
func TextAudit(w io.Writer, a finding.Audit) error {
	if err := TextPolicy(w, a.Findings); err != nil {
		return err
	}
	for _, s := range a.Shared {
		if _, err := fmt.Fprintf(w, "%s critical  %s %s is shared by %s\n", SharedIdentityRule, s.Kind, s.Value,
			plural(orgsOf(s.Ends), "org", "orgs")); err != nil {
			return err
		}
		for _, e := range s.Ends {
			if _, err := fmt.Fprintf(w, "    %s\n", textEnd(e)); err != nil {
				return err
			}
		}
	}
	for _, e := range a.Edges {
		if _, err := fmt.Fprintf(w, "%s critical  %s from %s to %s: %s\n", EdgeRule, e.Kind, e.From.Org, destination(e.To), e.Value); err != nil {
			return err
		}
		if err := facts(w, "    ", "from", textEnd(e.From), "to", textEnd(e.To), "breaks", e.Rule, "statement", e.Statement); err != nil {
			return err
		}
	}
	for _, u := range a.Unread {
		place := u.Org
		if u.Layer != "" {
			place += " " + u.Layer
		}
		if _, err := fmt.Fprintf(w, "could not read %s: %s\n", place, u.Message); err != nil {
			return err
		}
	}
	for _, o := range a.Orgs {
		for _, what := range o.Unfinished {
			if _, err := fmt.Fprintf(w, "unfinished %s: %s\n", o.Org, what); err != nil {
				return err
			}
		}
	}
	if n := len(a.StatesOnly); n > 0 {
		if _, err := fmt.Fprintf(w, "%s looked for in states, and not in the accounts (--output json lists them, and why)\n",
			plural(n, "way of sharing was", "ways of sharing were")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s\n", auditSummary(a))
	return err
}

// auditSummary is the last line. It says "nothing" only when everything was read.
func auditSummary(a finding.Audit) string {
	resources, secrets, accepted, unfinished := 0, 0, 0, 0
	for _, o := range a.Orgs {
		if len(o.Unfinished) > 0 {
			unfinished++
		}
		resources, secrets, accepted = resources+o.Resources, secrets+o.Secrets, accepted+o.Accepted
	}
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{
		{len(a.Blocking()), "violation", "violations"},
		{len(a.Shared), "shared identity", "shared identities"},
		{len(a.Edges) - outward(a.Edges), "path from one org to another", "paths from one org to another"},
		{outward(a.Edges), "path out of an org to no other", "paths out of an org to no other"},
	} {
		if p.n > 0 {
			parts = append(parts, plural(p.n, p.one, p.many))
		}
	}
	head := strings.Join(parts, ", ")
	switch {
	case head == "" && a.Complete() && len(a.Orgs) == 0:
		head = "no orgs to audit"
	case head == "" && a.Complete():
		head = "nothing is shared and no rule is violated"
		if unfinished > 0 {
			head += " in what was made; " + plural(unfinished, "org is unfinished", "orgs are unfinished")
		}
	case head == "":
		head = "unknown: nothing was found in what could be read"
	}
	if accepted > 0 {
		head += fmt.Sprintf(", %d accepted", accepted)
	}
	scope := a.Org
	if scope == finding.EveryOrg {
		scope = "every org"
	}
	line := fmt.Sprintf("%s: %s (%s, %s, %s", scope, head, plural(len(a.Orgs), "org", "orgs"),
		plural(resources, "resource", "resources"), Took(a.Duration))
	if secrets > 0 {
		line += fmt.Sprintf("; %s not opened", plural(secrets, "secret value", "secret values"))
	}
	return line + ")"
}

// outward counts the edges that lead to no org.
func outward(edges []finding.Edge) int {
	n := 0
	for _, e := range edges {
		if e.To.Org == "" {
			n++
		}
	}
	return n
}

// destination is where an edge leads: an org, or whoever else it is.
func destination(to finding.End) string {
	switch {
	case to.Org != "":
		return to.Org
	case to.ID != "":
		return "account " + to.ID
	default:
		return to.Name
	}
}

// textEnd is one end with all that is known of it; of what is no org's there is
// nothing more than who it is.
func textEnd(e finding.End) string {
	if e.Org == "" {
		return destination(e)
	}
	parts := []string{e.Org}
	if e.Layer != "" {
		parts = append(parts, e.Layer)
	}
	parts = append(parts, e.Type)
	if e.Name != "" {
		parts = append(parts, fmt.Sprintf("%q", e.Name))
	}
	if e.ID != "" && e.ID != e.Name {
		parts = append(parts, "("+e.ID+")")
	}
	if e.Path != "" {
		parts = append(parts, "at "+e.Path)
	}
	return strings.Join(parts, " ")
}

func orgsOf(ends []finding.End) int {
	orgs := map[string]bool{}
	for _, e := range ends {
		orgs[e.Org] = true
	}
	return len(orgs)
}
