package iam

import (
	"regexp"
	"strings"
)

// variable is a policy variable, "${aws:username}" or with a value for where it
// is absent, "${aws:PrincipalTag/team, 'none'}".
var variable = regexp.MustCompile(`\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}`)

// expand replaces the policy variables of a pattern by the request's values,
// which stand for themselves, wildcards too. It is No where the request lacks
// one that has no default: such a pattern matches nothing. It is CannotTell
// where nobody knows the value, and where it is a list, which AWS does not take
// as a variable.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (e evaluation) expand(pattern string) (string, Answer) {
	if !e.variables || !strings.Contains(pattern, "${") {
		return pattern, Yes
	}
	whole := Yes
	out := variable.ReplaceAllStringFunc(pattern, func(m string) string {
		parts := variable.FindStringSubmatch(m)
		switch key := parts[1]; key {
		case "*", "?", "$":
			return literal(key)
		default:
			values, there := e.fact(key)
			switch {
			case there == Yes && !e.isList(key):
				return literal(values[0])
			case there == Yes:
				whole = and(whole, CannotTell)
			case there == No && strings.Contains(m, "'"):
				return literal(parts[2])
			default:
				whole = and(whole, there)
			}
			return m
		}
	})
	return out, whole
}

var toLiteral = strings.NewReplacer("*", string([]byte{literalStar}), "?", string([]byte{literalQuestion}))

// literal is a text as a pattern that matches nothing else.
func literal(s string) string { return toLiteral.Replace(s) }

var toText = strings.NewReplacer(string([]byte{literalStar}), "*", string([]byte{literalQuestion}), "?")

// plain is a pattern as the text that it is for operators without wildcards.
func plain(pattern string) string { return toText.Replace(pattern) }
