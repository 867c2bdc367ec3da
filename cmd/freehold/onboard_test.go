package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

const twoProjects = `deletionProtection: false
projects:
  - name: web
  - name: data
    quota: {cpu: "8", memory: 16Gi}`

// The whole life of two customers, in the order in which an operator meets it.
func TestACustomerIsOnboardedChangedRepairedAndOffboarded(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.spec("acme", twoProjects)

	first := decode[event.Onboarding](t, h.want(0, "onboard", "-f", file, "-o", "json"))
	dp := first.DataPlane
	if !first.Changed || len(first.Layers) != 4 {
		t.Fatalf("the first run: changed %v, layers %+v", first.Changed, first.Layers)
	}
	for name, v := range map[string]string{
		"account": dp.AccountID, "boundary": dp.BoundaryARN, "cluster": dp.ClusterName, "endpoint": dp.ClusterEndpoint,
	} {
		if v == "" {
			t.Errorf("the result names no %s: %+v", name, dp)
		}
	}

	t.Run("the Pulumi CLI keeps what is its own in the sandbox, and logs nothing", func(t *testing.T) {
		home := filepath.Join(h.dir, "sandbox", "cloud", "pulumi")
		// No command of ours has it keep anything: selecting a stack does.
		h.want(0, "sandbox", "exec", "--", "pulumi", "stack", "select", "acme.account", "--non-interactive",
			"--cwd", filepath.Join(h.dir, "sandbox", "stacks", "acme", "account"))
		if _, err := os.Stat(filepath.Join(home, "workspaces")); err != nil {
			t.Error(err)
		}
		if logs, err := os.Stat(filepath.Join(home, "logs")); err != nil || logs.IsDir() {
			t.Errorf("logs: %v, %v", logs, err)
		}
	})

	t.Run("the org's own API server answers", func(t *testing.T) {
		kubeconfig := filepath.Join(h.dir, "kubeconfig")
		if err := os.WriteFile(kubeconfig, []byte(h.want(0, "kubeconfig", "acme").stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		got := strings.Fields(kubectl(t, kubeconfig, "get", "projects.freehold.dev", "-o", "name"))
		slices.Sort(got)
		want := []string{"project.freehold.dev/data", "project.freehold.dev/web"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("projects (-want +got):\n%s", d)
		}
		ready := kubectl(t, kubeconfig, "-n", "freehold-system", "get", "deployment", "namespace-controller",
			"-o", "jsonpath={.status.availableReplicas}")
		if ready == "" || ready == "0" {
			t.Errorf("the namespace controller is not available: %q", ready)
		}
	})

	t.Run("onboard again changes nothing and says so", func(t *testing.T) {
		r := h.want(0, "onboard", "-f", file)
		if !strings.Contains(r.stdout, "nothing to change") {
			t.Errorf("it does not say so:\n%s", r.stdout)
		}
		if twice := h.madeTwice(); len(twice) > 0 {
			t.Errorf("made twice: %v", twice)
		}
	})

	t.Run("plan finds no difference", func(t *testing.T) { h.want(0, "plan", "-f", file) })
	t.Run("drift finds none", func(t *testing.T) { h.want(0, "drift", "acme") })

	t.Run("an edit of the spec changes just that", func(t *testing.T) {
		file = h.spec("acme", twoProjects, "network: {flowLogRetentionDays: 90}")
		p := decode[event.Plan](t, h.want(2, "plan", "-f", file, "-o", "json"))
		if len(p.Changes) != 1 || p.Changes[0].Op != "update" || p.Changes[0].Type != "aws:cloudwatch/logGroup:LogGroup" {
			t.Fatalf("planned: %+v", p.Changes)
		}
		want := []finding.Difference{{Path: "retentionInDays", Want: "90", Have: "365"}}
		if d := cmp.Diff(want, p.Changes[0].Properties); d != "" {
			t.Errorf("planned properties (-want +got):\n%s", d)
		}
		done := decode[event.Onboarding](t, h.want(0, "onboard", "-f", file, "-o", "json"))
		touched := map[string]int{}
		for _, l := range done.Layers {
			for op, n := range l.Changes {
				if op != "same" {
					touched[op] += n
				}
			}
		}
		if d := cmp.Diff(map[string]int{"update": 1}, touched); d != "" {
			t.Errorf("changes (-want +got):\n%s", d)
		}
	})

	t.Run("what is done behind its back is drift, exactly, and is put back", func(t *testing.T) { driftAndRepair(t, h, file, dp) })

	t.Run("a second customer shares nothing", func(t *testing.T) {
		h.want(0, "onboard", "-f", h.spec("globex", twoProjects))
		r := h.want(0, "status", "--compare")
		if !strings.Contains(r.stdout, "nothing in common") {
			t.Errorf("compared:\n%s", r.stdout)
		}
		a, g := h.inventory("acme", dp.AccountID), h.inventory("globex", accountOf(t, h, "globex"))
		if d := cmp.Diff(a, g); d != "" {
			t.Errorf("the two are not made alike (-acme +globex):\n%s", d)
		}
	})

	t.Run("offboard leaves the account empty, and keeps it or closes it as told", func(t *testing.T) {
		off := decode[event.Offboarding](t, h.want(0, "offboard", "acme", "--yes", "acme", "--keep-account", "-o", "json"))
		if !off.AccountKept || off.AccountClosed || len(off.Left) > 0 {
			t.Errorf("acme: %+v", off)
		}
		if state := accountStatus(t, h, dp.AccountID); state != "ACTIVE" {
			t.Errorf("acme's account is %q, want ACTIVE", state)
		}
		// AWS has an e-mail only once, ever: the kept account has acme's.
		if r := h.want(4, "onboard", "-f", file); !strings.Contains(r.stderr, dp.AccountID) {
			t.Errorf("it does not name the account that was kept:\n%s", r.stderr)
		}
		globex := accountOf(t, h, "globex")
		h.want(0, "offboard", "globex", "--yes", "globex", "--close-account")
		if state := accountStatus(t, h, globex); state != "SUSPENDED" && state != "PENDING_CLOSURE" {
			t.Errorf("globex's account is %q, want it closed", state)
		}
		for _, account := range []string{dp.AccountID, globex} {
			if left := h.made(account); len(left) > 0 {
				t.Errorf("account %s is not empty: %v", account, left)
			}
		}
	})
}

// driftAndRepair does everything by hand at once: the run that looks for drift
// has to name each change, and no other.
func driftAndRepair(t *testing.T, h home, file string, dp event.DataPlane) {
	kubeconfig := filepath.Join(h.dir, "kubeconfig")
	bindings := strings.Fields(kubectl(t, kubeconfig, "get", "clusterrolebinding", "-l", "freehold.dev/org=acme", "-o", "name"))
	if len(bindings) == 0 {
		t.Fatal("no cluster role binding carries the org's label")
	}
	for _, byHand := range [][]string{
		{"edit", "acme", "iam/role:Role", "freehold-acme-read", "maxSessionDuration=43200"},
		{"edit", "acme", "s3/bucketVersioningV2:BucketVersioningV2", "freehold-acme-data-" + dp.AccountID, "versioningConfiguration.status=Suspended"},
		{"rm", "acme", "iam/accountPasswordPolicy:AccountPasswordPolicy", "iam-account-password-policy"},
		{"create", "acme", "ec2/vpc:Vpc", "stray", "cidrBlock=10.99.0.0/16"},
		{"edit", "acme", "eks/cluster:Cluster", "freehold-acme", "deletionProtection=true"},
	} {
		h.want(0, append([]string{"sandbox"}, byHand...)...)
	}
	kubectl(t, kubeconfig, "delete", bindings[0])
	// Whoever writes a field owns it from then on, and whoever applies another
	// value has to take it: from people, and from what they installed.
	kubectl(t, kubeconfig, "label", "namespace", "freehold-system", "pod-security.kubernetes.io/warn=baseline", "--overwrite")
	kubectl(t, kubeconfig, "-n", "freehold-system", "label", "deployment", "namespace-controller", "freehold.dev/layer=theirs",
		"--overwrite", "--field-manager", "installer")
	// What is added to an object, a refresh does not see.
	kubectl(t, kubeconfig, "label", "namespace", "freehold-system", "by-hand=yes")
	for _, patch := range [][]string{
		{"clusterrolebinding/freehold-reader", `[{"op":"add","path":"/subjects/-","value":{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"mallory"}}]`},
		{"clusterrole/freehold-namespace-controller", `[{"op":"add","path":"/rules/-","value":{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}}]`},
		{"networkpolicy/fence", `[{"op":"add","path":"/spec/ingress/-","value":{}}]`},
		{"deployment/namespace-controller", `[{"op":"add","path":"/spec/template/spec/containers/0/env/-","value":{"name":"EVIL","value":"1"}}]`},
	} {
		kubectl(t, kubeconfig, "-n", "freehold-system", "patch", patch[0], "--type=json", "-p", patch[1])
	}

	// Nor whole objects, nor more in what Kubernetes itself has.
	kubectl(t, kubeconfig, "-n", "freehold-system", "create", "secret", "generic", "stolen", "--from-literal=a=b")
	kubectl(t, kubeconfig, "-n", "freehold-system", "create", "deployment", "miner", "--image=mallory.example/miner")
	kubectl(t, kubeconfig, "-n", "web", "create", "rolebinding", "guest", "--clusterrole=view", "--user=mallory")
	kubectl(t, kubeconfig, "create", "clusterrolebinding", "system:mallory", "--clusterrole=cluster-admin", "--user=mallory")
	kubectl(t, kubeconfig, "create", "clusterrole", "an-operator", "--verb=get", "--resource=pods")
	kubectl(t, kubeconfig, "patch", "clusterrolebinding", "cluster-admin", "--type=json", "-p",
		`[{"op":"add","path":"/subjects/-","value":{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"mallory"}}]`)

	stray := []string{
		"changed kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding cluster-admin subjects",
		"unmanaged aws:ec2/vpc:Vpc stray",
		"unmanaged kubernetes:apps/v1:Deployment miner",
		"unmanaged kubernetes:core/v1:Secret stolen",
		"unmanaged kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding system:mallory",
		"unmanaged kubernetes:rbac.authorization.k8s.io/v1:RoleBinding guest",
	}
	lines := func(found []finding.Finding) []string {
		var got []string
		for _, f := range found {
			line := strings.TrimSpace(fmt.Sprint(f.Layer, " ", f.Kind, " ", f.Type))
			if f.Layer == "" {
				line += " " + f.Name
			}
			if f.Policy != nil {
				line += " " + f.Policy.Rule
			}
			for _, p := range f.Differences {
				line += " " + p.Path
			}
			got = append(got, line)
		}
		slices.Sort(got)
		return got
	}
	drift := func() []string {
		t.Helper()
		return lines(decode[event.Drift](t, h.want(2, "drift", "acme", "-o", "json")).Findings)
	}
	want := append([]string{
		"bootstrap changed kubernetes:apps/v1:Deployment metadata.labels[\"freehold.dev/layer\"] spec.template.spec.containers[0].env[2]",
		"bootstrap changed kubernetes:core/v1:Namespace metadata.labels[\"by-hand\"] metadata.labels[\"pod-security.kubernetes.io/warn\"]",
		"bootstrap changed kubernetes:networking.k8s.io/v1:NetworkPolicy spec.ingress",
		"bootstrap changed kubernetes:rbac.authorization.k8s.io/v1:ClusterRole rules",
		"bootstrap changed kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding subjects",
		"bootstrap missing kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
		"bootstrap violated kubernetes:core/v1:Namespace FH907",
		"bootstrap violated kubernetes:networking.k8s.io/v1:NetworkPolicy FH908",
		"bootstrap violated kubernetes:rbac.authorization.k8s.io/v1:ClusterRole FH904",
		"boundary changed aws:iam/role:Role maxSessionDuration",
		"boundary changed aws:s3/bucketVersioningV2:BucketVersioningV2 versioningConfiguration.status",
		"boundary missing aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
		"cluster changed aws:eks/cluster:Cluster deletionProtection",
	}, stray...)
	slices.Sort(want)
	if d := cmp.Diff(want, drift()); d != "" {
		t.Fatalf("found (-want +got):\n%s", d)
	}

	// What it may not remove keeps a project from being fenced, and it says so.
	open := h.want(1, "onboard", "-f", file, "-o", "json")
	for _, says := range []string{"RoleBinding guest gives ClusterRole/view to User mallory", "freehold onboard --prune"} {
		if !strings.Contains(open.stderr, says) {
			t.Errorf("onboard without --prune does not say %q:\n%s", says, open.stderr)
		}
	}
	if left := decode[event.Onboarding](t, open); len(left.PutBack) == 0 {
		t.Error("onboard does not say what it put back")
	}
	unfinished := append([]string{"bootstrap unfinished layer", "unfinished org acme"}, stray...)
	slices.Sort(unfinished)
	if d := cmp.Diff(unfinished, drift()); d != "" {
		t.Errorf("after onboard without --prune (-want +got):\n%s", d)
	}
	planned := decode[event.Plan](t, h.want(2, "plan", "-f", file, "--prune", "-o", "json"))
	if d := cmp.Diff(stray, lines(planned.Prune)); d != "" {
		t.Errorf("plan --prune (-want +got):\n%s", d)
	}
	if r := h.want(4, "onboard", "-f", file, "--prune"); !strings.Contains(r.stderr, "--yes=acme") {
		t.Errorf("it does not say how to confirm:\n%s", r.stderr)
	}
	pruned := decode[event.Onboarding](t, h.want(0, "onboard", "-f", file, "--prune", "--yes=acme", "-o", "json"))
	if d := cmp.Diff(stray, lines(pruned.Pruned)); d != "" || !pruned.Changed {
		t.Errorf("onboard --prune says that it removed (-want +got):\n%s", d)
	}
	h.want(0, "drift", "acme")
	kubectl(t, kubeconfig, "delete", "clusterrole", "an-operator") // it was nobody's business
}

func kubectl(t *testing.T, kubeconfig string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "freehold-kube"),
		append([]string{"kubectl", "--kubeconfig", kubeconfig}, args...)...).Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, stderrOf(err))
	}
	return string(out)
}

func accountOf(t *testing.T, h home, org string) string {
	t.Helper()
	return decode[event.Status](t, h.want(0, "status", org, "-o", "json")).DataPlane.AccountID
}

// accountStatus reads an account's state from the sandbox's own database.
func accountStatus(t *testing.T, h home, id string) string {
	t.Helper()
	var raw string
	if err := h.sandbox().QueryRowContext(t.Context(),
		`select outputs from resources where type = 'aws:organizations/account:Account' and id = ?`, id).Scan(&raw); err != nil {
		t.Fatal(err)
	}
	var out struct{ Status string }
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		t.Fatal(err)
	}
	return out.Status
}
