package bootstrap

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// projects asks for each project once the controller can answer, and returns
// their names.
func (b *builder) projects(needs []pulumi.Resource) (pulumi.StringArrayOutput, error) {
	names := make(pulumi.StringArray, len(b.args.Projects))
	for i, p := range b.args.Projects {
		spec, err := asObject(p.Spec)
		if err != nil {
			return pulumi.StringArrayOutput{}, fmt.Errorf("project %s: %w", p.Name, err)
		}
		project, err := apiextensions.NewCustomResource(b.ctx, b.child("project-"+p.Name), &apiextensions.CustomResourceArgs{
			ApiVersion:  pulumi.String(v1alpha1.GroupVersion.String()),
			Kind:        pulumi.String("Project"),
			Metadata:    b.clusterMeta(p.Name),
			OtherFields: kubernetes.UntypedArgs{"spec": spec},
		}, b.parent, pulumi.DependsOn(needs))
		if err != nil {
			return pulumi.StringArrayOutput{}, err
		}
		names[i] = project.Metadata.Name().Elem()
	}
	return names.ToStringArrayOutput(), nil
}

// asObject returns a spec as the API takes it.
func asObject(s v1alpha1.ProjectSpec) (map[string]any, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var spec map[string]any
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, err
	}
	return spec, nil
}
