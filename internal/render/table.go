package render

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

// table writes rows with their columns aligned by two spaces and no trailing
// blanks. Indent goes before every row.
//
// A line break within a cell, which a name or a message of somebody else may have,
// is written as its code point: what follows it would look like a row of ours.
func table(w io.Writer, indent string, rows [][]string) error {
	var widths []int
	lines := make([][]string, len(rows))
	for i, row := range rows {
		for _, cell := range row {
			lines[i] = append(lines[i], breaks.Replace(cell))
		}
	}
	rows = lines
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		b.WriteString(indent)
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

var breaks = strings.NewReplacer("\n", `\u000a`, "\t", `\u0009`)

// facts writes the named values that are known, one per line.
func facts(w io.Writer, indent string, pairs ...string) error {
	var rows [][]string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			rows = append(rows, []string{pairs[i], pairs[i+1]})
		}
	}
	return table(w, indent, rows)
}

// Took writes a duration as people say it: 0.4s, 12s, 3m05s, 1h02m.
func Took(d time.Duration) string {
	switch {
	case d <= 0:
		return "0s"
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
}

// done are the past participles of the engine's verbs, in the order in which
// counts are printed.
var done = []struct{ op, past string }{
	{"create", "created"},
	{"import", "imported"},
	{"update", "updated"},
	{"replace", "replaced"},
	{"delete", "deleted"},
}

// Counts writes what was done, without what stayed the same: "3 created, 1
// updated"; "" when nothing was.
func Counts(changes map[string]int) string { return counts(changes, true) }

// WouldCount writes what would be done: "3 to create, 1 to update".
func WouldCount(changes map[string]int) string { return counts(changes, false) }

func counts(changes map[string]int, past bool) string {
	var parts []string
	known := map[string]bool{"same": true, "read": true, "refresh": true}
	add := func(n int, op, pp string) {
		switch {
		case n == 0:
		case past:
			parts = append(parts, fmt.Sprintf("%d %s", n, pp))
		default:
			parts = append(parts, fmt.Sprintf("%d to %s", n, op))
		}
	}
	for _, d := range done {
		known[d.op] = true
		add(changes[d.op], d.op, d.past)
	}
	var others []string
	for op := range changes {
		if !known[op] {
			others = append(others, op)
		}
	}
	sort.Strings(others)
	for _, op := range others {
		add(changes[op], op, op)
	}
	return strings.Join(parts, ", ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
