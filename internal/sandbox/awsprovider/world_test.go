package awsprovider

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/sandbox/sharestest"
	"freehold.dev/freehold/internal/sandbox/store"
)

// world is a cloud that several provider resources are connected to.
type world struct {
	t       *testing.T
	backend *Backend
	address string
	now     time.Time
}

func newWorld(t *testing.T, latency string, faults ...string) *world {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	o := Options{Store: s, Env: Env{Now: func() time.Time { return w.now }}}
	if o.Latency, err = ParseLatency(latency); err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		parsed, err := ParseFault(f)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, parsed)
	}
	if w.backend, err = New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(ServerOptions()...)
	Register(g, w.backend)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	w.address = l.Addr().String()
	return w
}

// connect is one provider resource: a connection with its configuration.
func (w *world) connect(config props) (*lab, error) {
	w.t.Helper()
	conn, err := grpc.NewClient(w.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	l := &lab{t: w.t, client: pulumirpc.NewResourceProviderClient(conn), backend: w.backend, made: map[string]made{}}
	args, err := write("args", config, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = l.client.Configure(w.t.Context(), &pulumirpc.ConfigureRequest{Args: args})
	return l, err
}

func (w *world) provider(config props) *lab {
	w.t.Helper()
	l, err := w.connect(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// management is the provider of the management account.
func (w *world) management() *lab {
	w.t.Helper()
	return w.provider(props{"region": "eu-west-1", "allowedAccountIds": `["` + ManagementAccount + `"]`})
}

// vended is a new account, and a provider in it.
func (w *world) vended(name string) (string, *lab) {
	w.t.Helper()
	m := w.management()
	m.must(name, accountToken, props{"name": name, "email": name + "@customer.example"})
	id := m.made[name].id
	return id, w.provider(props{"region": "eu-west-1", "assumeRole": props{"roleArn": "arn:aws:iam::" + id + ":role/" + VendedRole}})
}

const (
	allow    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	denial   = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ram:*","Resource":"*"}]}`
	denialRC = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`
)

var ec2Trust = trustFor("ec2.amazonaws.com")

func keyPolicyFor(account string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"},
	{"Effect":"Allow","Principal":{"Service":["cloudtrail.amazonaws.com","logs.eu-west-1.amazonaws.com"]},"Action":["kms:GenerateDataKey*","kms:Decrypt"],"Resource":"*"}]}`
}

func trailPolicyFor(bucket string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::` + bucket + `"},
	{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + bucket + `/*"}]}`
}

// thing is one resource of the test's world, in the order of its making.
type thing struct {
	name  string
	token string
	in    props
}

// estate has one of every type outside of EC2 and EKS.
func estate(account string) []thing {
	return []thing{
		{"policy", policyToken, props{"name": "boundary", "policy": allow, "tags": props{"a": "b"}}},
		{"role", roleToken, props{"name": "reader", "assumeRolePolicy": ec2Trust, "permissionsBoundary": "$policy.arn", "tags": props{"a": "b"}}},
		{"inline", rolePolicyToken, props{"name": "inline", "role": "reader", "policy": allow}},
		{"attached", attachmentToken, props{"role": "reader", "policyArn": "$policy.arn"}},
		{"managed", attachmentToken, props{"role": "reader", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}},
		{"profile", instanceProfileToken, props{"name": "reader", "role": "reader"}},
		{"issuer", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", props{"url": "https://issuer.example/a", "clientIdLists": []any{"sts.amazonaws.com"}}},
		{"passwords", "aws:iam/accountPasswordPolicy:AccountPasswordPolicy", props{"minimumPasswordLength": 14.0, "maxPasswordAge": 90.0}},
		{"linked", "aws:iam/serviceLinkedRole:ServiceLinkedRole", props{"awsServiceName": "spot.amazonaws.com"}},
		{"key", keyToken, props{"description": "logs", "enableKeyRotation": true, "policy": keyPolicyFor(account)}},
		{"alias", aliasToken, props{"name": "alias/logs", "targetKeyId": "$key"}},
		{"bucket", bucketToken, props{"bucket": "acme-logs", "forceDestroy": true}},
		{"versioning", versioningToken, props{"bucket": "acme-logs", "versioningConfiguration": props{"status": "Enabled"}}},
		{"encryption", encryptionToken, props{"bucket": "acme-logs", "rules": []any{props{"applyServerSideEncryptionByDefault": props{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "$key.arn"}}}}},
		{"ownership", ownershipToken, props{"bucket": "acme-logs", "rule": props{"objectOwnership": "BucketOwnerEnforced"}}},
		{"private", publicBlockToken, props{"bucket": "acme-logs", "blockPublicAcls": true, "blockPublicPolicy": true}},
		{"lifecycle", lifecycleToken, props{"bucket": "acme-logs", "rules": []any{props{"id": "old", "status": "Enabled", "expiration": props{"days": 400.0}}}}},
		{"logging", loggingToken, props{"bucket": "acme-logs", "targetBucket": "acme-logs", "targetPrefix": "s3/"}},
		{"readers", bucketPolicyToken, props{"bucket": "acme-logs", "policy": trailPolicyFor("acme-logs")}},
		{"object", objectToken, props{"bucket": "acme-logs", "key": "hello", "content": "world"}},
		{"everywhere", accountBlockToken, props{"blockPublicAcls": true, "blockPublicPolicy": true}},
		{"trail", "aws:cloudtrail/trail:Trail", props{"name": "all", "s3BucketName": "acme-logs", "kmsKeyId": "$key.arn", "isMultiRegionTrail": true}},
		{"analyzer", "aws:accessanalyzer/analyzer:Analyzer", props{"analyzerName": "outside"}},
		{"group", logGroupToken, props{"name": "/vpc/flow", "retentionInDays": 365.0, "kmsKeyId": "$key.arn"}},
		{"images", repositoryToken, props{"name": "freehold/controller", "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": props{"scanOnPush": true}}},
		{"expiry", ecrLifecycleToken, props{"repository": "freehold/controller", "policy": `{"rules":[]}`}},
		{"pull", repositoryPolicyToken, props{"repository": "freehold/controller", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"ecr:BatchGetImage"}]}`}},
		{"disks", "aws:ebs/encryptionByDefault:EncryptionByDefault", props{"enabled": true}},
		{"diskkey", "aws:ebs/defaultKmsKey:DefaultKmsKey", props{"keyArn": "$key.arn"}},
		{"imds", "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", props{"httpTokens": "required", "httpPutResponseHopLimit": 1.0}},
	}
}

// organized is the management account's share.
var organized = []thing{
	{"unit", unitToken, props{"name": "customers", "parentId": RootID}},
	{"account", accountToken, props{"name": "acme", "email": "acme@customer.example", "parentId": "$unit", "closeOnDeletion": true, "tags": props{"freehold.dev/org": "acme"}}},
	{"scp", organizationPolicy, props{"name": "acme-services", "type": serviceControlType, "content": denial}},
	{"rcp", organizationPolicy, props{"name": "acme-resources", "type": resourceControlType, "content": denialRC}},
	{"scp-on", organizationAttached, props{"policyId": "$scp", "targetId": "$account"}},
	{"rcp-on", organizationAttached, props{"policyId": "$rcp", "targetId": "$account"}},
}

// part is what is made in one account.
type part struct {
	lab    *lab
	things []thing
}

func thingsOf(all []sharestest.Thing) []thing {
	var out []thing
	for _, s := range all {
		out = append(out, thing{s.Name, s.Token, s.In})
	}
	return out
}

// TestEveryTypeLives makes one of each type, reads it back, finds no difference
// with itself, and takes everything away again in reverse.
func TestEveryTypeLives(t *testing.T) {
	w := newWorld(t, "none")
	m := w.management()
	id, l := w.vended("lives")
	partner, p := w.vended("partner")
	covered := map[string]bool{}
	lent := []thing{
		{"their-share", shareToken, props{"name": "theirs"}}, {"their-lattice", latticeNetwork, props{"name": "theirs"}},
		{"their-names", awstype.CloudMapNamespace, props{"name": "theirs"}}, {"their-profile", awstype.Route53Profile, props{"name": "theirs"}},
		{"their-sink", awstype.OAMSink, props{"name": "theirs"}}, {"their-wan", awstype.CloudWAN, props{"globalNetworkId": "global-network-1"}},
	}
	shares := thingsOf(slices.Concat(sharestest.Estate(id, partner, "lives"), sharestest.Partners(id, partner), sharestest.Controlled(id, partner), sharestest.Named(id, partner)))
	live := func(part part) {
		for _, th := range part.things {
			covered[th.token] = true
			in, _ := sharestest.Fill(th.in, func(name string) string { return l.made[name].id }, func(name string) string { return text(l.made[name].out["arn"]) }).(props)
			part.lab.must(th.name, th.token, in)
			mine := part.lab.made[th.name]
			got := part.lab.read(th.name)
			if diff := cmp.Diff(mine, got, cmp.AllowUnexported(made{})); diff != "" {
				t.Errorf("%s is read otherwise than it was made:\n%s", th.name, diff)
			}
			if d := part.lab.diff(th.name, props{}); d.GetChanges() != pulumirpc.DiffResponse_DIFF_NONE {
				t.Errorf("%s differs from itself: %v", th.name, d.GetDetailedDiff())
			}
		}
	}
	for _, part := range []part{{m, organized}, {l, estate(id)}, {p, lent}, {l, shares}} {
		live(part)
	}
	joined := thingsOf(sharestest.Joined(l.made["shares-net"].id, text(p.made["their-lattice"].out["arn"]), p.made["their-names"].id,
		p.made["their-profile"].id, p.made["their-sink"].id, p.made["their-wan"].id))
	live(part{l, joined})
	l.must("taken-share", "aws:ram/resourceShareAccepter:ResourceShareAccepter", props{"shareArn": text(p.made["their-share"].out["arn"])})
	covered["aws:ram/resourceShareAccepter:ResourceShareAccepter"] = true
	if got := l.made["taken-share"].out["senderAccountId"]; got != partner {
		t.Errorf("a share that was taken is of %v, want %s", got, partner)
	}
	if err := l.delete("taken-share"); err != nil {
		t.Error(err)
	}
	for _, table := range tables {
		for _, ty := range table {
			if !covered[ty.Token] && ty.Service != "ec2" && ty.Service != "eks" && !strings.HasPrefix(ty.Token, "aws:autoscaling") {
				t.Errorf("%s is in the table but not in this test", ty.Token)
			}
		}
	}
	for _, part := range []part{{l, joined}, {l, shares}, {p, lent}, {l, estate(id)}, {m, organized}} {
		for _, th := range slices.Backward(part.things) {
			if err := part.lab.delete(th.name); err != nil {
				t.Errorf("delete %s: %v", th.name, err)
			}
		}
	}
	for _, r := range w.rows(store.Filter{Account: id}) {
		if !r.ByCloud {
			t.Errorf("left behind: %s %s", r.Type, r.ID)
		}
	}
}

func (w *world) rows(f store.Filter) []store.Row {
	w.t.Helper()
	rows, err := w.backend.Rows(w.t.Context(), f)
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// read returns what the cloud says of a resource now; an empty id is none.
func (l *lab) read(name string) made {
	l.t.Helper()
	m := l.made[name]
	got, err := l.client.Read(l.t.Context(), &pulumirpc.ReadRequest{Urn: urnOf(m.token, name), Id: m.id})
	if err != nil {
		l.t.Fatal(err)
	}
	in, _, err := read("inputs", got.GetInputs())
	if err != nil {
		l.t.Fatal(err)
	}
	out, _, err := read("outputs", got.GetProperties())
	if err != nil {
		l.t.Fatal(err)
	}
	return made{m.token, got.GetId(), in, out}
}

// diff compares a resource with changed inputs; nil removes one.
func (l *lab) diff(name string, change props) *pulumirpc.DiffResponse {
	l.t.Helper()
	m := l.made[name]
	in := cloneMap(m.in)
	for k, v := range l.fill(change).(props) {
		if in[k] = v; v == nil {
			delete(in, k)
		}
	}
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
	return d
}
