package lifecycletest_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/cloud/cloudtest"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/internal/unknown"
	"freehold.dev/freehold/stacks"
)

// acme is a data plane with a project whose pods have a role.
func acme(t *testing.T, more ...string) plan.Plan {
	t.Helper()
	doc := `apiVersion: freehold.dev/v1alpha1
kind: DataPlane
org: acme
region: eu-central-1
deletionProtection: false
account: {email: aws+acme@example.com}
projects:
  - name: shop
    serviceAccounts:
      - name: uploader
        podIdentity: {policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}
` + strings.Join(more, "\n")
	file := filepath.Join(t.TempDir(), "acme.yaml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := spec.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return plan.Build(s)
}

// dataPlane runs the layers of a plan as lifecycle would, without any of its care.
type dataPlane struct {
	t    *testing.T
	plan plan.Plan
	p    *lifecycletest.Process
	outs map[plan.Layer]map[string]any
}

func on(t *testing.T, p *lifecycletest.Process, pl plan.Plan) *dataPlane {
	return &dataPlane{t, pl, p, map[plan.Layer]map[string]any{}}
}

func (d *dataPlane) stack(l plan.Layer) engine.Stack {
	d.t.Helper()
	var in any
	account := decode[stacks.AccountOut](d, plan.LayerAccount)
	boundary := decode[stacks.BoundaryOut](d, plan.LayerBoundary)
	cluster := decode[stacks.ClusterOut](d, plan.LayerCluster)
	switch l {
	case plan.LayerAccount:
		in = stacks.AccountIn{Plan: d.plan.Account, ManagementAccountID: lifecycletest.ManagementAccount, ProvisionerARN: lifecycletest.ProvisionerARN}
	case plan.LayerBoundary:
		in = stacks.BoundaryIn{Plan: d.plan.Boundary, Account: account}
	case plan.LayerCluster:
		in = stacks.ClusterIn{Plan: d.plan.Cluster, Account: account, Boundary: boundary, ExternalID: d.plan.Boundary.ExternalID}
	case plan.LayerBootstrap:
		in = stacks.BootstrapIn{Plan: d.plan.Bootstrap, Account: account, Boundary: boundary, Cluster: cluster}
	}
	raw, err := json.Marshal(in)
	if err != nil {
		d.t.Fatal(err)
	}
	return engine.Stack{
		Org: d.plan.Org, Layer: string(l), Name: plan.StackName(d.plan.Org, l), Config: map[string]string{stacks.ConfigKey: string(raw)},
	}
}

func decode[Out any](d *dataPlane, l plan.Layer) (out Out) {
	d.t.Helper()
	if d.outs[l] == nil {
		return out
	}
	out, err := stacks.Decode[Out](d.outs[l])
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// account reaches the org's account.
func (d *dataPlane) account() cloud.Account {
	out := decode[stacks.AccountOut](d, plan.LayerAccount)
	return cloud.Account{ID: out.AccountID, Region: d.plan.Region, RoleARN: out.AccessRoleARN, ExternalID: out.ExternalID}
}

// find looks up what a killed run of a layer left behind, as lifecycle does.
func (d *dataPlane) find(l plan.Layer) engine.Finder {
	a := cloud.Account{Region: d.plan.Region}
	if l != plan.LayerAccount {
		a = d.account()
	}
	return func(ctx context.Context, st engine.Step) (engine.Found, bool, error) {
		if l == plan.LayerBootstrap {
			return engine.Found{}, false, nil // applied by name
		}
		if row, known := awstype.Of(st.Type); known && !row.Identified(st.NewInputs) {
			return engine.Found{}, false, nil
		}
		id, err := d.p.Cloud().Find(ctx, a, st.Type, unknown.Without(st.NewInputs))
		if errors.Is(err, cloud.ErrNotFound) {
			return engine.Found{}, false, nil
		}
		return engine.Found{ID: id}, err == nil, err
	}
}

// up runs a layer and keeps its outputs.
func (d *dataPlane) up(l plan.Layer) (engine.Result, error) {
	res, err := d.p.Engine().Up(d.t.Context(), d.stack(l), nil)
	if err == nil {
		d.outs[l] = res.Outputs
	}
	return res, err
}

// make runs all layers, adopting first where asked to.
func (d *dataPlane) make(adopt bool) error {
	for _, l := range plan.Layers() {
		if adopt {
			if _, err := d.p.Engine().Adopt(d.t.Context(), d.stack(l), d.find(l), nil); err != nil {
				return err
			}
		}
		if _, err := d.up(l); err != nil {
			return err
		}
	}
	return nil
}

func start(t *testing.T, w *lifecycletest.World, machine string) *lifecycletest.Process {
	t.Cleanup(w.Close)
	return w.Start(t.Context(), lifecycletest.Machine{Name: machine})
}

// made is a world with one data plane in it.
func made(t *testing.T, pl plan.Plan) (*lifecycletest.World, *dataPlane) {
	t.Helper()
	w := lifecycletest.New()
	d := on(t, start(t, w, "a"), pl)
	if err := d.make(false); err != nil {
		t.Fatal(err)
	}
	return w, d
}

func TestTheCloudKeepsWhatEveryCloudPromises(t *testing.T) {
	w := lifecycletest.New()
	cloudtest.Exercise(t, func() cloudtest.Cloud { return start(t, w, "a").Cloud() })
}

func TestEveryLayerGivesWhatTheNextOneReads(t *testing.T) {
	for reason, more := range map[string]string{
		"with one gateway":           "",
		"with one gateway in a zone": "network: {nat: per-zone}",
		"with people":                "cluster: {identityProvider: {issuerUrl: \"https://login.example.com\", clientId: kubernetes}}",
	} {
		t.Run(reason, func(t *testing.T) {
			_, d := made(t, acme(t, more))
			decode[stacks.AccountOut](d, plan.LayerAccount)
			decode[stacks.BoundaryOut](d, plan.LayerBoundary)
			cluster := decode[stacks.ClusterOut](d, plan.LayerCluster)
			if cluster.ProjectRoleARNs["shop/uploader"] == "" {
				t.Errorf("no role for the project: %v", cluster.ProjectRoleARNs)
			}
			if got := decode[stacks.BootstrapOut](d, plan.LayerBootstrap).Projects; len(got) != 1 || got[0] != "shop" {
				t.Errorf("projects: %v", got)
			}
			for _, l := range plan.Layers() {
				res, err := d.up(l)
				if err != nil {
					t.Fatal(err)
				}
				for op := range res.Changes {
					if op != "same" {
						t.Errorf("layer %s, run again, has changes: %v", l, res.Changes)
					}
				}
			}
		})
	}
}

func TestAKilledRunThatIsGoneOnWithEndsWhereAnUndisturbedOneEnds(t *testing.T) {
	pl := acme(t, "network: {nat: per-zone}")
	want, d := made(t, pl)
	writes := len(d.p.Writes())
	for n := 1; n <= writes; n++ {
		w := lifecycletest.New()
		if n%2 == 0 {
			w.LeaveNoPending()
		}
		killed := on(t, start(t, w, "a"), pl)
		killed.p.KillAfter(n)
		if err := killed.make(false); err == nil || !killed.p.Killed() {
			t.Fatalf("kill %d: %v", n, err)
		}
		if w.Writes() != n {
			t.Fatalf("kill %d: the dead process has written: %d", n, w.Writes())
		}
		again := on(t, start(t, w, "b"), pl)
		if err := again.make(true); err != nil {
			t.Fatalf("after kill %d: %v", n, err)
		}
		lifecycletest.Same(t, want, w)
		if t.Failed() {
			t.Fatalf("after kill %d", n)
		}
	}
}

func TestWithoutAdoptingWhatWasLostIsMadeTwiceOrItsNameIsTaken(t *testing.T) {
	pl := acme(t, "network: {nat: per-zone}")
	_, d := made(t, pl)
	addresses, twice, taken := 0, 0, 0
	for n := 1; n <= len(d.p.Writes()); n++ {
		w := lifecycletest.New()
		killed := on(t, start(t, w, "a"), pl)
		killed.p.KillAfter(n)
		_ = killed.make(false)
		again := on(t, start(t, w, "b"), pl)
		err := again.make(false)
		addresses = len(w.Things("aws:ec2/eip:Eip"))
		switch {
		case errors.Is(err, engine.ErrNameInUse):
			taken++
		case err != nil:
			t.Fatalf("after kill %d: %v", n, err)
		case addresses == 4:
			twice++
		}
	}
	// Each of the three addresses has one moment in which it can be lost.
	if twice != 3 || taken < 15 {
		t.Errorf("made twice: %d addresses, want 3; taken: %d names", twice, taken)
	}
}
