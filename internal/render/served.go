package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/event"
)

// TextLogin says how long a login lasts.
func TextLogin(w io.Writer, l event.Login) error {
	text := "until " + textTime(l.Expires)
	if l.Renews {
		text = "and renewed for as long as " + l.Issuer + " allows"
	}
	_, err := fmt.Fprintf(w, "logged in to %s, %s\n", l.Server, text)
	return err
}

// TextCaller says who somebody is to a server.
func TextCaller(w io.Writer, c event.Caller) error {
	roles := strings.Join(c.Roles, ", ")
	if roles == "" {
		roles = "none"
	}
	return facts(w, "", "org", c.Org, "name", c.Name, "subject", c.Subject, "roles", roles)
}

// TextDataPlane writes what an org owns.
func TextDataPlane(w io.Writer, d event.DataPlane) error {
	return facts(w, "", append([]string{"org", d.Org}, dataPlaneFacts(d)...)...)
}

// TextDriftReports writes one report after the other.
func TextDriftReports(w io.Writer, all event.DriftReports) error {
	if len(all.Reports) == 0 {
		_, err := fmt.Fprintf(w, "%s has no drift reports yet; freehold drift run makes one\n", all.Org)
		return err
	}
	for i, d := range all.Reports {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "%s\n", textTime(d.At)); err != nil {
			return err
		}
		if err := TextDrift(w, d); err != nil {
			return err
		}
	}
	return nil
}

// TextExceptions writes one line per exception.
func TextExceptions(w io.Writer, all event.Exceptions) error {
	if len(all.Exceptions) == 0 {
		_, err := fmt.Fprintf(w, "%s has no exceptions\n", all.Org)
		return err
	}
	rows := [][]string{{"RULE", "RESOURCE", "UNTIL", "APPROVER", "REASON"}}
	for _, e := range all.Exceptions {
		until := e.Expires
		if !e.Active {
			until += " (over)"
		}
		rows = append(rows, []string{e.Rule, e.Resource, until, e.Approver, oneLine(e.Reason)})
	}
	return table(w, "", rows)
}

// TextEvidenceList writes one line per document.
func TextEvidenceList(w io.Writer, all event.EvidenceList) error {
	if len(all.Evidence) == 0 {
		_, err := fmt.Fprintf(w, "%s has no evidence yet\n", all.Org)
		return err
	}
	rows := [][]string{{"NAME", "SIZE", "SHA-256", "DESCRIPTION"}}
	for _, e := range all.Evidence {
		rows = append(rows, []string{e.Name, strconv.FormatInt(e.Size, 10), e.SHA256, oneLine(e.Description)})
	}
	return table(w, "", rows)
}

// TextEvidence says where a document was written to.
func TextEvidence(w io.Writer, e event.Evidence) error {
	_, err := fmt.Fprintf(w, "%s: %s is in %s: %d bytes with SHA-256 %s\n", e.Org, e.Name, e.File, e.Size, e.SHA256)
	return err
}
