package main_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/crossguard"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/kubelive"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/operator"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/sandbox"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/policies"
)

const everybody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999988887777:root"},"Action":"*","Resource":"*"}]}`

// edits are what a colleague might do to a resource of our own components, by
// layer and the resource's name.
var edits = []struct {
	layer plan.Layer
	name  string
	edit  func(args any) bool // false: of another type
}{
	{plan.LayerBoundary, "data-key", on(func(a *kms.KeyArgs) { a.Policy = pulumi.String(everybody) })},
	{plan.LayerBoundary, "log-key", on(func(a *kms.KeyArgs) { a.EnableKeyRotation, a.Tags = pulumi.Bool(true), nil })},
	{plan.LayerBoundary, "read-role", on(func(a *iam.RoleArgs) { a.PermissionsBoundary = nil })},
	{plan.LayerBoundary, "bootstrap-role", on(func(a *iam.RoleArgs) { a.AssumeRolePolicy = pulumi.String(trust("*")) })},
	{plan.LayerBoundary, "offboard-role", on(func(a *iam.RoleArgs) { a.AssumeRolePolicy = pulumi.String(trust("arn:aws:iam::999988887777:root")) })},
	{plan.LayerBoundary, "provision-role", on(func(a *iam.RolePolicyArgs) {
		a.Policy = pulumi.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`)
	})},
	{plan.LayerBoundary, "data-bucket", on(func(a *s3.BucketPublicAccessBlockArgs) { a.BlockPublicPolicy = pulumi.Bool(false) })},
	{plan.LayerBoundary, "log-bucket", on(func(a *s3.BucketPolicyArgs) {
		a.Policy = pulumi.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abc"}}}]}`)
	})},
	{plan.LayerBoundary, "trail", on(func(a *cloudtrail.TrailArgs) { a.IsMultiRegionTrail = pulumi.Bool(false) })},
	{plan.LayerCluster, "network-flows", on(func(a *ec2.FlowLogArgs) { a.TrafficType = pulumi.String("REJECT") })},
	{plan.LayerCluster, "cluster-nodes", on(func(a *iam.RoleArgs) {
		a.PermissionsBoundary = pulumi.String("arn:aws:iam::aws:policy/AdministratorAccess")
	})},
	{plan.LayerCluster, "cluster-pool-default", on(func(a *ec2.LaunchTemplateArgs) {
		a.MetadataOptions = &ec2.LaunchTemplateMetadataOptionsArgs{HttpTokens: pulumi.String("optional"), HttpPutResponseHopLimit: pulumi.Int(2)}
	})},
	{plan.LayerBootstrap, "bootstrap-reader", on(func(a *rbacv1.ClusterRoleBindingArgs) {
		a.Subjects = rbacv1.SubjectArray{&rbacv1.SubjectArgs{Kind: pulumi.String("Group"), Name: pulumi.String("system:authenticated"), ApiGroup: pulumi.String("rbac.authorization.k8s.io")}}
	})},
	{plan.LayerBootstrap, "bootstrap-namespace-controller", on(func(a *appsv1.DeploymentArgs) {
		spec := a.Spec.(*appsv1.DeploymentSpecArgs)
		pod := spec.Template.(*corev1.PodTemplateSpecArgs).Spec.(*corev1.PodSpecArgs)
		pod.HostNetwork = pulumi.Bool(true)
	})},
}

// openCluster is one more, of a resource within the eks component.
const openCluster = "cluster cluster-eksCluster"

func on[A any](edit func(*A)) func(any) bool {
	return func(args any) bool {
		a, ok := args.(*A)
		if ok {
			edit(a)
		}
		return ok
	}
}

func trust(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"}]}`
}

// edited is an engine whose programs somebody has edited.
type edited struct {
	*engine.Engine
	on bool
	// met are the edits that found their resource, and reverted those that the
	// colleague has taken back.
	met, reverted map[string]bool
}

func (e *edited) Preview(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	return e.Engine.Preview(ctx, e.edit(s), sink)
}

func (e *edited) Up(ctx context.Context, s engine.Stack, sink event.Sink) (engine.Result, error) {
	return e.Engine.Up(ctx, e.edit(s), sink)
}

func (e *edited) edit(s engine.Stack) engine.Stack {
	if !e.on {
		return s
	}
	program := s.Program
	s.Program = func(ctx *pulumi.Context) error {
		err := ctx.RegisterStackTransformation(func(a *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			for _, d := range edits {
				if resource := string(d.layer) + " " + d.name; s.Layer+" "+a.Name == resource && !e.reverted[resource] && d.edit(a.Props) {
					e.met[resource] = true
				}
			}
			if args, ok := a.Props.(*eks.ClusterArgs); ok && !e.reverted[openCluster] {
				args.EndpointPublicAccess, args.PublicAccessCidrs = pulumi.Bool(true), pulumi.ToStringArray([]string{"0.0.0.0/0"})
			}
			return &pulumi.ResourceTransformationResult{Props: a.Props, Opts: a.Opts}
		})
		if err != nil {
			return err
		}
		return program(ctx)
	}
	return s
}

// TestAnEditOfOurOwnComponentsIsBlocked has a colleague edit our components for
// a customer who is there, and for one who is not: nothing is made of it.
func TestAnEditOfOurOwnComponentsIsBlocked(t *testing.T) {
	t.Parallel()
	h, file := onboarded(t)
	made := h.journal()

	service, eng := h.service(t)
	doc, err := spec.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	eng.on = true
	want := []string{openCluster}
	for _, d := range edits {
		want = append(want, string(d.layer)+" "+d.name)
	}
	// What waits for a resource that is blocked may not be asked for, and so the
	// edits come to light in some rounds: those of one are taken back for the next.
	var got []string
	for range edits {
		_, err := service.Plan(t.Context(), doc, lifecycle.PlanOptions{}, nil)
		if err == nil {
			break
		}
		failed, ok := errors.AsType[*lifecycle.Error](err)
		if !ok || !errors.Is(err, lifecycle.ErrBlocked) {
			t.Fatalf("plan: %v", err)
		}
		for _, f := range failed.Policy {
			got = append(got, f.Layer+" "+f.Resource.Name)
			t.Logf("%s %s %s %s: %s", f.Rule, f.Layer, f.Resource.Name, f.Path, f.Message)
		}
		for _, resource := range got {
			eng.reverted[resource] = true
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, slices.Compact(got)); d != "" {
		t.Errorf("blocked (-want +got), edits that met their resource: %v\n%s", eng.met, d)
	}
	clear(eng.reverted)
	if _, err := service.Onboard(t.Context(), doc, lifecycle.OnboardOptions{}, nil); !errors.Is(err, lifecycle.ErrBlocked) {
		t.Errorf("onboard: %v", err)
	}
	if now := h.journal(); now != made {
		t.Errorf("%d changes were made in the cloud", now-made)
	}
	eng.on = false
	if p, err := service.Plan(t.Context(), doc, lifecycle.PlanOptions{}, nil); err != nil || len(p.Changes) > 0 {
		t.Errorf("without the edits: %v, %v", p.Changes, err)
	}
}

// service is what the binary has behind its commands, in this process.
func (h home) service(t *testing.T) (*lifecycle.Service, *edited) {
	t.Helper()
	dir, self := filepath.Join(h.dir, "sandbox"), filepath.Join(bin, "freehold")
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	cl, err := sandbox.Open(t.Context(), sandbox.Options{
		Dir: filepath.Join(dir, "cloud"), Clock: time.Now, Log: log, Executable: self, Args: []string{"--home", h.dir}, Env: map[string]string{"FREEHOLD_HOME": h.dir},
	})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := sqlite.Open(t.Context(), filepath.Join(dir, "registry.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(reg.Close(), cl.Close()); err != nil {
			t.Error(err)
		}
	})
	eng, err := engine.New(engine.Options{
		CLI: func(context.Context) (string, semver.Version, error) {
			return filepath.Join(bin, "pulumi"), semver.MustParse("3.250.0"), nil
		},
		Project: plan.Project, BackendURL: "file://" + filepath.Join(dir, "state"), Dir: filepath.Join(dir, "stacks"),
		Secrets: engine.Passphrases{Dir: filepath.Join(dir, "secrets")}, Connect: func(ctx context.Context) (map[string]string, error) { return cl.ProviderEnv(ctx, nil) }, Now: time.Now, Log: log,
		Policies: func() (engine.Policies, error) {
			pack := filepath.Join(dir, "policy")
			ask := func(ctx context.Context, scope string, a engine.Asked) ([]finding.Policy, error) {
				return crossguard.Ask(ctx, policies.All(), scope, a.Stack, crossguard.Asked{
					Kind: string(a.Kind), Token: a.Token, Name: a.Name, ID: a.ID, Inputs: a.Inputs, Provider: (*crossguard.AskedProvider)(a.Provider), Made: a.Made,
				}, nil)
			}
			return engine.Policies{Pack: pack, Name: crossguard.Pack, Analyzer: crossguard.Analyzer, ScopeKey: crossguard.ScopeKey, Ask: ask}, crossguard.Install(pack, self)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := &edited{Engine: eng, met: map[string]bool{}, reverted: map[string]bool{}}
	return &lifecycle.Service{
		Records: lifecycle.Records{Registry: reg, Who: operator.Local("")},
		Cloud:   cl, Engine: e, Objects: kubelive.Clusters{}, Now: time.Now, Log: log, ProbeEvery: 200 * time.Millisecond,
		Holding: operation.Options{Store: reg, Now: time.Now, Holder: operation.ThisProcess()},
	}, e
}
