package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Projects are the projects of one org.
type Projects struct {
	Org      string    `json:"org"`
	Projects []Project `json:"projects"`
}

// Project is what is recorded of one project, and what its cluster says of it.
type Project struct {
	Org         string `json:"org"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
	// Recorded is whether the org was onboarded with it. One that is not, and is
	// in the cluster, was made by hand.
	Recorded bool `json:"recorded"`
	// Phase is the controller's, or Missing where the cluster has no such Project.
	Phase string `json:"phase"`
	Ready bool   `json:"ready"`
	// Message says what it waits for; empty for one that is ready.
	Message   string    `json:"message,omitempty"`
	Namespace string    `json:"namespace,omitempty"`
	Created   time.Time `json:"created,omitzero"`
	// Usage is by Kubernetes' names of resources.
	Usage      map[string]ProjectUsage `json:"usage,omitempty"`
	Members    []ProjectMember         `json:"members,omitempty"`
	Conditions []ProjectCondition      `json:"conditions,omitempty"`
	// Spec is the Project's, as the cluster has it.
	Spec map[string]any `json:"spec,omitempty"`
}

// ProjectUsage is how much of a resource is used, of how much.
type ProjectUsage struct {
	Used string `json:"used"`
	Hard string `json:"hard"`
}

// ProjectMember is a group or a user with a role.
type ProjectMember struct {
	Group string `json:"group,omitempty"`
	User  string `json:"user,omitempty"`
	Role  string `json:"role"`
}

// ProjectCondition is one of the controller's findings.
type ProjectCondition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"`
}

// TextProjects writes the projects of an org as a table.
func TextProjects(w io.Writer, p Projects) error {
	if len(p.Projects) == 0 {
		_, err := fmt.Fprintf(w, "%s has no projects\n", p.Org)
		return err
	}
	rows := [][]string{{"PROJECT", "STATE", "CPU", "MEMORY", "PODS", "MEMBERS", "NOTE"}}
	for _, one := range p.Projects {
		rows = append(rows, []string{
			one.Name, one.Phase, one.used("limits.cpu", "requests.cpu"), one.used("limits.memory", "requests.memory"), one.used("pods"),
			fmt.Sprint(len(one.Members)), one.note(),
		})
	}
	return table(w, "", rows)
}

func (p Project) note() string {
	var said []string
	if !p.Recorded {
		said = append(said, "not of the org's spec")
	}
	if p.Message != "" {
		said = append(said, p.Message)
	}
	return strings.Join(said, "; ")
}

// used shows the first of these resources that is counted.
func (p Project) used(names ...string) string {
	for _, name := range names {
		if u, ok := p.Usage[name]; ok {
			return u.Used + "/" + u.Hard
		}
	}
	return "-"
}

// TextProject writes all that is known of one project.
func TextProject(w io.Writer, p Project) error {
	if err := facts(w, "", "project", p.Name, "org", p.Org, "name", p.DisplayName, "state", p.Phase, "note", p.note(), "namespace", p.Namespace); err != nil {
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
