package policies

import (
	"slices"
	"strings"
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

// gvkOf takes a Kubernetes type apart: the group, the version and the kind, without
// the endings of what patches and lists it.
func gvkOf(typ string) (group, version, kind string) {
	rest := strings.TrimPrefix(typ, "kubernetes:")
	i := strings.LastIndexByte(rest, ':')
	if i < 0 {
		return rest, "", ""
	}
	api, kind := rest[:i], rest[i+1:]
	group, version, ok := strings.Cut(api, "/")
	if !ok && isVersion(api) { // the core group has no name in an object
		group, version = "core", api
	}
	return group, version, kind
}

func isVersion(text string) bool { return len(text) > 1 && text[0] == 'v' && isDigit(text[1]) }

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

var kinds = []Rule{
	{
		ID:       "FH113",
		Title:    "No object is made of which a controller makes others",
		Why:      "an application, a release or a composition makes objects, and resources of AWS, out of a text: no rule sees them, whoever may change the text",
		Fix:      "make the objects themselves in the program; charts and manifests can be rendered there",
		Severity: Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC8.1"},
		Types:    []string{"kubernetes:*"},
		Check:    on(checkMakers),
		Bad:      badMakers(), Good: goodMakers(),
	},
	{
		ID:       "FH114",
		Title:    "Every Kubernetes kind and every component is one of which it is known what it does",
		Why:      "a controller of the cluster acts with the cluster's rights on objects of its kinds; one that nobody has looked at is where the next share is made",
		Fix:      "make it of kinds that are known, or add the group to policies/kinds.go after reading what its objects can name outside of the cluster",
		Severity: High, NoException: true,
		Criteria: []string{"CC6.1", "CC8.1"},
		Types:    []string{"kubernetes:*", "eks:*"},
		Check:    on(checkKind),
		Bad:      badKinds(), Good: goodKinds(),
	},
	{
		ID:       "FH115",
		Title:    "What the internet reaches through the cluster has a reason",
		Why:      "an annotation is enough to make the controller put a load balancer on the internet",
		Fix:      "leave the scheme internal, or write the reason into the annotation " + reason,
		Severity: High,
		Criteria: []string{"CC6.6"},
		Types:    []string{"kubernetes:*"},
		Check:    on(checkScheme),
		Bad:      badSchemes(), Good: goodSchemes(),
	},
	{
		ID:       "FH116",
		Title:    "What the API server calls is in the cluster",
		Why:      "a webhook sees every object that it is asked about, Secrets too, and one that changes objects decides what they are",
		Fix:      "call a Service of the cluster, by clientConfig.service",
		Severity: Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.7"},
		Types:    []string{"kubernetes:*"},
		Check:    on(checkCalls),
		Bad:      badCalls(), Good: goodCalls(),
	},
	{
		ID:       "FH208",
		Title:    "No Kubernetes object names a network, group or image that the org has not made",
		Why:      "controllers and nodes act on the ids in objects: pods get addresses of the subnet, and nodes start from the image, that an object names",
		Fix:      "take ids from the outputs of the org's own layers; images by an alias of AWS's",
		Severity: Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"kubernetes:*"},
		Check:    on(checkObjectIDs),
		Bad:      badObjectIDs(), Good: goodObjectIDs(),
	},
}

// checkMakers reads the type and what the object says: the provider makes what the
// object says.
func checkMakers(j *judge, r Resource, _ Scope) {
	group, _, kind := gvkOf(r.Type)
	if r.Type == "kubernetes:helm.sh/v3:Release" {
		j.violate("", "%s", kubernetesGroups["helm.sh"].never)
	}
	if why := makerOf(group); why != "" {
		j.violate("", "%s: %s", kind, why)
	}
	for _, o := range objectsOf(r) {
		api := o.get("apiVersion")
		if !j.known(api) {
			continue
		}
		of, _, _ := strings.Cut(api.text(), "/")
		if why := makerOf(of); why != "" {
			j.violate(api.path, "%s: %s", o.get("kind").text(), why)
		}
	}
}

func checkKind(j *judge, r Resource, _ Scope) {
	if strings.HasPrefix(r.Type, "eks:") {
		switch why, ok := eksComponents[r.Type]; {
		case !ok:
			j.violate("", "it is not known what %s makes", r.Type)
		case why != "":
			j.violate("", "%s", why)
		}
		return
	}
	group, version, kind := gvkOf(r.Type)
	known, ok := kubernetesGroups[group]
	if !ok {
		known, ok = customGroups[group]
	}
	kind = strings.TrimSuffix(strings.TrimSuffix(kind, "Patch"), "List")
	switch {
	case makerOf(group) != "", r.Type == "kubernetes:helm.sh/v3:Release": // FH113 refuses it
	case !ok:
		j.violate("", "it is not known what the objects of %s do", group)
	case known.never != "" && !slices.Contains(known.only, kind):
		j.violate("", "%s: %s", kind, known.never)
	case len(known.only) > 0 && !slices.Contains(known.only, kind):
		j.violate("", "it is not known what a %s of %s does", kind, group)
	}
	if group == "kyverno.io" {
		for _, rule := range r.values().all("spec.rules") {
			if makes := rule.get("generate"); makes.v != nil {
				j.violate(makes.path, "it makes objects that no rule sees")
			}
			j.known(rule)
		}
	}
	if r.Component {
		return
	}
	api, said := r.values().get("apiVersion"), r.values().get("kind")
	if api.v != nil && j.known(api) {
		want := group + "/" + version
		if group == "core" {
			want = version
		}
		if api.text() != want && api.text() != group+"/"+version {
			j.violate(api.path, "the object is of %s, and the resource of %s", api.text(), want)
		}
	}
	if _, _, whole := gvkOf(r.Type); said.v != nil && j.known(said) && said.text() != whole && said.text() != strings.TrimSuffix(whole, "Patch") {
		j.violate(said.path, "the object is a %s, and the resource a %s", said.text(), whole)
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

func checkScheme(j *judge, r Resource, _ Scope) {
	group, _, kind := gvkOf(r.Type)
	if slices.Contains(schemas, kind) {
		return
	}
	for _, o := range objectsOf(r) {
		in, ok := o.v.(map[string]any)
		if !ok {
			j.known(o)
			continue
		}
		j.known(o.get("metadata", "annotations"))
		j.known(o.get("spec"))
		why := o.get("metadata", "annotations", reason)
		visitObjects(in, schemes, func(key string, v value) {
			if key == "scheme" && group != "elbv2.k8s.aws" && group != "gateway.k8s.aws" {
				return // of a probe or a scrape it is HTTP or HTTPS
			}
			public := v.is("internet-facing")
			if key == "service.beta.kubernetes.io/aws-load-balancer-internal" {
				public = v.is("false")
			}
			switch {
			case v.unknown():
				j.undecided(v.path)
			case public && j.known(why) && strings.TrimSpace(why.text()) == "":
				j.violate(v.path, "it puts a load balancer on the internet, and the annotation %s does not say why", reason)
			}
		})
	}
}

// calledOut are the kinds whose objects have the API server call somebody.
//
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#url
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
var calledOut = []string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "CustomResourceDefinition"}

func checkCalls(j *judge, r Resource, _ Scope) {
	for _, o := range objectsOf(r) {
		_, _, kind := gvkOf(r.Type)
		kind = strings.TrimSuffix(strings.TrimSuffix(kind, "Patch"), "List")
		if !slices.Contains(calledOut, kind) && !slices.Contains(calledOut, o.get("kind").text()) {
			continue
		}
		paths := []string{"webhooks.clientConfig.url", "spec.conversion.webhook.clientConfig.url"}
		for _, path := range paths {
			for _, address := range o.all(path) {
				if address.v != nil && j.known(address) {
					j.violate(address.path, "the API server would send objects to %s", address.text())
				}
			}
		}
	}
}

// checkObjectIDs takes for known what earlier layers have made. An image says nothing of
// its owner by its id.
func checkObjectIDs(j *judge, r Resource, s Scope) {
	if _, _, kind := gvkOf(r.Type); strings.HasPrefix(kind, "CustomResourceDefinition") {
		return // it describes
	}
	group, _, _ := gvkOf(r.Type)
	visitInputs(j, r, func(in *input) {
		physicalIDs(in.text, func(id string) {
			if !slices.Contains(s.Owned, id) {
				j.violate(in.path(), "%s is not known to be the org's", id)
			}
		})
		if group == "karpenter.k8s.aws" && strings.HasPrefix(in.text, "ami-") && isGiven(in.text) && !slices.Contains(s.Owned, in.text) {
			j.violate(in.path(), "whose image %s is cannot be known", in.text)
		}
	})
}
