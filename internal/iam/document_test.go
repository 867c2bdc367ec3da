package iam_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/iam"
)

func TestADocumentPrintsMinifiedAndInTheSameOrder(t *testing.T) {
	doc := iam.New(
		iam.Statement{
			Sid: "One", Effect: iam.Allow, Principal: iam.Services("a.amazonaws.com", "b.amazonaws.com"),
			Action: iam.Values{"s3:Get*"}, Resource: iam.Values{"arn:aws:s3:::a", "arn:aws:s3:::a/*"},
			Condition: iam.Condition{
				"StringLike":   {"b": {"<&>"}, "a": {"1", "2"}},
				"StringEquals": {"c": {"3"}},
			},
		},
		iam.Statement{Effect: iam.Deny, Principal: iam.Anyone(), NotAction: iam.Values{"iam:*"}, NotResource: iam.Values{"*"}},
		iam.Statement{Effect: iam.Allow, Principal: iam.Principals("arn:aws:iam::1:root"), Action: iam.Values{"sts:AssumeRole"}},
	)
	want := `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"One","Effect":"Allow","Principal":{"Service":["a.amazonaws.com","b.amazonaws.com"]},"Action":"s3:Get*","Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*"],` +
		`"Condition":{"StringEquals":{"c":"3"},"StringLike":{"a":["1","2"],"b":"<&>"}}},` +
		`{"Effect":"Deny","Principal":"*","NotAction":"iam:*","NotResource":"*"},` +
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"sts:AssumeRole"}]}`
	if diff := cmp.Diff(want, doc.String()); diff != "" {
		t.Errorf("String (-want +got):\n%s", diff)
	}
	read, err := iam.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(doc, read); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}
