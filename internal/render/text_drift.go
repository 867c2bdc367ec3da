package render

import (
	"fmt"
	"io"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// TextDrift writes what differs from what the layers declare, property by
// property, and separately what could not be read.
func TextDrift(w io.Writer, d event.Drift) error {
	var differ, accepted, unreadable []finding.Finding
	for _, f := range d.Findings {
		switch {
		case f.Kind == finding.Unreadable:
			unreadable = append(unreadable, f)
		case f.Policy != nil && !f.Policy.Blocks():
			accepted = append(accepted, f)
		default:
			differ = append(differ, f)
		}
	}
	head := "no drift"
	switch {
	case len(differ) > 0:
		head = plural(len(differ), "difference", "differences")
	case len(unreadable) > 0:
		head = "unknown: no differences in what could be read"
	}
	if _, err := fmt.Fprintf(w, "%s: %s (%s)\n", d.Org, head, Took(d.Duration)); err != nil {
		return err
	}
	for _, f := range differ {
		if err := textFinding(w, string(f.Kind), f); err != nil {
			return err
		}
	}
	for _, f := range accepted {
		if err := textFinding(w, "accepted", f); err != nil {
			return err
		}
	}
	for _, f := range unreadable {
		if err := textFinding(w, "could not read", f); err != nil {
			return err
		}
	}
	if d.WayIn != nil {
		_, err := fmt.Fprintf(w, "  the way in is the customer's: %s\n", d.WayIn)
		return err
	}
	return nil
}

func textFinding(w io.Writer, kind string, f finding.Finding) error {
	line := "  " + kind
	if f.Layer != "" {
		line += "  " + f.Layer
	}
	if f.Type != "" {
		line += "  " + f.Type
	}
	if f.Name != "" {
		line += fmt.Sprintf(" %q", f.Name)
	}
	if f.ID != "" && f.ID != f.Name {
		line += " (" + f.ID + ")"
	}
	if f.Message != "" {
		line += ": " + f.Message
	}
	if _, err := fmt.Fprintln(w, line); err != nil {
		return err
	}
	return textDifferences(w, "      ", f.Differences)
}
