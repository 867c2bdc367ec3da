package dataplane_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

// fields calls see with the path of each field of a spec that has no fields of
// its own, and with what v has there, once for each entry of a list.
func fields(v reflect.Value, path string, see func(path, value string)) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v = reflect.Zero(v.Type().Elem())
		} else {
			v = v.Elem()
		}
	}
	switch {
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[v1alpha1.Quantity]():
		for _, f := range spec.Fields(v.Type()) {
			fields(v.FieldByIndex(f.Index), strings.TrimPrefix(path+"."+spec.FieldName(f), "."), see)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			fields(v.Index(i), path+"[]", see)
		}
		if v.Len() == 0 { // its fields are there all the same
			fields(reflect.Zero(v.Type().Elem()), path+"[]", see)
		}
	case v.Kind() == reflect.Slice, v.Kind() == reflect.Map:
		see(path+"[]", fmt.Sprint(v.Interface()))
	default:
		see(path, fmt.Sprint(v.Interface()))
	}
}

// valuesOf are a spec's values by field.
func valuesOf(s spec.Spec) map[string]string {
	all := map[string]string{}
	fields(reflect.ValueOf(s), "", func(path, value string) { all[path] += value + "\n" })
	return all
}

func TestEveryFieldOfTheSpecSaysHowItIsChanged(t *testing.T) {
	known := valuesOf(spec.Spec{})
	for path := range known {
		c, ok := dataplane.Changes[path]
		if !ok {
			t.Errorf("%s has no row in Changes: say what becomes of what was made when it changes, and refuse the change where AWS would", path)
		}
		if ok && (c.How == "" || c.Why == "") {
			t.Errorf("%s: %+v", path, c)
		}
	}
	for path := range dataplane.Changes {
		if _, ok := known[path]; !ok {
			t.Errorf("Changes has %s, which no spec has", path)
		}
	}
}

// zonesOf is a network of zones that state their ranges.
func zonesOf(cidr string, zones ...string) string {
	for i, z := range zones {
		name, private, _ := strings.Cut(z, "=")
		zones[i] = "{name: eu-west-1" + name
		if private != "" {
			zones[i] += ", privateCidr: " + private
		}
		zones[i] += "}"
	}
	return "network: {cidr: " + cidr + ", zones: [" + strings.Join(zones, ", ") + "]}"
}

func TestAFieldThatCannotChangeIsRefusedOnceItBinds(t *testing.T) {
	const net = "10.0.0.0/16"
	publicIn := func(cidr string) string {
		return "network: {zones: [{name: eu-west-1a, publicCidr: " + cidr + "}, {name: eu-west-1b}]}"
	}
	covered := map[string]bool{}
	for reason, tc := range map[string]struct {
		row      string // of Changes
		was, is  []string
		field    string
		from, to string
	}{
		"another region": {
			"region", []string{region, vended}, []string{"region: eu-central-1", vended}, "region", "eu-west-1", "eu-central-1",
		},
		"another address": {
			"account.email", []string{region, vended}, []string{region, "account: {email: aws+other@example.com}"},
			"account.email", "aws+acme@example.com", "aws+other@example.com",
		},
		"another name": {
			"account.name", []string{region, vended}, []string{region, "account: {email: aws+acme@example.com, name: Acme Inc}"},
			"account.name", "acme", "Acme Inc",
		},
		"another kind of account": {
			"account.mode", []string{region, vended}, []string{region, brought}, "account.mode", "vended", "existing",
		},
		"another role": {
			"account.roleArn", []string{region, brought}, []string{region, strings.Replace(brought, "role/in", "role/way/in", 1)},
			"account.roleArn", "arn:aws:iam::" + account + ":role/in", "arn:aws:iam::" + account + ":role/way/in",
		},
		"another range": {
			"network.cidr", []string{region, vended}, []string{region, vended, "network: {cidr: 10.9.0.0/16}"}, "network.cidr", net, "10.9.0.0/16",
		},
		"a zone less": {
			"network.zones[].name", []string{region, vended}, []string{region, vended, zonesOf(net, "a", "b")},
			"network.zones", "eu-west-1a, eu-west-1b, eu-west-1c", "eu-west-1a, eu-west-1b",
		},
		"a zone more": {
			"network.zones[].name", []string{region, vended, zonesOf(net, "a", "b")}, []string{region, vended},
			"network.zones", "eu-west-1a, eu-west-1b", "eu-west-1a, eu-west-1b, eu-west-1c",
		},
		"another zone": {
			"network.zones[].name", []string{region, vended, zonesOf(net, "a", "b")}, []string{region, vended, zonesOf(net, "a", "c")},
			"network.zones", "eu-west-1a, eu-west-1b", "eu-west-1a, eu-west-1c",
		},
		"a private range that is given later": {
			"network.zones[].privateCidr", []string{region, vended}, []string{region, vended, zonesOf(net, "a", "b=10.0.128.0/19", "c")},
			"network.zones[1].privateCidr", "10.0.32.0/19", "10.0.128.0/19",
		},
		"a private range that is not given any more": {
			"network.zones[].privateCidr", []string{region, vended, zonesOf(net, "a", "b=10.0.128.0/19")}, []string{region, vended, zonesOf(net, "a", "b")},
			"network.zones[1].privateCidr", "10.0.128.0/19", "10.0.32.0/19",
		},
		"an order of zones that moves their ranges": {
			"network.zones[].privateCidr", []string{region, vended, zonesOf(net, "a", "b")}, []string{region, vended, zonesOf(net, "b", "a")},
			"network.zones[0].privateCidr", "10.0.32.0/19", "10.0.0.0/19",
		},
		"another public range": {
			"network.zones[].publicCidr", []string{region, vended, publicIn("10.0.240.0/24")}, []string{region, vended, publicIn("10.0.241.0/24")},
			"network.zones[0].publicCidr", "10.0.240.0/24", "10.0.241.0/24",
		},
	} {
		t.Run(reason, func(t *testing.T) {
			covered[tc.row] = true
			was, is := planOf(t, "acme", tc.was...), planOf(t, "acme", tc.is...)
			if got := dataplane.Admit(facts(of(is), &was)); len(got) > 0 {
				t.Errorf("refused although nothing was made: %+v", got)
			}
			got := dataplane.Admit(facts(whole(is), &was))
			i := slices.IndexFunc(got, func(r dataplane.Refusal) bool { return r.Field == tc.field })
			if i < 0 {
				t.Fatalf("%s is not refused: %+v", tc.field, got)
			}
			if want := fmt.Sprintf("%s cannot change from %q to %q: ", tc.field, tc.from, tc.to); !strings.HasPrefix(got[i].Message, want) || got[i].Next == "" {
				t.Errorf("got %+v\nwant %q", got[i], want)
			}
		})
	}
	for path, c := range dataplane.Changes {
		if c.How == dataplane.Refused && !covered[path] {
			t.Errorf("%s is said to be refused, and no case shows it", path)
		}
	}
}

func TestZonesBindWithTheClusterAndRangesWithTheirSubnets(t *testing.T) {
	const net = "10.0.0.0/16"
	was := planOf(t, "acme", region, vended)
	fewer := planOf(t, "acme", region, vended, zonesOf(net, "a", "b"))
	moved := planOf(t, "acme", region, vended, zonesOf(net, "a", "b=10.0.128.0/19", "c"))
	same := planOf(t, "acme", region, vended, zonesOf(net, "a=10.0.0.0/19", "b", "c=10.0.64.0/19"))
	order := planOf(t, "acme", region, vended,
		strings.Replace(zonesOf(net, "c=10.0.64.0/19", "a=10.0.0.0/19", "b=10.0.32.0/19"), "cidr:", "nat: none, cidr:", 1))
	sealed := planOf(t, "acme", region, vended, "network: {nat: none}")
	begun := func(p plan.Plan, types ...string) dataplane.DataPlane {
		return of(p, made(plan.LayerAccount), registry.Layer{Layer: "cluster", State: dataplane.Making, Made: true, Unclean: true}).
			WithBegun(plan.LayerCluster, types)
	}
	const vpc, subnet, eks = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:eks/cluster:Cluster"
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		want string
	}{
		"fewer zones, killed before the cluster":        {begun(fewer, vpc, subnet), ""},
		"fewer zones, killed with the cluster":          {begun(fewer, vpc, subnet, eks), "network.zones"},
		"fewer zones, killed in a later run":            {whole(fewer).With(registry.Layer{Layer: "cluster", State: dataplane.Making, Made: true, Unclean: true, Outputs: outputs[plan.LayerCluster]}), "network.zones"},
		"another range, killed before the subnets":      {begun(moved, vpc), ""},
		"another range, killed with the subnets":        {begun(moved, vpc, subnet), "network.zones[1].privateCidr network.zones[2].privateCidr"},
		"another range, of a failed run":                {whole(moved).With(registry.Layer{Layer: "cluster", State: dataplane.Failed, Made: true, Unclean: true, Outputs: outputs[plan.LayerCluster]}), "network.zones[1].privateCidr network.zones[2].privateCidr"},
		"the ranges that they have, in so many words":   {whole(same), ""},
		"another order, with the ranges that they have": {whole(order), ""},
		"no way out":                 {whole(sealed), ""},
		"a cluster that was removed": {whole(fewer).With(registry.Layer{Layer: "cluster", State: dataplane.Removed}), ""},
	} {
		var got []string
		for _, r := range dataplane.Admit(facts(tc.d, &was)) {
			got = append(got, r.Field)
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: refused %q, want %q", reason, got, tc.want)
		}
	}
}

// full is the example with every field, and other a document that keeps what
// cannot change and differs from it in everything else.
const other = `
org: hooli
region: eu-central-1
account: {email: aws+hooli@example.com, name: Hooli data plane, organizationalUnit: ou-ab12-00000000}
network:
  cidr: 10.20.0.0/16
  nat: one
  flowLogRetentionDays: 30
  zones:
    - {name: eu-central-1a, privateCidr: 10.20.0.0/18, publicCidr: 10.20.240.0/24}
    - {name: eu-central-1b, privateCidr: 10.20.64.0/18, publicCidr: 10.20.241.0/24}
    - {name: eu-central-1c}
cluster:
  version: "1.35"
  endpoint: {access: private}
  logRetentionDays: 30
  nodePools:
    - {name: general, instanceTypes: [m6i.large], capacity: spot, min: 1, max: 2, desired: 1, diskGiB: 50, amiFamily: AL2023}
    - {name: gpu, instanceTypes: [g5.xlarge], capacity: on-demand, min: 1, max: 2, desired: 1, diskGiB: 60, amiFamily: Bottlerocket}
projects:
  - name: training
    members: [{user: gavin, role: editor}]
    egress: [{cidr: 203.0.113.0/24, ports: [80]}]
    hibernate: true
    deletionPolicy: Delete
deletionProtection: false
versions:
  vpcCni: v1.20.1-eksbuild.3
  coreDns: v1.13.1-eksbuild.1
  kubeProxy: v1.34.1-eksbuild.2
  ebsCsi: v1.53.0-eksbuild.1
  podIdentityAgent: v1.3.8-eksbuild.2
access:
  people:
    issuerUrl: https://login.example.com
    tokens: access
    usernameClaim: upn
    groupsClaim: roles
    roles: [{role: viewer, groups: [everybody]}]
  pipelines:
    - {name: other, issuerUrl: 'https://ci.example.com', subject: job, claims: {tier: one}, role: operator}
  aws:
    issuerUrl: https://other.tokens.sts.global.api.aws
    roles: [{roleArn: 'arn:aws:iam::123456789012:role/other', role: operator}]
`

func TestEverythingElseMayChange(t *testing.T) {
	text, err := os.ReadFile("../../docs/examples/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	was, err := spec.Parse("full.yaml", strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	is, err := spec.Parse("other.yaml", strings.NewReader(other))
	if err != nil {
		t.Fatal(err)
	}
	before, after := valuesOf(was), valuesOf(is)
	var unchanged []string
	for path, c := range dataplane.Changes {
		same := before[path] == after[path]
		switch {
		case c.How == dataplane.Refused && !same:
			t.Errorf("%s cannot change, and does: %q to %q", path, before[path], after[path])
		case c.How == dataplane.Constant || c.How == dataplane.Stepwise || path == "org" || c.How == dataplane.Refused:
		case same:
			unchanged = append(unchanged, path)
		}
	}
	slices.Sort(unchanged)
	// What is left out is a pool's name: another pool.
	if diff := cmp.Diff([]string{"account.externalId", "cluster.nodePools[].name"}, unchanged); diff != "" {
		t.Errorf("the two documents do not differ in (-want +got):\n%s", diff)
	}
	p := plan.Build(was)
	if got := dataplane.Admit(facts(whole(plan.Build(is)), &p)); len(got) > 0 {
		t.Errorf("refused: %+v", got)
	}
}
