package network_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/components/network"
)

func args(nat network.NAT) network.Args {
	return network.Args{
		Name:      "acme",
		AccountID: componenttest.Account,
		Region:    componenttest.Region,
		CIDR:      "10.0.0.0/16",
		Zones: []network.Zone{
			{Name: "eu-central-1a", PrivateCIDR: "10.0.0.0/19", PublicCIDR: "10.0.96.0/24"},
			{Name: "eu-central-1b", PrivateCIDR: "10.0.32.0/19", PublicCIDR: "10.0.97.0/24"},
			{Name: "eu-central-1c", PrivateCIDR: "10.0.64.0/19", PublicCIDR: "10.0.98.0/24"},
		},
		NAT:                  nat,
		FlowLogGroup:         "/freehold/acme/flows",
		FlowLogRole:          "freehold-acme-flows",
		FlowLogRetentionDays: 365,
		LogKeyARN:            "arn:aws:kms:eu-central-1:210987654321:key/log",
		BoundaryARN:          "arn:aws:iam::210987654321:policy/freehold-acme-boundary",
		Tags: map[string]string{
			"freehold.dev/org": "acme", "freehold.dev/layer": "cluster", "freehold.dev/managed-by": "freehold", "team": "core",
		},
	}
}

// program makes the network and something that stands for a node.
func program(a network.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		p, err := aws.NewProvider(ctx, "org", &aws.ProviderArgs{Region: pulumi.String(a.Region)})
		if err != nil {
			return err
		}
		n, err := network.New(ctx, "network", a, pulumi.Providers(p))
		if err != nil {
			return err
		}
		var node stand
		return ctx.RegisterResource("test:index:Node", "node", pulumi.Map{"subnetIds": n.NodeSubnetIDs}, &node)
	}
}

type stand struct{ pulumi.CustomResourceState }

func TestInventoryOfEachNATMode(t *testing.T) {
	for _, nat := range []network.NAT{network.NATOne, network.NATPerZone, network.NATNone} {
		t.Run(string(nat), func(t *testing.T) {
			made := componenttest.Record(t, program(args(nat))).Resources
			made = slices.DeleteFunc(made, func(r componenttest.Resource) bool { return r.Name == "node" })
			componenttest.Golden(t, "nat-"+string(nat)+".json", made)
		})
	}
}

func TestNoSubnetGivesOutPublicAddresses(t *testing.T) {
	for _, s := range componenttest.Record(t, program(args(network.NATPerZone))).Of("aws:ec2/subnet:Subnet") {
		if s.Inputs["mapPublicIpOnLaunch"] != false {
			t.Errorf("%s: mapPublicIpOnLaunch is %v", s.Name, s.Inputs["mapPublicIpOnLaunch"])
		}
	}
}

func TestPrivateSubnetsHaveNoRouteToTheInternetGateway(t *testing.T) {
	r := componenttest.Record(t, program(args(network.NATPerZone)))
	public := map[any]bool{}
	for _, route := range r.Of("aws:ec2/route:Route") {
		if route.Inputs["gatewayId"] != nil {
			public[route.Inputs["routeTableId"]] = true
		}
	}
	if len(public) != 3 {
		t.Fatalf("%d route tables lead to the internet gateway, want the 3 public ones", len(public))
	}
	for _, a := range r.Of("aws:ec2/routeTableAssociation:RouteTableAssociation") {
		private := strings.HasPrefix(a.Name, "network-private-")
		if private == public[a.Inputs["routeTableId"]] {
			t.Errorf("%s: leads to the internet gateway: %v", a.Name, !private)
		}
	}
}

func TestWithoutNATThereIsNoWayToTheInternet(t *testing.T) {
	r := componenttest.Record(t, program(args(network.NATNone)))
	for _, typ := range []string{
		"aws:ec2/internetGateway:InternetGateway", "aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip", "aws:ec2/route:Route",
	} {
		if found := r.Of(typ); len(found) > 0 {
			t.Errorf("%s was made", found[0].Name)
		}
	}
	if got := len(r.Of("aws:ec2/subnet:Subnet")); got != 3 {
		t.Errorf("%d subnets, want the 3 private ones", got)
	}
	group := r.One(t, "aws:ec2/securityGroup:SecurityGroup", "network-endpoints")
	want := []any{map[string]any{
		"description": "TLS from the VPC", "protocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrBlocks": []any{"10.0.0.0/16"},
	}}
	if diff := cmp.Diff(want, group.Inputs["ingress"]); diff != "" {
		t.Errorf("what reaches the endpoints (-want +got):\n%s", diff)
	}
	for _, e := range r.Of("aws:ec2/vpcEndpoint:VpcEndpoint") {
		if e.Inputs["vpcEndpointType"] != "Interface" {
			continue
		}
		if diff := cmp.Diff([]any{group.ID}, e.Inputs["securityGroupIds"]); diff != "" {
			t.Errorf("%s: groups (-want +got):\n%s", e.Name, diff)
		}
		if e.Inputs["privateDnsEnabled"] != true {
			t.Errorf("%s does not answer under the service's own name", e.Name)
		}
	}
}

func TestTheDefaultSecurityGroupHasNoRules(t *testing.T) {
	g := componenttest.Record(t, program(args(network.NATOne))).One(t, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "network-default")
	for _, way := range []string{"ingress", "egress"} {
		// Given and empty: left out, a rule that is added is not drift.
		if rules, given := g.Inputs[way].([]any); !given || len(rules) > 0 {
			t.Errorf("%s rules: %v, want an empty list", way, g.Inputs[way])
		}
	}
}

func TestEveryFlowIsLoggedEncryptedAndForATime(t *testing.T) {
	r := componenttest.Record(t, program(args(network.NATOne)))
	group := r.One(t, "aws:cloudwatch/logGroup:LogGroup", "network-flows")
	if group.Inputs["kmsKeyId"] != "arn:aws:kms:eu-central-1:210987654321:key/log" || group.Inputs["retentionInDays"] != 365.0 {
		t.Errorf("log group: %v", group.Inputs)
	}
	flows := r.One(t, "aws:ec2/flowLog:FlowLog", "network-flows")
	if flows.Inputs["trafficType"] != "ALL" || flows.Inputs["vpcId"] != "vpc-network" {
		t.Errorf("flow log: %v", flows.Inputs)
	}
	role := r.One(t, "aws:iam/role:Role", "network-flows")
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},` +
		`"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"210987654321"}}}]}`
	if diff := cmp.Diff(trust, role.Inputs["assumeRolePolicy"]); diff != "" {
		t.Errorf("trust (-want +got):\n%s", diff)
	}
}

func TestEveryRoleCarriesTheBoundary(t *testing.T) {
	for _, role := range componenttest.Record(t, program(args(network.NATOne))).Of("aws:iam/role:Role") {
		if role.Inputs["permissionsBoundary"] != "arn:aws:iam::210987654321:policy/freehold-acme-boundary" {
			t.Errorf("%s: boundary %v", role.Name, role.Inputs["permissionsBoundary"])
		}
	}
}

func TestEverythingThatTakesTagsHasThem(t *testing.T) {
	for _, nat := range []network.NAT{network.NATPerZone, network.NATNone} {
		for _, res := range componenttest.Record(t, program(args(nat))).Resources {
			if !componenttest.Taggable(res.Type) {
				continue
			}
			tags, _ := res.Inputs["tags"].(map[string]any)
			for key, want := range args(nat).Tags {
				if tags[key] != want {
					t.Errorf("%s %s: tag %s is %v", res.Type, res.Name, key, tags[key])
				}
			}
			if tags["Name"] == nil {
				t.Errorf("%s %s has no Name", res.Type, res.Name)
			}
		}
	}
}

func TestANodeWaitsForItsWayOut(t *testing.T) {
	for _, c := range []struct {
		nat  network.NAT
		want []string
	}{
		{network.NATOne, []string{"network-out-eu-central-1a", "network-private-eu-central-1c", "network-s3"}},
		{network.NATNone, []string{"network-ecr.dkr", "network-eks", "network-private-eu-central-1a", "network-sts"}},
	} {
		node := componenttest.Record(t, program(args(c.nat))).One(t, "test:index:Node", "node")
		for _, name := range c.want {
			if !slices.Contains(node.DependsOn, name) {
				t.Errorf("NAT %s: the node does not wait for %s but for %v", c.nat, name, node.DependsOn)
			}
		}
	}
}

func TestChangingTheNATModeMovesNoPrivateSubnet(t *testing.T) {
	private := func(nat network.NAT) []componenttest.Resource {
		r := componenttest.Record(t, program(args(nat)))
		return slices.DeleteFunc(append(r.Of("aws:ec2/subnet:Subnet"), r.Of("aws:ec2/routeTableAssociation:RouteTableAssociation")...),
			func(r componenttest.Resource) bool { return !strings.HasPrefix(r.Name, "network-private-") })
	}
	want := private(network.NATOne)
	for _, nat := range []network.NAT{network.NATPerZone, network.NATNone} {
		if diff := cmp.Diff(want, private(nat)); diff != "" {
			t.Errorf("NAT one and %s differ:\n%s", nat, diff)
		}
	}
}

func TestArgsThatMakeNoNetworkAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*network.Args)
		want   string
	}{
		"one zone only":                {func(a *network.Args) { a.Zones = a.Zones[:1] }, "two zones"},
		"a NAT mode that is unknown":   {func(a *network.Args) { a.NAT = "two" }, `NAT "two"`},
		"a gateway without its subnet": {func(a *network.Args) { a.Zones[1].PublicCIDR = "" }, "eu-central-1b has no public range"},
	} {
		t.Run(name, func(t *testing.T) {
			a := args(network.NATOne)
			c.change(&a)
			_, err := componenttest.Run(program(a))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New: %v, want %q", err, c.want)
			}
		})
	}
}
