package policies

import (
	"regexp"
	"strings"
)

// The slow evaluator answers one request after the other, as AWS does, and knows
// nothing of what a condition is good for. What ParseDocument and Outsiders say
// by looking at a document, it says by trying everybody.

const (
	slowOwn   = exampleAccount
	slowOther = exampleOther
	// slowNear differs in the last digits, for patterns that end early.
	slowNear = "210987654399"
)

// slowRequest is somebody who calls.
type slowRequest struct {
	kind, id string // AWS with an ARN, Service with a name; both empty: not signed in
	outsider bool
	context  map[string]string // by key, in lower case
}

// slowWorld is everybody there is.
func slowWorld() []slowRequest {
	caller := func(account, path, encrypts string) slowRequest {
		arn := "arn:aws:iam::" + account + ":role/" + path
		return slowRequest{kind: "AWS", id: arn, outsider: account != slowOwn, context: map[string]string{
			"aws:principalaccount": account, "aws:principalarn": arn, "aws:principalorgid": "o-a1b2c3d4e5", "kms:calleraccount": account,
			"kms:encryptioncontext:aws:logs:arn": "arn:aws:logs:eu-central-1:" + encrypts + ":x", "aws:sourcevpc": "vpc-1",
		}}
	}
	service := func(account, arn string, outsider bool) slowRequest {
		r := slowRequest{kind: "Service", id: "sns.amazonaws.com", outsider: outsider, context: map[string]string{}}
		if account != "" {
			r.context["aws:sourceaccount"] = account
			r.context["kms:encryptioncontext:aws:logs:arn"] = "arn:aws:logs:eu-central-1:" + account + ":x"
		}
		if arn != "" {
			r.context["aws:sourcearn"] = arn
		}
		return r
	}
	return []slowRequest{
		caller(slowOwn, "ci", slowOwn), caller(slowOwn, "ci", slowOther),
		caller(slowOther, "ci", slowOther), caller(slowOther, "ci", slowOwn),
		// A path may hold colons, and so may the names of some services: the
		// execution of a state machine is arn:aws:states:…:machine:name:id.
		caller(slowOther, "x:"+slowOwn+":role/ci", slowOwn), caller(slowOther, "x:iam::"+slowOwn+":role/ci", slowOwn),
		service(slowOther, "arn:aws:sns:eu-central-1:"+slowOther+":t:"+slowOwn+":t", true),
		caller(slowNear, "ci", slowNear), caller(slowNear, "ci", slowOwn),
		{outsider: true, context: map[string]string{"aws:sourcevpc": "vpc-1"}},
		{outsider: true, context: map[string]string{}},
		service(slowOwn, "arn:aws:sns:eu-central-1:"+slowOwn+":t", false),
		service(slowOther, "arn:aws:sns:eu-central-1:"+slowOther+":t", true),
		service(slowNear, "arn:aws:sns:eu-central-1:"+slowNear+":t", true),
		service(slowOther, "arn:aws:s3:::b", true),
		service("", "", true),
	}
}

// slowFits evaluates one statement, read anew from the raw document.
func slowFits(st map[string]any, r slowRequest) bool {
	if p, ok := st["Principal"]; ok && !slowPrincipal(p, r) {
		return false
	}
	if p, ok := st["NotPrincipal"]; ok && slowPrincipal(p, r) {
		return false
	}
	conditions, _ := st["Condition"].(map[string]any)
	for operator, keys := range conditions {
		for key, values := range keys.(map[string]any) {
			if !slowHolds(operator, strings.ToLower(key), values, r) {
				return false
			}
		}
	}
	return true
}

func slowPrincipal(p any, r slowRequest) bool {
	if p == "*" {
		return true
	}
	for kind, ids := range p.(map[string]any) {
		for _, raw := range slowList(ids) {
			id := raw.(string)
			account, root := strings.CutSuffix(strings.TrimPrefix(id, "arn:aws:iam::"), ":root")
			switch {
			case kind == "AWS" && id == "*":
				return true
			case kind == r.kind && id == r.id:
				return true
			case kind == "AWS" && r.kind == "AWS" && (root || isAccount(id)) && r.context["aws:principalaccount"] == account:
				return true
			}
		}
	}
	return false
}

func slowHolds(operator, key string, values any, r slowRequest) bool {
	got, present := r.context[key]
	every := strings.HasPrefix(operator, "ForAllValues:")
	operator = strings.TrimPrefix(strings.TrimPrefix(operator, "ForAllValues:"), "ForAnyValue:")
	operator, ifExists := strings.CutSuffix(operator, "IfExists")
	if operator == "Null" {
		return (slowList(values)[0] == "true") == !present
	}
	negated := strings.Contains(operator, "Not")
	if !present {
		return negated || ifExists || every
	}
	one := false
	for _, v := range slowList(values) {
		want := slowVariables(v.(string), r)
		switch strings.Replace(operator, "Not", "", 1) {
		case "StringEquals":
			one = one || want == got
		case "StringLike":
			one = one || slowMatch(want, got)
		case "ArnLike", "ArnEquals":
			one = one || slowARN(want, got)
		}
	}
	return one != negated
}

func slowVariables(v string, r slowRequest) string {
	v = strings.ReplaceAll(v, "${aws:ResourceAccount}", slowOwn)
	if account, ok := r.context["aws:principalaccount"]; ok {
		v = strings.ReplaceAll(v, "${aws:PrincipalAccount}", account)
	}
	return v
}

func slowARN(pattern, arn string) bool {
	p, a := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(p) != 6 || len(a) != 6 {
		return false
	}
	for i := range p {
		if !slowMatch(p[i], a[i]) {
			return false
		}
	}
	return true
}

func slowMatch(pattern, text string) bool {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(`^(?s:` + quoted + `)$`).MatchString(text)
}

func slowList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}
