package v1alpha1

// Counts are how many objects of each kind the project may have, by Kubernetes'
// names: every kind that its members may make, and those that Kubernetes makes of
// them. All of them are in one store, which is the whole cluster's; an object may
// have a megabyte there.
// https://kubernetes.io/docs/concepts/policy/resource-quotas/#object-count-quota
func (q Quota) Counts() map[string]int32 {
	o := q.Objects
	or := func(given *int32, otherwise int32) int32 {
		if given != nil {
			return *given
		}
		return otherwise
	}
	deployments, sets := or(o.Deployments, atLeast(50, q.Pods)), or(o.StatefulSets, atLeast(50, q.Pods))
	jobs, claims := or(o.Jobs, atLeast(200, q.Pods)), or(o.PersistentVolumeClaims, atLeast(50, q.Pods))
	return map[string]int32{
		"configmaps":                                   or(o.ConfigMaps, atLeast(50, q.Pods)),
		"secrets":                                      or(o.Secrets, atLeast(100, q.Pods)),
		"services":                                     or(o.Services, atLeast(50, q.Pods)),
		"services.loadbalancers":                       or(o.LoadBalancers, 0),
		"services.nodeports":                           or(o.NodePorts, 0),
		"persistentvolumeclaims":                       claims,
		"count/deployments.apps":                       deployments,
		"count/statefulsets.apps":                      sets,
		"count/jobs.batch":                             jobs,
		"count/cronjobs.batch":                         or(o.CronJobs, 50),
		"count/ingresses.networking.k8s.io":            or(o.Ingresses, 50),
		"count/serviceaccounts":                        100,
		"count/poddisruptionbudgets.policy":            deployments + sets,
		"count/resourceclaims.resource.k8s.io":         atLeast(50, q.Pods),
		"count/resourceclaimtemplates.resource.k8s.io": 50,
		"count/horizontalpodautoscalers.autoscaling":   deployments + sets,
		// Kubernetes keeps the last ten of each, and those that are being replaced.
		"count/replicasets.apps":         12 * deployments,
		"count/controllerrevisions.apps": 12 * sets,
		// Pods that have ended count here, and not in the number of pods.
		"count/pods": atLeast(500, 4*q.Pods) + jobs,
	}
}

// atLeast lets a large project have one of a kind for each of its pods.
func atLeast(least, pods int32) int32 { return max(least, pods) }
