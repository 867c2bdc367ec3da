package iam

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Match matches AWS's wildcards: "*" for any text, with colons and slashes in
// it, and "?" for one character. Case matters.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func Match(pattern, text string) bool { return match(pattern, text, false) }

// Covers reports whether the statement applies to an action, "sts:AssumeRole",
// in whatever case. A statement without actions applies to none.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
func (s Statement) Covers(action string) bool {
	if s.NotAction != nil {
		return !matchAny(s.NotAction, action, true)
	}
	return matchAny(s.Action, action, true)
}

// Touches reports whether the statement applies to a resource, by its ARN. A
// statement without resources (of a trust policy) applies to the one that it is
// attached to. Policy variables stand for themselves.
func (s Statement) Touches(arn string) bool {
	switch {
	case s.NotResource != nil:
		return !matchAny(s.NotResource, arn, false)
	case s.Resource != nil:
		return matchAny(s.Resource, arn, false)
	default:
		return true
	}
}

// MayTouch is Touches with policy variables that stand for anything.
func (s Statement) MayTouch(arn string) bool {
	if s.NotResource != nil || s.Resource == nil {
		return s.Touches(arn)
	}
	return slices.ContainsFunc(s.Resource, func(p string) bool { return Match(variable.ReplaceAllString(p, "*"), arn) })
}

func matchAny(patterns []string, text string, anyCase bool) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, text, anyCase) })
}

// matchARN compares two ARNs part by part: a wildcard does not reach over the
// colon at the end of its part.
func matchARN(pattern, arn ARN) bool {
	return Match(pattern.Partition, arn.Partition) && Match(pattern.Service, arn.Service) && Match(pattern.Region, arn.Region) &&
		Match(pattern.Account, arn.Account) && Match(pattern.Resource, arn.Resource)
}

// A policy variable may put a "*" or "?" into a pattern that stands for itself.
// No text from JSON has these bytes, which are not UTF-8.
const (
	literalStar     = '\xff'
	literalQuestion = '\xfe'
)

func match(pattern, text string, anyCase bool) bool {
	// The last star is the only one to come back to: a longer match of an
	// earlier one never helps.
	star, from := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			t += runeAt(text, t)
		case p < len(pattern) && same(pattern[p], text[t], anyCase):
			p++
			t++
		case star >= 0:
			from += runeAt(text, from)
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// runeAt is the length of the character at a place: "?" is a character, and not
// a byte of one.
func runeAt(text string, i int) int {
	if text[i] < utf8.RuneSelf {
		return 1
	}
	_, size := utf8.DecodeRuneInString(text[i:])
	return size
}

func same(p, t byte, anyCase bool) bool {
	switch {
	case p == literalStar:
		return t == '*'
	case p == literalQuestion:
		return t == '?'
	case anyCase:
		return lower(p) == lower(t)
	default:
		return p == t
	}
}

// lower is a letter of ASCII as a small one: actions have no others.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
