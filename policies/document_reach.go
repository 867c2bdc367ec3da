package policies

import (
	"slices"
	"strings"
)

// Outsiders returns whom an Allow statement lets in who is not of the account,
// each in words: "AWS arn:aws:iam::…:root". Nobody but the account's own
// principals, AWS services that act for it, and friends (exact ARNs) is let in
// by an empty answer. Denials beside the statement do not count: each is one
// edit away from being gone.
func (s Statement) Outsiders(account string, friends ...string) []string {
	if !s.Allow {
		return nil
	}
	if s.NotPrincipals {
		if s.closed("AWS", account, friends) {
			return nil
		}
		return []string{"everybody but the principals of NotPrincipal"}
	}
	var out []string
	for _, p := range s.Principals {
		if p.within(account, friends) || s.closed(p.Kind, account, friends) {
			continue
		}
		out = append(out, s.describe(p))
	}
	return out
}

// Services returns the AWS services that a statement lets in for whichever
// account they act: a service is shared by all customers of AWS, and says in
// aws:SourceAccount and aws:SourceArn for whom it calls.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func (s Statement) Services(account string) []string {
	var out []string
	for _, p := range s.Principals {
		if s.Allow && !s.NotPrincipals && p.Kind == "Service" && !s.closed("Service", account, nil) {
			out = append(out, p.ID)
		}
	}
	return out
}

// within reports whether a principal is of the account by its own name. Service
// principals are: for whom they act is asked by Services.
func (p Principal) within(account string, friends []string) bool {
	switch p.Kind {
	case "Service":
		return strings.HasSuffix(p.ID, ".amazonaws.com") && !strings.ContainsAny(p.ID, "*?")
	case "AWS":
		if p.ID == account || slices.Contains(friends, p.ID) {
			return true
		}
		return ownARN(p.ID, account) && !strings.ContainsAny(p.ID, "*?")
	case "Federated":
		return ownARN(p.ID, account)
	default: // "*", and CanonicalUser, whose account nobody can tell
		return false
	}
}

func (s Statement) describe(p Principal) string {
	switch {
	case p.ID == "*" && s.has("aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceOrgID", "aws:SourceOrgPaths"):
		return "everybody in the organization, and every other customer is in it"
	case p.ID == "*":
		return "everybody"
	case p.Kind == "CanonicalUser":
		return "a canonical user, whose account cannot be told"
	case p.Kind == "AWS" && !strings.HasPrefix(p.ID, "arn:") && !isAccount(p.ID):
		return p.ID + ", an id whose account cannot be told"
	default:
		return strings.TrimSpace(p.Kind + " " + p.ID)
	}
}

func (s Statement) has(keys ...string) bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, c.Key) })
	})
}

// closed reports whether a condition keeps out whoever is not of the account.
// All conditions of a statement must hold, so one is enough.
func (s Statement) closed(kind, account string, friends []string) bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool { return c.closes(kind, account, friends) })
}

// closes knows the conditions that only the account's own can meet. Whether a
// request carries a key matters as much as its value: IfExists and ForAllValues
// hold where the key is absent, as it is for who did not sign in.
//
// aws:PrincipalOrgID is not among them: all customers are of one organization.
// Nor is aws:SourceVpc: it says by which network a caller comes, not who it is.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (c Condition) closes(kind, account string, friends []string) bool {
	operator, ok := c.positive()
	if !ok || len(c.Values) == 0 || account == "" {
		return false
	}
	all := func(own func(string) bool) bool {
		for _, v := range c.Values {
			if !own(ownVariables(v, account)) {
				return false
			}
		}
		return true
	}
	key := strings.ToLower(c.Key)
	switch {
	case key == "aws:principalaccount", key == "kms:calleraccount", key == "aws:sourceaccount",
		key == "aws:sourceowner", key == "s3:dataaccesspointaccount":
		return isText(operator) && all(func(v string) bool { return v == account })
	case key == "aws:principalarn":
		return all(func(v string) bool {
			return ownPattern(operator, v, account) || slices.Contains(friends, v)
		})
	case key == "aws:sourcearn", key == "s3:dataaccesspointarn":
		return all(func(v string) bool { return ownPattern(operator, v, account) })
	case strings.HasPrefix(key, "kms:encryptioncontext:"):
		// A service sets the context of its calls; anybody else writes what he likes.
		return kind == "Service" && all(func(v string) bool { return ownPattern(operator, v, account) })
	case key == "elasticfilesystem:accessedviamounttarget":
		// Mount targets are in the account's own VPC, which is joined to no other.
		return operator == "Bool" && all(func(v string) bool { return strings.EqualFold(v, "true") })
	default:
		return false
	}
}

// positive returns the bare operator of a condition that holds only if the key
// is there and one of the values matches it.
func (c Condition) positive() (operator string, ok bool) {
	operator = strings.TrimPrefix(c.Operator, "ForAnyValue:")
	switch operator {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "Bool":
		return operator, true
	default:
		return "", false
	}
}

func isText(operator string) bool { return strings.HasPrefix(operator, "String") }

// ownPattern reports whether a pattern of ARNs matches none but the account's.
// ARN operators compare part by part. The text operators let a star run over
// colons, which paths of roles and names of executions may hold, so nothing
// before the account may be a wildcard.
func ownPattern(operator, pattern, account string) bool {
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[4] != account {
		return false
	}
	head := strings.Join(parts[:4], ":")
	if strings.Contains(head, "$") { // a variable of the caller's may hold colons
		return false
	}
	switch operator {
	case "ArnEquals", "ArnLike", "StringEquals", "StringEqualsIgnoreCase":
		return true
	case "StringLike":
		return !strings.ContainsAny(head, "*?")
	default:
		return false
	}
}

// ownARN reports whether an ARN is of the account.
func ownARN(arn, account string) bool {
	parts := strings.SplitN(arn, ":", 6)
	return account != "" && len(parts) == 6 && parts[0] == "arn" && parts[4] == account
}

// ownVariables replaces the one policy variable that is sure to be the account
// whose resource is asked for. All others are the caller's: a comparison of
// aws:PrincipalAccount with itself holds for everybody.
func ownVariables(v, account string) string {
	const variable = "${aws:resourceaccount}"
	if i := strings.Index(strings.ToLower(v), variable); i >= 0 {
		return v[:i] + account + v[i+len(variable):]
	}
	return v
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}
