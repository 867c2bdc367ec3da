package iam

import (
	"regexp"
	"slices"
	"strings"
)

// Request is one call to AWS, as a policy sees it.
type Request struct {
	Action   string // "s3:GetObject"
	Resource string // ARN; "*" for actions without a resource
	// Principal is the caller's ARN, role and not session; empty: not signed in.
	Principal string
	// Service is the calling AWS service, "cloudtrail.amazonaws.com"; empty: none.
	Service string
	// Context are the condition keys that the request carries.
	Context map[string]string
}

// Verdict is what one document answers to one request.
type Verdict string

// The verdicts.
const (
	Allowed Verdict = "allowed"
	Denied  Verdict = "denied"
	Silent  Verdict = "silent" // no statement fits: an implicit deny where nothing else allows
)

// Evaluate answers one request by this document alone, after AWS's rules: a
// deny that fits wins over every allow. It knows the condition operators that
// Freehold's policies use and treats any other as fitting nothing that is
// allowed and everything that is denied.
func (d Document) Evaluate(r Request) Verdict {
	verdict := Silent
	for _, s := range d.Statement {
		if !s.fits(r) {
			continue
		}
		if s.Effect == Deny {
			return Denied
		}
		verdict = Allowed
	}
	return verdict
}

func (s Statement) fits(r Request) bool {
	return s.Principal.fits(r) &&
		(len(s.Action) == 0 || anyMatch(s.Action, r.Action, true)) &&
		(len(s.NotAction) == 0 || !anyMatch(s.NotAction, r.Action, true)) &&
		(len(s.Resource) == 0 || anyMatch(s.Resource, r.Resource, false)) &&
		(len(s.NotResource) == 0 || !anyMatch(s.NotResource, r.Resource, false)) &&
		s.Condition.holds(r, s.Effect)
}

func (p *Principal) fits(r Request) bool {
	if p == nil || p.Anyone {
		return true
	}
	if r.Service != "" {
		return slices.Contains(p.Service, r.Service)
	}
	return slices.ContainsFunc(p.AWS, func(arn string) bool {
		account, isRoot := strings.CutSuffix(arn, ":root")
		return arn == "*" || arn == r.Principal || isRoot && strings.HasPrefix(r.Principal, account+":")
	})
}

func (c Condition) holds(r Request, e Effect) bool {
	for operator, keys := range c {
		for key, values := range keys {
			if !holds(r, operator, key, values, e) {
				return false
			}
		}
	}
	return true
}

// holds evaluates one key of a condition. A key that the request lacks fails
// a positive operator and satisfies a negated one; IfExists satisfies both.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func holds(r Request, operator, key string, values Values, e Effect) bool {
	operator = strings.TrimPrefix(operator, "ForAnyValue:")
	operator, ifExists := strings.CutSuffix(operator, "IfExists")
	got, present := r.context(key)
	if operator == "Null" {
		return slices.Contains(values, "true") == !present
	}
	positive := strings.Replace(operator, "Not", "", 1)
	negated := positive != operator
	if !present {
		return negated || ifExists
	}
	var equal func(pattern string) bool
	switch positive {
	case "StringEquals":
		equal = func(pattern string) bool { return pattern == got }
	case "Bool":
		equal = func(pattern string) bool { return strings.EqualFold(pattern, got) }
	case "StringLike", "ArnLike", "ArnEquals":
		equal = func(pattern string) bool { return match(pattern, got, false) }
	default:
		return e == Deny
	}
	fits := slices.ContainsFunc(values, func(v string) bool { return equal(r.expand(v)) })
	return fits != negated
}

// context returns a condition key of the request, whose case does not matter.
func (r Request) context(key string) (string, bool) {
	switch strings.ToLower(key) {
	case "aws:principalarn":
		if r.Principal != "" {
			return r.Principal, true
		}
	case "aws:principalaccount":
		if parts := strings.Split(r.Principal, ":"); len(parts) > 4 {
			return parts[4], true
		}
	case "aws:principalisawsservice":
		if r.Service != "" {
			return "true", true
		}
		return "false", true
	}
	for k, v := range r.Context {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

var variable = regexp.MustCompile(`\$\{([^}]+)\}`)

// expand replaces policy variables. One that the request lacks stays as it
// is, and so is equal to nothing.
func (r Request) expand(v string) string {
	return variable.ReplaceAllStringFunc(v, func(m string) string {
		if got, ok := r.context(m[2 : len(m)-1]); ok {
			return got
		}
		return m
	})
}

func anyMatch(patterns []string, s string, fold bool) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, s, fold) })
}

// match matches AWS's wildcards: "*" for any text, "?" for one character.
func match(pattern, s string, fold bool) bool {
	if fold {
		pattern, s = strings.ToLower(pattern), strings.ToLower(s)
	}
	if !strings.ContainsAny(pattern, "*?") {
		return pattern == s
	}
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(`^(?s:` + quoted + `)$`).MatchString(s)
}
