package bootstrap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/internal/controller"
	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
	"freehold.dev/freehold/internal/strays"
)

// permission is one verb on one kind of resource; namespace is "" for all.
type permission struct{ namespace, group, resource, verb string }

func (p permission) String() string {
	name, where := p.resource, "everywhere"
	if p.group != "" {
		name += "." + p.group
	}
	if p.namespace != "" {
		where = "in " + p.namespace
	}
	return fmt.Sprintf("%s %s %s", p.verb, name, where)
}

// recorder notes what is asked of an API server, and what it does not allow.
type recorder struct {
	http.RoundTripper

	mu      sync.Mutex
	used    map[permission]bool
	refused map[string]string
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	asked, ok := permissionOf(req)
	if !ok {
		return resp, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used[asked] = true
	if asked.verb == "patch" && resp.StatusCode == http.StatusCreated {
		// An object that is applied, and was not there, has to be created too.
		asked.verb = "create"
		r.used[asked] = true
	}
	if resp.StatusCode == http.StatusForbidden {
		body, err := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(strings.NewReader(string(body)))
		// Admission refuses for a moment what is written into a namespace that
		// was unmarked, and for ever into one that is on its way out.
		if strings.Contains(string(body), " cannot ") || strings.Contains(string(body), "not currently held") {
			r.refused[asked.String()] = string(body)
		}
		return resp, err
	}
	return resp, nil
}

// permissionOf reads a request as the API server's authorizer does.
func permissionOf(req *http.Request) (p permission, ok bool) {
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		p.group, parts = parts[1], parts[3:]
	default:
		return p, false // discovery
	}
	if len(parts) > 2 && parts[0] == "namespaces" && !slices.Contains([]string{"status", "finalize"}, parts[2]) {
		p.namespace, parts = parts[1], parts[2:]
	}
	p.resource = parts[0]
	if len(parts) > 2 {
		p.resource += "/" + parts[2]
	}
	named := len(parts) > 1
	switch req.Method {
	case http.MethodGet:
		p.verb = "list"
		if req.URL.Query().Get("watch") != "" {
			p.verb = "watch"
		} else if named {
			p.verb = "get"
		}
	case http.MethodPost:
		p.verb = "create"
	case http.MethodPut:
		p.verb = "update"
	case http.MethodPatch:
		p.verb = "patch"
	case http.MethodDelete:
		p.verb = "deletecollection"
		if named {
			p.verb = "delete"
		}
	}
	return p, true
}

// granted are the permissions of the controller's roles.
func granted(t *testing.T) map[permission]bool {
	t.Helper()
	text, err := os.ReadFile("controller-role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[permission]bool{}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var role struct {
			Metadata struct{ Namespace string }
			Rules    []struct{ APIGroups, Resources, Verbs []string }
		}
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, verb := range rule.Verbs {
						all[permission{role.Metadata.Namespace, group, resource, verb}] = true
					}
				}
			}
		}
	}
	return all
}

// TestTheControllerUsesEveryPermissionAndMissesNone takes the controller, with
// the roles and behind the fences that bootstrap makes, through a whole life.
func TestTheControllerUsesEveryPermissionAndMissesNone(t *testing.T) {
	_, config := controlplanetest.Start(t)
	config.QPS = -1
	ctx := t.Context()
	admin, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range ordered(record(t).Resources) {
		if strings.HasSuffix(res.Type, ":Deployment") || strings.HasSuffix(res.Type, ":Project") {
			continue // it runs here, on projects of this test
		}
		if err := admin.Create(ctx, object(res.Inputs)); err != nil {
			t.Fatalf("%s %s: %v", res.Type, res.Name, err)
		}
		if strings.HasSuffix(res.Type, ":CustomResourceDefinition") {
			eventually(t, "the Project kind", func() error { return admin.List(ctx, list("freehold.dev/v1alpha1", "ProjectList")) })
		}
	}
	if admin, err = client.New(config, client.Options{}); err != nil {
		t.Fatal(err)
	}

	requests := &recorder{used: map[permission]bool{}, refused: map[string]string{}}
	mine := rest.CopyConfig(config)
	mine.Impersonate = rest.ImpersonationConfig{
		UserName: controllerAccount, Groups: []string{"system:serviceaccounts", "system:serviceaccounts:freehold-system", "system:authenticated"},
	}
	mine.Wrap(func(rt http.RoundTripper) http.RoundTripper {
		requests.RoundTripper = rt
		return requests
	})
	running, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- controller.Run(running, controller.Options{
			Config: mine, Org: "acme", Registry: registry + "/", HealthAddress: "0", LeaderElection: true, Namespace: "freehold-system",
			Resync: time.Second, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Now: time.Now,
		})
	}()
	defer func() {
		requests.mu.Lock()
		defer requests.mu.Unlock()
		for what, answer := range requests.refused {
			t.Errorf("it may not %s: %s", what, answer)
		}
	}()
	life(t, admin)
	stop()
	if err := <-done; err != nil {
		t.Errorf("the controller ended with %v", err)
	}

	has := granted(t)
	for p := range requests.used {
		wide := p
		wide.namespace = ""
		delete(has, wide)
		delete(has, p)
		if p.verb == "watch" {
			// Watches bring the list along, unless the API server is too old for it.
			p.verb, wide.verb = "list", "list"
			delete(has, wide)
			delete(has, p)
		}
	}
	// "bind" is asked for by the API server, while it admits a role binding.
	delete(has, permission{"", "rbac.authorization.k8s.io", "clusterroles", "bind"})
	unused := slices.Collect(maps.Keys(has))
	slices.SortFunc(unused, func(a, b permission) int { return strings.Compare(a.String(), b.String()) })
	for _, p := range unused {
		t.Errorf("it never needs to %s", p)
	}
}

// life is what happens to projects: they come, change, are edited by hand,
// hibernate, and go.
func life(t *testing.T, admin client.Client) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	project := func(name string, more fields) map[string]any {
		o := clusterObject("freehold.dev/v1alpha1", "Project", name)
		spec := fields{
			"org":             "acme",
			"quota":           fields{"cpu": "4", "memory": "8Gi", "storage": "1Gi", "pods": 5},
			"limits":          fields{"defaultCpu": "1", "defaultMemory": "1Gi", "maxCpu": "4", "maxMemory": "8Gi"},
			"members":         []any{fields{"user": "ada", "role": "admin"}, fields{"group": "devs", "role": "editor"}},
			"serviceAccounts": []any{fields{"name": "web"}},
		}
		maps.Copy(spec, more)
		o["spec"] = spec
		return o
	}
	patch := func(o map[string]any, body string) {
		t.Helper()
		must(admin.Patch(ctx, object(o), client.RawPatch("application/merge-patch+json", []byte(body))))
	}
	ready := func(name string) {
		t.Helper()
		// What was edited by hand some times is called contested for half a minute.
		patiently(t, 2*time.Minute, name+" to be ready", func() error {
			p := object(clusterObject("freehold.dev/v1alpha1", "Project", name))
			if err := admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
				return err
			}
			status, _ := p.Object["status"].(map[string]any)
			if status["observedGeneration"] != p.GetGeneration() || status["phase"] != "Ready" && status["phase"] != "Hibernated" {
				return fmt.Errorf("its status is %v", status)
			}
			return nil
		})
	}
	gone := func(o map[string]any) func() error {
		return func() error {
			u := object(o)
			if err := admin.Get(ctx, client.ObjectKeyFromObject(u), u); !apierrors.IsNotFound(err) {
				return errors.Join(fmt.Errorf("it is there: %v", u.Object), err)
			}
			return nil
		}
	}
	there := func(o map[string]any, is func(map[string]any) bool) {
		t.Helper()
		eventually(t, fmt.Sprint(o["kind"], " to be as it was"), func() error {
			u := object(o)
			if err := admin.Get(ctx, client.ObjectKeyFromObject(u), u); err != nil {
				return err
			}
			if !is(u.Object) {
				return fmt.Errorf("it is %v", u.Object)
			}
			return nil
		})
	}
	present := func(map[string]any) bool { return true }

	must(admin.Create(ctx, object(project("shop", nil))))
	must(admin.Create(ctx, object(annotated(namespace("lab", nil), "freehold.dev/adopt", "lab"))))
	// What undoes the fences of a namespace that is handed over goes, where the project says so.
	left := []map[string]any{
		filled(inNamespace("lab", "v1", "Service", "front", nil), fields{"spec": fields{"type": "NodePort", "ports": []any{fields{"port": 80}}}}),
		filled(inNamespace("lab", "rbac.authorization.k8s.io/v1", "Role", "any", nil), fields{"rules": []any{fields{"apiGroups": []any{"*"}, "resources": []any{"*"}, "verbs": []any{"*"}}}}),
		called("foreign", pod("lab", running("docker.io/evil"))),
	}
	// The controller runs when these kinds come.
	for _, kind := range installedKinds() {
		must(admin.Create(ctx, object(kind)))
	}
	for _, k := range strays.Installed {
		if k.Namespaced && k.Judges() {
			left = append(left, opening("lab", k))
		}
	}
	left = append(left, filled(inNamespace("lab", "networking.k8s.io/v1", "Ingress", "any", nil), fields{"spec": ingress("", nil)["spec"]}))
	for _, o := range left {
		eventually(t, fmt.Sprint(o["kind"], " to be left"), func() error { return admin.Create(ctx, object(o)) })
	}
	must(admin.Create(ctx, object(annotated(project("lab", fields{"deletionPolicy": "Delete", "serviceAccounts": []any{}}), "freehold.dev/strays", "remove"))))
	for _, o := range left {
		eventually(t, fmt.Sprint(o["kind"], " to be removed"), gone(o))
	}
	ready("shop")
	ready("lab")

	owns := map[string]any{"freehold.dev/managed-by": "namespace-controller"}
	// Hands of others: what they took away comes back, and what they added goes.
	owned := map[string][]map[string]any{}
	for kind, api := range map[string]string{
		"ResourceQuota": "v1", "LimitRange": "v1", "ServiceAccount": "v1", "NetworkPolicy": "networking.k8s.io/v1", "RoleBinding": "rbac.authorization.k8s.io/v1",
	} {
		l := list(api, kind+"List")
		must(admin.List(ctx, l, client.InNamespace("shop")))
		for _, item := range l.Items {
			owned[kind] = append(owned[kind], inNamespace("shop", api, kind, item.GetName(), nil))
		}
		if len(owned[kind]) == 0 {
			t.Fatalf("there is no %s", kind)
		}
	}
	for _, objects := range owned {
		must(admin.Delete(ctx, object(objects[0])))
		there(objects[0], present)
	}
	patch(owned["ResourceQuota"][0], `{"spec":{"hard":{"count/leases.coordination.k8s.io":"1"}}}`)
	patch(owned["NetworkPolicy"][0], `{"spec":{"ingress":[{}]}}`)
	patch(owned["LimitRange"][0], `{"spec":{"limits":[{"type":"Pod","max":{"cpu":"9"}}]}}`)
	patch(owned["RoleBinding"][0], `{"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"eve"}]}`)
	patch(owned["ServiceAccount"][0], `{"automountServiceAccountToken":true}`)
	ready("shop")
	// An annotation of ours that somebody else put there is not given up by
	// applying without it: the object is written whole.
	for _, kind := range []string{"LimitRange", "RoleBinding", "ServiceAccount"} {
		o := owned[kind][0]
		there(o, present)
		patch(o, `{"metadata":{"annotations":{"freehold.dev/pod-identity-role":"mine"}}}`)
		there(o, func(o map[string]any) bool { return object(o).GetAnnotations()["freehold.dev/pod-identity-role"] == "" })
	}
	patch(namespace("shop", nil), `{"metadata":{"labels":{"freehold.dev/managed-by":null}}}`)
	there(namespace("shop", nil), func(o map[string]any) bool {
		return object(o).GetLabels()["freehold.dev/managed-by"] == "namespace-controller"
	})
	ready("shop")
	patch(namespace("shop", nil), `{"metadata":{"annotations":{"freehold.dev/retained":"true"}}}`)
	there(namespace("shop", nil), func(o map[string]any) bool { return object(o).GetAnnotations()["freehold.dev/retained"] == "" })
	must(admin.SubResource("status").Patch(ctx, object(clusterObject("freehold.dev/v1alpha1", "Project", "shop")),
		client.RawPatch("application/merge-patch+json", []byte(`{"status":{"quota":{"mine":{"hard":"1","used":"1"}}}}`))))
	// Others put what cannot be changed in the place of what they took away.
	quota := inNamespace("shop", "v1", "ResourceQuota", owned["ResourceQuota"][0]["metadata"].(fields)["name"].(string), owns)
	quota["spec"] = fields{"scopes": []any{"BestEffort"}, "hard": fields{"pods": "1"}}
	member := binding("shop", owned["RoleBinding"][0]["metadata"].(fields)["name"].(string), "view", "eve", owns)
	for _, o := range []map[string]any{quota, member} {
		eventually(t, "to be faster than the controller", func() error {
			if err := client.IgnoreNotFound(admin.Delete(ctx, object(o))); err != nil {
				return err
			}
			return admin.Create(ctx, object(o))
		})
	}
	there(quota, func(o map[string]any) bool { return o["spec"].(fields)["scopes"] == nil })
	there(member, func(o map[string]any) bool { return o["roleRef"].(fields)["name"] != "view" })
	// What carries the label, and is not the project's, is not seen otherwise.
	for _, o := range []map[string]any{
		inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "open", owns), inNamespace("shop", "v1", "ResourceQuota", "more", owns),
		inNamespace("shop", "v1", "LimitRange", "more", owns), inNamespace("shop", "v1", "ServiceAccount", "mine", owns), binding("shop", "guest", "view", "eve", owns),
	} {
		must(admin.Create(ctx, object(o)))
		eventually(t, fmt.Sprint(o["kind"], " of somebody else to go"), gone(o))
	}
	ready("shop")

	// It changes, sleeps and wakes.
	shop := clusterObject("freehold.dev/v1alpha1", "Project", "shop")
	patch(shop, `{"spec":{"members":[{"user":"bo","role":"viewer"}],"serviceAccounts":[],"quota":{"pods":6},"egress":[{"cidr":"192.0.2.0/24"}],"ingress":[{"project":"lab"}]}}`)
	ready("shop")
	must(admin.Create(ctx, object(restrictedPod("shop", "worker"))))
	there(owned["ResourceQuota"][0], func(o map[string]any) bool {
		used, _ := o["status"].(map[string]any)["used"].(map[string]any)
		return used["pods"] == "1"
	})
	var runs []map[string]any
	for kind, api := range map[string]string{
		"Deployment": "apps/v1", "DaemonSet": "apps/v1", "StatefulSet": "apps/v1", "ReplicaSet": "apps/v1",
		"Job": "batch/v1", "CronJob": "batch/v1", "ReplicationController": "v1",
	} {
		o := workload("shop", api, kind, running(registry+"/app"))
		must(admin.Create(ctx, object(o)))
		runs = append(runs, o)
	}
	stopped := func(yes bool) {
		for _, o := range runs {
			there(o, func(o map[string]any) bool {
				_, marked := object(o).GetAnnotations()["freehold.dev/before-hibernation"]
				return marked == yes
			})
		}
	}
	patch(shop, `{"spec":{"hibernate":true}}`)
	eventually(t, "the pod to end", gone(inNamespace("shop", "v1", "Pod", "worker", nil)))
	stopped(true)
	patch(shop, `{"spec":{"hibernate":false}}`)
	stopped(false)
	ready("shop")

	// One leaves its namespace behind and comes back to it; one takes it along.
	must(admin.Delete(ctx, object(shop)))
	eventually(t, "the project to go", gone(shop))
	must(admin.Create(ctx, object(project("shop", nil))))
	ready("shop")
	lab := clusterObject("freehold.dev/v1alpha1", "Project", "lab")
	patch(lab, `{"metadata":{"annotations":{"freehold.dev/confirm-delete":"lab"}}}`)
	must(admin.Delete(ctx, object(lab)))
	eventually(t, "its namespace to go", gone(namespace("lab", nil)))
	eventually(t, "the project to go", gone(lab))
}

// restrictedPod is one that Pod Security lets in.
func restrictedPod(namespace, name string) map[string]any {
	o := called(name, pod(namespace, fields{"securityContext": fields{"runAsNonRoot": true, "seccompProfile": fields{"type": "RuntimeDefault"}}}))
	o["spec"].(fields)["containers"] = containers(registry+"/app", fields{
		"securityContext": fields{"allowPrivilegeEscalation": false, "capabilities": fields{"drop": []any{"ALL"}}},
	})
	return o
}
