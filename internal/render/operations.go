package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"freehold.dev/freehold/internal/event"
)

// TextOperations writes one line per operation.
func TextOperations(w io.Writer, all event.Operations) error {
	if len(all.Operations) == 0 {
		_, err := fmt.Fprintf(w, "%s has no operations\n", all.Org)
		return err
	}
	rows := [][]string{{"OPERATION", "KIND", "STATE", "STARTED", "TOOK", "ERROR"}}
	for _, o := range all.Operations {
		took := ""
		if !o.Finished.IsZero() {
			took = Took(o.Finished.Sub(o.Started))
		}
		rows = append(rows, []string{o.ID, o.Kind, o.State, textTime(o.Started), took, oneLine(o.Error)})
	}
	return table(w, "", rows)
}

// TextOperation says what is known of an operation.
func TextOperation(w io.Writer, d event.OperationDetail) error {
	o := d.Operation
	rows := [][]string{{"operation", o.ID}, {"org", d.Org}, {"kind", o.Kind}, {"state", o.State}}
	if o.Request != "" {
		rows = append(rows, []string{"request", o.Request})
	}
	rows = append(rows, []string{"started", textTime(o.Started)})
	if !o.Finished.IsZero() {
		rows = append(rows, []string{"finished", textTime(o.Finished) + ", after " + Took(o.Finished.Sub(o.Started))})
	}
	if d.Holder != nil {
		host, rest, _ := strings.Cut(d.Holder.Process, " ")
		pid, _, _ := strings.Cut(rest, " ")
		rows = append(rows, []string{"runs on", "host " + host + ", process " + pid})
	}
	rows = append(rows, []string{"events", strconv.FormatInt(d.Events, 10)})
	if o.Reason != "" {
		rows = append(rows, []string{"waits for", string(o.Reason)}, []string{"try again", "at " + textTime(o.RetryAt)})
	}
	if d.Terminal != nil && d.Terminal.Message != "" {
		rows = append(rows, []string{"message", oneLine(d.Terminal.Message)})
	}
	if d.Terminal != nil && d.Terminal.Next != "" {
		rows = append(rows, []string{"next", oneLine(d.Terminal.Next)})
	}
	if err := table(w, "", rows); err != nil || len(d.Steps) == 0 {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return textSteps(w, d.Steps)
}

// textSteps writes one line per attempt at a step.
func textSteps(w io.Writer, steps []event.Step) error {
	rows := [][]string{{"STEP", "LAYER", "ATTEMPT", "STATE", "STARTED", "TOOK", "ERROR"}}
	for _, s := range steps {
		took := ""
		if !s.Finished.IsZero() {
			took = Took(s.Finished.Sub(s.Started))
		}
		rows = append(rows, []string{s.Name, orDash(s.Layer), strconv.Itoa(s.Attempt), s.State, textTime(s.Started), took, oneLine(s.Error)})
	}
	return table(w, "", rows)
}

// TextEvent writes one event on a line.
func TextEvent(w io.Writer, e event.Event) error {
	line := fmt.Sprintf("%s  %s  %s  %s", textTime(e.Time), orDash(e.Layer), string(e.Type), eventDetails(e))
	_, err := fmt.Fprintln(w, strings.TrimRight(line, " "))
	return err
}

// TextLog writes one line per event.
func TextLog(w io.Writer, log event.Log) error {
	if len(log.Events) == 0 {
		_, err := fmt.Fprintf(w, "%s: no events\n", log.Org)
		return err
	}
	rows := [][]string{{"SEQ", "TIME", "LAYER", "EVENT", "DETAILS"}}
	for _, e := range log.Events {
		rows = append(rows, []string{
			strconv.FormatInt(e.Seq, 10), textTime(e.Time), orDash(e.Layer), string(e.Type), eventDetails(e),
		})
	}
	if _, err := fmt.Fprintf(w, "%s %s %s\n\n", log.Org, log.Events[0].Kind, log.Operation); err != nil {
		return err
	}
	return table(w, "", rows)
}

func eventDetails(e event.Event) string {
	var parts []string
	for _, s := range []string{e.Op, e.ResourceType} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if e.ResourceName != "" {
		parts = append(parts, fmt.Sprintf("%q", e.ResourceName))
	}
	text := strings.Join(parts, " ")
	var more []string
	for _, s := range []string{text, Counts(e.Changes), oneLine(e.Message), oneLine(e.Next)} {
		if s != "" {
			more = append(more, s)
		}
	}
	return strings.Join(more, "; ")
}

// TextClaims writes one line per claim.
func TextClaims(w io.Writer, c event.Claims) error {
	if len(c.Claims) == 0 {
		_, err := fmt.Fprintf(w, "%s has no claims\n", c.Org)
		return err
	}
	rows := [][]string{{"KIND", "VALUE", "STATE"}}
	for _, one := range c.Claims {
		state := "reserved"
		if one.Made {
			state = "in use"
		}
		rows = append(rows, []string{one.Kind, one.Value, state})
	}
	return table(w, "", rows)
}

// TextReleased writes what was released.
func TextReleased(w io.Writer, c event.Claims) error {
	if len(c.Claims) == 0 {
		_, err := fmt.Fprintf(w, "%s: nothing to release\n", c.Org)
		return err
	}
	if _, err := fmt.Fprintf(w, "%s: released %s\n", c.Org, plural(len(c.Claims), "claim", "claims")); err != nil {
		return err
	}
	var rows [][]string
	for _, one := range c.Claims {
		rows = append(rows, []string{one.Kind, one.Value})
	}
	return table(w, "  ", rows)
}

func textTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// TextAuditLog writes one line per entry.
func TextAuditLog(w io.Writer, log event.AuditLog) error {
	if len(log.Entries) == 0 {
		_, err := fmt.Fprintln(w, "no entries")
		return err
	}
	rows := [][]string{{"ENTRY", "TIME", "ACTOR", "REQUEST", "WHAT", "RESULT"}}
	for _, e := range log.Entries {
		rows = append(rows, []string{
			strconv.FormatInt(e.Seq, 10), textTime(e.At), e.Actor, orDash(e.Request), oneLine(e.What), oneLine(e.Result),
		})
	}
	return table(w, "", rows)
}
