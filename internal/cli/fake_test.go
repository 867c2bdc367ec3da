package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
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
	// trouble is what goes wrong next: see its uses.
	trouble string
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
	switch w.trouble {
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
	switch w.trouble {
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
		p.Prune = w.unmanaged()
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
	out := event.Onboarding{Org: s.Org}
	if w.trouble == "busy" || w.trouble == "e-mail" {
		return out, w.fail(s.Org, "")
	}
	began := w.clock.Now()
	if w.trouble == "interrupted" {
		sink(event.Event{Type: event.OperationFailed, Time: began, Org: s.Org, Operation: "op-dead", Seq: 7, Kind: "onboard", Message: "its process ended"})
	}
	op := w.begin(s.Org, "onboard", sink)
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
	if out.Unmanaged = w.unmanaged(); o.Prune && len(out.Unmanaged) > 0 {
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

func (w *world) unmanaged() []finding.Finding {
	if w.trouble != "unmanaged" {
		return nil
	}
	return []finding.Finding{{Kind: finding.Unmanaged, Type: "aws:ec2/securityGroup:SecurityGroup", Name: "stray", ID: "sg-1"}}
}

// running is an operation: each of its events is stored before it is shown.
type running struct {
	*event.Operation
	w    *world
	sink event.Sink
}

func (w *world) begin(org, kind string, sink event.Sink) *running {
	w.runs++
	op := &event.Operation{ID: fmt.Sprintf("op-%d", w.runs), Org: org, Kind: kind, State: "running", Started: w.clock.Now()}
	w.operations[org] = append(w.operations[org], op)
	r := &running{Operation: op, w: w, sink: sink}
	r.emit(event.Event{Type: event.OperationStarted})
	return r
}

// store keeps an event as a database does: what is read back has the types of JSON.
func (r *running) store(e event.Event) event.Event {
	e.Time, e.Org, e.Operation, e.Kind = r.w.clock.Now(), r.Org, r.ID, r.Kind
	e.Seq = int64(len(r.w.log[r.ID]) + 1)
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	var stored event.Event
	if err := json.Unmarshal(text, &stored); err != nil {
		panic(err)
	}
	r.w.log[r.ID] = append(r.w.log[r.ID], stored)
	return e
}

func (r *running) emit(e event.Event) { r.sink(r.store(e)) }

// end ends the operation with its one terminal event.
func (r *running) end(result any, err error) error {
	e := event.Event{Type: event.OperationSucceeded, Duration: r.w.clock.Now().Sub(r.Started), Result: result}
	r.State, r.Finished = "succeeded", r.w.clock.Now()
	if err != nil {
		e.Type, r.State, e.Message, r.Error = event.OperationFailed, "failed", err.Error(), err.Error()
		switch {
		case errors.Is(err, lifecycle.ErrBlocked):
			e.Type, r.State = event.OperationBlocked, "blocked"
		case errors.Is(err, lifecycle.ErrPending):
			e.Type, r.State = event.OperationPending, "pending"
		}
	}
	r.emit(e)
	return err
}

// lose lets another process take the org over. It ends the operation in the
// log, and nothing is shown.
func (r *running) lose(logged bool) error {
	if logged {
		r.State, r.Finished, r.Error = "failed", r.w.clock.Now(), "another process took over"
		r.store(event.Event{Type: event.OperationFailed, Message: r.Error})
	}
	return &lifecycle.Error{Org: r.Org, Err: errors.New("the operation no longer holds its org"), Next: "freehold operations " + r.Org + " shows which one does"}
}

func (w *world) Operations(_ context.Context, name string) ([]event.Operation, error) {
	if w.orgs[name] == nil {
		return nil, w.unknown(name, "operations")
	}
	var out []event.Operation
	for _, o := range slices.Backward(w.operations[name]) {
		out = append(out, *o)
	}
	return out, nil
}

func (w *world) Events(_ context.Context, name, operation string, after int64) ([]event.Event, error) {
	all := w.operations[name]
	if w.orgs[name] == nil {
		return nil, w.unknown(name, "operations events")
	}
	if operation == "" {
		operation = all[len(all)-1].ID
	}
	if !slices.ContainsFunc(all, func(o *event.Operation) bool { return o.ID == operation }) {
		return nil, &lifecycle.Error{
			Org: name, Err: fmt.Errorf("%w: unknown operation %s", lifecycle.ErrInvalid, operation), Next: "list the operations with freehold operations " + name,
		}
	}
	return slices.DeleteFunc(slices.Clone(w.log[operation]), func(e event.Event) bool { return e.Seq <= after }), nil
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

func (w *world) Projects(_ context.Context, name string) (event.Projects, error) {
	out := event.Projects{Org: name}
	o := w.orgs[name]
	if o == nil {
		return out, w.unknown(name, "projects")
	}
	if w.trouble == "cluster" {
		return out, &lifecycle.Error{Org: name, Layer: "bootstrap", Err: errors.New("list the cluster's projects: connection refused"), Next: "look at the cluster"}
	}
	for _, p := range o.spec.Projects {
		one := event.Project{
			Org: name, Name: p.Name, DisplayName: p.DisplayName, Recorded: true, Phase: "Ready", Ready: true, Namespace: p.Name,
			Usage: map[string]event.ProjectUsage{
				"limits.cpu": {Used: "1", Hard: p.Quota.CPU.Text}, "limits.memory": {Used: "1Gi", Hard: p.Quota.Memory.Text}, "pods": {Used: "3", Hard: fmt.Sprint(p.Quota.Pods)},
			},
			Conditions: []event.ProjectCondition{{Type: "Ready", Status: "True", Reason: "Fenced", Message: "the namespace is there with every fence"}},
		}
		for _, m := range p.Members {
			one.Members = append(one.Members, event.ProjectMember{Group: m.Group, User: m.User, Role: string(m.Role)})
		}
		if w.trouble == "taken" {
			one.Phase, one.Ready, one.Message = "Failed", false, "NamespaceTaken: there is a namespace "+p.Name+" that is not this project's"
		}
		out.Projects = append(out.Projects, one)
	}
	if w.trouble == "byhand" {
		out.Projects = append(out.Projects, event.Project{Org: name, Name: "stray", Phase: "Ready", Ready: true})
	}
	return out, nil
}

func (w *world) PlanProjects(_ context.Context, name string, c lifecycle.ProjectChange) (event.Plan, error) {
	out := event.Plan{Org: name}
	next, err := w.changed(name, c)
	if err != nil {
		return out, err
	}
	out.Layers = []event.LayerResult{{Layer: "bootstrap", Stack: name + ".bootstrap", State: "done", Resources: 12}}
	op, project := "create", ""
	if c.Add != nil {
		project = c.Add.Name
	} else {
		op, project = "delete", c.Remove
	}
	if len(next) != len(w.orgs[name].spec.Projects) {
		out.Changes = []event.Change{{Layer: "bootstrap", Op: op, Type: "kubernetes:freehold.dev/v1alpha1:Project", Name: "bootstrap-project-" + project}}
	}
	return out, nil
}

func (w *world) changed(name string, c lifecycle.ProjectChange) ([]spec.Project, error) {
	o := w.orgs[name]
	if o == nil {
		return nil, w.unknown(name, "projects")
	}
	named := func(want string) func(spec.Project) bool { return func(p spec.Project) bool { return p.Name == want } }
	if c.Add == nil {
		if !slices.ContainsFunc(o.spec.Projects, named(c.Remove)) {
			return nil, &lifecycle.Error{Org: name, Err: fmt.Errorf("%w: project %s does not exist", lifecycle.ErrInvalid, c.Remove)}
		}
		return slices.DeleteFunc(slices.Clone(o.spec.Projects), named(c.Remove)), nil
	}
	if i := slices.IndexFunc(o.spec.Projects, named(c.Add.Name)); i >= 0 {
		if !reflect.DeepEqual(o.spec.Projects[i], *c.Add) {
			return nil, &lifecycle.Error{Org: name, Err: fmt.Errorf("%w: project %s already exists with different settings", lifecycle.ErrInvalid, c.Add.Name)}
		}
		return o.spec.Projects, nil
	}
	return append(slices.Clone(o.spec.Projects), *c.Add), nil
}

func (w *world) ChangeProjects(_ context.Context, name string, c lifecycle.ProjectChange, sink event.Sink) (event.Onboarding, error) {
	out := event.Onboarding{Org: name}
	if err := w.fail(name, ""); err != nil {
		return out, err
	}
	next, err := w.changed(name, c)
	if err != nil {
		return out, err
	}
	op := w.begin(name, "projects", sink)
	out.Operation = op.ID
	emit := op.emit
	o := w.orgs[name]
	out.Changed = len(next) != len(o.spec.Projects)
	emit(event.Event{Type: event.LayerStarted, Layer: "bootstrap"})
	w.clock.pass(2 * time.Second)
	emit(event.Event{Type: event.LayerFinished, Layer: "bootstrap"})
	o.spec.Projects, o.status.DataPlane.Projects = next, nil
	for _, p := range next {
		o.status.DataPlane.Projects = append(o.status.DataPlane.Projects, p.Name)
	}
	changes := map[string]int{"same": 12}
	if out.Changed {
		changes["create"] = 1
	}
	out.Layers = []event.LayerResult{{Layer: "bootstrap", Stack: name + ".bootstrap", State: "done", Resources: 12, Duration: 2 * time.Second, Changes: changes}}
	out.DataPlane, out.Duration = o.status.DataPlane, 2*time.Second
	return out, op.end(out, nil)
}

func (w *world) Types() []string {
	return []string{"aws:iam/role:Role", "aws:ec2/vpc:Vpc", "aws:ec2/securityGroup:SecurityGroup", "kubernetes:core/v1:Namespace", "kubernetes:rbac.authorization.k8s.io/v1:Role"}
}

func (w *world) List(_ context.Context, owner, typ string) ([]event.SandboxItem, error) {
	var out []event.SandboxItem
	for _, it := range w.items {
		if (owner == "" || owner == it.Org || owner == it.Account) && (typ == "" || typ == it.Type) {
			out = append(out, it)
		}
	}
	return out, nil
}

func (w *world) find(owner, typ, item string) (int, error) {
	for i, it := range w.items {
		if (owner == it.Org || owner == it.Account) && typ == it.Type && (item == it.ID || item == it.Name) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: %s has no %s %q", lifecycle.ErrInvalid, owner, typ, item)
}

func (w *world) Show(_ context.Context, owner, typ, item string) (event.SandboxItem, error) {
	i, err := w.find(owner, typ, item)
	if err != nil {
		return event.SandboxItem{}, err
	}
	return w.items[i], nil
}

func (w *world) Edit(_ context.Context, owner, typ, item string, change func(map[string]any) error) (event.SandboxItem, error) {
	i, err := w.find(owner, typ, item)
	if err != nil {
		return event.SandboxItem{}, err
	}
	return w.items[i], change(w.items[i].Properties)
}

func (w *world) Remove(_ context.Context, owner, typ, item string, force bool) error {
	i, err := w.find(owner, typ, item)
	if err != nil {
		return err
	}
	if w.trouble == "in use" && !force {
		return errors.New("DependencyViolation: it is in use")
	}
	w.items = slices.Delete(w.items, i, i+1)
	return nil
}

func (w *world) Create(_ context.Context, owner, typ, name string, properties map[string]any) (event.SandboxItem, error) {
	it := event.SandboxItem{Org: owner, Account: "100000000002", Type: typ, ID: fmt.Sprintf("id-%d", len(w.items)+1), Name: name, Properties: properties}
	w.items = append(w.items, it)
	return it, nil
}

func (w *world) AdoptAccount(_ context.Context, id, role, _ string) error {
	for _, it := range w.items {
		if it.Account == id {
			return fmt.Errorf("account %s exists", id)
		}
	}
	w.items = append(w.items, event.SandboxItem{Account: id, Type: "aws:iam/role:Role", ID: role, Name: role})
	return nil
}

func (w *world) Reset(context.Context) error {
	w.items, w.orgs = nil, map[string]*org{}
	return nil
}

func (w *world) Stop(context.Context, string) error { return nil }

func (w *world) ServeCluster(_ context.Context, dir string, idle time.Duration) error {
	return fmt.Errorf("serve %s for %s", dir, idle)
}

func (w *world) Token(_ context.Context, dir, as string) ([]byte, error) {
	return fmt.Appendf(nil, `{"kind":"ExecCredential","status":{"token":"%s@%s"}}`, as, dir), nil
}

func (w *world) Exec(_ context.Context, argv []string, _ io.Reader, stdout, _ io.Writer) (int, error) {
	fmt.Fprintln(stdout, strings.Join(argv, " "))
	if argv[0] == "false" {
		return 7, nil
	}
	return 0, nil
}
