package iam

import (
	"slices"
	"strings"
	"testing"
)

func TestTheListOfSharingSaysOfEveryActionHow(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Sharing() {
		service, name, ok := strings.Cut(s.Action, ":")
		if !ok || service == "" || name == "" || strings.HasPrefix(name, "*") {
			t.Errorf("%q is no action of a service", s.Action)
		}
		if seen[s.Action] {
			t.Errorf("%s is there twice", s.Action)
		}
		seen[s.Action] = true
		if !strings.HasPrefix(s.Page, "https://docs.aws.amazon.com/service-authorization/latest/reference/list_") {
			t.Errorf("%s has no page of AWS's: %q", s.Action, s.Page)
		}
	}
	for _, action := range []string{
		"rds:ModifyDB*SnapshotAttribute", "lambda:AddPermission", "lambda:AddLayerVersionPermission", "ssm:ModifyDocumentPermission",
		"redshift:Authorize*", "logs:PutSubscriptionFilter", "events:PutPermission", "s3:PutBucketPolicy", "ecr:SetRepositoryPolicy",
		"sqs:SetQueueAttributes", "secretsmanager:PutResourcePolicy", "dynamodb:PutResourcePolicy", "ram:AcceptResourceShareInvitation",
	} {
		if !seen[action] {
			t.Errorf("%s is missing", action)
		}
	}
}

func TestAListOfSharingIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"with a way that is none":         "s3 list_amazons3\n\tsomehow: PutBucketPolicy\n",
		"with actions of no service":      "\tpolicy: PutBucketPolicy\n",
		"with a line without actions":     "s3 list_amazons3\n\tpolicy\n",
		"with a service without its page": "s3\n\tpolicy: PutBucketPolicy\n",
		"with words of no meaning":        "s3 list_amazons3\n\tpolicy often: PutBucketPolicy\n",
	} {
		t.Run(name, func(t *testing.T) {
			if list, err := readShares(text); err == nil {
				t.Errorf("read as %v", list)
			}
		})
	}
}

func TestPatternsOverlap(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"s3:PutObject", "s3:putobject", true},
		{"s3:Put*", "s3:*Policy", true},
		{"s3:Put*", "s3:Get*", false},
		{"s3:PutObject", "s3:PutObjectAcl", false},
		{"s3:PutObject?cl", "s3:PutObject*", true},
		{"kinesis:*", "kinesis:PutResourcePolicy", true},
		{"kinesis:*", "kinesisvideo:PutMedia", false},
		{"ec2:*Volume*", "ec2:ModifySnapshotAttribute", false},
		{"*", "", true},
		{"", "", true},
		{"a", "", false},
	} {
		for _, pair := range [][2]string{{tt.a, tt.b}, {tt.b, tt.a}} {
			if got := Overlap(pair[0], pair[1]); got != tt.want {
				t.Errorf("Overlap(%q, %q) = %t", pair[0], pair[1], got)
			}
		}
	}
}

func TestTheFencesAreMadeOfTheWholeList(t *testing.T) {
	var denied []string
	for _, s := range append(NoSharingWhen(), NoSharing(), NoSharingByHand()) {
		denied = append(denied, s.Action...)
	}
	for _, s := range Sharing() {
		if s.Needed != ByTheStack && !slices.Contains(denied, s.Action) {
			t.Errorf("no fence denies %s", s.Action)
		}
	}
}
