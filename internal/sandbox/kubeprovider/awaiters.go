package kubeprovider

import (
	"context"
	"fmt"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// awaiter is how a kind is waited for.
type awaiter struct {
	judge judge
	read  bool // a refresh judges, too
	plain bool // its error names no object
	// within is the time of a kind whose limit nobody can set.
	within time.Duration
}

// awaiters are the kinds that are waited for (provider/pkg/await/awaiters.go).
var awaiters = map[schema.GroupKind]awaiter{
	deploymentKind:                  {judge: judgeDeployment, read: true},
	statefulSetKind:                 {judge: alone(statefulSet), read: true},
	daemonSetKind:                   {judge: alone(daemonSet), read: true, plain: true},
	jobKind:                         {judge: alone(job), read: true},
	{Kind: "Service"}:               {judge: judgeService, read: true},
	{Kind: "Pod"}:                   {judge: alone(pod), read: true},
	ingressKind:                     {judge: alone(ingress), read: true},
	{Kind: "PersistentVolume"}:      {judge: alone(volume), within: 5 * time.Minute},
	{Kind: "PersistentVolumeClaim"}: {judge: judgeClaim, within: 5 * time.Minute},
	{Kind: "ReplicationController"}: {judge: alone(replicationController), within: 10 * time.Minute},
	{Kind: "ResourceQuota"}:         {judge: alone(resourceQuota), within: time.Minute},
	secretKind:                      {judge: alone(tokenSecret), within: 5 * time.Second},
}

// alone judges an object by itself.
func alone(look func(*unstructured.Unstructured) progress) judge {
	return func(_ context.Context, _ *cluster, a awaited) (progress, error) { return look(a.live), nil }
}

func (c *cluster) list(ctx context.Context, group, resource, namespace string) ([]unstructured.Unstructured, error) {
	all, err := c.objects.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: resource}).
		Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", resource, err)
	}
	return all.Items, nil
}

// statefulSet is ready when the set's controller has seen it, and all replicas
// are those of one revision (provider/pkg/await/statefulset.go).
func statefulSet(live *unstructured.Unstructured) progress {
	want := count(live, "spec", "replicas")
	ready, updated := count(live, "status", "readyReplicas"), count(live, "status", "updatedReplicas")
	current, _, _ := unstructured.NestedString(live.Object, "status", "currentRevision")
	update, _, _ := unstructured.NestedString(live.Object, "status", "updateRevision")
	strategy, _, _ := unstructured.NestedString(live.Object, "spec", "updateStrategy", "type")
	var revised, replicated bool
	if seenByController(live) {
		revised = current != "" && current == update
		replicated = count(live, "status", "replicas") == want && ready == want
		if live.GetGeneration() > 1 && strategy == "OnDelete" {
			revised = true
		} else {
			replicated = replicated && count(live, "status", "currentReplicas") == want
		}
	} else {
		ready, updated, want, current, update = 0, 0, 0, "", ""
	}
	if !revised {
		ready = min(ready, updated)
	}
	p := progress{ready: revised && replicated}
	switch {
	case live.GetGeneration() <= 1:
		p.waits = fmt.Sprintf("[1/2] Waiting for StatefulSet to create Pods (%d/%d Pods ready)", ready, want)
	case !replicated:
		p.waits = fmt.Sprintf("[1/3] Waiting for StatefulSet update to roll out (%d/%d Pods ready)", ready, want)
	case !revised:
		p.waits = "[2/3] Waiting for StatefulSet to update .status.currentRevision"
	}
	if !replicated {
		p.why = append(p.why, fmt.Sprintf("%d out of %d replicas succeeded readiness checks", ready, want))
	}
	if !revised {
		p.why = append(p.why, fmt.Sprintf("StatefulSet controller failed to advance from revision %q to revision %q", current, update))
	}
	return p
}

// seenByController reports whether an object's controller has seen it as it is.
func seenByController(live *unstructured.Unstructured) bool {
	seen, found, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
	return found && seen >= live.GetGeneration()
}

// daemonSet follows sigs.k8s.io/cli-utils/pkg/kstatus, as the official provider
// does (provider/pkg/await/daemonset.go).
func daemonSet(live *unstructured.Unstructured) progress {
	if !seenByController(live) {
		return progress{waits: fmt.Sprintf("DaemonSet generation is %d, but latest observed generation is %d", live.GetGeneration(), count(live, "status", "observedGeneration"))}
	}
	want := count(live, "status", "desiredNumberScheduled")
	for _, c := range []struct{ what, field string }{
		{"Current", "currentNumberScheduled"}, {"Updated", "updatedNumberScheduled"}, {"Available", "numberAvailable"}, {"Ready", "numberReady"},
	} {
		if n := count(live, "status", c.field); n < want {
			return progress{waits: fmt.Sprintf("%s: %d/%d", c.what, n, want)}
		}
	}
	return progress{ready: true}
}

// job is ready when it has succeeded (provider/pkg/await/checker/job/check.go).
func job(live *unstructured.Unstructured) progress {
	name := live.GetName()
	if ns := live.GetNamespace(); ns != "" && ns != "default" {
		name = ns + "/" + name
	}
	started, _, _ := unstructured.NestedString(live.Object, "status", "startTime")
	if started == "" {
		return progress{waits: fmt.Sprintf("Waiting for Job %q to start", name)}
	}
	p := progress{waits: fmt.Sprintf("Waiting for Job %q to succeed (Active: %d | Succeeded: %d | Failed: %d)", name,
		count(live, "status", "active"), count(live, "status", "succeeded"), count(live, "status", "failed"))}
	for _, c := range conditions(live) {
		switch {
		case c.status != "True":
		case c.kind == "Failed" && (c.reason == "BackoffLimitExceeded" || c.reason == "DeadlineExceeded"):
			return progress{failed: true, why: []string{fmt.Sprintf("[%s] %s", c.reason, c.message)}}
		case c.kind == "Complete":
			p.ready = true
		}
	}
	return p
}

// pod is ready when its Ready condition says so, or when it has succeeded
// (provider/pkg/await/checker/pod/check.go).
func pod(live *unstructured.Unstructured) progress {
	phase, _, _ := unstructured.NestedString(live.Object, "status", "phase")
	if phase == "Succeeded" {
		return progress{ready: true}
	}
	var p progress
	for _, c := range conditions(live) {
		if c.status == "True" {
			p.ready = p.ready || c.kind == "Ready"
			continue
		}
		if c.message != "" {
			p.why = append(p.why, fmt.Sprintf("[%s] %s", c.reason, c.message))
		}
	}
	p.waits = fmt.Sprintf("Waiting for Pod %q to be ready", live.GetNamespace()+"/"+live.GetName())
	return p
}

// ingress is ready when its controller has given it an address
// (provider/pkg/await/ingress.go).
func ingress(live *unstructured.Unstructured) progress {
	at, _, _ := unstructured.NestedSlice(live.Object, "status", "loadBalancer", "ingress")
	if len(at) > 0 {
		return progress{ready: true}
	}
	return progress{
		waits: "[2/3] Waiting for update of .status.loadBalancer with hostname/IP",
		why: []string{"Ingress .status.loadBalancer field was not updated with a hostname/IP address. " +
			"\n    for more information about this error, see https://pulumi.io/xdv72s"},
	}
}

func volume(live *unstructured.Unstructured) progress {
	phase, _, _ := unstructured.NestedString(live.Object, "status", "phase")
	return progress{ready: phase == "Available" || phase == "Bound"}
}

func replicationController(live *unstructured.Unstructured) progress {
	return progress{ready: count(live, "spec", "replicas") == count(live, "status", "availableReplicas")}
}

// resourceQuota is ready when its controller has taken it over: the text of each
// quantity is compared.
func resourceQuota(live *unstructured.Unstructured) progress {
	hard, _, _ := unstructured.NestedMap(live.Object, "spec", "hard")
	seen, found, _ := unstructured.NestedMap(live.Object, "status", "hard")
	return progress{ready: found && reflect.DeepEqual(hard, seen)}
}

// tokenSecret is ready when the token of a service account is in it; every other
// secret is at once.
func tokenSecret(live *unstructured.Unstructured) progress {
	typ, _, _ := unstructured.NestedString(live.Object, "type")
	data, _, _ := unstructured.NestedMap(live.Object, "data")
	return progress{ready: typ != "kubernetes.io/service-account-token" || len(data) > 0}
}

// judgeClaim: a claim whose class waits for a pod is ready while it is pending,
// every other one when it is bound (provider/pkg/await/awaiters.go).
func judgeClaim(ctx context.Context, c *cluster, a awaited) (progress, error) {
	phase, _, _ := unstructured.NestedString(a.live.Object, "status", "phase")
	if phase == "Bound" && a.before != nil {
		return progress{ready: true}, nil
	}
	mode := ""
	if name, _, _ := unstructured.NestedString(a.live.Object, "spec", "storageClassName"); name != "" {
		class, err := c.objects.Resource(schema.GroupVersionResource{Group: "storage.k8s.io", Version: "v1", Resource: "storageclasses"}).Get(ctx, name, metav1.GetOptions{})
		if err == nil { // who cannot see the class waits for the claim to be bound
			mode, _, _ = unstructured.NestedString(class.Object, "volumeBindingMode")
		}
	}
	if mode == "WaitForFirstConsumer" {
		return progress{ready: phase == "Pending"}, nil
	}
	return progress{ready: phase == "Bound"}, nil
}

// endpointsSettle is how long a service's endpoints have to be as they are.
const endpointsSettle = 10 * time.Second

// judgeService: a service that selects pods is ready when its endpoints have
// settled with none that is not ready, and one that balances load when it has an
// address (provider/pkg/await/service.go).
func judgeService(ctx context.Context, c *cluster, a awaited) (progress, error) {
	typ, _, _ := unstructured.NestedString(a.live.Object, "spec", "type")
	ip, _, _ := unstructured.NestedString(a.live.Object, "spec", "clusterIP")
	selector, _, _ := unstructured.NestedMap(a.live.Object, "spec", "selector")
	at, _, _ := unstructured.NestedSlice(a.live.Object, "status", "loadBalancer", "ingress")
	addressed := typ != "LoadBalancer" || len(at) > 0
	var p progress
	if typ == "ExternalName" || ip == "None" || len(selector) == 0 {
		p.ready = addressed
		return p, nil
	}
	points, err := c.objects.Resource(schema.GroupVersionResource{Version: "v1", Resource: "endpoints"}).
		Namespace(a.live.GetNamespace()).Get(ctx, a.live.GetName(), metav1.GetOptions{})
	found := err == nil
	var some, pending bool
	changed := time.Time{}
	if found {
		subsets, _, _ := unstructured.NestedSlice(points.Object, "subsets")
		for _, s := range subsets {
			m, _ := s.(map[string]any)
			ready, _ := m["addresses"].([]any)
			not, _ := m["notReadyAddresses"].([]any)
			some, pending = some || len(ready) > 0, pending || len(not) > 0
		}
		changed = lastWrite(points)
	}
	settled := found && c.now().Sub(changed) >= endpointsSettle
	p.ready = addressed && settled && !pending
	p.waits = "[1/3] Finding Pods to direct traffic to"
	if settled && some {
		p.waits = "[2/3] Attempting to allocate IP address to Service"
	}
	if !some {
		p.why = append(p.why, "Service does not target any Pods. Selected Pods may not be ready, or "+
			"field '.spec.selector' may not match labels on any Pods")
	}
	if !addressed {
		p.why = append(p.why, "Service was not allocated an IP address; does your cloud provider support this?")
	}
	return p, nil
}

// lastWrite is when an object last changed, as its managers say.
func lastWrite(o *unstructured.Unstructured) time.Time {
	at := o.GetCreationTimestamp().Time
	for _, m := range o.GetManagedFields() {
		if m.Time != nil && m.Time.After(at) {
			at = m.Time.Time
		}
	}
	return at
}
