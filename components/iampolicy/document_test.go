package iampolicy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/components/iampolicy"
)

func TestADocumentPrintsMinifiedAndInTheSameOrder(t *testing.T) {
	doc := iampolicy.New(
		iampolicy.Statement{
			Sid: "One", Effect: iampolicy.Allow, Principal: iampolicy.Services("a.amazonaws.com", "b.amazonaws.com"),
			Action: iampolicy.Values{"s3:Get*"}, Resource: iampolicy.Values{"arn:aws:s3:::a", "arn:aws:s3:::a/*"},
			Condition: iampolicy.Condition{
				"StringLike":   {"b": {"<&>"}, "a": {"1", "2"}},
				"StringEquals": {"c": {"3"}},
			},
		},
		iampolicy.Statement{Effect: iampolicy.Deny, Principal: iampolicy.Anyone(), NotAction: iampolicy.Values{"iam:*"}, NotResource: iampolicy.Values{"*"}},
		iampolicy.Statement{Effect: iampolicy.Allow, Principal: iampolicy.Principals("arn:aws:iam::1:root"), Action: iampolicy.Values{"sts:AssumeRole"}},
	)
	want := `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"One","Effect":"Allow","Principal":{"Service":["a.amazonaws.com","b.amazonaws.com"]},"Action":"s3:Get*","Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*"],` +
		`"Condition":{"StringEquals":{"c":"3"},"StringLike":{"a":["1","2"],"b":"<&>"}}},` +
		`{"Effect":"Deny","Principal":"*","NotAction":"iam:*","NotResource":"*"},` +
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"sts:AssumeRole"}]}`
	if diff := cmp.Diff(want, doc.String()); diff != "" {
		t.Errorf("String (-want +got):\n%s", diff)
	}
}
