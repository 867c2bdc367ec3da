package render

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/event"
)

// TextProjects writes the projects of an org as a table.
func TextProjects(w io.Writer, p event.Projects) error {
	if len(p.Projects) == 0 {
		_, err := fmt.Fprintf(w, "%s has no projects\n", p.Org)
		return err
	}
	rows := [][]string{{"PROJECT", "SOURCE", "STATE", "CPU", "MEMORY", "PODS", "MEMBERS", "NOTE"}}
	for _, one := range p.Projects {
		rows = append(rows, []string{
			one.Name, cmp.Or(one.Source, "-"), one.Phase, projectUsed(one, "limits.cpu", "requests.cpu"), projectUsed(one, "limits.memory", "requests.memory"), projectUsed(one, "pods"),
			fmt.Sprint(len(one.Members)), projectNote(one),
		})
	}
	return table(w, "", rows)
}

func projectNote(p event.Project) string {
	var notes []string
	switch {
	case p.Recorded:
	case p.Source == event.SourceAPI:
		notes = append(notes, "no longer recorded: the namespace controller removes it when it next asks")
	default:
		notes = append(notes, "not in the org's spec")
	}
	if p.Message != "" {
		notes = append(notes, p.Message)
	}
	return strings.Join(notes, "; ")
}

// projectUsed shows the first of these resources that is counted.
func projectUsed(p event.Project, names ...string) string {
	for _, name := range names {
		if u, ok := p.Usage[name]; ok {
			return u.Used + "/" + u.Hard
		}
	}
	return "-"
}

// TextProject writes everything that is known about one project.
func TextProject(w io.Writer, p event.Project) error {
	if err := facts(w, "", "project", p.Name, "org", p.Org, "name", p.DisplayName, "source", p.Source, "state", p.Phase, "note", projectNote(p), "namespace", p.Namespace); err != nil {
		return err
	}
	section := func(title string, rows [][]string) error {
		if len(rows) == 0 {
			return nil
		}
		if _, err := fmt.Fprintf(w, "\n%s\n", title); err != nil {
			return err
		}
		return table(w, "  ", rows)
	}
	var members, usage, conditions [][]string
	for _, m := range p.Members {
		who := "group " + m.Group
		if m.User != "" {
			who = "user " + m.User
		}
		members = append(members, []string{m.Role, who})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Usage)) {
		usage = append(usage, []string{name, p.Usage[name].Used, "of " + p.Usage[name].Hard})
	}
	for _, c := range p.Conditions {
		conditions = append(conditions, []string{c.Type, c.Status, c.Reason, c.Message})
	}
	if err := section("members", members); err != nil {
		return err
	}
	if err := section("used", usage); err != nil {
		return err
	}
	return section("conditions", conditions)
}
