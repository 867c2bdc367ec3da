package render

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/iam"
)

// compared are the identities that no two orgs may share.
var compared = []struct {
	name string
	of   func(event.DataPlane) string
}{
	{"account", func(d event.DataPlane) string { return d.AccountID }},
	{"boundary", func(d event.DataPlane) string { return shortARN(d.BoundaryARN) }},
	{"cluster", func(d event.DataPlane) string { return d.ClusterName }},
	{"endpoint", func(d event.DataPlane) string { return d.ClusterEndpoint }},
	{"vpc", func(d event.DataPlane) string { return d.VPCID }},
	{"data key", func(d event.DataPlane) string { return shortARN(d.DataKeyARN) }},
	{"issuer", func(d event.DataPlane) string { return d.OIDCIssuer }},
}

// shortARN leaves out what is the same in every ARN of a kind and keeps the
// account: "100000000002:policy/freehold-acme-boundary".
func shortARN(name string) string {
	arn, err := iam.ParseARN(name)
	if err != nil {
		return name
	}
	return arn.Account + ":" + arn.Resource
}

// TextComparison writes orgs side by side, as many as fit into width, and then
// what they have in common.
func TextComparison(w io.Writer, c event.Comparison, width int) error {
	rest := c.Orgs
	for len(rest) > 0 {
		n, used := 0, 10
		for n < len(rest) {
			used += columnWidth(rest[n]) + 2
			if n > 0 && used > width {
				break
			}
			n++
		}
		head := []string{""}
		for _, s := range rest[:n] {
			head = append(head, s.Org)
		}
		rows := [][]string{head}
		for _, what := range compared {
			row, known := []string{what.name}, false
			for _, s := range rest[:n] {
				value := what.of(s.DataPlane)
				known = known || value != ""
				row = append(row, orDash(value))
			}
			if known {
				rows = append(rows, row)
			}
		}
		if err := table(w, "", rows); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		rest = rest[n:]
	}
	if len(c.Shared) == 0 {
		_, err := fmt.Fprintln(w, "nothing in common")
		return err
	}
	if _, err := fmt.Fprintln(w, "IN COMMON"); err != nil {
		return err
	}
	var rows [][]string
	for _, s := range c.Shared {
		rows = append(rows, []string{s.Kind, s.Value, strings.Join(s.Owners, ", ")})
	}
	return table(w, "  ", rows)
}

func columnWidth(s event.Status) int {
	n := utf8.RuneCountInString(s.Org)
	for _, what := range compared {
		n = max(n, utf8.RuneCountInString(what.of(s.DataPlane)))
	}
	return n
}
