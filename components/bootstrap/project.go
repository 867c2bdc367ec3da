package bootstrap

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Project is one Project object; its fields are those of the CRD's spec.
type Project struct {
	Name            string           `json:"-"` // required
	Org             string           `json:"org,omitempty"`
	DisplayName     string           `json:"displayName,omitempty"`
	Quota           Quota            `json:"quota"`
	Limits          Limits           `json:"limits"`
	Members         []Member         `json:"members,omitempty"`
	Egress          []Egress         `json:"egress,omitempty"`
	Ingress         []Ingress        `json:"ingress,omitempty"`
	PodSecurity     string           `json:"podSecurity,omitempty"` // empty: restricted
	ServiceAccounts []ServiceAccount `json:"serviceAccounts,omitempty"`
	Registries      []string         `json:"registries,omitempty"`
	Hibernate       bool             `json:"hibernate"`
	TTL             string           `json:"ttl,omitempty"`
	DeletionPolicy  string           `json:"deletionPolicy,omitempty"` // empty: Retain
}

// ServiceAccount is what workloads of a project may run as.
type ServiceAccount struct {
	Name            string `json:"name"`
	PodIdentityRole string `json:"podIdentityRole,omitempty"` // ARN; empty: none
}

// Quota bounds what a project may use.
type Quota struct {
	CPU     string `json:"cpu"`
	Memory  string `json:"memory"`
	Storage string `json:"storage"`
	Pods    int    `json:"pods"`
	GPUs    int    `json:"gpus"`
	// Objects bound how many objects of a kind there may be; 0 does not.
	Objects Objects `json:"objects,omitzero"`
}

// Objects are a project's quota of objects, by kind.
type Objects struct {
	ConfigMaps             int `json:"configMaps,omitempty"`
	Secrets                int `json:"secrets,omitempty"`
	Services               int `json:"services,omitempty"`
	PersistentVolumeClaims int `json:"persistentVolumeClaims,omitempty"`
	Deployments            int `json:"deployments,omitempty"`
	StatefulSets           int `json:"statefulSets,omitempty"`
	Jobs                   int `json:"jobs,omitempty"`
	CronJobs               int `json:"cronJobs,omitempty"`
	Ingresses              int `json:"ingresses,omitempty"`
}

// Limits are a container's defaults and maximum.
type Limits struct {
	DefaultCPU    string `json:"defaultCpu"`
	DefaultMemory string `json:"defaultMemory"`
	MaxCPU        string `json:"maxCpu"`
	MaxMemory     string `json:"maxMemory"`
	MinCPU        string `json:"minCpu,omitempty"`
	MinMemory     string `json:"minMemory,omitempty"`
}

// Member gives a group or a user a role in a project.
type Member struct {
	Group string `json:"group,omitempty"`
	User  string `json:"user,omitempty"`
	Role  string `json:"role"`
}

// Egress is one way out of a project.
type Egress struct {
	CIDR     string `json:"cidr"`
	Ports    []int  `json:"ports,omitempty"`
	Protocol string `json:"protocol"`
}

// Ingress lets another project call one.
type Ingress struct {
	Project  string `json:"project"`
	Ports    []int  `json:"ports,omitempty"`
	Protocol string `json:"protocol"`
}

// projects asks for each project once the controller can answer, and returns
// their names.
func (b *builder) projects(needs []pulumi.Resource) (pulumi.StringArrayOutput, error) {
	names := make(pulumi.StringArray, len(b.args.Projects))
	for i, p := range b.args.Projects {
		spec, err := p.spec()
		if err != nil {
			return pulumi.StringArrayOutput{}, err
		}
		project, err := apiextensions.NewCustomResource(b.ctx, b.child("project-"+p.Name), &apiextensions.CustomResourceArgs{
			ApiVersion:  pulumi.String("freehold.dev/v1alpha1"),
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

// spec returns the object's spec as the API takes it.
func (p Project) spec() (map[string]any, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("project %s: %w", p.Name, err)
	}
	var spec map[string]any
	if err := json.Unmarshal(text, &spec); err != nil {
		return nil, fmt.Errorf("project %s: %w", p.Name, err)
	}
	return spec, nil
}
