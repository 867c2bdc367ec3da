package render

import (
	"fmt"
	"io"

	"freehold.dev/freehold/internal/event"
)

// TextSandboxItems writes one line per item.
func TextSandboxItems(w io.Writer, items []event.SandboxItem) error {
	if len(items) == 0 {
		_, err := fmt.Fprintln(w, "nothing found")
		return err
	}
	rows := [][]string{{"ORG", "ACCOUNT", "TYPE", "ID", "NAME"}}
	for _, it := range items {
		name := it.Name
		if name == it.ID {
			name = ""
		}
		rows = append(rows, []string{orDash(it.Org), it.Account, it.Type, it.ID, name})
	}
	return table(w, "", rows)
}

// TextSandboxItem writes one item with its properties, as JSON.
func TextSandboxItem(w io.Writer, it event.SandboxItem) error {
	if err := facts(w, "",
		"type", it.Type,
		"id", it.ID,
		"name", it.Name,
		"arn", it.ARN,
		"account", it.Account,
		"org", it.Org,
	); err != nil {
		return err
	}
	return JSON(w, it.Properties)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
