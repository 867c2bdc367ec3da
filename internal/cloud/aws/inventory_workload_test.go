package aws

import (
	"testing"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

func TestWhatAControllerMadeIsTheWorkloads(t *testing.T) {
	tests := map[string]struct {
		item cloud.Item
		want bool
	}{
		"a claim's volume":                       {cloud.Item{Type: awstype.EBSVolume, Tags: map[string]string{"ebs.csi.aws.com/cluster": "true"}}, true},
		"a service's load balancer":              {cloud.Item{Type: "aws:lb/loadBalancer:LoadBalancer", Tags: map[string]string{"elbv2.k8s.aws/cluster": "freehold-acme"}}, true},
		"a group that a controller owns":         {cloud.Item{Type: "aws:ec2/securityGroup:SecurityGroup", Tags: map[string]string{"kubernetes.io/cluster/freehold-acme": "owned"}}, true},
		"a subnet that is only shared with them": {cloud.Item{Type: "aws:ec2/subnet:Subnet", Tags: map[string]string{"kubernetes.io/cluster/freehold-acme": "owned"}}, false},
		"a volume that somebody made":            {cloud.Item{Type: awstype.EBSVolume, Tags: map[string]string{"Name": "data"}}, false},
		"a group that they only use":             {cloud.Item{Type: "aws:ec2/securityGroup:SecurityGroup", Tags: map[string]string{"kubernetes.io/cluster/freehold-acme": "shared"}}, false},
		"a role that is tagged as theirs":        {cloud.Item{Type: "aws:iam/role:Role", Tags: map[string]string{"elbv2.k8s.aws/cluster": "freehold-acme"}}, false},
		"a node's volume, which AWS removes":     {cloud.Item{Type: awstype.EBSVolume, ByCloud: true, Tags: map[string]string{"ebs.csi.aws.com/cluster": "true"}}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ofWorkload(tt.item); got != tt.want {
				t.Errorf("ofWorkload: %t, want %t", got, tt.want)
			}
		})
	}
}
