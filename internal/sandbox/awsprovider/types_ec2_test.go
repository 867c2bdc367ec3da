package awsprovider

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"freehold.dev/freehold/internal/sandbox/store"
)

// lab is an account of its own, reached as the engine reaches it: over gRPC.
type lab struct {
	t       *testing.T
	client  pulumirpc.ResourceProviderClient
	backend *Backend
	made    map[string]made
}

type made struct {
	token string
	id    string
	in    map[string]any
	out   map[string]any
}

type props = map[string]any

func newLab(t *testing.T, planes Planes) *lab {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	clock := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b, err := New(t.Context(), Options{Store: s, Env: Env{Now: func() time.Time { return clock }, Planes: planes}})
	if err != nil {
		t.Fatal(err)
	}
	return (&lab{t: t, backend: b, made: map[string]made{}}).as(props{})
}

// as is the same account by a connection with other settings of the provider.
func (l *lab) as(config props) *lab {
	l.t.Helper()
	g := grpc.NewServer(ServerOptions()...)
	Register(g, l.backend)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	go func() { _ = g.Serve(listener) }()
	l.t.Cleanup(g.Stop)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = conn.Close() })
	config["region"] = "eu-central-1"
	args, err := write("args", config, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	other := *l
	other.client = pulumirpc.NewResourceProviderClient(conn)
	if _, err := other.client.Configure(l.t.Context(), &pulumirpc.ConfigureRequest{Args: args}); err != nil {
		l.t.Fatal(err)
	}
	return &other
}

func urnOf(token, name string) string {
	return fmt.Sprintf("urn:pulumi:org.cluster::freehold::%s::%s", token, name)
}

// fill puts ids into inputs: "$vpc" is the id of what was made as vpc, and
// "$vpc.arn" its ARN.
func (l *lab) fill(v any) any {
	switch v := v.(type) {
	case string:
		name, is := strings.CutPrefix(v, "$")
		if !is {
			return v
		}
		name, path, nested := strings.Cut(name, ".")
		m, known := l.made[name]
		switch {
		case !known:
			l.t.Fatalf("%s was not made", name)
		case nested:
			return walk(m.out, path)[0].value
		}
		return m.id
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = l.fill(e)
		}
		return out
	case props:
		out := props{}
		for k, e := range v {
			out[k] = l.fill(e)
		}
		return out
	}
	return v
}

// create checks and creates, as the engine does.
func (l *lab) create(name, token string, in props) error {
	l.t.Helper()
	in = l.fill(in).(props)
	urn := urnOf(token, name)
	news, err := write("news", in, nil)
	if err != nil {
		return err
	}
	checked, err := l.client.Check(l.t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: news, RandomSeed: []byte(name)})
	if err != nil {
		return err
	}
	if len(checked.GetFailures()) > 0 {
		return fmt.Errorf("%s", checked.GetFailures()[0].GetReason())
	}
	done, err := l.client.Create(l.t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: checked.GetInputs()})
	if err != nil {
		return err
	}
	out, _, err := read("outputs", done.GetProperties())
	if err != nil {
		return err
	}
	inputs, _, err := read("inputs", checked.GetInputs())
	if err != nil {
		return err
	}
	l.made[name] = made{token, done.GetId(), inputs, out}
	return nil
}

func (l *lab) must(name, token string, in props) {
	l.t.Helper()
	if err := l.create(name, token, in); err != nil {
		l.t.Fatalf("%s: %v", name, err)
	}
}

// update changes some inputs in place.
func (l *lab) update(name string, change props) error {
	l.t.Helper()
	m := l.made[name]
	urn := urnOf(m.token, name)
	in := maps.Clone(m.in)
	maps.Copy(in, l.fill(change).(props))
	olds, err := write("olds", m.out, nil)
	if err != nil {
		return err
	}
	was, err := write("old inputs", m.in, nil)
	if err != nil {
		return err
	}
	news, err := write("news", in, nil)
	if err != nil {
		return err
	}
	done, err := l.client.Update(l.t.Context(), &pulumirpc.UpdateRequest{Urn: urn, Id: m.id, Olds: olds, OldInputs: was, News: news})
	if err != nil {
		return err
	}
	out, _, err := read("outputs", done.GetProperties())
	l.made[name] = made{m.token, m.id, in, out}
	return err
}

// replaces are the paths whose change makes a new resource.
func (l *lab) replaces(name string, change props) []string {
	l.t.Helper()
	m := l.made[name]
	in := maps.Clone(m.in)
	maps.Copy(in, l.fill(change).(props))
	was, err := write("old inputs", m.in, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	news, err := write("news", in, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	d, err := l.client.Diff(l.t.Context(), &pulumirpc.DiffRequest{Urn: urnOf(m.token, name), Id: m.id, OldInputs: was, Olds: was, News: news})
	if err != nil {
		l.t.Fatal(err)
	}
	return d.GetReplaces()
}

func (l *lab) delete(name string) error {
	l.t.Helper()
	m := l.made[name]
	_, err := l.client.Delete(l.t.Context(), &pulumirpc.DeleteRequest{Urn: urnOf(m.token, name), Id: m.id})
	return err
}

// rows are the resources of a type, those by AWS itself included.
func (l *lab) rows(token string) []store.Row {
	l.t.Helper()
	var rows []store.Row
	err := l.backend.Store.Read(context.WithoutCancel(l.t.Context()), func(tx *store.Tx) error {
		var err error
		rows, err = tx.List(store.Filter{Type: token})
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return slices.DeleteFunc(rows, isGone)
}

// network makes a VPC with a subnet in each of two zones, and a way out.
func (l *lab) network() {
	l.t.Helper()
	l.must("vpc", vpcToken, props{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true})
	l.must("a", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.0.0/20", "availabilityZone": "eu-central-1a"})
	l.must("b", subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.16.0/20", "availabilityZone": "eu-central-1b"})
	l.must("table", routeTableToken, props{"vpcId": "$vpc"})
	l.must("gateway", internetGatewayToken, props{"vpcId": "$vpc"})
	l.must("address", eipToken, props{"domain": "vpc"})
	l.must("nat", natToken, props{"subnetId": "$a", "allocationId": "$address"})
	l.must("out", routeToken, props{"routeTableId": "$table", "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "$nat"})
	l.must("joined", associationToken, props{"routeTableId": "$table", "subnetId": "$a"})
	l.must("group", groupToken, props{"vpcId": "$vpc", "name": "nodes"})
	l.must("other", groupToken, props{"vpcId": "$vpc", "name": "others"})
	l.must("flows", roleToken, props{"name": "flows", "assumeRolePolicy": trustFor("vpc-flow-logs.amazonaws.com")})
	l.must("template", templateToken, props{"name": "pool"})
}

func trustFor(service string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":["sts:AssumeRole","sts:TagSession"]}]}`, service)
}

func TestNetworksAreRefusedAsAWSRefusesThem(t *testing.T) {
	cases := map[string]struct {
		token string
		in    props
		want  string
	}{
		"a VPC larger than /16":                   {vpcToken, props{"cidrBlock": "10.0.0.0/8"}, "between 16 and 28 significant bits"},
		"a VPC that is not a network address":     {vpcToken, props{"cidrBlock": "10.1.2.3/16"}, `did you mean "10.1.0.0/16"`},
		"a VPC with an unknown property":          {vpcToken, props{"cidrBlock": "10.1.0.0/16", "enableDNS": true}, "unknown property"},
		"a subnet outside its VPC":                {subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.1.0.0/20"}, "InvalidSubnet.Range: The CIDR '10.1.0.0/20' is invalid."},
		"a subnet over another":                   {subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.8.0/24"}, "InvalidSubnet.Conflict: The CIDR '10.0.8.0/24' conflicts with another subnet"},
		"a subnet of no VPC":                      {subnetToken, props{"vpcId": "vpc-1", "cidrBlock": "10.0.8.0/24"}, "InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist"},
		"a subnet in another region's zone":       {subnetToken, props{"vpcId": "$vpc", "cidrBlock": "10.0.64.0/24", "availabilityZone": "eu-west-1a"}, "InvalidParameterValue: Value (eu-west-1a) for parameter availabilityZone is invalid"},
		"a second internet gateway":               {internetGatewayToken, props{"vpcId": "$vpc"}, "already has an internet gateway attached"},
		"a NAT gateway with a taken address":      {natToken, props{"subnetId": "$b", "allocationId": "$address"}, "Resource.AlreadyAssociated"},
		"a NAT gateway without an address":        {natToken, props{"subnetId": "$b"}, "MissingParameter"},
		"a second route to the same place":        {routeToken, props{"routeTableId": "$table", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "$gateway"}, "RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists."},
		"a route over the VPC's own":              {routeToken, props{"routeTableId": "$table", "destinationCidrBlock": "10.0.0.0/16", "gatewayId": "$gateway"}, "RouteAlreadyExists"},
		"a route to two targets":                  {routeToken, props{"routeTableId": "$table", "destinationCidrBlock": "1.0.0.0/8", "gatewayId": "$gateway", "natGatewayId": "$nat"}, "exactly one of"},
		"a route to no such gateway":              {routeToken, props{"routeTableId": "$table", "destinationCidrBlock": "1.0.0.0/8", "gatewayId": "igw-1"}, "InvalidGatewayID.NotFound"},
		"a second route table for a subnet":       {associationToken, props{"routeTableId": "$table", "subnetId": "$a"}, "Resource.AlreadyAssociated"},
		"a group whose name is taken":             {groupToken, props{"vpcId": "$vpc", "name": "nodes"}, "InvalidGroup.Duplicate: The security group 'nodes' already exists for VPC"},
		"a group with a reserved name":            {groupToken, props{"vpcId": "$vpc", "name": "sg-nodes"}, "cannot begin with sg-"},
		"a group in no VPC":                       {groupToken, props{"name": "x"}, "VPCIdNotSpecified"},
		"a rule that is there already":            {groupRuleToken, props{"securityGroupId": "$group", "type": "ingress", "protocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrBlocks": []any{"10.0.0.0/16"}}, "InvalidPermission.Duplicate"},
		"a rule without a peer":                   {groupRuleToken, props{"securityGroupId": "$group", "type": "ingress", "protocol": "tcp", "fromPort": 1.0, "toPort": 1.0}, "must be set"},
		"a rule with its ports reversed":          {ingressToken, props{"securityGroupId": "$group", "ipProtocol": "tcp", "fromPort": 2.0, "toPort": 1.0, "cidrIpv4": "10.0.0.0/16"}, "Invalid port range: 2 to 1"},
		"a rule of no known protocol":             {ingressToken, props{"securityGroupId": "$group", "ipProtocol": "http", "cidrIpv4": "10.0.0.0/16"}, "ipProtocol"},
		"an endpoint of no such service":          {endpointToken, props{"vpcId": "$vpc", "serviceName": "com.amazonaws.eu-central-1.blockchain"}, "InvalidServiceName"},
		"an endpoint of another region's service": {endpointToken, props{"vpcId": "$vpc", "serviceName": "com.amazonaws.eu-west-1.s3"}, "InvalidServiceName"},
		"a gateway endpoint of ECR":               {endpointToken, props{"vpcId": "$vpc", "serviceName": "com.amazonaws.eu-central-1.ecr.api"}, "Endpoint type (Gateway) does not match"},
		"a second S3 endpoint in a route table":   {endpointToken, props{"vpcId": "$vpc", "serviceName": "com.amazonaws.eu-central-1.s3", "routeTableIds": []any{"$table"}}, "RouteAlreadyExists"},
		"an endpoint twice in a zone":             {endpointToken, props{"vpcId": "$vpc", "vpcEndpointType": "Interface", "serviceName": "com.amazonaws.eu-central-1.sts", "subnetIds": []any{"$a", "$a"}}, "DuplicateSubnetsInSameZone"},
		"a flow log without a role":               {flowLogToken, props{"vpcId": "$vpc", "trafficType": "ALL", "logDestination": "arn:aws:logs:eu-central-1:100000000001:log-group:x"}, "DeliverLogsPermissionArn can't be empty"},
		"a flow log of nothing":                   {flowLogToken, props{"trafficType": "ALL", "iamRoleArn": "$flows.arn"}, "exactly one of vpcId"},
		"a launch template whose name is taken":   {templateToken, props{"name": "pool"}, "InvalidLaunchTemplateName.AlreadyExistsException"},
		"a launch template with a hop limit of 0": {templateToken, props{"name": "hops", "metadataOptions": props{"httpPutResponseHopLimit": 0.0}}, "metadataOptions.httpPutResponseHopLimit"},
		"a disk with a key but not encrypted":     {templateToken, props{"name": "disk", "blockDeviceMappings": []any{props{"ebs": props{"kmsKeyId": "arn:aws:kms:eu-central-1:100000000001:key/x"}}}}, "InvalidParameterDependency"},
	}
	l := newLab(t, nil)
	l.network()
	l.must("rule", ingressToken, props{"securityGroupId": "$group", "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": "10.0.0.0/16"})
	l.must("s3", endpointToken, props{"vpcId": "$vpc", "serviceName": "com.amazonaws.eu-central-1.s3", "routeTableIds": []any{"$table"}})
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l.t = t
			err := l.create("refused", tc.token, tc.in)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestWhatIsInUseIsNotDeleted(t *testing.T) {
	l := newLab(t, nil)
	l.network()
	l.must("interface", endpointToken, props{"vpcId": "$vpc", "vpcEndpointType": "Interface", "serviceName": "com.amazonaws.eu-central-1.sts",
		"subnetIds": []any{"$b"}, "securityGroupIds": []any{"$group"}, "privateDnsEnabled": true})
	l.must("rule", ingressToken, props{"securityGroupId": "$group", "ipProtocol": "-1", "referencedSecurityGroupId": "$other"})
	steps := []struct {
		delete string
		want   string // empty: it goes
	}{
		{"vpc", "DependencyViolation: The vpc"},
		{"a", "DependencyViolation: The subnet"},  // the NAT gateway's interface
		{"b", "DependencyViolation: The subnet"},  // the endpoint's
		{"address", "InvalidIPAddress.InUse"},     // the NAT gateway has it
		{"gateway", "some mapped public address"}, // so does the network
		{"table", "DependencyViolation: The routeTable"},
		{"group", "dependent object"}, // the endpoint's interface is in it
		{"other", "dependent object"}, // a rule of another group names it
		{"interface", ""},
		{"b", ""},
		{"group", ""}, // and its rule with it
		{"other", ""},
		{"nat", ""},
		{"address", ""},
		{"gateway", ""},
		{"joined", ""},
		{"a", ""},
		{"vpc", "DependencyViolation: The vpc"}, // the route table
		{"table", ""},
		{"vpc", ""},
	}
	for i, s := range steps {
		err := l.delete(s.delete)
		if s.want == "" && err != nil || s.want != "" && (err == nil || !strings.Contains(err.Error(), s.want)) {
			t.Fatalf("step %d: delete %s: got %v, want %q", i+1, s.delete, err, s.want)
		}
	}
	for _, token := range []string{groupToken, routeTableToken, aclToken, interfaceToken, routeToken} {
		if rows := l.rows(token); len(rows) > 0 {
			t.Errorf("%s is left behind: %v", rows[0].ID, rows[0].Outputs)
		}
	}
}

func TestTheDefaultGroupIsTheVPCsOwnAndComesBack(t *testing.T) {
	l := newLab(t, nil)
	l.must("vpc", vpcToken, props{"cidrBlock": "10.0.0.0/16"})
	l.must("default", defaultGroupToken, props{"vpcId": "$vpc"})
	own := l.made["vpc"].out["defaultSecurityGroupId"]
	if l.made["default"].id != own || len(l.rows(groupToken)) != 0 {
		t.Errorf("adopted %s instead of %s; %d groups beside it", l.made["default"].id, own, len(l.rows(groupToken)))
	}
	if rules := l.made["default"].out["ingress"]; !cmp.Equal(rules, []any{}) {
		t.Errorf("rules are left: %v", rules)
	}
	if err := l.create("again", defaultGroupToken, props{"vpcId": "$vpc"}); err == nil {
		t.Error("it was adopted twice")
	}
	if err := l.delete("default"); err != nil {
		t.Fatal(err)
	}
	rows := l.rows(groupToken)
	if len(rows) != 1 || rows[0].ID != own || !rows[0].ByCloud || !cmp.Equal(rows[0].Outputs["ingress"], []any{}) {
		t.Errorf("AWS should have its group back, without rules: %v", rows)
	}
	if err := l.delete("vpc"); err != nil {
		t.Fatal(err)
	}
}

func TestANewVersionOfALaunchTemplateIsMadeForWhatHasVersions(t *testing.T) {
	l := newLab(t, nil)
	l.must("template", templateToken, props{"name": "pool", "updateDefaultVersion": true})
	steps := []struct {
		change props
		want   float64
	}{
		{props{"metadataOptions": props{"httpTokens": "required"}}, 2},
		{props{"tags": props{"a": "b"}}, 2},
		{props{"blockDeviceMappings": []any{props{"deviceName": "/dev/xvda"}}}, 3},
	}
	for _, s := range steps {
		if err := l.update("template", s.change); err != nil {
			t.Fatal(err)
		}
		out := l.made["template"].out
		if out["latestVersion"] != s.want || out["defaultVersion"] != s.want {
			t.Errorf("after %v: latest %v, default %v; want %v", s.change, out["latestVersion"], out["defaultVersion"], s.want)
		}
	}
}

func TestAPreviewDoesNotForeseeALaunchTemplatesVersion(t *testing.T) {
	l := newLab(t, nil)
	l.must("template", templateToken, props{"name": "pool"})
	cases := map[string]struct {
		change   props
		foreseen any
	}{
		"of its tags":  {props{"name": "pool", "tags": props{"a": "b"}}, 1.0},
		"of its image": {props{"name": "pool", "imageId": "ami-1"}, unknown{}},
	}
	for name, tc := range cases {
		t.Run("an update "+name, func(t *testing.T) {
			m := l.made["template"]
			olds, err := write("olds", m.out, nil)
			if err != nil {
				t.Fatal(err)
			}
			was, err := write("old inputs", m.in, nil)
			if err != nil {
				t.Fatal(err)
			}
			news, err := write("news", tc.change, nil)
			if err != nil {
				t.Fatal(err)
			}
			done, err := l.client.Update(t.Context(), &pulumirpc.UpdateRequest{Urn: urnOf(templateToken, "template"), Id: m.id, Olds: olds, OldInputs: was, News: news, Preview: true})
			if err != nil {
				t.Fatal(err)
			}
			out, _, err := read("outputs", done.GetProperties())
			if err != nil {
				t.Fatal(err)
			}
			if out["latestVersion"] != tc.foreseen {
				t.Errorf("latest version: %v, want %v", out["latestVersion"], tc.foreseen)
			}
		})
	}
}

func TestChangesThatMakeANewNetworkResource(t *testing.T) {
	l := newLab(t, nil)
	l.network()
	cases := map[string]struct {
		name   string
		change props
		want   []string
	}{
		"a VPC's range":             {"vpc", props{"cidrBlock": "10.1.0.0/16"}, []string{"cidrBlock"}},
		"a VPC's host names":        {"vpc", props{"enableDnsHostnames": false}, nil},
		"a subnet's zone":           {"a", props{"availabilityZone": "eu-central-1c"}, []string{"availabilityZone"}},
		"a subnet's addresses":      {"a", props{"mapPublicIpOnLaunch": true}, nil},
		"a NAT gateway's subnet":    {"nat", props{"subnetId": "$b"}, []string{"subnetId"}},
		"a route's destination":     {"out", props{"destinationCidrBlock": "1.0.0.0/8"}, []string{"destinationCidrBlock"}},
		"a route's target":          {"out", props{"natGatewayId": "nat-2"}, nil},
		"an association's table":    {"joined", props{"routeTableId": "rtb-2"}, nil},
		"a group's description":     {"group", props{"description": "other"}, []string{"description"}},
		"a template's name":         {"template", props{"name": "other"}, []string{"name"}},
		"a template's tags":         {"template", props{"tags": props{"a": "b"}}, nil},
		"an internet gateway's VPC": {"gateway", props{"vpcId": "vpc-2"}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l.t = t
			if diff := cmp.Diff(tc.want, l.replaces(tc.name, tc.change)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSixthVPCOfARegionIsRefused(t *testing.T) {
	l := newLab(t, nil)
	for i := range 5 {
		l.must(fmt.Sprintf("vpc%d", i), vpcToken, props{"cidrBlock": "10.0.0.0/16"})
	}
	if err := l.create("vpc5", vpcToken, props{"cidrBlock": "10.0.0.0/16"}); err == nil || !strings.Contains(err.Error(), "VpcLimitExceeded") {
		t.Errorf("got %v", err)
	}
}
