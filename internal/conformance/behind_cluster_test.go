package conformance_test

// clusterBehinds are changes that somebody makes with kubectl, as an
// administrator, to what bootstrap made in the cluster. The official kubernetes
// provider sees none of what is only added: it prunes what it reads to what a
// program asked for.
//
// The variables of the scripts: KUBECTL, and KUBECONFIG for kubectl itself.
var clusterBehinds = map[string]behind{
	"who is bound to a role": {
		script: `"$KUBECTL" patch clusterrolebinding freehold-namespace-controller --type json -p '[{"op":"add","path":"/subjects/-","value":{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"mallory"}}]'`,
		want:   []string{"changed kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding bootstrap-namespace-controller: subjects"},
	},
	"what the controller may do": {
		script:   `"$KUBECTL" patch clusterrole freehold-namespace-controller --type json -p '[{"op":"add","path":"/rules/-","value":{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}}]'`,
		want:     []string{"changed kubernetes:rbac.authorization.k8s.io/v1:ClusterRole bootstrap-namespace-controller: rules"},
		violates: []string{"FH904 kubernetes:rbac.authorization.k8s.io/v1:ClusterRole bootstrap-namespace-controller"},
	},
	"whom the controller's pods let in": {
		script: `"$KUBECTL" -n freehold-system patch networkpolicy fence --type json -p '[{"op":"add","path":"/spec/ingress/-","value":{}}]'`,
		want:   []string{"changed kubernetes:networking.k8s.io/v1:NetworkPolicy bootstrap-fence: spec.ingress"},
		violates: []string{
			"FH908 kubernetes:networking.k8s.io/v1:NetworkPolicy bootstrap-fence", "FH907 kubernetes:core/v1:Namespace bootstrap-namespace",
		},
	},
	"a variable of the controller": {
		script: `"$KUBECTL" -n freehold-system set env deployment/namespace-controller GODEBUG=http2debug=1`,
		want:   []string{"changed kubernetes:apps/v1:Deployment bootstrap-namespace-controller: spec.template.spec.containers[0].env[2]"},
	},
	"a label that bootstrap set": {
		script:   `"$KUBECTL" label namespace freehold-system --overwrite pod-security.kubernetes.io/enforce=privileged`,
		want:     []string{`changed kubernetes:core/v1:Namespace bootstrap-namespace: metadata.labels["pod-security.kubernetes.io/enforce"]`},
		violates: []string{"FH909 kubernetes:core/v1:Namespace bootstrap-namespace"},
	},
	"a label that nobody set": {
		script: `"$KUBECTL" label clusterrole freehold-project-viewer rbac.authorization.k8s.io/aggregate-to-view=true`,
		want:   []string{`changed kubernetes:rbac.authorization.k8s.io/v1:ClusterRole bootstrap-project-viewer: metadata.labels["rbac.authorization.k8s.io/aggregate-to-view"]`},
	},
	"an object beside the controller": {
		script: `"$KUBECTL" -n freehold-system create secret generic stolen --from-literal=a=b`,
		want:   []string{"unmanaged kubernetes:core/v1:Secret stolen"},
	},
	"a way past the namespaces": {
		script: `"$KUBECTL" create clusterrolebinding system:mallory --clusterrole=cluster-admin --user=mallory`,
		want:   []string{"unmanaged kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding system:mallory"},
	},
	"a class made again, with what nobody can change": {
		script: `"$KUBECTL" get storageclass freehold-gp3 -o json | sed 's/"reclaimPolicy": "Delete"/"reclaimPolicy": "Retain"/' | "$KUBECTL" replace --force -f -`,
		want: []string{"changed kubernetes:storage.k8s.io/v1:StorageClass bootstrap-storage: allowVolumeExpansion, " +
			`metadata.annotations["pulumi.com/patchFieldManager"], metadata.annotations["pulumi.com/patchForce"], metadata.annotations["storageclass.kubernetes.io/is-default-class"], ` +
			`metadata.labels["app.kubernetes.io/managed-by"], metadata.labels["freehold.dev/layer"], metadata.labels["freehold.dev/managed-by"], metadata.labels["freehold.dev/org"], ` +
			"metadata.managedFields, parameters.encrypted, parameters.kmsKeyId, " +
			"parameters.type, provisioner, reclaimPolicy, volumeBindingMode"},
	},
	"an object that bootstrap made": {
		script: `"$KUBECTL" -n freehold-system delete poddisruptionbudget namespace-controller`,
		want:   []string{"missing kubernetes:policy/v1:PodDisruptionBudget bootstrap-namespace-controller"},
	},
}
