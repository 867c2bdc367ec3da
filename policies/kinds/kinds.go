package kinds

import (
	"slices"
	"strings"

	"freehold.dev/freehold/policies/manifest"
	"freehold.dev/freehold/policies/reading"
	"freehold.dev/freehold/policies/rule"
)

// group says what the kinds of an API group are. A group that is in no list is
// refused: nobody has read what its controllers do with an object.
type group struct {
	// only are the kinds that are known; empty: all of the group.
	only []string
	// never is why none may be made, or why those that only does not name may not.
	never string
}

// kubernetesGroups are the groups of the pinned SDK, which are Kubernetes' own. Their
// workloads, rights, services and webhooks have rules of their own; what else they
// hold stays in the cluster.
//
// https://kubernetes.io/docs/reference/kubernetes-api/
var kubernetesGroups = map[string]group{
	"admissionregistration.k8s.io": {}, "apiextensions.k8s.io": {}, "apiregistration.k8s.io": {}, "apps": {},
	"authentication.k8s.io": {}, "authorization.k8s.io": {}, "autoscaling": {}, "batch": {}, "certificates.k8s.io": {},
	"coordination.k8s.io": {}, "core": {}, "discovery.k8s.io": {}, "events.k8s.io": {}, "extensions": {},
	"flowcontrol.apiserver.k8s.io": {}, "networking.k8s.io": {}, "node.k8s.io": {}, "policy": {},
	"rbac.authorization.k8s.io": {}, "resource.k8s.io": {}, "scheduling.k8s.io": {}, "storage.k8s.io": {},
	"storagemigration.k8s.io": {}, "meta": {only: []string{"Status", "StatusPatch"}},
	"auditregistration.k8s.io": {never: "it sends the audit log to an address of its own"},
	"settings.k8s.io":          {never: "it changes the pods of others, and Kubernetes has it no more"},
	// What these render is registered object by object.
	"yaml":         {only: []string{"ConfigFile", "ConfigGroup"}},
	"kustomize":    {only: []string{"Directory"}},
	"helm.sh":      {only: []string{"Chart"}, never: "a release makes objects that no rule sees"},
	"freehold.dev": {},
}

// customGroups are groups of add-ons that a platform team installs. Their objects stay
// in the cluster, or name what is in the account: FH201 and FH208 read the ids and
// accounts in them, FH204 the clusters, FH902 and its like the pods.
var customGroups = map[string]group{
	// https://karpenter.sh/docs/concepts/
	"karpenter.sh": {}, "karpenter.k8s.aws": {},
	// https://docs.aws.amazon.com/eks/latest/userguide/cni-custom-network.html
	"crd.k8s.amazonaws.com": {}, "vpcresources.k8s.aws": {},
	// https://kubernetes-sigs.github.io/aws-load-balancer-controller/
	"elbv2.k8s.aws": {}, "gateway.k8s.aws": {}, "gateway.networking.k8s.io": {},
	// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
	"eks.amazonaws.com": {},
	// https://secrets-store-csi-driver.sigs.k8s.io/
	"secrets-store.csi.x-k8s.io": {},
	// https://external-secrets.io/latest/api/spec/
	"external-secrets.io": {only: []string{"ExternalSecret", "SecretStore", "ClusterSecretStore", "ClusterExternalSecret"}, never: "it writes secrets to where it is told"},
	// https://velero.io/docs/main/api-types/
	"velero.io": {only: []string{"Backup", "Schedule", "BackupStorageLocation", "VolumeSnapshotLocation"}, never: "it makes the objects that are in a backup"},
	// https://kubernetes-sigs.github.io/external-dns/
	"externaldns.k8s.io": {}, "externaldns.nginx.org": {},
	// https://cert-manager.io/docs/reference/api-docs/
	"cert-manager.io": {}, "acme.cert-manager.io": {}, "policy.cert-manager.io": {}, "trust.cert-manager.io": {},
	// https://prometheus-operator.dev/docs/api-reference/api/
	"monitoring.coreos.com": {}, "metrics.k8s.io": {}, "opentelemetry.io": {},
	"snapshot.storage.k8s.io": {}, "groupsnapshot.storage.k8s.io": {},
	// https://keda.sh/docs/latest/reference/scaledobject-spec/
	"autoscaling.k8s.io": {}, "keda.sh": {only: []string{"ScaledObject", "TriggerAuthentication", "ClusterTriggerAuthentication"}, never: "it makes jobs whose pods no rule reads"},
	"kyverno.io":          {only: []string{"Policy", "ClusterPolicy", "PolicyException", "CleanupPolicy", "ClusterCleanupPolicy"}},
	"policies.kyverno.io": {only: []string{"ValidatingPolicy", "ImageValidatingPolicy", "PolicyException"}, never: "it makes objects that no rule sees"},
	"wgpolicyk8s.io":      {}, "reporting.kyverno.io": {}, "nfd.k8s-sigs.io": {}, "nvidia.com": {},
	"node.eks.aws": {}, "aquasecurity.github.io": {}, "reloader.stakater.com": {}, "cilium.io": {}, "policy.networking.k8s.io": {},
}

// makerGroups are groups whose controllers make other objects, in the cluster or in AWS,
// out of what an object says: every rule would pass, because none is asked.
var makerGroups = map[string]string{
	"argoproj.io":                  "Argo makes what a repository says",
	"*.toolkit.fluxcd.io":          "Flux makes what a repository says",
	"*.fluxcd.io":                  "Flux makes what a repository says",
	"*.fluxcd.controlplane.io":     "Flux makes what a repository says",
	"fluxcd.controlplane.io":       "Flux makes what a repository says",
	"*.services.k8s.aws":           "ACK makes resources of AWS",
	"services.k8s.aws":             "ACK makes resources of AWS",
	"kro.run":                      "kro makes objects out of a template",
	"*.crossplane.io":              "Crossplane makes resources of a cloud",
	"crossplane.io":                "Crossplane makes resources of a cloud",
	"*.upbound.io":                 "Crossplane makes resources of a cloud",
	"upbound.io":                   "Crossplane makes resources of a cloud",
	"app.terraform.io":             "the operator runs Terraform",
	"*.contrib.fluxcd.io":          "the operator runs Terraform",
	"tf.galleybytes.com":           "the operator runs Terraform",
	"terraform.appvia.io":          "the operator runs Terraform",
	"pulumi.com":                   "the operator runs Pulumi",
	"*.pulumi.com":                 "the operator runs Pulumi",
	"cluster.x-k8s.io":             "Cluster API makes clusters and machines",
	"*.cluster.x-k8s.io":           "Cluster API makes clusters and machines",
	"helm.cattle.io":               "the controller installs charts",
	"*.cattle.io":                  "Rancher makes what a repository says",
	"fleet.cattle.io":              "Rancher makes what a repository says",
	"kargo.akuity.io":              "Kargo makes what a repository says",
	"core.oam.dev":                 "KubeVela makes objects out of a template",
	"tekton.dev":                   "Tekton runs pods that no rule reads",
	"*.tekton.dev":                 "Tekton runs pods that no rule reads",
	"operators.coreos.com":         "the lifecycle manager installs operators, and their rights with them",
	"olm.operatorframework.io":     "the lifecycle manager installs operators, and their rights with them",
	"hnc.x-k8s.io":                 "it copies objects and rights between namespaces",
	"kubefed.io":                   "it makes objects in other clusters",
	"*.kubefed.io":                 "it makes objects in other clusters",
	"submariner.io":                "it joins the networks of clusters",
	"multicluster.x-k8s.io":        "it joins the services of clusters",
	"*.open-cluster-management.io": "it makes objects that another cluster says",
	"work.karmada.io":              "it makes objects in other clusters",
	"policy.karmada.io":            "it makes objects in other clusters",
	"serverlessworkflow.org":       "it runs what no rule reads",
	"cloudformation.linki.space":   "the operator runs CloudFormation",
}

// eksComponents are the components of the pinned package, and why one may not be made.
//
// https://www.pulumi.com/registry/packages/eks/api-docs/
var eksComponents = map[string]string{
	"eks:index:Cluster": "", "eks:index:ManagedNodeGroup": "", "eks:index:NodeGroupSecurityGroup": "", "eks:index:Addon": "",
	"eks:index:ClusterCreationRoleProvider": "", "eks:index:VpcCniAddon": "",
	"eks:index:NodeGroup":   "it makes its nodes by a CloudFormation stack, which no rule reads",
	"eks:index:NodeGroupV2": "", "eks:index:VpcCni": "it runs kubectl on the machine of whoever runs the program",
}

// makerOf says which controller makes other objects of a group's; empty for none.
func makerOf(group string) string {
	if why := makerGroups[group]; why != "" {
		return why
	}
	for i := strings.IndexByte(group, '.'); i >= 0; {
		if why := makerGroups["*"+group[i:]]; why != "" {
			return why
		}
		next := strings.IndexByte(group[i+1:], '.')
		if next < 0 {
			return ""
		}
		i += 1 + next
	}
	return ""
}

var rules = []rule.Rule{
	{
		ID:       "FH113",
		Title:    "No object is made of which a controller makes others",
		Why:      "an application, a release or a composition makes objects, and resources of AWS, out of a text: no rule sees them, whoever may change the text",
		Fix:      "make the objects themselves in the program; charts and manifests can be rendered there",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC8.1"},
		Types:    []string{"kubernetes:*"},
		Check:    rule.On(checkMakers),
		Bad:      badMakers(), Good: goodMakers(),
	},
	{
		ID:       "FH114",
		Title:    "Every Kubernetes kind and every component is one of which it is known what it does",
		Why:      "a controller of the cluster acts with the cluster's rights on objects of its kinds; one that nobody has looked at is where the next share is made",
		Fix:      "make it of kinds that are known, or add the group to policies/kinds/kinds.go after reading what its objects can name outside of the cluster",
		Severity: rule.High, NoException: true,
		Criteria: []string{"CC6.1", "CC8.1"},
		Types:    []string{"kubernetes:*", "eks:*"},
		Check:    rule.On(checkKind),
		Bad:      badKinds(), Good: goodKinds(),
	},
	{
		ID:       "FH115",
		Title:    "What the internet reaches through the cluster has a reason",
		Why:      "an annotation is enough to make the controller put a load balancer on the internet",
		Fix:      "leave the scheme internal, or write the reason into the annotation " + manifest.ExposureReason,
		Severity: rule.High,
		Criteria: []string{"CC6.6"},
		Types:    []string{"kubernetes:*"},
		Check:    rule.On(checkScheme),
		Bad:      badSchemes(), Good: goodSchemes(),
	},
	{
		ID:       "FH116",
		Title:    "What the API server calls is in the cluster",
		Why:      "a webhook sees every object that it is asked about, Secrets too, and one that changes objects decides what they are",
		Fix:      "call a Service of the cluster, by clientConfig.service",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.7"},
		Types:    []string{"kubernetes:*"},
		Check:    rule.On(checkCalls),
		Bad:      badCalls(), Good: goodCalls(),
	},
	{
		ID:       "FH208",
		Title:    "No Kubernetes object names a network, group or image that the org has not made",
		Why:      "controllers and nodes act on the ids in objects: pods get addresses of the subnet, and nodes start from the image, that an object names",
		Fix:      "take ids from the outputs of the org's own layers; images by an alias of AWS's",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"kubernetes:*"},
		Check:    rule.On(checkObjectIDs),
		Bad:      badObjectIDs(), Good: goodObjectIDs(),
	},
}

// checkMakers reads the type and what the object says: the provider makes what the
// object says.
func checkMakers(j *rule.Judge, r rule.Resource, _ rule.Scope) {
	group, _, kind := manifest.GVK(r.Type)
	if r.Type == "kubernetes:helm.sh/v3:Release" {
		j.Violate("", "%s", kubernetesGroups["helm.sh"].never)
	}
	if why := makerOf(group); why != "" {
		j.Violate("", "%s: %s", kind, why)
	}
	for _, o := range manifest.ObjectsOf(r) {
		api := o.Get("apiVersion")
		if !j.Known(api) {
			continue
		}
		of, _, _ := strings.Cut(api.Text(), "/")
		if why := makerOf(of); why != "" {
			j.Violate(api.Path, "%s: %s", o.Get("kind").Text(), why)
		}
	}
}

func checkKind(j *rule.Judge, r rule.Resource, _ rule.Scope) {
	if strings.HasPrefix(r.Type, "eks:") {
		switch why, ok := eksComponents[r.Type]; {
		case !ok:
			j.Violate("", "it is not known what %s makes", r.Type)
		case why != "":
			j.Violate("", "%s", why)
		}
		return
	}
	group, version, kind := manifest.GVK(r.Type)
	known, ok := kubernetesGroups[group]
	if !ok {
		known, ok = customGroups[group]
	}
	kind = strings.TrimSuffix(strings.TrimSuffix(kind, "Patch"), "List")
	switch {
	case makerOf(group) != "", r.Type == "kubernetes:helm.sh/v3:Release": // FH113 refuses it
	case !ok:
		j.Violate("", "it is not known what the objects of %s do", group)
	case known.never != "" && !slices.Contains(known.only, kind):
		j.Violate("", "%s: %s", kind, known.never)
	case len(known.only) > 0 && !slices.Contains(known.only, kind):
		j.Violate("", "it is not known what a %s of %s does", kind, group)
	}
	if group == "kyverno.io" {
		for _, step := range r.Values().All("spec.rules") {
			if makes := step.Get("generate"); makes.Raw != nil {
				j.Violate(makes.Path, "it makes objects that no rule sees")
			}
			j.Known(step)
		}
	}
	if r.Component {
		return
	}
	api, said := r.Values().Get("apiVersion"), r.Values().Get("kind")
	if api.Raw != nil && j.Known(api) {
		want := group + "/" + version
		if group == "core" {
			want = version
		}
		if api.Text() != want && api.Text() != group+"/"+version {
			j.Violate(api.Path, "the object is of %s, and the resource of %s", api.Text(), want)
		}
	}
	if _, _, whole := manifest.GVK(r.Type); said.Raw != nil && j.Known(said) && said.Text() != whole && said.Text() != strings.TrimSuffix(whole, "Patch") {
		j.Violate(said.Path, "the object is a %s, and the resource a %s", said.Text(), whole)
	}
}

// schemes are the annotations and properties by which the controllers of load
// balancers are told where one stands.
//
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#scheme
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#lb-scheme
var schemes = map[string]bool{
	"alb.ingress.kubernetes.io/scheme": true, "service.beta.kubernetes.io/aws-load-balancer-scheme": true,
	"service.beta.kubernetes.io/aws-load-balancer-internal": true, "scheme": true,
}

func checkScheme(j *rule.Judge, r rule.Resource, _ rule.Scope) {
	group, _, kind := manifest.GVK(r.Type)
	if manifest.Describes(kind) {
		return
	}
	for _, o := range manifest.ObjectsOf(r) {
		in, ok := o.Raw.(map[string]any)
		if !ok {
			j.Known(o)
			continue
		}
		j.Known(o.Get("metadata", "annotations"))
		j.Known(o.Get("spec"))
		why := o.Get("metadata", "annotations", manifest.ExposureReason)
		manifest.Visit(in, schemes, func(key string, v rule.Value) {
			if key == "scheme" && group != "elbv2.k8s.aws" && group != "gateway.k8s.aws" {
				return // of a probe or a scrape it is HTTP or HTTPS
			}
			public := v.Is("internet-facing")
			if key == "service.beta.kubernetes.io/aws-load-balancer-internal" {
				public = v.Is("false")
			}
			switch {
			case v.Unknown():
				j.Undecided(v.Path)
			case public && j.Known(why) && strings.TrimSpace(why.Text()) == "":
				j.Violate(v.Path, "it puts a load balancer on the internet, and the annotation %s does not say why", manifest.ExposureReason)
			}
		})
	}
}

// calledOut are the kinds whose objects have the API server call somebody.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#url
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
var calledOut = []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "CustomResourceDefinition"}

func checkCalls(j *rule.Judge, r rule.Resource, _ rule.Scope) {
	for _, o := range manifest.ObjectsOf(r) {
		_, _, kind := manifest.GVK(r.Type)
		kind = strings.TrimSuffix(strings.TrimSuffix(kind, "Patch"), "List")
		if !slices.Contains(calledOut, kind) && !slices.Contains(calledOut, o.Get("kind").Text()) {
			continue
		}
		paths := []string{"webhooks.clientConfig.url", "spec.conversion.webhook.clientConfig.url"}
		for _, path := range paths {
			for _, address := range o.All(path) {
				if address.Raw != nil && j.Known(address) {
					j.Violate(address.Path, "the API server would send objects to %s", address.Text())
				}
			}
		}
	}
}

// checkObjectIDs takes for known what earlier layers have made. An image says nothing of
// its owner by its id.
func checkObjectIDs(j *rule.Judge, r rule.Resource, s rule.Scope) {
	if _, _, kind := manifest.GVK(r.Type); strings.HasPrefix(kind, "CustomResourceDefinition") {
		return // it describes
	}
	group, _, _ := manifest.GVK(r.Type)
	rule.VisitInputs(j, r, func(in *rule.Input) {
		reading.PhysicalIDs(in.Text, func(id string) {
			if !slices.Contains(s.Owned, id) {
				j.Violate(in.Path(), "%s is not known to be the org's", id)
			}
		})
		if group == "karpenter.k8s.aws" && strings.HasPrefix(in.Text, "ami-") && reading.IsGiven(in.Text) && !slices.Contains(s.Owned, in.Text) {
			j.Violate(in.Path(), "whose image %s is cannot be known", in.Text)
		}
	})
}
