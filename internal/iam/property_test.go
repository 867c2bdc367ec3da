package iam_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"freehold.dev/freehold/internal/iam"
)

func drawValues(t *rapid.T, label string, from ...string) iam.Values {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, 3, rapid.ID).Draw(t, label)
}

func drawPrincipal(t *rapid.T, label string) *iam.Principal {
	if rapid.Bool().Draw(t, label+" is everybody") {
		return iam.Anyone()
	}
	return &iam.Principal{
		AWS:     drawValues(t, label+" AWS", role, other, "111111111111", "arn:aws:iam::111111111111:root", "*", "AROAEXAMPLE"),
		Service: drawValues(t, label+" service", "logs.amazonaws.com", "sns.amazonaws.com"),
	}
}

var (
	drawnOperators = []string{
		"StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringNotEquals", "Bool", "Null",
		"NumericLessThan", "DateGreaterThan", "IpAddress", "NotIpAddress", "ArnLike", "ArnNotEquals", "StringMatches",
	}
	drawnKeys   = []string{"aws:PrincipalAccount", "aws:SourceIp", "aws:TagKeys", "aws:MultiFactorAuthPresent", "s3:max-keys", "aws:PrincipalArn"}
	drawnValues = []string{"", "a", "*", "true", "false", "7", "111111111111", "10.0.0.0/8", "${aws:PrincipalAccount}", "${aws:username}", "2026-01-01", role, "<&>\u20ac\""}
)

func drawCondition(t *rapid.T) iam.Condition {
	var c iam.Condition
	for range rapid.IntRange(0, 3).Draw(t, "conditions") {
		operator := rapid.SampledFrom(drawnOperators).Draw(t, "operator")
		if c == nil {
			c = iam.Condition{}
		}
		if c[operator] == nil {
			c[operator] = map[string]iam.Values{}
		}
		c[operator][rapid.SampledFrom(drawnKeys).Draw(t, "key")] = drawValues(t, "values", drawnValues...)
	}
	return c
}

func drawStatement(t *rapid.T, effect iam.Effect) iam.Statement {
	s := iam.Statement{Effect: effect, Sid: rapid.SampledFrom([]string{"", "One"}).Draw(t, "sid"), Condition: drawCondition(t)}
	actions := drawValues(t, "actions", "*", "s3:*", "S3:Get*", "sts:AssumeRole")
	resources := drawValues(t, "resources", "*", "arn:aws:s3:::?/*", "arn:aws:s3:::b/${aws:username, 'x'}")
	if rapid.Bool().Draw(t, "NotAction") {
		s.NotAction = actions
	} else {
		s.Action = actions
	}
	switch rapid.IntRange(0, 2).Draw(t, "resource") {
	case 0:
		s.NotResource = resources
	case 1:
		s.Resource = resources
	}
	switch rapid.IntRange(0, 3).Draw(t, "principal") {
	case 0:
		s.NotPrincipal = drawPrincipal(t, "not principal")
	case 1:
		s.Principal = drawPrincipal(t, "principal")
	}
	return s
}

func drawDocument(t *rapid.T) iam.Document {
	d := iam.Document{
		Version: rapid.SampledFrom([]string{"", "2008-10-17", "2012-10-17"}).Draw(t, "version"),
		ID:      rapid.SampledFrom([]string{"", "one"}).Draw(t, "id"),
	}
	for range rapid.IntRange(0, 4).Draw(t, "statements") {
		d.Statement = append(d.Statement, drawStatement(t, rapid.SampledFrom([]iam.Effect{iam.Allow, iam.Deny}).Draw(t, "effect")))
	}
	return d
}

func drawRequest(t *rapid.T) iam.Request {
	r := iam.Request{
		Action:   rapid.SampledFrom([]string{"s3:GetObject", "sts:AssumeRole", "iam:GetRole"}).Draw(t, "action"),
		Resource: rapid.SampledFrom([]string{"*", "arn:aws:s3:::b/x", role}).Draw(t, "resource"),
		Context:  map[string]string{},
		Unknown:  drawValues(t, "unknown", drawnKeys...),
	}
	switch rapid.IntRange(0, 2).Draw(t, "caller") {
	case 0:
		r.Principal = rapid.SampledFrom([]string{role, other, "arn:aws:iam::111111111111:root"}).Draw(t, "principal")
	case 1:
		r.Service = "logs.amazonaws.com"
	}
	for _, key := range drawValues(t, "keys", "aws:SourceIp", "aws:MultiFactorAuthPresent", "s3:max-keys", "aws:username") {
		r.Context[key] = rapid.SampledFrom([]string{"", "a", "true", "7", "10.1.1.1"}).Draw(t, key)
	}
	if rapid.Bool().Draw(t, "tags") {
		r.Lists = map[string]iam.Values{"aws:TagKeys": drawValues(t, "tag keys", "a", "b", "")}
	}
	return r
}

func TestPrintingAndReadingADocumentIsAFixedPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := drawDocument(t)
		printed := doc.String()
		read, err := iam.Parse(printed)
		if err != nil {
			t.Fatalf("%s: %v", printed, err)
		}
		if diff := cmp.Diff(printed, read.String()); diff != "" {
			t.Errorf("printed again (-first +second):\n%s", diff)
		}
		again, err := iam.Parse(read.String())
		if diff := cmp.Diff(read, again); diff != "" || err != nil {
			t.Errorf("read again: error %v (-first +second):\n%s", err, diff)
		}
	})
}

func TestADenyThatFitsWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, r := drawDocument(t), drawRequest(t)
		deny := iam.Statement{Effect: iam.Deny, Action: iam.Values{r.Action}, Resource: iam.Values{"*"}}
		at := rapid.IntRange(0, len(doc.Statement)).Draw(t, "at")
		doc.Statement = slices.Insert(doc.Statement, at, deny)
		if got := doc.Evaluate(r); got != iam.Denied {
			t.Errorf("%s answers %+v: %s, want denied", doc, r, got)
		}
	})
}

func TestAddingADenyNeverAllowsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, r := drawDocument(t), drawRequest(t)
		before := doc.Evaluate(r)
		more := doc
		more.Statement = append(slices.Clone(doc.Statement), drawStatement(t, iam.Deny))
		if after := more.Evaluate(r); after == iam.Allowed && before != iam.Allowed || before == iam.Denied && after != iam.Denied {
			t.Errorf("%s answers %+v: %s, and before %s", more, r, after, before)
		}
	})
}

// What is learned of a request may settle an answer, and never turns it round.
func TestKnowingMoreOnlySettlesWhatWasUndecided(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, r := drawDocument(t), drawRequest(t)
		before := doc.Evaluate(r)
		r.Unknown = nil
		if after := doc.Evaluate(r); before != iam.Undecided && after != before {
			t.Errorf("%s: %s while keys were unknown, and %s when they were not", doc, before, after)
		}
	})
}

func TestMatchAgreesWithARegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab€*?]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab€]{0,10}`).Draw(t, "text")
		quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`^(?s:` + quoted + `)$`).MatchString(text)
		if got := iam.Match(pattern, text); got != want {
			t.Errorf("Match(%q, %q) = %v, want %v", pattern, text, got, want)
		}
	})
}
