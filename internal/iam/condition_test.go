package iam_test

import (
	"strings"
	"testing"

	"freehold.dev/freehold/internal/iam"
)

// asked is the answer of one line of a condition: an Allow and a Deny with it
// must agree.
func asked(t *testing.T, operator, key string, values iam.Values, r iam.Request) string {
	t.Helper()
	r.Action, r.Resource = "a:B", "*"
	s := iam.Statement{Action: iam.Values{"*"}, Resource: iam.Values{"*"}, Condition: iam.Condition{operator: {key: values}}}
	allow, deny := s, s
	allow.Effect, deny.Effect = iam.Allow, iam.Deny
	_, denied := iam.New(deny).Denial(r)
	allowed := map[iam.Verdict]iam.Answer{iam.Silent: iam.No, iam.Undecided: iam.CannotTell, iam.Allowed: iam.Yes}[iam.New(allow).Evaluate(r)]
	if allowed != denied {
		t.Errorf("an Allow answers %s, and a Deny %s", allowed, denied)
	}
	return denied.String()
}

const (
	yes    = "yes"
	no     = "no"
	unsure = "cannot tell"
)

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func TestEveryOperatorComparesAsAWSSays(t *testing.T) {
	for name, tt := range map[string]struct{ operator, want, got, answer string }{
		"equal text":                                {"StringEquals", "a", "a", yes},
		"text in another case":                      {"StringEquals", "a", "A", no},
		"a star is no wildcard to StringEquals":     {"StringEquals", "a*", "ab", no},
		"different text":                            {"StringNotEquals", "a", "b", yes},
		"equal text, negated":                       {"StringNotEquals", "a", "a", no},
		"text in another case, ignored":             {"StringEqualsIgnoreCase", "aB", "Ab", yes},
		"text of other letters in another case":     {"StringEqualsIgnoreCase", "größe", "GRÖßE", unsure},
		"a long s is no s":                          {"StringEqualsIgnoreCase", "sts", "ſts", unsure},
		"text in another case, ignored, negated":    {"StringNotEqualsIgnoreCase", "aB", "Ab", no},
		"a pattern":                                 {"StringLike", "a*c?", "abbcd", yes},
		"a pattern in another case":                 {"StringLike", "A*", "ab", no},
		"a pattern that is only a prefix":           {"StringLike", "a", "ab", no},
		"a pattern over colons and slashes":         {"StringLike", "arn:*:role/x", "arn:aws:iam::1:role/y:role/x", yes},
		"a pattern of a character of three bytes":   {"StringLike", "a?c", "a€c", yes},
		"a question mark is no part of a character": {"StringLike", "*??", "€", no},
		"a pattern, negated":                        {"StringNotLike", "a*", "ab", no},
		"numbers that are written differently":      {"NumericEquals", "10", "10.0", yes},
		"numbers too near for a float":              {"NumericEquals", "9007199254740993", "9007199254740992", no},
		"numbers, negated":                          {"NumericNotEquals", "10", "11", yes},
		"a smaller number":                          {"NumericLessThan", "10", "9", yes},
		"the number itself is not smaller":          {"NumericLessThan", "10", "10", no},
		"the number itself is not greater":          {"NumericLessThanEquals", "10", "10", yes},
		"a greater number, which is not a text":     {"NumericGreaterThan", "9", "10", yes},
		"a greater or equal number":                 {"NumericGreaterThanEquals", "10", "9.99", no},
		"a policy's number that is none":            {"NumericLessThan", "ten", "9", unsure},
		"a request's number that is none":           {"NumericLessThan", "10", "1/2", unsure},
		"equal dates in two zones":                  {"DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", yes},
		"dates, negated":                            {"DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", yes},
		"an earlier date":                           {"DateLessThan", "2026-01-01", "2025-12-31T23:59:59Z", yes},
		"a date and seconds":                        {"DateLessThanEquals", "2026-01-01T00:00:00Z", "1767225600", yes},
		"a later date":                              {"DateGreaterThan", "2026-01", "2026-01-01T00:00:00.5Z", yes},
		"a later or equal date":                     {"DateGreaterThanEquals", "2026-01-01T00:00Z", "2025-12-31T00:00:00Z", no},
		"a year, which may be seconds":              {"DateGreaterThan", "2026", "2027-01-01T00:00:00Z", unsure},
		"a date that is none":                       {"DateGreaterThan", "tomorrow", "2027-01-01T00:00:00Z", unsure},
		"true":                                      {"Bool", "true", "True", yes},
		"false":                                     {"Bool", "true", "false", no},
		"a truth that is none":                      {"Bool", "yes", "true", unsure},
		"equal bytes":                               {"BinaryEquals", "AQI=", "AQI=", yes},
		"other bytes":                               {"BinaryEquals", "AQI=", "AQM=", no},
		"bytes that are none":                       {"BinaryEquals", "?", "AQM=", unsure},
		"an address in a block":                     {"IpAddress", "203.0.113.0/24", "203.0.113.77", yes},
		"an address beside a block":                 {"IpAddress", "203.0.113.0/24", "203.0.114.77", no},
		"an address by itself":                      {"IpAddress", "203.0.113.7", "203.0.113.7", yes},
		"an address of version six":                 {"IpAddress", "2001:db8::/32", "2001:db8:1::1", yes},
		"an address of four written as one of six":  {"IpAddress", "203.0.113.0/24", "::ffff:203.0.113.7", yes},
		"an address, negated":                       {"NotIpAddress", "203.0.113.0/24", "203.0.113.77", no},
		"a block that is none":                      {"IpAddress", "203.0.113.0/33", "203.0.113.77", unsure},
		"an ARN":                                    {"ArnEquals", "arn:aws:iam::1:role/*", "arn:aws:iam::1:role/a/b", yes},
		"an ARN's star ends with its part":          {"ArnLike", "arn:aws:iam::*:role/ci", "arn:aws:iam::2:role/x:iam::1:role/ci", no},
		"a star over parts is no ARN's":             {"ArnLike", "arn:*:role/ci", "arn:aws:iam::1:role/ci", unsure},
		"an ARN, negated":                           {"ArnNotLike", "arn:aws:iam::1:role/*", "arn:aws:iam::2:role/a", yes},
		"an ARN, negated, and equal":                {"ArnNotEquals", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/a", no},
		"a text that is no ARN":                     {"ArnLike", "arn:aws:iam::1:role/*", "a", no},
		"an operator that AWS does not have":        {"StringMatches", "a", "a", unsure},
		"an operator in small letters":              {"stringequals", "a", "a", unsure},
		"an operator with the suffix twice":         {"StringEqualsIfExistsIfExists", "a", "a", unsure},
	} {
		t.Run(name, func(t *testing.T) {
			r := iam.Request{Context: map[string]string{"Test:Key": tt.got}}
			if got := asked(t, tt.operator, "test:key", iam.Values{tt.want}, r); got != tt.answer {
				t.Errorf("%s %q, request %q: %s, want %s", tt.operator, tt.want, tt.got, got, tt.answer)
			}
		})
	}
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
func TestQualifiersCountTheRequestsValues(t *testing.T) {
	absent := iam.Request{}
	unknown := iam.Request{Unknown: []string{"test:*"}}
	has := func(values ...string) iam.Request {
		return iam.Request{Lists: map[string]iam.Values{"test:key": values}}
	}
	is := func(value string) iam.Request {
		return iam.Request{Context: map[string]string{"test:key": value}}
	}
	for name, tt := range map[string]struct {
		operator string
		values   iam.Values
		request  iam.Request
		answer   string
	}{
		"one of the policy's values is enough":        {"StringEquals", iam.Values{"a", "b"}, is("b"), yes},
		"none of the policy's values may match":       {"StringNotEquals", iam.Values{"a", "b"}, is("b"), no},
		"an absent key fails":                         {"StringEquals", iam.Values{"a"}, absent, no},
		"an absent key satisfies a negated operator":  {"StringNotEquals", iam.Values{"a"}, absent, yes},
		"an absent key satisfies IfExists":            {"StringEqualsIfExists", iam.Values{"a"}, absent, yes},
		"a key that is there has to match IfExists":   {"StringEqualsIfExists", iam.Values{"a"}, is("b"), no},
		"an unknown key may be there":                 {"StringEquals", iam.Values{"a"}, unknown, unsure},
		"an unknown key may match a negated operator": {"StringNotEquals", iam.Values{"a"}, unknown, unsure},
		"an unknown key may be null":                  {"Null", iam.Values{"true"}, unknown, unsure},
		"many values without a qualifier":             {"StringEquals", iam.Values{"a"}, has("a", "b"), unsure},
		"a list of one value without a qualifier":     {"StringEquals", iam.Values{"a"}, has("a"), unsure},
		"a list, negated, without a qualifier":        {"StringNotEquals", iam.Values{"a"}, has("b"), unsure},
		"one value with a qualifier":                  {"ForAnyValue:StringEquals", iam.Values{"a"}, is("a"), yes},
		"all values match":                            {"ForAllValues:StringEquals", iam.Values{"a", "b"}, has("a", "b"), yes},
		"one value of all does not match":             {"ForAllValues:StringEquals", iam.Values{"a", "b"}, has("a", "c"), no},
		"no values are all values":                    {"ForAllValues:StringEquals", iam.Values{"a"}, absent, yes},
		"an empty value is no value":                  {"ForAllValues:StringEquals", iam.Values{"a"}, has(""), yes},
		"all values differ":                           {"ForAllValues:StringNotEquals", iam.Values{"a"}, has("b", "c"), yes},
		"any value matches":                           {"ForAnyValue:StringLike", iam.Values{"a*"}, has("x", "ab"), yes},
		"no value matches":                            {"ForAnyValue:StringLike", iam.Values{"a*"}, has("x", "y"), no},
		"of no values none matches":                   {"ForAnyValue:StringLike", iam.Values{"a*"}, absent, no},
		"of no values none differs":                   {"ForAnyValue:StringNotEquals", iam.Values{"a"}, absent, no},
		"of no values, with both qualifiers":          {"ForAnyValue:StringEqualsIfExists", iam.Values{"a"}, absent, unsure},
		"Null true asks for an absent key":            {"Null", iam.Values{"true"}, absent, yes},
		"Null true refuses a key that is there":       {"Null", iam.Values{"true"}, has("a", "b"), no},
		"Null false asks for a key":                   {"Null", iam.Values{"false"}, has("a"), yes},
		"Null of both holds":                          {"Null", iam.Values{"true", "false"}, has("a"), yes},
		"Null of something else":                      {"Null", iam.Values{"maybe"}, absent, unsure},
		"Null has no IfExists":                        {"NullIfExists", iam.Values{"true"}, absent, unsure},
		"a key without values":                        {"StringEquals", iam.Values{}, is("a"), unsure},
	} {
		t.Run(name, func(t *testing.T) {
			if got := asked(t, tt.operator, "test:key", tt.values, tt.request); got != tt.answer {
				t.Errorf("%s %q: %s, want %s", tt.operator, tt.values, got, tt.answer)
			}
		})
	}
}

// AWS's keys have no case, and a tag key matches one of two that differ in case, "but
// not both". Go's maps have a case, and an order of their own.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requesttag
func TestOfKeysThatDifferOnlyInCaseNoneIsBelieved(t *testing.T) {
	context := func(keys ...string) map[string]string {
		c := map[string]string{}
		for i, k := range keys {
			c[k] = string(rune('a' + i))
		}
		return c
	}
	for name, tt := range map[string]struct {
		key, value string
		request    iam.Request
		answer     string
	}{
		"a key in another case":                  {"AWS:sourceACCOUNT", "a", iam.Request{Context: context("aws:SourceAccount")}, yes},
		"a key twice":                            {"aws:SourceAccount", "a", iam.Request{Context: context("aws:SourceAccount", "AWS:SourceAccount")}, unsure},
		"a key twice, and neither has it":        {"aws:SourceAccount", "c", iam.Request{Context: context("aws:SourceAccount", "AWS:SourceAccount")}, unsure},
		"a tag in another case":                  {"aws:PrincipalTag/TEAM", "a", iam.Request{Context: context("aws:principaltag/team")}, yes},
		"a tag twice":                            {"aws:PrincipalTag/team", "a", iam.Request{Context: context("aws:PrincipalTag/Team", "aws:PrincipalTag/team")}, unsure},
		"a value and a list":                     {"aws:TagKeys", "a", iam.Request{Context: context("aws:TagKeys"), Lists: map[string]iam.Values{"aws:tagkeys": {"b"}}}, unsure},
		"a value and a list that is empty":       {"aws:TagKeys", "a", iam.Request{Context: context("aws:TagKeys"), Lists: map[string]iam.Values{"aws:tagkeys": {}}}, unsure},
		"two lists":                              {"aws:TagKeys", "a", iam.Request{Lists: map[string]iam.Values{"aws:TagKeys": {"a"}, "aws:tagkeys": {"b"}}}, unsure},
		"a list, which needs a qualifier":        {"aws:TAGkeys", "a", iam.Request{Lists: map[string]iam.Values{"aws:tagkeys": {"a"}}}, unsure},
		"a list as a variable":                   {"s3:prefix", "${aws:TagKeys}", iam.Request{Context: map[string]string{"s3:prefix": "a"}, Lists: map[string]iam.Values{"aws:TagKeys": {"a"}}}, unsure},
		"a long s is not an s":                   {"aws:SourceAccount", "a", iam.Request{Context: context("awſ:SourceAccount")}, unsure},
		"letters that are not of ASCII":          {"aws:PrincipalTag/größe", "a", iam.Request{Context: context("aws:PrincipalTag/GRÖßE")}, unsure},
		"the caller's account":                   {"AWS:PrincipalAccount", "111111111111", iam.Request{Principal: role}, yes},
		"the caller's account, said again":       {"aws:PrincipalAccount", "111111111111", iam.Request{Principal: role, Context: map[string]string{"aws:principalaccount": "111111111111"}}, yes},
		"the caller's account, contradicted":     {"aws:PrincipalAccount", "111111111111", iam.Request{Principal: role, Context: map[string]string{"aws:principalaccount": "2"}}, unsure},
		"a variable in another case":             {"s3:prefix", "${AWS:principaltag/Team}", iam.Request{Context: map[string]string{"s3:prefix": "x", "aws:PrincipalTag/team": "x"}}, yes},
		"a variable that is there twice":         {"s3:prefix", "${aws:PrincipalTag/team}", iam.Request{Context: map[string]string{"s3:prefix": "x", "aws:PrincipalTag/team": "x", "aws:PrincipalTag/Team": "y"}}, unsure},
		"an unknown key that is there twice":     {"aws:SourceVpc", "a", iam.Request{Unknown: []string{"AWS:*"}, Context: context("aws:SourceVpc", "AWS:SourceVpc")}, unsure},
		"an unknown key that is there after all": {"aws:SourceVpc", "a", iam.Request{Unknown: []string{"AWS:*"}, Context: context("aws:sourcevpc")}, yes},
	} {
		t.Run(name, func(t *testing.T) {
			for range 10 { // maps have an order of their own
				if got := asked(t, "StringEquals", tt.key, iam.Values{tt.value}, tt.request); got != tt.answer {
					t.Fatalf("%s = %s: %s, want %s", tt.key, tt.value, got, tt.answer)
				}
			}
		})
	}
	t.Run("in a condition, of keys", func(t *testing.T) {
		r := iam.Request{Action: "a:B", Resource: "*", Context: context("aws:SourceAccount")}
		for _, c := range []iam.Condition{
			{"StringEquals": {"aws:SourceAccount": {"a"}, "aws:sourceAccount": {"a"}}},
			{"StringEquals": {"aws:SourceAccount": {"a"}}, "STRINGEQUALS": {"aws:SourceAccount": {"a"}}},
			{"Bool": {"aws:SecureTransport": {"false"}}, "BOOL": {"aws:SecureTransport": {"false"}}},
		} {
			doc := iam.New(iam.Statement{Effect: iam.Deny, Action: iam.Values{"*"}, Resource: iam.Values{"*"}, Condition: c})
			if got := doc.Evaluate(r); got == iam.Denied || got == iam.Allowed {
				t.Errorf("%v: %s", c, got)
			}
		}
	})
}

func TestAConditionWithoutKeysIsUndecided(t *testing.T) {
	doc := iam.New(iam.Statement{Effect: iam.Deny, Action: iam.Values{"*"}, Resource: iam.Values{"*"}, Condition: iam.Condition{"Bool": {}}})
	if got := doc.Evaluate(iam.Request{Action: "a:B", Resource: "*"}); got != iam.Undecided {
		t.Errorf("Evaluate: %s, want undecided", got)
	}
}

func TestAVariableIsComparedWhereAWSTakesOne(t *testing.T) {
	r := iam.Request{Principal: role, Context: map[string]string{"test:key": "111111111111", "test:number": "7", "test:arn": role}}
	for name, tt := range map[string]struct {
		operator, key, value, answer string
	}{
		"text":                    {"StringEquals", "test:key", "${aws:PrincipalAccount}", yes},
		"a pattern":               {"StringLike", "test:key", "${ aws:principalaccount }*", yes},
		"an ARN":                  {"ArnEquals", "test:arn", "arn:aws:iam::${aws:PrincipalAccount}:role/app", yes},
		"not a number":            {"NumericEquals", "test:number", "${test:number}", unsure},
		"one that is absent":      {"StringEquals", "test:key", "${aws:username}", no},
		"one absent and negated":  {"StringNotEquals", "test:key", "${aws:username}", yes},
		"one absent with another": {"StringEquals", "test:key", "${aws:username, '111111111111'}", yes},
	} {
		t.Run(name, func(t *testing.T) {
			if got := asked(t, tt.operator, tt.key, iam.Values{tt.value}, r); got != tt.answer {
				t.Errorf("%s: %s, want %s", tt.value, got, tt.answer)
			}
		})
	}
}

func TestEveryOperatorHasANameOfAWSs(t *testing.T) {
	bases := strings.FieldsSeq(`StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike
		NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals
		DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals
		Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnLike ArnNotEquals ArnNotLike`)
	for base := range bases {
		for _, name := range []string{base, base + "IfExists", "ForAllValues:" + base, "ForAnyValue:" + base + "IfExists"} {
			if !iam.IsOperator(name) {
				t.Errorf("%s is not known", name)
			}
		}
	}
	for _, name := range []string{"", "Null:", "NullIfExists", "ForAllValues:Null", "ForAllValues:ForAnyValue:Bool", "BinaryNotEquals", "NotBool"} {
		if iam.IsOperator(name) {
			t.Errorf("%q is known", name)
		}
	}
}
