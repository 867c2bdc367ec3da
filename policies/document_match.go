package policies

import (
	"errors"
	"slices"
	"strings"
)

// Covers reports whether the statement speaks of an action, "sts:AssumeRole".
func (s Statement) Covers(action string) bool {
	if s.Actions == nil {
		return false
	}
	return slices.ContainsFunc(s.Actions, func(p string) bool { return matches(p, action, lower) }) != s.NotActions
}

// Touches reports whether the statement speaks of a resource, by its ARN. One
// that names no resource (a trust policy) speaks of that which it is attached to.
func (s Statement) Touches(arn string) bool {
	if s.Resources == nil {
		return true
	}
	return slices.ContainsFunc(s.Resources, func(p string) bool { return Matches(p, arn) }) != s.NotResources
}

// Matches matches AWS's wildcards: "*" for any text, "?" for one character.
func Matches(pattern, text string) bool {
	return matches(pattern, text, func(c byte) byte { return c })
}

// lower is a letter of ASCII as a small one: actions have no others.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// matches compares characters in the form that as gives them.
func matches(pattern, text string, as func(byte) byte) bool {
	// The last star is the only one to come back to: a longer match of an
	// earlier one never helps.
	star, from := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || as(pattern[p]) == as(text[t])):
			p++
			t++
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// document reads a policy at a path and gives each of its statements that
// allows something. What is not known yet is undecided, and what cannot be read
// is a violation.
func (j *judge) document(path string, v any, each func(s Statement)) {
	doc, err := ParseDocument(v)
	switch {
	case err == nil:
	case errors.Is(err, ErrUndecided):
		j.wonder(path)
	default:
		j.violate(path, "%v", err)
	}
	for _, s := range doc.Statements {
		if s.Allow {
			each(s)
		}
	}
}

// blame notes a violation by a statement.
func (j *judge) blame(path string, s Statement, format string, args ...any) {
	j.violate(path, format, args...)
	j.violated[len(j.violated)-1].Statement = s.JSON
}
