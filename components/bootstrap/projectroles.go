package bootstrap

import (
	"slices"

	rbacv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/rbac/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// projectRole is what a member of a project may do in its namespace. The
// controller binds the ClusterRole of the same name, with a prefix, there.
//
// Kubernetes' own admin, edit and view are not used: admin and edit write
// network policies, which only ever add ways out, so that any editor could
// open the fence; and admin writes role bindings, so that any admin could let
// in whom the Project does not name.
type projectRole struct {
	name  string
	rules rbacv1.PolicyRuleArray
}

const projectRolePrefix = "freehold-project-"

var projectRoleList = []projectRole{
	{"viewer", rules(viewing...)},
	{"editor", rules(slices.Concat(viewing, editing)...)},
	{"admin", rules(slices.Concat(viewing, editing, administering)...)},
}

// viewing sees everything of a project but its secrets.
var viewing = []*rbacv1.PolicyRuleArgs{
	rule(groups(""), []string{
		"configmaps", "endpoints", "events", "limitranges", "persistentvolumeclaims", "pods", "pods/log", "pods/status",
		"resourcequotas", "resourcequotas/status", "serviceaccounts", "services",
	}, read),
	rule(groups("apps"), []string{"controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"}, read),
	rule(groups("autoscaling"), []string{"horizontalpodautoscalers"}, read),
	rule(groups("batch"), []string{"cronjobs", "jobs"}, read),
	rule(groups("discovery.k8s.io"), []string{"endpointslices"}, read),
	rule(groups("networking.k8s.io"), []string{"ingresses", "networkpolicies"}, read),
	rule(groups("policy"), []string{"poddisruptionbudgets"}, read),
	rule(groups("resource.k8s.io"), []string{"resourceclaims", "resourceclaimtemplates"}, read),
}

// editing runs workloads. Whoever may start a pod may read the namespace's
// secrets by mounting them, so they are not kept from an editor.
var editing = []*rbacv1.PolicyRuleArgs{
	rule(groups(""), []string{"configmaps", "persistentvolumeclaims", "pods", "services"}, write),
	rule(groups(""), []string{"secrets"}, all),
	rule(groups(""), []string{"pods/attach", "pods/exec", "pods/portforward"}, []string{"get", "create"}),
	rule(groups(""), []string{"pods/eviction"}, []string{"create"}),
	rule(groups("apps"), []string{"deployments", "deployments/scale", "statefulsets", "statefulsets/scale"}, write),
	rule(groups("autoscaling"), []string{"horizontalpodautoscalers"}, write),
	rule(groups("batch"), []string{"cronjobs", "jobs"}, write),
	rule(groups("networking.k8s.io"), []string{"ingresses"}, write),
	rule(groups("policy"), []string{"poddisruptionbudgets"}, write),
	rule(groups("resource.k8s.io"), []string{"resourceclaims", "resourceclaimtemplates"}, write),
}

// administering makes the identities that workloads run as.
var administering = []*rbacv1.PolicyRuleArgs{
	rule(groups(""), []string{"serviceaccounts"}, write),
	rule(groups(""), []string{"serviceaccounts/token"}, []string{"create"}),
	rule(groups(rbacGroup), []string{"rolebindings", "roles"}, read),
}

func (b *builder) projectRoles() ([]pulumi.Resource, error) {
	var made []pulumi.Resource
	for _, r := range projectRoleList {
		role, err := rbacv1.NewClusterRole(b.ctx, b.child("project-"+r.name), &rbacv1.ClusterRoleArgs{
			Metadata: b.clusterMeta(projectRolePrefix + r.name),
			Rules:    r.rules,
		}, b.parent)
		if err != nil {
			return nil, err
		}
		made = append(made, role)
	}
	return made, nil
}
