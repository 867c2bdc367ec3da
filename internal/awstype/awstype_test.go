package awstype

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachRowSaysAllThatItMust(t *testing.T) {
	seen := map[string]string{}
	for _, r := range All() {
		if seen[r.Token] != "" {
			t.Errorf("%s has two rows", r.Token)
		}
		seen[r.Token] = r.Token
		for _, kind := range r.Kinds {
			if seen[kind] != "" {
				t.Errorf("%s: the ARNs of %s are those of %s", r.Token, kind, seen[kind])
			}
			seen[kind] = r.Token
		}
		made := r.Foreign == ""
		for what, wrong := range map[string]bool{
			"the token is not one of Pulumi's":                            !strings.HasPrefix(r.Token, "aws:") || strings.Count(r.Token, ":") != 2,
			"Source is not a page of AWS's":                               !strings.HasPrefix(r.Source, "https://docs.aws.amazon.com/"),
			"Service is missing":                                          r.Service == "",
			"a stack makes it, and no action does":                        made && len(r.Make) == 0,
			"no action reads it":                                          made && len(r.Read) == 0,
			"no action removes it, and nothing takes it along":            made && len(r.Delete) == 0 && r.PartOf == "",
			"nothing finds it again, and a second creation would fail":    made && r.Find == "" && !r.Overwrites,
			"it is found, and By does not say by what":                    r.Find != "" && len(r.By) == 0 && !slices.Equal(r.Slot, []string{perAccount}),
			"it is neither listed, nor does Unlisted say why":             (r.List == "") != (r.Unlisted != ""),
			"it is listed, and Look does not say by which actions":        r.List != "" && r.List != Tagged && len(r.Look) == 0,
			"it is removed, and Delete does not say by which actions":     r.Remove != "" && len(r.Delete) == 0,
			"a stack makes it, an inventory shows it, nothing removes it": made && r.List != "" && r.Remove == "",
			"it overwrites, and Slot does not say what":                   r.Overwrites && len(r.Slot) == 0,
			"an ignored property has no reason":                           slices.ContainsFunc(r.Ignore, func(p Property) bool { return p.Name == "" || p.Why == "" }),
		} {
			if wrong {
				t.Errorf("%s: %s", r.Token, what)
			}
		}
		for _, action := range slices.Concat(r.Make, r.Read, r.Delete, r.Look) {
			if service, name, _ := strings.Cut(action, ":"); service == "" || name == "" || strings.ContainsAny(name, "*?") {
				t.Errorf("%s: %q is not one action", r.Token, action)
			}
		}
		for _, token := range slices.DeleteFunc(append(slices.Clone(r.Uses), r.PartOf), func(token string) bool { return token == "" }) {
			if _, known := Of(token); !known {
				t.Errorf("%s uses or is part of %s, which has no row", r.Token, token)
			}
		}
	}
}

func TestSlotsSayWhatIsInTheWayOfACreation(t *testing.T) {
	type m = map[string]any
	tests := map[string]struct {
		token  string
		inputs m
		want   string
		ok     bool
	}{
		"a cluster's identity provider":      {EKSIdentityProviderConfig, m{"clusterName": "acme", "oidc": m{"identityProviderConfigName": "x"}}, EKSIdentityProviderConfig + " acme", true},
		"a service account's identity":       {EKSPodIdentityAssociation, m{"clusterName": "acme", "namespace": "shop", "serviceAccount": "app"}, EKSPodIdentityAssociation + " acme shop app", true},
		"one of a cluster not known yet":     {EKSPodIdentityAssociation, m{"namespace": "shop", "serviceAccount": "app"}, "", false},
		"a setting, which is overwritten":    {IAMPasswordPolicy, nil, "", false},
		"a bucket's policy, likewise":        {S3BucketPolicy, m{"bucket": "b"}, "", false},
		"a network's log of the same":        {EC2FlowLog, m{"vpcId": "vpc-1", "logDestination": "arn:aws:logs:r:1:log-group:g", "trafficType": "ALL"}, EC2FlowLog + " vpc-1 arn:aws:logs:r:1:log-group:g ALL", true},
		"a log group with its streams":       {EC2FlowLog, m{"subnetId": "subnet-1", "logDestination": "arn:aws:logs:r:1:log-group:g:*", "trafficType": "ALL"}, EC2FlowLog + " subnet-1 arn:aws:logs:r:1:log-group:g ALL", true},
		"a role, of which there can be many": {IAMRole, m{"name": "r"}, "", false},
		"a type without a row":               {"aws:x/y:Y", m{"name": "r"}, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, ok := Slot(tt.token, tt.inputs); got != tt.want || ok != tt.ok {
				t.Errorf("got %q, %t; want %q, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestNothingIsLookedForByHalfAName(t *testing.T) {
	type m = map[string]any
	tags := m{"Name": "n", "freehold.dev/org": "acme", "freehold.dev/layer": "cluster"}
	tests := map[string]struct {
		token  string
		inputs m
		want   bool
	}{
		"both names":                         {EKSAddon, m{"clusterName": "acme", "addonName": "coredns"}, true},
		"one of two":                         {EKSAddon, m{"clusterName": "acme"}, false},
		"a name that is not known yet":       {IAMRole, m{"name": nil}, false},
		"the tags of the identity":           {EC2VPC, m{"tags": tags}, true},
		"tags without the org":               {EC2VPC, m{"tags": m{"Name": "n", "freehold.dev/layer": "cluster"}}, false},
		"tags that are not known yet":        {EC2VPC, m{"tags": "unknown"}, false},
		"an address in the place of tags":    {EC2NATGateway, m{"allocationId": "eipalloc-1"}, true},
		"tags in the place of an address":    {EC2NATGateway, m{"tags": tags}, true},
		"neither tags nor an address":        {EC2NATGateway, m{"subnetId": "subnet-1"}, false},
		"a name inside":                      {EKSIdentityProviderConfig, m{"clusterName": "acme", "oidc": m{"identityProviderConfigName": "x"}}, true},
		"no name inside":                     {EKSIdentityProviderConfig, m{"clusterName": "acme", "oidc": m{}}, false},
		"a setting, which an account has":    {IAMPasswordPolicy, nil, true},
		"a route to a prefix list":           {EC2Route, m{"routeTableId": "rtb-1", "destinationPrefixListId": "pl-1"}, true},
		"a route that says nothing of where": {EC2Route, m{"routeTableId": "rtb-1"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, _ := Of(tt.token)
			if got := r.Identified(tt.inputs); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

func TestARNsHaveTheRowOfTheirType(t *testing.T) {
	tests := map[string]struct{ service, resource, want string }{
		"a cluster":                      {"eks", "cluster/acme", EKSCluster},
		"a log group":                    {"logs", "log-group:/aws/eks/acme/cluster", CloudWatchLogGroup},
		"a bucket":                       {"s3", "freehold-acme-data", S3Bucket},
		"an access point":                {"s3", "accesspoint/x", S3Bucket},
		"a load balancer":                {"elasticloadbalancing", "loadbalancer/net/x/0123", LoadBalancer},
		"a classic load balancer":        {"elasticloadbalancing", "loadbalancer/x", ClassicLoadBalancer},
		"a queue, which is a name alone": {"sqs", "jobs", "aws:sqs/queue:Queue"},
		"a topic's subscription":         {"sns", "topic:0123", ""},
		"nothing that has a row":         {"glue", "table/x", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if r, _ := OfARN(tt.service, tt.resource); r.Token != tt.want {
				t.Errorf("got %q, want %q", r.Token, tt.want)
			}
		})
	}
}

func TestWhatUsesAnotherIsRemovedBeforeIt(t *testing.T) {
	order := Lists()
	at := func(list string) int { return slices.Index(order, list) }
	for _, r := range All() {
		for _, token := range r.Uses {
			used, _ := Of(token)
			if used.List != "" && at(r.List) > at(used.List) {
				t.Errorf("%s, listed in %q, comes after what it uses: %s, in %q", r.Token, r.List, token, used.List)
			}
		}
	}
	if order[0] != Tagged {
		t.Errorf("what no list is for comes first, because nobody knows what it uses; first is %q", order[0])
	}
}

func TestListsThatUseEachOtherAreRefused(t *testing.T) {
	_, err := sorted([]Row{{Token: "a", List: "as", Uses: []string{"b"}}, {Token: "b", List: "bs", Uses: []string{"c"}}, {Token: "c", List: "cs", Uses: []string{"b"}}})
	if err == nil {
		t.Error("b and c use each other, and there is an order")
	}
	got, err := sorted([]Row{{Token: "a", List: "as"}, {Token: "b", List: "bs", Uses: []string{"a"}}, {Token: "c", List: "as"}})
	if diff := cmp.Diff([]string{"bs", "as"}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if _, err := sorted([]Row{{Token: "a", List: "as", Uses: []string{"z"}}}); err == nil {
		t.Error("a uses what has no row, and there is an order")
	}
}
