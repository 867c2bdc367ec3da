package v1alpha1

import (
	"net/netip"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheWaysOutThatLeadToTheNodeItself(t *testing.T) {
	for _, c := range []struct {
		cidr   string
		node   bool
		except []string
	}{
		{"169.254.169.254/32", true, nil},
		{"169.254.169.0/24", true, nil},
		{"169.254.0.0/16", true, nil},
		{"169.254.170.23/32", true, nil},
		{"fd00:ec2::254/128", true, nil},
		{"fd00:ec2::/32", true, nil},
		{"fe80::1/128", true, nil},
		{"::ffff:169.254.169.254/128", true, nil},
		{"169.254.0.0/15", false, []string{"169.254.0.0/16"}},
		{"0.0.0.0/0", false, []string{"169.254.0.0/16"}},
		{"128.0.0.0/1", false, []string{"169.254.0.0/16"}},
		{"::/0", false, []string{"fd00:ec2::/32", "fe80::/10"}},
		{"fc00::/7", false, []string{"fd00:ec2::/32"}},
		{"10.0.0.0/8", false, nil},
		{"0.0.0.0/1", false, nil},
		{"169.253.0.0/16", false, nil},
		{"fd00:ec3::/32", false, nil},
	} {
		if got := OfTheNode(netip.MustParsePrefix(c.cidr)); got != c.node {
			t.Errorf("%s is the node's own: %t", c.cidr, got)
		}
		if c.node {
			continue
		}
		if d := cmp.Diff(c.except, Egress{CIDR: c.cidr}.Except()); d != "" {
			t.Errorf("what %s leaves out (-want +got):\n%s", c.cidr, d)
		}
	}
}

func TestRegistriesThatAreNoFenceUnderEachOfTheirNames(t *testing.T) {
	shared, ofAWS := regexp.MustCompile(SharedRegistryPattern), regexp.MustCompile(AWSRegistryPattern)
	for _, c := range []struct {
		registry    string
		shared, aws bool
	}{
		{"docker.io", true, false},
		{"docker.io/", true, false},
		{"docker.io:443", true, false},
		{"docker.io:0443/", true, false},
		{"index.docker.io/", true, false},
		{"index.docker.io:443/", true, false},
		{"registry-1.docker.io", true, false},
		{"eu.gcr.io/", true, false},
		{"us-docker.pkg.dev", true, false},
		{"docker.io/acme/", false, false},
		{"index.docker.io/library/nginx", false, false},
		{"notdocker.io", false, false},
		{"docker.io.example.com", false, false},
		{"gcr.io/acme", false, false},
		{"210987654321.dkr.ecr.eu-central-1.amazonaws.com", false, true},
		{"210987654321.dkr.ecr.eu-central-1.amazonaws.com:443/team", false, true},
		{"210987654321.dkr-ecr.eu-central-1.on.aws/", false, true},
		{"vpce-0123.dkr.ecr.eu-central-1.vpce.amazonaws.com/", false, true},
		{"amazonaws.com.example.com/", false, false},
		{"registry.example.com/amazonaws.com/", false, false},
		{"public.ecr.aws/docker/library", false, false},
		{"public.ecr.aws", true, false},
	} {
		if got := shared.MatchString(c.registry); got != c.shared {
			t.Errorf("anybody may push to %s: %t", c.registry, got)
		}
		if got := ofAWS.MatchString(c.registry); got != c.aws {
			t.Errorf("%s is an AWS account's: %t", c.registry, got)
		}
	}
}

func TestEveryKindOfObjectIsBoundedWhateverTheDocumentSays(t *testing.T) {
	some := Quota{Pods: 50, Objects: ObjectCounts{ConfigMaps: new(int32(7)), Deployments: new(int32(2)), Jobs: new(int32(3))}}
	counts := some.Counts()
	for _, c := range []struct {
		name string
		want int32
	}{
		{"configmaps", 7},
		{"secrets", 100},
		{"services", 50},
		{"services.loadbalancers", 0},
		{"services.nodeports", 0},
		{"persistentvolumeclaims", 50},
		{"count/deployments.apps", 2},
		{"count/replicasets.apps", 24},
		{"count/statefulsets.apps", 50},
		{"count/jobs.batch", 3},
		{"count/pods", 503},
	} {
		if got := counts[c.name]; got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if got := (Quota{Pods: 2000}).Counts()["configmaps"]; got != 2000 {
		t.Errorf("config maps of a project of 2000 pods: %d", got)
	}
	if fewer := (Quota{}).Counts(); fewer["configmaps"] != 50 || fewer["count/pods"] != 700 {
		t.Errorf("a project without pods: %v", fewer)
	}
}
