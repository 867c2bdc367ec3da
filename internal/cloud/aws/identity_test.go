package aws

import (
	"strings"
	"testing"
)

func TestIdentityIsThePrincipalThatPoliciesName(t *testing.T) {
	role := func(arn string) string {
		return "<GetRoleResponse><GetRoleResult><Role><Arn>" + arn + "</Arn></Role></GetRoleResult></GetRoleResponse>"
	}
	tests := map[string]struct {
		answers answers
		want    string // its ARN
		refused string // or what the error says
	}{
		"a role's session is the role, with its path": {
			answers: answers{
				"GetCallerIdentity": caller("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ops_1/ada"),
				"GetRole":           role("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_ops_1"),
			},
			want: "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_ops_1",
		},
		"a user is itself": {
			answers: answers{"GetCallerIdentity": caller("arn:aws:iam::111122223333:user/ops/ada")},
			want:    "arn:aws:iam::111122223333:user/ops/ada",
		},
		"the root user is refused": {
			answers: answers{"GetCallerIdentity": caller("arn:aws:iam::111122223333:root")}, refused: "root user",
		},
		"a federated user, whom no trust policy can name for long, is refused": {
			answers: answers{"GetCallerIdentity": caller("arn:aws:sts::111122223333:federated-user/ada")}, refused: "neither a role nor a user",
		},
		"a role that may not read itself is told which permission it lacks": {
			answers: answers{
				"GetCallerIdentity": caller("arn:aws:sts::111122223333:assumed-role/ops/ada"), "GetRole": "403 AccessDenied",
			},
			refused: "iam:GetRole ops",
		},
		"credentials that AWS does not take are told with AWS's words": {
			answers: answers{"GetCallerIdentity": "403 ExpiredToken"}, refused: "ExpiredToken",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := tt.answers.cloud(t)
			got, err := c.Identity(t.Context())
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("Identity: %v, %v; want an error that says %q", got, err, tt.refused)
				}
				return
			}
			if err != nil || got.ARN != tt.want || got.AccountID != "111122223333" {
				t.Errorf("Identity: %+v, %v; want %s", got, err, tt.want)
			}
		})
	}
}
