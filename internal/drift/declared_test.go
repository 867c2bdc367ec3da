package drift_test

import (
	"testing"

	"freehold.dev/freehold/internal/drift"
)

func TestDeclaredKnowsAThingByAllThatItIsKnownBy(t *testing.T) {
	type m = map[string]any
	const (
		rule       = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
		group      = "aws:ec2/securityGroup:SecurityGroup"
		attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	)
	d := drift.Declared{}
	d.Add("aws:ec2/vpc:Vpc", "vpc-1", nil)
	d.Add(attachment, "r-20261125", m{"role": "r", "policyArn": "arn:aws:iam::aws:policy/P"})
	d.Add(group, "sg-closed", m{"ingress": []any{}})
	d.Add(group, "sg-bare", m{"name": "bare"})
	for reason, tc := range map[string]struct {
		item drift.Item
		want bool
	}{
		"a thing of that id":                             {drift.Item{Type: "aws:ec2/vpc:Vpc", ID: "vpc-1"}, true},
		"the same id of another type":                    {drift.Item{Type: "aws:ec2/subnet:Subnet", ID: "vpc-1"}, false},
		"an attachment, by its role and policy":          {drift.Item{Type: attachment, ID: "r/arn:aws:iam::aws:policy/P"}, true},
		"another policy of the role":                     {drift.Item{Type: attachment, ID: "r/arn:aws:iam::aws:policy/Q"}, false},
		"a rule of a group that says its rules":          {drift.Item{Type: rule, ID: "sgr-1", Of: "sg-closed"}, true},
		"a rule of a group that leaves them to others":   {drift.Item{Type: rule, ID: "sgr-2", Of: "sg-bare"}, false},
		"a rule of nobody's group":                       {drift.Item{Type: rule, ID: "sgr-3", Of: "sg-x"}, false},
		"a rule the other way, which the group says not": {drift.Item{Type: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", ID: "sgr-4", Of: "sg-closed"}, false},
	} {
		t.Run(reason, func(t *testing.T) {
			if got := d.Has(tc.item); got != tc.want {
				t.Errorf("Has(%+v): %t, want %t", tc.item, got, tc.want)
			}
		})
	}
}
