package document

import (
	"errors"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/rule"
)

// errUndecided is wrapped where a part of a document is not known yet. The
// document beside it holds the statements that are.
var errUndecided = errors.New("the policy document is not known yet")

// Parse reads a policy document: JSON text, or the object that the
// providers take in its place. Nil, an empty text and an empty object have no
// statements. Documents are shared between those who ask: nobody changes one.
func Parse(v any) (iam.Document, error) {
	switch v := v.(type) {
	case nil:
		return iam.Document{}, nil
	case string:
		return parsedTexts.get(v)
	case rule.Unknown:
		read := rule.Opened(v)
		if _, nothing := read.(rule.Unknown); nothing {
			return iam.Document{}, errUndecided
		}
		return Parse(read)
	}
	doc, whole, err := iam.DecodeKnown(v, func(v any) bool { _, is := v.(rule.Unknown); return is })
	if err == nil && !whole {
		err = errUndecided
	}
	return doc, err
}

func parseText(text string) (iam.Document, error) {
	if strings.TrimSpace(text) == "" {
		return iam.Document{}, nil
	}
	return iam.Parse(text)
}

// EachAllow reads a policy at a path and gives each of its statements that
// allows something. What is not known yet is undecided, and what cannot be
// read is a violation.
func EachAllow(j *rule.Judge, path string, v any, each func(st iam.Statement)) {
	doc, err := Parse(v)
	switch {
	case err == nil:
	case errors.Is(err, errUndecided):
		j.Undecided(path)
	default:
		j.Violate(path, "%v", err)
	}
	for _, st := range doc.Statement {
		if st.Effect == iam.Allow {
			each(st)
		}
	}
}

// Denies reports whether the document denies an action by a statement that fits.
func Denies(doc iam.Document, action string, fits func(iam.Statement) bool) bool {
	for _, st := range doc.Statement {
		if st.Effect == iam.Deny && st.Covers(action) && fits(st) {
			return true
		}
	}
	return false
}
