package spec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrInvalid is wrapped by every error that the customer's file caused.
var ErrInvalid = errors.New("invalid spec")

// Mistake is one thing that is wrong in a document, with its place.
type Mistake struct {
	File string `json:"file"`
	// Line and Column count from 1. A required field that is missing is
	// placed at its parent.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Field is the path, "cluster.nodePools[0].min"; empty for the whole document.
	Field string `json:"field,omitempty"`
	// Problem says what is wrong, with the value that was read.
	Problem string `json:"problem"`
	// Want says what would be right.
	Want string `json:"want,omitempty"`
}

// String is the mistake as one line, without a final newline.
func (m Mistake) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", m.File, m.Line, m.Column)
	if m.Field != "" {
		b.WriteString(m.Field + ": ")
	}
	b.WriteString(m.Problem)
	if m.Want != "" {
		b.WriteString("; want " + m.Want)
	}
	return b.String()
}

// Mistakes are all the mistakes of one document, in the order of its lines.
type Mistakes []Mistake

// Error tells every mistake, one a line.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, one := range m {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.Is find ErrInvalid.
func (m Mistakes) Unwrap() error { return ErrInvalid }

func (m Mistakes) sort() {
	slices.SortStableFunc(m, func(a, b Mistake) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}
