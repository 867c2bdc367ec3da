package policies

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/document"
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// drawList draws one or a few values, written as text or as list.
func drawList(t *rapid.T, label string, from ...string) any {
	list := rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, min(3, len(from)), rapid.ID).Draw(t, label)
	if len(list) == 1 && rapid.Bool().Draw(t, label+" as text") {
		return list[0]
	}
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

func drawPrincipal(t *rapid.T) any {
	switch rapid.IntRange(0, 5).Draw(t, "principal") {
	case 0:
		return "*"
	case 1:
		return map[string]any{"AWS": "*"}
	case 2:
		return map[string]any{"Service": "sns.amazonaws.com"}
	default:
		p := map[string]any{"AWS": drawList(t, "aws", ownAccount, otherAccount, example.ARN+":root", example.OtherARN+":root", example.ARN+":role/ci", example.OtherARN+":role/ci")}
		if rapid.Bool().Draw(t, "and a service") {
			p["Service"] = "sns.amazonaws.com"
		}
		return p
	}
}

// conditionKeys are keys with values that are right, wrong, and almost right.
var conditionKeys = map[string][]string{
	"aws:PrincipalAccount": {ownAccount, otherAccount, "${aws:ResourceAccount}", "${aws:PrincipalAccount}", "2109876543*", "*"},
	"kms:CallerAccount":    {ownAccount, otherAccount, "2109876543??"},
	"aws:SourceAccount":    {ownAccount, otherAccount, "*"},
	"aws:PrincipalArn": {
		example.ARN + ":role/*", example.OtherARN + ":role/*", "arn:aws:iam::*:role/ci", "arn:*:" + ownAccount + ":role/ci", "arn:*:iam::" + ownAccount + ":*", "*",
	},
	"aws:SourceArn":                      {"arn:aws:sns:eu-central-1:" + ownAccount + ":t", "arn:aws:sns:*:*:t", "arn:aws:s3:::b", "arn:aws:sns:*:" + ownAccount + ":*"},
	"aws:PrincipalOrgID":                 {"o-a1b2c3d4e5"},
	"aws:SourceVpc":                      {"vpc-1"},
	"kms:EncryptionContext:aws:logs:arn": {"arn:aws:logs:eu-central-1:" + ownAccount + ":*"},
}

var conditionOperators = []string{
	"StringEquals", "StringLike", "StringEqualsIfExists", "StringLikeIfExists", "ForAnyValue:StringEquals", "ForAllValues:StringEquals",
	"StringNotEquals", "StringNotLike", "ArnLike", "ArnEquals", "ArnLikeIfExists", "ArnNotLike", "Null",
}

func drawConditions(t *rapid.T, most int) map[string]any {
	out := map[string]any{}
	for range rapid.IntRange(0, most).Draw(t, "conditions") {
		operator := rapid.SampledFrom(conditionOperators).Draw(t, "operator")
		key := rapid.SampledFrom(keysOf(conditionKeys)).Draw(t, "key")
		values := conditionKeys[key]
		if operator == "Null" {
			values = []string{"true", "false"}
		}
		value := drawList(t, "values", values...)
		if operator == "Null" {
			value = asList(value)[0]
		}
		keys, _ := out[operator].(map[string]any)
		if keys == nil {
			keys = map[string]any{}
			out[operator] = keys
		}
		keys[key] = value
	}
	return out
}

func keysOf(m map[string][]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func drawStatement(t *rapid.T, effect string, conditions int) map[string]any {
	st := map[string]any{
		"Effect": effect, "Action": drawList(t, "action", "sts:AssumeRole", "sts:*", "*", "s3:GetObject", "iam:CreateRole", "iam:*", "kms:Decrypt"),
		"Resource": drawList(t, "resource", "*", example.ARN+":role/*", example.OtherARN+":role/x", "arn:aws:iam::*:role/x", example.Boundary),
	}
	if rapid.IntRange(0, 9).Draw(t, "everybody else") == 0 {
		st["NotPrincipal"] = map[string]any{"AWS": example.ARN + ":root"}
	} else {
		st["Principal"] = drawPrincipal(t)
	}
	if c := drawConditions(t, conditions); len(c) > 0 {
		st["Condition"] = c
	}
	return st
}

// read reads a drawn document, each time anew.
func read(t *rapid.T, doc map[string]any) iam.Document {
	d, err := document.Parse(doc)
	if err != nil {
		t.Fatalf("%v: %v", doc, err)
	}
	return d
}

// judged is what the rules say of a document: does a statement let outsiders in?
func judged(t *rapid.T, doc map[string]any) bool {
	return slices.ContainsFunc(read(t, doc).Statement, func(st iam.Statement) bool {
		return len(document.Outsiders(st, ownAccount)) > 0 || len(document.Services(st, ownAccount)) > 0
	})
}

func documentOf(statements ...any) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}

// thoroughly checks a property with twenty times as many cases as rapid does by
// itself: the documents that tell right from almost right are rare.
func thoroughly(t *testing.T, property func(*rapid.T)) {
	for range 20 {
		rapid.Check(t, property)
	}
}

func TestOneStatementIsJudgedAsTryingEverybodyWouldJudgeIt(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		st := drawStatement(t, "Allow", 1)
		onlyFirst(st)
		anybody, outsider := false, false
		for _, who := range population() {
			fits := who.lets(read(t, documentOf(st))) != iam.Silent // undecided is not out
			anybody = anybody || fits
			outsider = outsider || fits && who.outsider
		}
		if !anybody {
			t.Skip("a statement for nobody may be judged either way")
		}
		if got := judged(t, documentOf(st)); got != outsider {
			t.Errorf("%s lets outsiders in: judged %v, tried %v", oneLine(st), got, outsider)
		}
	})
}

// onlyFirst leaves a statement one principal and each condition one value: of
// two, one may be for nobody, and then the judge is stricter than AWS.
func onlyFirst(st map[string]any) {
	if p, ok := st["Principal"].(map[string]any); ok {
		if aws, named := p["AWS"]; named {
			delete(p, "Service")
			p["AWS"] = asList(aws)[:1]
		}
	}
	conditions, _ := st["Condition"].(map[string]any)
	for _, keys := range conditions {
		for key, values := range keys.(map[string]any) {
			keys.(map[string]any)[key] = asList(values)[:1]
		}
	}
}

// With many conditions and denials the judge may be stricter than AWS, and must
// never be laxer.
func TestADocumentThatPassesLetsNoOutsiderIn(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		var all []any
		for range rapid.IntRange(1, 4).Draw(t, "statements") {
			all = append(all, drawStatement(t, rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect"), 3))
		}
		if judged(t, documentOf(all...)) {
			return
		}
		for _, who := range population() {
			if got := who.lets(read(t, documentOf(all...))); who.outsider && got == iam.Allowed {
				t.Errorf("%s passes and lets in %+v", oneLine(all), who.Request)
			}
		}
	})
}

func TestAddingAnAllowNeverTurnsViolatedIntoPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []any
		for range rapid.IntRange(1, 3).Draw(t, "statements") {
			all = append(all, drawStatement(t, rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect"), 2))
		}
		for _, where := range []struct{ typ, property string }{
			{rule.TypeRole, "assumeRolePolicy"}, {"aws:iam/rolePolicy:RolePolicy", "policy"}, {"aws:iam/policy:Policy", "policy"}, {"aws:s3/bucketPolicy:BucketPolicy", "policy"},
			{"aws:kms/key:Key", "policy"},
		} {
			before := example.Of("", where.typ, object{"name": "freehold-acme-boundary", where.property: documentOf(all...)})
			after := example.Of("", where.typ, object{
				"name":         "freehold-acme-boundary",
				where.property: documentOf(append(slices.Clone(all), drawStatement(t, "Allow", 2))...),
			})
			for _, r := range All() {
				if a, b := ask(r, before), ask(r, after); a.Answer == Violated && b.Answer != Violated {
					t.Errorf("%s on %s: violated, and with one more Allow %s", r.ID, where.typ, b.Answer)
				}
			}
		}
	})
}

func TestADocumentSaysTheSameAsTextAndAsObject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := documentOf(drawStatement(t, "Allow", 3), drawStatement(t, "Deny", 3))
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		a, errA := document.Parse(doc)
		b, errB := document.Parse(string(text))
		if errA != nil || errB != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("object %+v, %v; text %+v, %v", a, errA, b, errB)
		}
	})
}

// However deep an account is put into an input, and however it is wrapped, the
// rule on references finds it.
func TestAnAccountIsFoundHoweverDeepItIs(t *testing.T) {
	wraps := map[string]func(any) any{
		"list":    func(v any) any { return []any{"x", v} },
		"map":     func(v any) any { return object{"a": v, "b": true} },
		"JSON":    func(v any) any { return oneLine(object{"k": v}) },
		"base64":  func(v any) any { return base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\n" + oneLine(v))) },
		"percent": func(v any) any { return url.QueryEscape(oneLine(v)) },
		"text":    func(v any) any { return "see ${x} and " + oneLine(v) + ", thanks" },
	}
	names := []string{"list", "map", "JSON", "base64", "percent", "text"}
	rapid.Check(t, func(t *rapid.T) {
		var v any = rapid.SampledFrom([]string{
			otherAccount, example.OtherARN + ":role/x", otherAccount + ".dkr.ecr.eu-central-1.amazonaws.com/app", "s3://data-" + otherAccount + "/x",
		}).Draw(t, "reference")
		for range rapid.IntRange(1, 4).Draw(t, "depth") {
			v = wraps[rapid.SampledFrom(names).Draw(t, "wrap")](v)
		}
		e := example.Of("", "aws:ssm/parameter:Parameter", object{"value": v})
		for _, r := range All() {
			if r.ID == "FH201" && ask(r, e).Answer != Violated {
				t.Errorf("%v passes", v)
			}
		}
	})
}

func asList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

func oneLine(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a case that is written wrong
	}
	return string(b)
}
