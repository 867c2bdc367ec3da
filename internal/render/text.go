// Package render writes what happened and what is wrong, for people as text and
// for programs as JSON, SARIF or CloudEvents. It decides nothing: each function
// takes one value and writes the whole of it.
package render

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// TextPlan writes what onboard would change, layer by layer, and the notes.
func TextPlan(w io.Writer, p event.Plan) error {
	byLayer := map[string][]event.Change{}
	for _, c := range p.Changes {
		byLayer[c.Layer] = append(byLayer[c.Layer], c)
	}
	for _, l := range p.Layers {
		line := WouldCount(l.Changes)
		switch {
		case l.State == "not-started":
			line = "not known yet: depends on the previous layer"
		case l.State == "failed":
			line = "failed: " + l.Error
		case line == "" && len(byLayer[l.Layer]) > 0:
			line = WouldCount(opCounts(byLayer[l.Layer]))
		case line == "":
			line = "no changes"
		}
		if _, err := fmt.Fprintf(w, "%-9s  %s\n", l.Layer, line); err != nil {
			return err
		}
		for _, c := range byLayer[l.Layer] {
			if err := textChange(w, c); err != nil {
				return err
			}
		}
	}
	if err := textMoves(w, p.Moves); err != nil {
		return err
	}
	if len(p.Recorded) > 0 {
		if _, err := fmt.Fprintln(w, "recorded   nothing in the cloud changes with this"); err != nil {
			return err
		}
		if err := textDifferences(w, "  ", p.Recorded); err != nil {
			return err
		}
	}
	for _, n := range p.Notes {
		if _, err := fmt.Fprintf(w, "note: %s\n", n); err != nil {
			return err
		}
	}
	if err := textNoted(w, p.Policy); err != nil {
		return err
	}
	total := WouldCount(opCounts(p.Changes))
	if n := len(p.Prune); n > 0 {
		total = strings.TrimPrefix(fmt.Sprintf("%s, %d to prune", total, n), ", ")
	}
	if n := len(p.Recorded); n > 0 {
		total = strings.TrimPrefix(fmt.Sprintf("%s, %d to record", total, n), ", ")
	}
	switch {
	case !p.Different():
		total = "nothing to change"
	case total == "":
		total = "layers whose changes are not known yet"
	case slices.ContainsFunc(p.Layers, func(l event.LayerResult) bool { return l.State == "not-started" }):
		total += ", and layers whose changes are not known yet"
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", p.Org, total)
	return err
}

// textMoves writes which node groups go when their pods run on others.
func textMoves(w io.Writer, moves []event.Move) error {
	for _, m := range moves {
		why := "pool " + m.Pool + " is no longer in the spec"
		to := "the other pools"
		if m.To != "" {
			to = "node group " + m.To
			var changes []string
			for _, d := range m.Because {
				changes = append(changes, fmt.Sprintf("%s %s to %s", d.Path, orUnknown(d.Have), orUnknown(d.Want)))
			}
			why = "EKS cannot change in place: " + strings.Join(changes, ", ")
			if len(changes) == 0 {
				why = "an earlier change of pool " + m.Pool + " did not end"
			}
		}
		if _, err := fmt.Fprintf(w, "move: the pods on node group %s (%s) move to %s first, and then it is deleted (%s)\n",
			m.From, plural(m.Nodes, "node", "nodes"), to, why); err != nil {
			return err
		}
	}
	return nil
}

func orUnknown(value string) string {
	if value == "" {
		return "(not known yet)"
	}
	return value
}

// TextPrune writes what onboard --prune would remove.
func TextPrune(w io.Writer, p event.Plan) error {
	if len(p.Prune) == 0 {
		_, err := fmt.Fprintf(w, "nothing to prune: every resource in the account of %s is declared by a layer\n", p.Org)
		return err
	}
	if _, err := fmt.Fprintf(w, "onboard --prune removes %s from the account of %s:\n\n",
		plural(len(p.Prune), "resource that no layer declares", "resources that no layer declares"), p.Org); err != nil {
		return err
	}
	return textItems(w, p.Prune)
}

// textNoted writes what the policies found and allow: what an exception accepts,
// and how much is still undecided.
func textNoted(w io.Writer, found []finding.Policy) error {
	open := 0
	for _, f := range found {
		if f.Open() {
			open++
		}
	}
	if err := TextPolicy(w, slices.DeleteFunc(slices.Clone(found), finding.Policy.Open)); err != nil || open == 0 {
		return err
	}
	_, err := fmt.Fprintf(w, "policies: %s on values that are not known yet; onboard checks again once they are\n",
		plural(open, "answer depends", "answers depend"))
	return err
}

func opCounts(changes []event.Change) map[string]int {
	counts := map[string]int{}
	for _, c := range changes {
		counts[c.Op]++
	}
	return counts
}

// signs mark the engine's verbs.
var signs = map[string]string{"create": "+", "import": "+", "update": "~", "replace": "±", "delete": "-"}

func textChange(w io.Writer, c event.Change) error {
	sign, ok := signs[c.Op]
	if !ok {
		sign = c.Op
	}
	if _, err := fmt.Fprintf(w, "  %s %s %q\n", sign, c.Type, c.Name); err != nil {
		return err
	}
	return textDifferences(w, "      ", c.Properties)
}

func textDifferences(w io.Writer, indent string, ds []finding.Difference) error {
	for _, d := range ds {
		if _, err := fmt.Fprintf(w, "%s%s: %s, want %s\n", indent, d.Path, orNothing(d.Have), orNothing(d.Want)); err != nil {
			return err
		}
	}
	return nil
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// TextOnboarding writes the result of onboard: the layers, and the facts that an
// operator needs first.
func TextOnboarding(w io.Writer, o event.Onboarding) error {
	head := "nothing to change: " + o.Org + " matches its spec"
	if o.Changed {
		head = o.Org + " is ready"
	}
	if _, err := fmt.Fprintf(w, "%s (%s)\n\n", head, Took(o.Duration)); err != nil {
		return err
	}
	if err := TextLayers(w, o.Layers); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	if err := textDataPlane(w, o.DataPlane); err != nil {
		return err
	}
	if err := textPutBack(w, o.PutBack); err != nil {
		return err
	}
	if len(o.Policy) > 0 {
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		if err := textNoted(w, o.Policy); err != nil {
			return err
		}
	}
	if len(o.Pruned) > 0 {
		if _, err := fmt.Fprintf(w, "\npruned: %s\n", plural(len(o.Pruned), "resource that no layer declared", "resources that no layer declared")); err != nil {
			return err
		}
		if err := textItems(w, o.Pruned); err != nil {
			return err
		}
	}
	if len(o.Unmanaged) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\nnot managed: %s (freehold plan --prune lists what onboard --prune would remove)\n",
		plural(len(o.Unmanaged), "resource that no layer declares", "resources that no layer declares")); err != nil {
		return err
	}
	return textItems(w, o.Unmanaged)
}

// textPutBack writes what was changed where the engine does not look, and put back.
func textPutBack(w io.Writer, found []finding.Finding) error {
	if len(found) == 0 {
		return nil
	}
	if _, err := fmt.Fprintf(w, "\nput back: %s\n", plural(len(found), "resource that was changed by hand", "resources that were changed by hand")); err != nil {
		return err
	}
	for _, f := range found {
		if _, err := fmt.Fprintf(w, "  %s %q\n", f.Type, f.Name); err != nil {
			return err
		}
		if err := textDifferences(w, "      ", f.Differences); err != nil {
			return err
		}
	}
	return nil
}

// TextLayers writes one line per layer: resources, what was done, how long it took.
func TextLayers(w io.Writer, layers []event.LayerResult) error {
	rows := [][]string{{"LAYER", "RESOURCES", "CHANGES", "TOOK"}}
	for _, l := range layers {
		what := Counts(l.Changes)
		switch {
		case l.State == "done" && what == "":
			what = "no changes"
		case l.State == "failed" && what != "":
			what = "failed, " + what
		case what == "":
			what = l.State
		}
		rows = append(rows, []string{l.Layer, strconv.Itoa(l.Resources), what, tookOrNothing(l)})
	}
	return table(w, "  ", rows)
}

func tookOrNothing(l event.LayerResult) string {
	if l.Duration <= 0 {
		return ""
	}
	return Took(l.Duration)
}

func textDataPlane(w io.Writer, d event.DataPlane) error { return facts(w, "  ", dataPlaneFacts(d)...) }

func dataPlaneFacts(d event.DataPlane) []string {
	return []string{
		"account", d.AccountID,
		"region", d.Region,
		"boundary", d.BoundaryARN,
		"cluster", d.ClusterName,
		"endpoint", d.ClusterEndpoint,
		"vpc", strings.TrimSpace(d.VPCID + " " + d.CIDR),
		"data key", d.DataKeyARN,
		"projects", strings.Join(d.Projects, ", "),
	}
}

func textItems(w io.Writer, items []finding.Finding) error {
	var rows [][]string
	for _, f := range items {
		rows = append(rows, []string{f.Type, f.Name, f.ID})
	}
	return table(w, "  ", rows)
}

// TextStatus writes one org in detail.
func TextStatus(w io.Writer, s event.Status) error {
	if _, err := fmt.Fprintf(w, "%s is %s\n\n", s.Org, s.State); err != nil {
		return err
	}
	rows := [][]string{{"LAYER", "STATE", "RESOURCES", "TOOK"}}
	for _, l := range s.Layers {
		rows = append(rows, []string{l.Layer, l.State, strconv.Itoa(l.Resources), tookOrNothing(l)})
	}
	if err := table(w, "  ", rows); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return facts(w, "  ", append(dataPlaneFacts(s.DataPlane), "last", lastOperation(s.Last))...)
}

func lastOperation(o *event.Operation) string {
	if o == nil {
		return ""
	}
	text := fmt.Sprintf("%s %s, started %s", o.Kind, o.State, textTime(o.Started))
	if !o.Finished.IsZero() {
		text += ", took " + Took(o.Finished.Sub(o.Started))
	}
	if o.Error != "" {
		text += ": " + oneLine(o.Error)
	}
	return text
}

// TextStatuses writes one line per org.
func TextStatuses(w io.Writer, list []event.Status) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no orgs yet; freehold onboard -f FILE creates the first")
		return err
	}
	rows := [][]string{{"ORG", "STATE", "REGION", "ACCOUNT", "CLUSTER", "LAST OPERATION"}}
	for _, s := range list {
		last := ""
		if s.Last != nil {
			last = s.Last.Kind + " " + s.Last.State
		}
		rows = append(rows, []string{s.Org, s.State, s.DataPlane.Region, s.DataPlane.AccountID, s.DataPlane.ClusterName, last})
	}
	return table(w, "", rows)
}

// TextChecks writes doctor's findings, each failed one with the command that fixes it.
func TextChecks(w io.Writer, checks []event.Check) error {
	rows := make([][]string, 0, len(checks))
	for _, c := range checks {
		mark := "ok"
		if !c.OK {
			mark = "MISSING"
		}
		rows = append(rows, []string{mark, c.Name, c.Detail})
	}
	if err := table(w, "", rows); err != nil {
		return err
	}
	for _, c := range checks {
		if !c.OK && c.Fix != "" {
			if _, err := fmt.Fprintf(w, "\nto fix %s:\n  %s\n", c.Name, c.Fix); err != nil {
				return err
			}
		}
	}
	return nil
}
