package bootstrap

import (
	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The controller names in a project's quota what the project lists. A quota
// bounds the resources that it names, and lets every other one through:
// https://kubernetes.io/docs/concepts/policy/resource-quotas/#resource-quota-for-extended-resources
const (
	quotaName      = "quota"
	quotaRequests  = "requests."
	quotaOfDevices = ".deviceclass.resource.k8s.io/devices"
)

// everybodysResources are what any container may request: the quota bounds them
// in every project, and limits say how much one container gets that states
// nothing. Whatever else there is (GPUs and parts of them, huge pages, volumes
// that can be attached, what a device plugin of tomorrow offers) has to be listed.
var everybodysResources = []string{"cpu", "memory", "ephemeral-storage"}

// bound is what a project's quota allows.
var bound = []*admissionv1.VariableArgs{
	variable("hard", "params.?spec.?hard.orValue({})"),
}

// projectResources denies the resources that a project does not list: in
// containers of every kind, and of the pod as a whole.
func (b *builder) projectResources() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	listed := `(k in ` + celList(everybodysResources) + ` || variables.hard[?"` + quotaRequests + `" + k].orValue("0") != "0")`
	devices := `variables.hard.exists(k, k.endsWith("` + quotaOfDevices + `") && variables.hard[k] != "0")`
	named := check("variables.same || variables.asked.all(l, l.all(k, "+listed+"))", "the project lists no such resource")
	named.MessageExpression = pulumi.String(`"the project does not list " + variables.asked.map(l, l.filter(k, !` + listed + `).join(", ")).filter(s, s != "")[0] + ` +
		`": add it to quota.resources of the Project (to quota.gpus, if it is nvidia.com/gpu)"`)
	spec := policy(onPods(),
		named,
		check("variables.same || variables.pod.?resourceClaims.orValue([]).size() == 0 || "+devices,
			"the project lists no devices for resource claims: add their class to quota.deviceClasses of the Project"),
	).with(append(append(podVariables(), bound...),
		variable("asked", "variables.containers.map(c, c.?resources.?requests.orValue({})) + variables.containers.map(c, c.?resources.?limits.orValue({})) + "+
			"[variables.pod.?resources.?requests.orValue({}), variables.pod.?resources.?limits.orValue({}), variables.pod.?overhead.orValue({})]"),
	)...)
	return spec.ofQuota().projects()
}

// projectDevices denies claims of devices whose class a project does not list.
// Claims and their templates cannot change, so they are looked at when they are
// made: those that Kubernetes makes of a template for a pod, too.
// https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
func (b *builder) projectDevices() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	const listed = `variables.hard[?c + "` + quotaOfDevices + `"].orValue("0") != "0"`
	named := check("variables.classes.all(l, l.all(c, "+listed+"))", "the project lists no devices of this class")
	named.MessageExpression = pulumi.String(`"the project does not list devices of class " + variables.classes.map(l, l.filter(c, !(` + listed + `)).join(", ")).filter(s, s != "")[0] + ` +
		`": add it to quota.deviceClasses of the Project"`)
	spec := policy(on([]string{"resourceclaims", "resourceclaimtemplates"}, "resource.k8s.io", "CREATE"), named).with(append(bound,
		variable("claim", ofKind("ResourceClaimTemplate")+" ? object.spec.spec : object.spec"),
		// The class is the request's own in v1beta1, and later in one of two fields of it.
		variable("classes", "variables.claim.?devices.?requests.orValue([]).map(r, "+
			`[r.?deviceClassName.orValue(""), r.?exactly.?deviceClassName.orValue("")].filter(c, c != "") + r.?firstAvailable.orValue([]).map(s, s.deviceClassName))`),
	)...)
	return spec.ofQuota().projects()
}

// ofQuota lets a policy read the quota of the namespace that a request is about.
func (f fence) ofQuota() fence {
	f.spec.ParamKind = &admissionv1.ParamKindArgs{ApiVersion: pulumi.String("v1"), Kind: pulumi.String("ResourceQuota")}
	return f
}

// quotaOf is which quota: the controller's. Without it nothing is allowed.
func quotaOf(spec *admissionv1.ValidatingAdmissionPolicySpecArgs) admissionv1.ParamRefPtrInput {
	if spec.ParamKind == nil {
		return nil
	}
	return &admissionv1.ParamRefArgs{Name: pulumi.String(quotaName), ParameterNotFoundAction: pulumi.String("Deny")}
}
