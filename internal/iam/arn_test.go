package iam_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/iam"
)

func TestAnARNIsTakenApartAndPutTogether(t *testing.T) {
	for text, want := range map[string]iam.ARN{
		"arn:aws:iam::1:role/path/x":                      {Partition: "aws", Service: "iam", Account: "1", Resource: "role/path/x"},
		"arn:aws-cn:s3:::bucket/a:b":                      {Partition: "aws-cn", Service: "s3", Resource: "bucket/a:b"},
		"arn:aws:logs:eu-central-1:1:log-group:/x:*":      {Partition: "aws", Service: "logs", Region: "eu-central-1", Account: "1", Resource: "log-group:/x:*"},
		"arn:aws:states:*:1:execution:machine:name":       {Partition: "aws", Service: "states", Region: "*", Account: "1", Resource: "execution:machine:name"},
		"arn:aws:iam::aws:policy/job-function/ViewOnly":   {Partition: "aws", Service: "iam", Account: "aws", Resource: "policy/job-function/ViewOnly"},
		"arn:aws:sts::1:assumed-role/name/session@a.test": {Partition: "aws", Service: "sts", Account: "1", Resource: "assumed-role/name/session@a.test"},
	} {
		got, err := iam.ParseARN(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", text, err, diff)
		}
		if got.String() != text {
			t.Errorf("String: %s, want %s", got, text)
		}
	}
	for _, text := range []string{"", "*", "arn:*", "arn:aws:iam::1", "ARN:aws:iam::1:role/x", "arm:aws:iam::1:role/x"} {
		if got, err := iam.ParseARN(text); err == nil || iam.AccountIn(text) != "" {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func TestAnARNNamesARoleOrItsSession(t *testing.T) {
	for text, want := range map[string][3]string{
		"arn:aws:iam::1:role/path/x":            {"x", "", ""},
		"arn:aws:sts::1:assumed-role/x/session": {"", "x", "session"},
		"arn:aws:iam::1:user/x":                 {},
		"arn:aws:s3:::role/x":                   {},
	} {
		a, err := iam.ParseARN(text)
		if err != nil {
			t.Fatal(err)
		}
		role, session := a.AssumedRole()
		if got := [3]string{a.Role(), role, session}; got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
