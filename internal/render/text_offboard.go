package render

import (
	"fmt"
	"io"
	"strconv"

	"freehold.dev/freehold/internal/event"
)

// TextOffboardPlan writes what offboard would remove, in the order of removal.
func TextOffboardPlan(w io.Writer, o event.Offboarding) error {
	if _, err := fmt.Fprintf(w, "offboard %s removes, in this order:\n\n", o.Org); err != nil {
		return err
	}
	rows := [][]string{{"LAYER", "RESOURCES"}}
	for _, l := range o.Layers {
		rows = append(rows, []string{l.Layer, strconv.Itoa(l.Resources)})
	}
	if err := table(w, "  ", rows); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	if err := textDataPlane(w, o.DataPlane); err != nil {
		return err
	}
	if len(o.Left) > 0 {
		if _, err := fmt.Fprintf(w, "\nalso in the account: %s\n",
			plural(len(o.Left), "resource that no layer declares", "resources that no layer declares")); err != nil {
			return err
		}
		if err := textItems(w, o.Left); err != nil {
			return err
		}
	}
	fate := "the empty account is kept"
	if o.AccountClosed {
		fate = "the account is closed; AWS deletes it after 90 days"
	}
	_, err := fmt.Fprintf(w, "\n%s\n", fate)
	return err
}

// TextOffboarding writes the result of offboard.
func TextOffboarding(w io.Writer, o event.Offboarding) error {
	if _, err := fmt.Fprintf(w, "%s is offboarded (%s)\n\n", o.Org, Took(o.Duration)); err != nil {
		return err
	}
	if err := TextLayers(w, o.Layers); err != nil {
		return err
	}
	account := o.DataPlane.AccountID
	if account == "" {
		account = "(none)"
	}
	fate := ""
	switch {
	case o.AccountClosed:
		fate = "closed"
	case o.AccountKept:
		fate = "kept"
	}
	if fate != "" {
		if _, err := fmt.Fprintf(w, "\n  account %s was %s\n", account, fate); err != nil {
			return err
		}
	}
	if o.WayIn != nil {
		if _, err := fmt.Fprintf(w, "  left: the way in, %s: yours to remove\n", o.WayIn); err != nil {
			return err
		}
	}
	if len(o.Left) == 0 {
		what := "no resources are left in it"
		if o.WayIn != nil {
			what = "nothing else is left in it"
		}
		_, err := fmt.Fprintln(w, "  "+what)
		return err
	}
	if _, err := fmt.Fprintf(w, "\nleft in the account: %s\n", plural(len(o.Left), "resource", "resources")); err != nil {
		return err
	}
	return textItems(w, o.Left)
}
