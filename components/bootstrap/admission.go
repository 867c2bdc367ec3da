package bootstrap

import (
	"strconv"
	"strings"

	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// What the controller makes carries this label.
const (
	ownerLabel = "freehold.dev/managed-by"
	ownerValue = controllerName
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

// admission makes the two fences around the controller, and returns what must
// exist before anything needs fencing. Both fail closed.
func (b *builder) admission() ([]pulumi.Resource, error) {
	owned, err := b.fencePolicy("owned-objects", b.ownedObjects())
	if err != nil {
		return nil, err
	}
	controller, err := b.fencePolicy("controller", b.ownObjectsOnly())
	if err != nil {
		return nil, err
	}
	return []pulumi.Resource{owned, controller}, nil
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
			ValidationActions: stringArray("Deny"),
		},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{policy}))
}

// ownedObjects keeps everybody else's hands off what carries the controller's
// label. The selector fits an object that has the label before or after the
// request, so that the label can be neither taken away nor put on.
func (b *builder) ownedObjects() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	users := append([]string{b.controllerUser()}, caretakers...)
	may := "request.userInfo.username in " + celList(users) +
		" || (has(request.userInfo.groups) && request.userInfo.groups.exists(g, g in " + celList(b.admins()) + "))"
	return &admissionv1.ValidatingAdmissionPolicySpecArgs{
		FailurePolicy: pulumi.String("Fail"),
		MatchConstraints: &admissionv1.MatchResourcesArgs{
			ObjectSelector: &metav1.LabelSelectorArgs{MatchLabels: stringMap(map[string]string{ownerLabel: ownerValue})},
			// "*" leaves out subresources: status is written by whom it is about.
			ResourceRules: onWrites([]string{"*"}, "*"),
		},
		Validations: admissionv1.ValidationArray{&admissionv1.ValidationArgs{
			Expression: pulumi.String(may),
			Message:    pulumi.String("this object belongs to Freehold's namespace controller: change the Project that it was made for"),
			Reason:     pulumi.String("Forbidden"),
		}},
	}
}

// ownObjectsOnly keeps the controller's hands off what is not its own. Its
// role would let it remove any namespace, kube-system among them.
func (b *builder) ownObjectsOnly() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	owns := func(object string) string {
		return "(has(" + object + ".metadata.labels) && " + strconv.Quote(ownerLabel) + " in " + object + ".metadata.labels && " +
			object + ".metadata.labels[" + strconv.Quote(ownerLabel) + "] == " + strconv.Quote(ownerValue) + ")"
	}
	may := `(request.operation == "DELETE" || ` + owns("object") + `) && (request.operation == "CREATE" || ` + owns("oldObject") + `)`
	return &admissionv1.ValidatingAdmissionPolicySpecArgs{
		FailurePolicy: pulumi.String("Fail"),
		MatchConditions: admissionv1.MatchConditionArray{&admissionv1.MatchConditionArgs{
			Name:       pulumi.String("is-the-controller"),
			Expression: pulumi.String("request.userInfo.username == " + strconv.Quote(b.controllerUser())),
		}},
		MatchConstraints: &admissionv1.MatchResourcesArgs{
			ResourceRules: append(append(
				onWrites([]string{"namespaces", "resourcequotas", "limitranges"}, ""),
				onWrites([]string{"networkpolicies"}, "networking.k8s.io")...),
				onWrites([]string{"rolebindings"}, rbacGroup)...),
		},
		Validations: admissionv1.ValidationArray{&admissionv1.ValidationArgs{
			Expression: pulumi.String(may),
			Message:    pulumi.String("the namespace controller may only write what carries its label"),
			Reason:     pulumi.String("Forbidden"),
		}},
	}
}

func (b *builder) controllerUser() string {
	return "system:serviceaccount:" + b.args.Namespace + ":" + controllerName
}

// admins are the groups that may touch everything.
func (b *builder) admins() []string {
	return append([]string{"system:masters"}, b.args.Administrators...)
}

func onWrites(resources []string, group string) admissionv1.NamedRuleWithOperationsArray {
	return admissionv1.NamedRuleWithOperationsArray{&admissionv1.NamedRuleWithOperationsArgs{
		ApiGroups:   stringArray(group),
		ApiVersions: stringArray("*"),
		Operations:  stringArray("CREATE", "UPDATE", "DELETE"),
		Resources:   stringArray(resources...),
		Scope:       pulumi.String("*"),
	}}
}

// celList writes strings as a CEL list; both languages quote strings alike.
func celList(ss []string) string {
	quoted := make([]string, len(ss))
	for i, s := range ss {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
