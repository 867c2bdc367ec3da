package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/forecast"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
)

// clock stands still until someone lets time pass.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a provisioner and a sandbox that keep orgs in memory and behave as
// the real ones do as far as the command line can see.
type world struct {
	clock *clock
	orgs  map[string]*org
	items []event.SandboxItem
	runs  int
	// operations are by org, the oldest first; log is by operation.
	operations map[string][]*event.Operation
	log        map[string][]event.Event
	claimed    map[string][]event.Claim
	requests   map[string]asked // by org and id
	hooks      map[string]map[string]*hook
	history    []pastRun
	logged     map[string]bool // by server
	// trouble is what goes wrong next: see its uses. "busy@acme" goes wrong for
	// acme only, and several are joined by commas.
	trouble string
	// one is held by the onboarding that runs: several wait for each other.
	one sync.Mutex
}

// troubleOf is what goes wrong for an org.
func (w *world) troubleOf(org string) string {
	for one := range strings.SplitSeq(w.trouble, ",") {
		what, at, some := strings.Cut(one, "@")
		if !some || at == org {
			return what
		}
	}
	return ""
}

// pastRun is an earlier run of a layer.
type pastRun struct {
	layer string
	kind  forecast.Kind
	took  time.Duration
}

type org struct {
	spec   spec.Spec
	status event.Status
	drift  []finding.Finding
}

func newWorld(c *clock) *world {
	return &world{
		clock: c, orgs: map[string]*org{},
		operations: map[string][]*event.Operation{}, log: map[string][]event.Event{}, claimed: map[string][]event.Claim{},
		hooks: map[string]map[string]*hook{}, requests: map[string]asked{},
	}
}

// sizes are the resources of each layer.
var sizes = map[string]int{"account": 4, "boundary": 31, "cluster": 60, "bootstrap": 12}

func (w *world) wire(_ context.Context, o cli.Options) (cli.Services, error) {
	if w.trouble == "wire" {
		return cli.Services{}, &lifecycle.Error{
			Doing: "start", Err: errors.New("the Pulumi CLI was not found"), Next: "make tools",
		}
	}
	s := cli.Services{Doctor: w.doctor, Lifecycle: func(context.Context) (cli.Lifecycle, error) {
		if w.trouble == "no registry" {
			return nil, errors.New("open registry: unable to open database file")
		}
		return w, nil
	}}
	if o.Cloud == cli.CloudSandbox {
		s.Sandbox = w
	} else {
		s.EKSToken = func(_ context.Context, r cli.TokenRequest) ([]byte, error) { return json.Marshal(r) }
	}
	return s, nil
}

func (w *world) doctor(context.Context) []event.Check {
	checks := []event.Check{{Name: "pulumi CLI", OK: true, Detail: "v3.250.0"}, {Name: "AWS credentials", OK: true, Detail: "arn:aws:iam::100000000001:role/freehold-provisioner"}}
	if w.trouble == "credentials" {
		checks[1] = event.Check{Name: "AWS credentials", Detail: "expired an hour ago", Fix: "aws sso login --profile management"}
	}
	return checks
}

func (w *world) fail(org, layer string) error {
	e := &lifecycle.Error{Org: org, Layer: layer}
	switch w.troubleOf(org) {
	case "busy":
		e.Err = fmt.Errorf("%w: onboard op-1 since 12:00", lifecycle.ErrBusy)
	case "blocked":
		e.Resource, e.Err = `aws:eks/cluster:Cluster "eks"`, fmt.Errorf("%w: FH201: the endpoint is public", lifecycle.ErrBlocked)
	case "violated":
		e.Err, e.Policy = fmt.Errorf("%w: FH304", lifecycle.ErrBlocked), w.found(org)
		e.Next = "change what the rule names, or record an accepted exception in the spec"
	case "pending":
		e.Err = fmt.Errorf("%w: the account quota is used up", lifecycle.ErrPending)
		e.Next = "ask AWS for more accounts, then run this again"
	case "create":
		e.Resource, e.Doing, e.Err = `aws:eks/cluster:Cluster "eks"`, "create", errors.New("LimitExceededException: too many clusters")
		e.Next = "raise the quota of EKS clusters"
	case "cancelled":
		e.Err = fmt.Errorf("%w: interrupted", lifecycle.ErrCancelled)
	case "e-mail":
		e.Err = fmt.Errorf("%w: account.email is used by globex", lifecycle.ErrInvalid)
	default:
		return nil
	}
	return e
}

// found is what the policies say of an org's cluster layer: one violation, or
// what somebody answers for and what is not known yet.
func (w *world) found(org string) []finding.Policy {
	f := finding.Policy{
		Rule: "FH304", Title: "No policy leads out of the account", Severity: "critical", Org: org, Layer: "cluster",
		Resource: finding.Resource{Type: "aws:iam/rolePolicy:RolePolicy", Name: "jump", URN: "urn:pulumi:" + org + ".cluster::freehold::aws:iam/rolePolicy:RolePolicy::jump"},
		Path:     "policy", Statement: `{"Action":"sts:AssumeRole","Effect":"Allow","Resource":"*"}`,
		Message: "it may assume roles of any account", Why: "a role there may trust this one", Fix: "name the org's own roles",
		Criteria: []string{"CC6.1"}, Answer: "violated",
	}
	switch w.troubleOf(org) {
	case "violated":
		return []finding.Policy{f}
	case "accepted":
		open := f
		f.Exception = &finding.Exception{Reason: "until the migration is over", Approver: "ciso@example.com", Expires: "2027-03-31"}
		open.Rule, open.Answer, open.Message = "FH301", "undecided", "the value is not known yet"
		return []finding.Policy{f, open}
	}
	return nil
}

func (w *world) unknown(name, doing string) error {
	return &lifecycle.Error{Org: name, Doing: doing, Err: fmt.Errorf("%w: no such org", lifecycle.ErrInvalid), Next: "freehold status lists the orgs"}
}

func (w *world) Plan(_ context.Context, s spec.Spec, o lifecycle.PlanOptions, _ event.Sink) (event.Plan, error) {
	decided := plan.Build(s)
	p := event.Plan{Org: s.Org, Hash: "h1", HashVersion: 1, Decided: decided, Policy: w.found(s.Org)}
	if err := w.fail(s.Org, "cluster"); err != nil {
		return p, err
	}
	if o.Prune {
		p.Prune = w.unmanaged(s.Org)
	}
	known := w.orgs[s.Org]
	for _, l := range plan.Layers() {
		r := event.LayerResult{Layer: string(l), Stack: plan.StackName(s.Org, l), State: "done", Resources: sizes[string(l)]}
		switch {
		case known == nil && l != plan.LayerAccount:
			r.State = "not-started"
		case known == nil:
			r.Changes = map[string]int{"create": 1}
			p.Changes = append(p.Changes, event.Change{Layer: "account", Op: "create", Type: "aws:organizations/account:Account", Name: "account"})
		case l == plan.LayerCluster && !reflect.DeepEqual(known.spec, s):
			r.Changes = map[string]int{"update": 1, "same": 59}
			p.Changes = append(p.Changes, event.Change{
				Layer: "cluster", Op: "update", Type: "aws:eks/nodeGroup:NodeGroup", Name: "default",
				Properties: []finding.Difference{{Path: "scalingConfig.maxSize", Want: "6", Have: "4"}, {Path: `tags["team"]`, Want: `"red"`}},
			})
		}
		p.Layers = append(p.Layers, r)
	}
	return p, nil
}

func (w *world) Onboard(_ context.Context, s spec.Spec, o lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error) {
	w.one.Lock()
	defer w.one.Unlock()
	out := event.Onboarding{Org: s.Org}
	op, repeated, answered, err := w.again(s, o.RequestID, sink)
	if answered {
		return repeated, err
	}
	if trouble := w.troubleOf(s.Org); trouble == "busy" || trouble == "e-mail" {
		return out, w.fail(s.Org, "")
	}
	began := w.clock.Now()
	if w.trouble == "interrupted" {
		sink(event.Event{Type: event.OperationFailed, Time: began, Org: s.Org, Operation: "op-dead", Seq: 7, Kind: "onboard", Message: "its process ended"})
	}
	if op == nil {
		op = w.begin(s.Org, "onboard", sink)
		op.Request = o.RequestID
		w.requests[s.Org+" "+o.RequestID] = asked{s, op.Operation}
	}
	out.Operation = op.ID
	emit := op.emit
	known := w.orgs[s.Org]
	if known == nil {
		known = &org{status: event.Status{Org: s.Org}}
		w.orgs[s.Org] = known
	}
	for i, l := range plan.Layers() {
		name, r := string(l), event.LayerResult{Layer: string(l), Stack: plan.StackName(s.Org, l), State: "done", Resources: sizes[string(l)]}
		emit(event.Event{Type: event.LayerStarted, Layer: name, Total: r.Resources})
		urn := "urn:" + name
		emit(event.Event{Type: event.ResourceStarted, Layer: name, URN: urn, Op: "create", ResourceType: "aws:kind", ResourceName: name})
		w.clock.pass(time.Duration(i+2) * time.Second)
		r.Duration = time.Duration(i+2) * time.Second
		if err := w.fail(s.Org, name); err != nil && l == plan.LayerCluster {
			emit(event.Event{Type: event.ResourceFailed, Layer: name, URN: urn, ResourceType: "aws:eks/cluster:Cluster", ResourceName: "eks", Message: "LimitExceededException: too many clusters"})
			emit(event.Event{Type: event.LayerFailed, Layer: name})
			r.State, r.Error = "failed", err.Error()
			out.Layers = append(out.Layers, r)
			out.Policy = w.found(s.Org)
			known.status.State = "failed"
			return out, op.end(out, err)
		}
		if l == plan.LayerCluster && strings.HasPrefix(w.trouble, "lost") {
			return out, op.lose(w.trouble == "lost")
		}
		emit(event.Event{Type: event.ResourceFinished, Layer: name, URN: urn, Op: "create"})
		switch {
		case known.status.Hash == "":
			r.Changes = map[string]int{"create": r.Resources}
		case l == plan.LayerCluster && !reflect.DeepEqual(known.spec, s):
			r.Changes = map[string]int{"update": 1, "same": 59}
		default:
			r.Changes = map[string]int{"same": r.Resources}
		}
		out.Changed = out.Changed || r.Changes["same"] != r.Resources
		emit(event.Event{Type: event.LayerFinished, Layer: name, Changes: r.Changes})
		out.Layers = append(out.Layers, r)
	}
	n := 100000000002 + len(w.orgs) - 1
	if known.status.Hash == "" {
		known.status.DataPlane = event.DataPlane{
			Org: s.Org, Region: s.Region, AccountID: fmt.Sprint(n),
			BoundaryARN:     fmt.Sprintf("arn:aws:iam::%d:policy/freehold-%s-boundary", n, s.Org),
			VPCID:           fmt.Sprintf("vpc-%d", n),
			CIDR:            "10.0.0.0/16",
			ClusterName:     "freehold-" + s.Org,
			ClusterEndpoint: "https://127.0.0.1:6443/" + s.Org,
			DataKeyARN:      fmt.Sprintf("arn:aws:kms:%s:%d:key/%s", s.Region, n, s.Org),
		}
	}
	known.spec, known.drift = s, nil
	known.status.DataPlane.Projects = nil
	for _, p := range s.Projects {
		known.status.DataPlane.Projects = append(known.status.DataPlane.Projects, p.Name)
	}
	known.status.Hash, known.status.State, known.status.Layers = "h1", "ready", out.Layers
	known.status.Last = &event.Operation{ID: out.Operation, Org: s.Org, Kind: "onboard", State: "succeeded", Started: began, Finished: w.clock.Now()}
	out.Policy = slices.DeleteFunc(w.found(s.Org), finding.Policy.Open)
	out.DataPlane, out.Duration = known.status.DataPlane, w.clock.Now().Sub(began)
	if out.Unmanaged = w.unmanaged(s.Org); o.Prune && len(out.Unmanaged) > 0 {
		out.Unmanaged, w.trouble = nil, ""
	}
	w.claimed[s.Org] = []event.Claim{
		{Kind: "account", Value: out.DataPlane.AccountID, Made: true}, {Kind: "e-mail", Value: s.Account.Email, Made: true},
	}
	if w.trouble == "silent" {
		return out, nil
	}
	return out, op.end(out, nil)
}

func (w *world) unmanaged(org string) []finding.Finding {
	if w.troubleOf(org) != "unmanaged" {
		return nil
	}
	return []finding.Finding{{Kind: finding.Unmanaged, Type: "aws:ec2/securityGroup:SecurityGroup", Name: "stray", ID: "sg-1"}}
}

func (w *world) Claims(_ context.Context, name string) (event.Claims, error) {
	if w.orgs[name] == nil {
		return event.Claims{Org: name}, w.unknown(name, "claims")
	}
	return event.Claims{Org: name, Claims: w.claimed[name]}, nil
}

func (w *world) ReleaseClaims(_ context.Context, name string, sink event.Sink) (event.Claims, error) {
	if w.orgs[name] == nil {
		return event.Claims{Org: name}, w.unknown(name, "claims release")
	}
	if w.trouble == "busy" {
		return event.Claims{Org: name}, w.fail(name, "")
	}
	op, out := w.begin(name, "release", sink), event.Claims{Org: name}
	w.claimed[name] = slices.DeleteFunc(w.claimed[name], func(c event.Claim) bool {
		if !c.Made {
			out.Claims = append(out.Claims, c)
		}
		return !c.Made
	})
	return out, op.end(out, nil)
}

func (w *world) Status(_ context.Context, name string) (event.Status, error) {
	if o := w.orgs[name]; o != nil {
		return o.status, nil
	}
	return event.Status{}, w.unknown(name, "status")
}

func (w *world) Orgs(context.Context) ([]event.Status, error) {
	if w.trouble == "registry" {
		return nil, errors.New("open registry: permission denied")
	}
	var list []event.Status
	for _, name := range slices.Sorted(maps.Keys(w.orgs)) {
		list = append(list, w.orgs[name].status)
	}
	return list, nil
}

func (w *world) Shared(context.Context) ([]finding.Shared, error) {
	if w.trouble != "shared" {
		return nil, nil
	}
	return []finding.Shared{{Kind: "key", Value: "arn:aws:kms:eu-central-1:100000000002:key/acme", Owners: []string{"acme", "globex"}}}, nil
}

func (w *world) Drift(_ context.Context, name string, sink event.Sink) (event.Drift, error) {
	o := w.orgs[name]
	if o == nil {
		return event.Drift{Org: name}, w.unknown(name, "drift")
	}
	sink(event.Event{Type: event.LayerStarted, Time: w.clock.Now(), Org: name, Kind: "drift", Layer: "cluster"})
	w.clock.pass(3 * time.Second)
	sink(event.Event{Type: event.LayerFinished, Time: w.clock.Now(), Org: name, Kind: "drift", Layer: "cluster"})
	return event.Drift{Org: name, At: w.clock.Now(), Findings: o.drift, Duration: 3 * time.Second}, nil
}

func (w *world) Audit(_ context.Context, o lifecycle.AuditOptions) (finding.Audit, error) {
	out := finding.Audit{Org: finding.EveryOrg, At: w.clock.Now(), Live: !o.Stored}
	if len(o.Orgs) > 0 {
		out.Org = strings.Join(o.Orgs, ",")
	}
	for _, name := range slices.Sorted(maps.Keys(w.orgs)) {
		if len(o.Orgs) == 0 || slices.Contains(o.Orgs, name) {
			out.Orgs = append(out.Orgs, finding.AuditedOrg{Org: name, Layers: 4, Resources: 107})
		}
	}
	for _, name := range o.Orgs {
		if w.orgs[name] == nil {
			return finding.Audit{Org: name}, w.unknown(name, "audit")
		}
	}
	end := func(org, typ, name, path string) finding.End {
		return finding.End{Org: org, Layer: "boundary", Type: typ, Name: name, ID: "freehold-" + org + "-" + name, Path: path}
	}
	switch w.trouble {
	case "shared":
		key := end("acme", "aws:kms/key:Key", "data", "")
		out.Shared = []finding.SharedIdentity{{Kind: "KMS key", Value: "1234abcd", Ends: []finding.End{key, end("globex", "aws:kms/key:Key", "data", "")}}}
		out.Edges = []finding.Edge{{
			Kind: "trust", From: end("globex", "aws:iam/role:Role", "read", "assumeRolePolicy"), To: end("acme", "aws:iam/role:Role", "node", ""),
			Value: "arn:aws:iam::100000000002:role/freehold-acme-node", Statement: `{"Action":"sts:AssumeRole"}`,
		}}
	case "violated":
		out.Findings = []finding.Policy{{
			Rule: "FH301", Title: "A role trusts its own account", Severity: "critical", Org: "acme", Layer: "boundary",
			Resource: finding.Resource{Type: "aws:iam/role:Role", Name: "read"}, Path: "assumeRolePolicy",
			Message: "it trusts everybody", Why: "anybody becomes the role", Fix: "name the principal", Answer: "violated",
		}}
	case "unread":
		out.Unread = []finding.Unread{{Org: "globex", Layer: "cluster", Message: "unexpected EOF"}}
	}
	return out, nil
}

func (w *world) OffboardPlan(_ context.Context, name string, opts lifecycle.OffboardOptions) (event.Offboarding, error) {
	o := w.orgs[name]
	if o == nil {
		return event.Offboarding{Org: name}, w.unknown(name, "offboard")
	}
	out := event.Offboarding{Org: name, DataPlane: o.status.DataPlane}
	out.AccountClosed = opts.CloseAccount || o.spec.Account.CloseOnOffboarding && !opts.KeepAccount
	out.AccountKept = !out.AccountClosed
	for _, l := range slices.Backward(plan.Layers()) {
		out.Layers = append(out.Layers, event.LayerResult{Layer: string(l), Resources: sizes[string(l)], State: "done"})
	}
	if o.spec.DeletionProtection {
		return out, &lifecycle.Error{Org: name, Doing: "offboard", Err: fmt.Errorf("%w: deletionProtection is on", lifecycle.ErrProtected)}
	}
	return out, nil
}

func (w *world) Offboard(ctx context.Context, name string, o lifecycle.OffboardOptions, sink event.Sink) (event.Offboarding, error) {
	out, err := w.OffboardPlan(ctx, name, o)
	if err != nil {
		return event.Offboarding{Org: name}, err
	}
	op := w.begin(name, "offboard", sink)
	out.Operation = op.ID
	emit := op.emit
	for i := range out.Layers {
		l := &out.Layers[i]
		emit(event.Event{Type: event.LayerStarted, Layer: l.Layer, Total: l.Resources})
		w.clock.pass(time.Second)
		l.State, l.Changes, l.Duration, l.Resources = "removed", map[string]int{"delete": l.Resources}, time.Second, 0
		emit(event.Event{Type: event.LayerFinished, Layer: l.Layer, Changes: l.Changes})
		out.Duration += time.Second
	}
	w.orgs[name].status.State = "offboarded"
	return out, op.end(out, nil)
}

func (w *world) Kubeconfig(_ context.Context, name string) ([]byte, error) {
	if w.orgs[name] == nil {
		return nil, w.unknown(name, "kubeconfig")
	}
	return []byte(strings.ReplaceAll(`apiVersion: v1
kind: Config
clusters:
- name: c
  cluster: {server: "https://ORG.example:6443"}
users:
- name: u
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: freehold, args: [sandbox, token, --dir, ORG, --as, reader], interactiveMode: Never}
contexts:
- name: x
  context: {cluster: c, user: u}
current-context: x
`, "ORG", name)), nil
}
