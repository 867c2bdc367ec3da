package bootstrap

import (
	_ "embed"
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	apiextensionsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"go.yaml.in/yaml/v3"
)

// definition is generated from the Project type in internal/api.
//
//go:embed project-crd.yaml
var definition []byte

// projectDefinition makes the Project CRD as its manifest says. The SDK's typed
// arguments know no way to read a manifest, so they are left out.
func (b *builder) projectDefinition() (pulumi.Resource, error) {
	var manifest struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string `yaml:"kind"`
		Metadata   struct {
			Name        string            `yaml:"name"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"metadata"`
		Spec map[string]any `yaml:"spec"`
	}
	if err := yaml.Unmarshal(definition, &manifest); err != nil {
		return nil, fmt.Errorf("reading the Project CRD: %w", err)
	}
	meta := b.clusterMeta(manifest.Metadata.Name)
	meta.Annotations = annotations(manifest.Metadata.Annotations)
	var crd apiextensionsv1.CustomResourceDefinition
	err := b.ctx.RegisterResource("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", b.child("project-definition"),
		kubernetes.UntypedArgs{
			"apiVersion": manifest.APIVersion,
			"kind":       manifest.Kind,
			"metadata":   meta,
			"spec":       manifest.Spec,
		}, &crd, b.parent)
	return &crd, err
}
