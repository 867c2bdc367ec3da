package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/bootstrap"
	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/plan"
)

// ProjectSourceBinding is the ClusterRoleBinding without which the namespace
// controller makes no Project any more.
const ProjectSourceBinding = bootstrap.ProjectSourceBinding

// Bootstrap is the program of the bootstrap layer. It runs as the bootstrap
// role, which its kubeconfig names.
func Bootstrap(ctx *pulumi.Context, in BootstrapIn) error {
	provider, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{
		Kubeconfig: pulumi.String(in.Kubeconfig),
		// Another kubeconfig for the same cluster is an update. Without this,
		// the provider guesses, and may replace everything in the cluster.
		ClusterIdentifier:     pulumi.String(in.Cluster.ARN),
		EnableServerSideApply: pulumi.Bool(true),
		// DeleteUnreachable stays off: a cluster that does not answer must not
		// look like one that is gone.
	})
	if err != nil {
		return err
	}
	wanted, err := projects(in, ctx.DryRun())
	if err != nil {
		return err
	}
	made, err := bootstrap.New(ctx, "bootstrap", bootstrap.Args{
		Namespace:      in.Plan.Namespace,
		Image:          in.Boundary.ControllerRepository + "@" + in.Plan.ControllerDigest,
		Org:            in.Plan.Org,
		Registry:       registryOf(in.Boundary.ControllerRepository),
		Labels:         labels(in.Plan.Common),
		Administrators: []string{Administrators},
		Readers:        Readers,
		StorageClass:   in.Plan.StorageClass,
		VolumeKeyARN:   in.Boundary.DataKeyARN,
		VolumeTags:     plan.TagsOfVolumes(in.Plan.Tags).Class,
		Projects:       wanted,
		ProjectSource:  (*bootstrap.ProjectSource)(in.Plan.ProjectSource),
	}, pulumi.Providers(provider))
	if err != nil {
		return err
	}
	return export[BootstrapOut](ctx, pulumi.Map{
		"namespace":       made.Namespace,
		"controllerImage": made.ControllerImage,
		"projects":        made.Projects,
	})
}

// registryOf returns the org's registry as the beginning of its images.
func registryOf(repository string) string {
	host, _, _ := strings.Cut(repository, "/")
	return host + "/"
}

// labels are Freehold's tags in Kubernetes' form. The spec's own tags are left
// out: most of what a tag may say, a label may not.
func labels(common plan.Common) map[string]string {
	return map[string]string{
		"freehold.dev/org":             common.Org,
		"freehold.dev/layer":           string(plan.LayerBootstrap),
		"freehold.dev/managed-by":      "freehold",
		"app.kubernetes.io/managed-by": "freehold",
	}
}

func projects(in BootstrapIn, preview bool) ([]v1alpha1.NamedProject, error) {
	projects := make([]v1alpha1.NamedProject, len(in.Plan.Projects))
	for i, p := range in.Plan.Projects {
		roles := map[string]string{}
		for _, name := range p.ServiceAccounts {
			role, err := podRole(in, p, name, preview)
			if err != nil {
				return nil, err
			}
			roles[name] = role
		}
		projects[i] = p.Object(in.Plan.Org, roles)
	}
	return projects, nil
}

// podRole returns the ARN of the role that the cluster layer made for a service
// account; empty when it has none. A preview may come before that layer.
func podRole(in BootstrapIn, p plan.ProjectPlan, account string, preview bool) (string, error) {
	i := slices.IndexFunc(p.PodIdentities, func(identity plan.PodIdentity) bool { return identity.ServiceAccount == account })
	if i < 0 {
		return "", nil
	}
	r := plan.ProjectRole{Project: p.Name, PodIdentity: p.PodIdentities[i]}
	arn, made := in.Cluster.ProjectRoleARNs[r.Account()]
	switch {
	case made:
		return arn, nil
	case preview:
		return "arn:aws:iam::" + in.Account.AccountID + ":role/" + r.Role, nil
	default:
		return "", fmt.Errorf("the cluster layer has made no role for service account %s", r.Account())
	}
}
