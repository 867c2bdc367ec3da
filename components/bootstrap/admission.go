package bootstrap

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/strays"
)

// What the controller makes carries the label. An administrator puts the
// annotation on a namespace that the controller shall take over.
const (
	ownerLabel      = "freehold.dev/managed-by"
	ownerValue      = controllerName
	adoptAnnotation = "freehold.dev/adopt"
	fieldManager    = "freehold-namespace-controller"
)

// caretakers are the parts of Kubernetes and EKS that work on everybody's
// objects: they empty namespaces, collect garbage, and mark the network
// policies that EKS enforces. Clusters whose controller manager does not use
// service accounts do the first two under its own name.
var caretakers = []string{
	"system:serviceaccount:kube-system:namespace-controller",
	"system:serviceaccount:kube-system:generic-garbage-collector",
	"system:kube-controller-manager",
	"eks:network-policy-controller",
}

// admission makes the fences around the controller and around projects, and
// returns what must exist before anything needs fencing. All of them fail closed,
// and none asks a webhook, which could be down.
func (b *builder) admission() ([]pulumi.Resource, error) {
	type part struct {
		name string
		spec *admissionv1.ValidatingAdmissionPolicySpecArgs
	}
	parts := []part{
		{"owned-objects", b.ownedObjects()},
		{"controller", b.ownNamespacesOnly()},
		{"controller-reach", b.projectsOnly()},
		{"controller-workloads", b.stopsAndStartsOnly()},
		{"namespaces", b.namespaceMarks()},
		{"project-fences", b.projectFences()},
		{"project-services", b.projectServices()},
		{"project-ingress", b.projectIngress()},
		{"project-pods", b.projectPods()},
		{"project-objects", b.projectObjects()},
		{"project-budgets", b.projectBudgets()},
		{"project-marks", b.projectMarks()},
		{"project-images", b.projectImages()},
		{"project-resources", b.projectResources()},
		{"project-devices", b.projectDevices()},
		{"bindings", b.bindings()},
		{"everybody", b.everybody()},
		{"node-access", b.nodeAccess()},
		{"node-volumes", b.nodeVolumes()},
	}
	if b.args.ProjectSource != nil {
		parts = append(parts, part{"pulled-projects", b.pulledProjectsOnly()})
	}
	var made []pulumi.Resource
	for _, p := range parts {
		policy, err := b.fencePolicy(p.name, p.spec)
		if err != nil {
			return nil, err
		}
		made = append(made, policy)
	}
	return made, nil
}

// fencePolicy makes a policy and binds it to the whole cluster.
func (b *builder) fencePolicy(part string, spec *admissionv1.ValidatingAdmissionPolicySpecArgs) (pulumi.Resource, error) {
	name := "freehold-" + part
	policy, err := admissionv1.NewValidatingAdmissionPolicy(b.ctx, b.child(part), &admissionv1.ValidatingAdmissionPolicyArgs{
		Metadata: b.clusterMeta(name),
		Spec:     spec,
	}, b.parent)
	if err != nil {
		return nil, err
	}
	return admissionv1.NewValidatingAdmissionPolicyBinding(b.ctx, b.child(part), &admissionv1.ValidatingAdmissionPolicyBindingArgs{
		Metadata: b.clusterMeta(name),
		Spec: &admissionv1.ValidatingAdmissionPolicyBindingSpecArgs{
			PolicyName:        pulumi.String(name),
			ParamRef:          quotaOf(spec),
			ValidationActions: stringArray("Deny"),
		},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{policy}))
}

// ownedObjects keeps everybody else's hands off what carries the controller's
// label. The selector fits an object that has the label before or after the
// request, so that the label can be neither taken away nor put on.
func (b *builder) ownedObjects() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	return policy(
		// "*" leaves out subresources: status is written by whom it is about.
		onWrites([]string{"*"}, "*"),
		check(b.caretaker(), "this object belongs to Freehold's namespace controller: change the Project that it was made for"),
	).objects()
}

// ownNamespacesOnly keeps the controller's hands off namespaces that are not
// its own: its role would let it remove any, kube-system among them. Its own are
// those that carry its label, those that are marked for adoption, and those
// whose label somebody took away after the controller wrote them.
func (b *builder) ownNamespacesOnly() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	owns := func(object string) string { return mark(object, ownerLabel) + " == " + strconv.Quote(ownerValue) }
	const (
		adopts  = `oldObject.metadata.?annotations[?"` + adoptAnnotation + `"].orValue("") == oldObject.metadata.name`
		written = `oldObject.metadata.?managedFields.orValue([]).exists(m, m.?manager.orValue("") == "` + fieldManager + `")`
	)
	may := `(request.operation == "DELETE" || ` + owns("object") + `) && ` +
		`(request.operation == "CREATE" || ` + owns("oldObject") + ` || request.operation == "UPDATE" && (` + adopts + " || " + written + "))"
	return policy(
		onWrites([]string{"namespaces"}, ""),
		check(may, "the namespace controller may only write namespaces that are its own"),
	).ofTheController(b).spec
}

// projectsOnly keeps the controller inside the namespaces of projects. There it
// also takes away what others left beside its own.
func (b *builder) projectsOnly() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	var installed admissionv1.NamedRuleWithOperationsArray
	resources := strays.Resources()
	for _, group := range slices.Sorted(maps.Keys(resources)) {
		installed = append(installed, onWrites(resources[group], group)...)
	}
	return policy(
		rulesOf(
			installed,
			onWrites([]string{"resourcequotas", "limitranges", "serviceaccounts", "pods", "services"}, ""),
			onWrites([]string{"networkpolicies", "ingresses"}, "networking.k8s.io"),
			onWrites([]string{"rolebindings", "roles"}, rbacGroup),
			onWrites([]string{"cronjobs", "cronjobs/status", "jobs"}, "batch"),
			onWrites([]string{"daemonsets", "deployments", "replicasets", "statefulsets"}, "apps"),
			onWrites([]string{"replicationcontrollers"}, ""),
		),
		// What is in no namespace is not a project's either.
		check(`request.?namespace.orValue("") != "" && `+mark("namespaceObject", ownerLabel)+" == "+strconv.Quote(ownerValue),
			"the namespace controller may only work in the namespaces of projects"),
	).ofTheController(b).spec
}

// stopsAndStartsOnly keeps the controller's hands off what workloads run: it
// suspends and scales those of projects that hibernate.
func (b *builder) stopsAndStartsOnly() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	return policy(onPods(), check("variables.same", "the namespace controller stops and starts workloads, and changes nothing of what they run")).
		with(podVariables()...).ofTheController(b).spec
}

// fence is a policy while it is put together.
type fence struct {
	spec *admissionv1.ValidatingAdmissionPolicySpecArgs
}

// policy refuses requests that one of the checks does not fit.
func policy(rules admissionv1.NamedRuleWithOperationsArray, checks ...admissionv1.ValidationInput) fence {
	return fence{&admissionv1.ValidatingAdmissionPolicySpecArgs{
		FailurePolicy:    pulumi.String("Fail"),
		MatchConstraints: &admissionv1.MatchResourcesArgs{ResourceRules: rules},
		Validations:      admissionv1.ValidationArray(checks),
	}}
}

// check is one expression that must be true, and what its refusal says.
func check(expression, message string) *admissionv1.ValidationArgs {
	return &admissionv1.ValidationArgs{
		Expression: pulumi.String(expression), Message: pulumi.String(message), Reason: pulumi.String("Forbidden"),
	}
}

// objects narrows a policy to objects that carry the controller's label.
func (f fence) objects() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	f.spec.MatchConstraints.(*admissionv1.MatchResourcesArgs).ObjectSelector = ownedByController()
	return f.spec
}

// projects narrows a policy to the namespaces of projects.
func (f fence) projects() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	f.spec.MatchConstraints.(*admissionv1.MatchResourcesArgs).NamespaceSelector = ownedByController()
	return f.spec
}

// ofTheController narrows a policy to the controller's own requests.
func (f fence) ofTheController(b *builder) fence {
	f.spec.MatchConditions = admissionv1.MatchConditionArray{&admissionv1.MatchConditionArgs{
		Name: pulumi.String("is-the-controller"), Expression: pulumi.String(b.isController()),
	}}
	return f
}

// with names expressions that the checks share, each of which may use those before it.
func (f fence) with(variables ...*admissionv1.VariableArgs) fence {
	var all admissionv1.VariableArray
	for _, v := range variables {
		all = append(all, v)
	}
	f.spec.Variables = all
	return f
}

func variable(name, expression string) *admissionv1.VariableArgs {
	return &admissionv1.VariableArgs{Name: pulumi.String(name), Expression: pulumi.String(expression)}
}

func ownedByController() *metav1.LabelSelectorArgs {
	return &metav1.LabelSelectorArgs{MatchLabels: stringMap(map[string]string{ownerLabel: ownerValue})}
}

// mark is a CEL expression for an object's label, "" where there is none.
func mark(object, label string) string {
	return object + ".metadata.?labels[?" + strconv.Quote(label) + `].orValue("")`
}

func (b *builder) isController() string {
	return "request.userInfo.username == " + strconv.Quote(b.controllerUser())
}

// caretaker is true for who may touch what is the controller's: itself, the
// parts of the cluster that work on everybody's objects, and administrators.
func (b *builder) caretaker() string {
	return b.by(append([]string{b.controllerUser()}, caretakers...)...)
}

// by is true for requests of these users, and of administrators.
func (b *builder) by(users ...string) string {
	return "(request.userInfo.username in " + celList(users) +
		" || request.userInfo.?groups.orValue([]).exists(g, g in " + celList(b.admins()) + "))"
}

func (b *builder) controllerUser() string {
	return "system:serviceaccount:" + b.args.Namespace + ":" + controllerName
}

// admins are the groups that may touch everything.
func (b *builder) admins() []string {
	return append([]string{"system:masters"}, b.args.Administrators...)
}

// onWrites fits every write to these resources.
func onWrites(resources []string, group string) admissionv1.NamedRuleWithOperationsArray {
	return on(resources, group, "CREATE", "UPDATE", "DELETE")
}

// onContents fits every write that says what is in an object.
func onContents(resources []string, group string) admissionv1.NamedRuleWithOperationsArray {
	return on(resources, group, "CREATE", "UPDATE")
}

func on(resources []string, group string, operations ...string) admissionv1.NamedRuleWithOperationsArray {
	return admissionv1.NamedRuleWithOperationsArray{&admissionv1.NamedRuleWithOperationsArgs{
		ApiGroups:   stringArray(group),
		ApiVersions: stringArray("*"),
		Operations:  stringArray(operations...),
		Resources:   stringArray(resources...),
		Scope:       pulumi.String("*"),
	}}
}

func rulesOf(parts ...admissionv1.NamedRuleWithOperationsArray) admissionv1.NamedRuleWithOperationsArray {
	return slices.Concat(parts...)
}

// celList writes strings as a CEL list; both languages quote strings alike.
func celList(ss []string) string {
	quoted := make([]string, len(ss))
	for i, s := range ss {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
