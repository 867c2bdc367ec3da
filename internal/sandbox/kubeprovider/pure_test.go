package kubeprovider

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func TestCheckFillsInWhatIsLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		typ  string
		in   object
		want object
	}{
		"a namespaced kind gets the default namespace": {
			"kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "x"}},
			object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "x", "namespace": "default"}},
		},
		"a cluster's kind gets none": {
			"kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", object{"metadata": object{"name": "x"}},
			object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": object{"name": "x"}},
		},
		"a custom kind without a definition is taken for a namespaced one": {
			"kubernetes:freehold.dev/v1alpha1:Project", object{"metadata": object{"name": "x"}, "spec": object{"n": int64(1)}},
			object{"apiVersion": "freehold.dev/v1alpha1", "kind": "Project", "metadata": object{"name": "x", "namespace": "default"}, "spec": object{"n": int64(1)}},
		},
		"a quantity is written as the server would": {
			"kubernetes:core/v1:PersistentVolumeClaim", object{"metadata": object{"name": "x"}, "spec": object{"resources": object{"requests": object{"storage": "1024Mi"}}}},
			object{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": object{"name": "x", "namespace": "default"}, "spec": object{"resources": object{"requests": object{"storage": "1Gi"}}}},
		},
		"a quantity of a custom kind is text": {
			"kubernetes:freehold.dev/v1alpha1:Project", object{"metadata": object{"name": "x", "namespace": "a"}, "spec": object{"cpu": "1000m"}},
			object{"apiVersion": "freehold.dev/v1alpha1", "kind": "Project", "metadata": object{"name": "x", "namespace": "a"}, "spec": object{"cpu": "1000m"}},
		},
		"a field that a built-in kind does not have is dropped without a word": {
			"kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "x"}, "daat": object{"k": "v"}},
			object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "x", "namespace": "default"}},
		},
		"a value of the wrong type is left to the server": {
			"kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "x"}, "data": "v", "daat": "w"},
			object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "x", "namespace": "default"}, "data": "v", "daat": "w"},
		},
		"what the server makes is not asked for": {
			"kubernetes:core/v1:Namespace", object{"metadata": object{"name": "x", "uid": "1", "resourceVersion": "2", "generation": int64(3)}},
			object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": "x"}},
		},
		"a secret's text is data": {
			"kubernetes:core/v1:Secret", object{"metadata": object{"name": "x"}, "stringData": object{"p": "x"}, "data": object{"q": "eQ=="}},
			object{"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": "x", "namespace": "default"}, "data": object{"p": "eA==", "q": "eQ=="}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, nil)
			got := e.values(e.check(urnOf(c.typ, "logical"), nil, c.in))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckRefusesWhatIsNotServed(t *testing.T) {
	for name, c := range map[string]struct {
		typ    string
		in     object
		naming *pulumirpc.CheckRequest_AutonamingOptions
		says   string
	}{
		"a patch resource":         {"kubernetes:core/v1:NamespacePatch", object{"kind": "Namespace"}, nil, "patch resources are not served"},
		"metadata of another type": {"kubernetes:core/v1:Namespace", object{"metadata": "x"}, nil, "expected .metadata to be a map"},
		"a generated name":         {"kubernetes:core/v1:Namespace", object{"metadata": object{"generateName": "x-"}}, nil, "`.metadata.generateName` field is not supported in Server-Side Apply mode"},
		"a list of objects":        {"kubernetes:core/v1:ConfigMapList", object{"items": []any{}}, nil, "list resources exist for compatibility"},
		"a definition of no group": {"kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", object{"metadata": object{"name": "x"}, "spec": object{}}, nil, "expected .spec.group"},
		"a name left to nobody": {
			"kubernetes:core/v1:Namespace", object{}, &pulumirpc.CheckRequest_AutonamingOptions{Mode: pulumirpc.CheckRequest_AutonamingOptions_DISABLE},
			"autonaming is disabled",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, nil)
			urn := urnOf(c.typ, "x")
			resp, err := e.p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: string(urn), News: e.wire(typed(urn, c.in)), Autonaming: c.naming})
			if err == nil && len(resp.Failures) == 0 {
				t.Error("it was accepted")
			} else if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v, and not %q", err, c.says)
			}
		})
	}
}

func TestAMadeUpNameIsKeptAndANewOneDiffers(t *testing.T) {
	e := newEngine(t, nil)
	urn := urnOf("kubernetes:core/v1:Namespace", "Team")
	inputs := e.check(urn, nil, object{})
	meta := e.values(inputs)["metadata"].(object)
	made := meta["name"].(string)
	if !regexp.MustCompile(`^Team-[0-9a-f]{8}$`).MatchString(made) {
		t.Errorf("the name is %q", made)
	}
	again := e.values(e.check(urn, inputs, object{}))["metadata"].(object)
	if diff := cmp.Diff(meta, again); diff != "" {
		t.Errorf("metadata (-first +again):\n%s", diff)
	}
	named := e.check(urn, inputs, object{"metadata": object{"name": "mine"}})
	if got := e.values(named)["metadata"].(object)["name"]; got != "mine" {
		t.Errorf("the given name became %v", got)
	}
}

func TestDiffReplacesWhatCannotChange(t *testing.T) {
	cm := func(name, v string) object {
		return object{"metadata": object{"name": name, "namespace": "a"}, "data": object{"k": v}}
	}
	binding := func(role string) object {
		return object{"metadata": object{"name": "b"}, "roleRef": object{"name": role}}
	}
	class := func(policy string, expand bool) object {
		return object{"metadata": object{"name": "c"}, "provisioner": "p", "reclaimPolicy": policy, "allowVolumeExpansion": expand}
	}
	for name, c := range map[string]struct {
		typ         string
		was, is     object
		want        map[string]string
		deleteFirst bool
	}{
		"nothing changed":      {"kubernetes:core/v1:ConfigMap", cm("x", "1"), cm("x", "1"), map[string]string{}, false},
		"a name":               {"kubernetes:core/v1:ConfigMap", cm("x", "1"), cm("y", "1"), map[string]string{"metadata.name": "UPDATE_REPLACE"}, false},
		"data of a config map": {"kubernetes:core/v1:ConfigMap", cm("x", "1"), cm("x", "2"), map[string]string{"data.k": "UPDATE_REPLACE"}, true},
		"a binding's role":     {"kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("a"), binding("b"), map[string]string{"roleRef.name": "UPDATE_REPLACE"}, true},
		"a class's parameter": {
			"kubernetes:storage.k8s.io/v1:StorageClass", with(class("Delete", true), "parameters", object{"type": "gp2"}), with(class("Delete", true), "parameters", object{"type": "gp3"}),
			map[string]string{"parameters.type": "UPDATE_REPLACE"}, true,
		},
		"what the server keeps a class from changing is its to refuse": {
			"kubernetes:storage.k8s.io/v1:StorageClass", class("Delete", true), class("Retain", true), map[string]string{"reclaimPolicy": "UPDATE"}, false,
		},
		"a class's other field":       {"kubernetes:storage.k8s.io/v1:StorageClass", class("Delete", true), class("Delete", false), map[string]string{"allowVolumeExpansion": "UPDATE"}, false},
		"a selector":                  {"kubernetes:apps/v1:Deployment", deploymentObject("i"), withSelector(deploymentObject("i"), "other"), map[string]string{"spec.selector.matchLabels.app": "UPDATE_REPLACE"}, true},
		"an image":                    {"kubernetes:apps/v1:Deployment", deploymentObject("i"), deploymentObject("j"), map[string]string{"spec.template.spec.containers[0].image": "UPDATE"}, false},
		"a field of the same prefix":  {"kubernetes:core/v1:ConfigMap", object{"metadata": object{"name": "x", "labels": object{"name": "1"}}}, object{"metadata": object{"name": "x", "labels": object{"name": "2"}}}, map[string]string{"metadata.labels.name": "UPDATE"}, false},
		"metadata gone with the name": {"kubernetes:core/v1:Namespace", object{"metadata": object{"name": "x", "labels": object{"a": "b"}}}, object{"metadata": object{"name": "x"}}, map[string]string{"metadata.labels": "DELETE"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, nil)
			s := resourceState{urn: urnOf(c.typ, "x"), id: "a/x"}
			s.inputs = e.check(s.urn, nil, c.was)
			s.outputs = e.made(s.inputs)
			got := e.diff(s, c.is)
			if diff := cmp.Diff(c.want, kinds(got)); diff != "" {
				t.Errorf("diff (-want +got):\n%s", diff)
			}
			if got.DeleteBeforeReplace != c.deleteFirst {
				t.Errorf("delete before replace: %v", got.DeleteBeforeReplace)
			}
		})
	}
}

func with(o object, k string, v any) object {
	o[k] = v
	return o
}

func withSelector(d object, app string) object {
	d["spec"].(object)["selector"] = object{"matchLabels": object{"app": app}}
	return d
}

func TestConfigurationIsChecked(t *testing.T) {
	kubeconfig := func(server string) string {
		return `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],"clusters":[{"name":"k","cluster":{"server":"` + server + `"}}],"users":[{"name":"u","user":{}}]}`
	}
	for name, c := range map[string]struct {
		in   object
		want []string
	}{
		"good":                {object{"kubeconfig": kubeconfig("https://a")}, nil},
		"no kubeconfig":       {object{}, []string{"kubeconfig"}},
		"not a kubeconfig":    {object{"kubeconfig": "{"}, []string{"kubeconfig"}},
		"an unknown setting":  {object{"kubeconfig": kubeconfig("https://a"), "kubeConfig": "x"}, []string{"kubeConfig"}},
		"client-side apply":   {object{"kubeconfig": kubeconfig("https://a"), "enableServerSideApply": "false"}, []string{"enableServerSideApply"}},
		"rendering to a file": {object{"kubeconfig": kubeconfig("https://a"), "renderYamlToDirectory": "x"}, []string{"renderYamlToDirectory"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, nil)
			resp, err := e.p.CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: e.wire(c.in)})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range resp.Failures {
				got = append(got, f.Property)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("failures (-want +got):\n%s", diff)
			}
		})
	}
	e := newEngine(t, nil)
	at := func(server, identifier string) object {
		return object{"kubeconfig": kubeconfig(server), "clusterIdentifier": identifier}
	}
	for name, c := range map[string]struct {
		was, is object
		want    []string
	}{
		"another cluster replaces":          {object{"kubeconfig": kubeconfig("https://a")}, object{"kubeconfig": kubeconfig("https://b")}, []string{"kubeconfig"}},
		"the same cluster, written anew":    {object{"kubeconfig": kubeconfig("https://a")}, object{"kubeconfig": kubeconfig("https://a") + " "}, nil},
		"another namespace changes nothing": {object{"kubeconfig": kubeconfig("https://a")}, object{"kubeconfig": kubeconfig("https://a"), "namespace": "x"}, nil},
		"the same identifier elsewhere":     {at("https://a", "arn:1"), at("https://b", "arn:1"), nil},
		"another identifier":                {at("https://a", "arn:1"), at("https://a", "arn:2"), []string{"clusterIdentifier"}},
	} {
		resp, err := e.p.DiffConfig(t.Context(), &pulumirpc.DiffRequest{Olds: e.wire(c.was), News: e.wire(c.is)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, resp.Replaces); diff != "" {
			t.Errorf("%s: replaces (-want +got):\n%s", name, diff)
		}
	}
}

func TestSecretsStaySecret(t *testing.T) {
	e := newEngine(t, nil)
	in := e.check(urnOf("kubernetes:core/v1:Secret", "s"), nil, object{"metadata": object{"name": "s"}, "stringData": object{"p": "hunter2"}})
	m, err := unmarshal("test", in)
	if err != nil {
		t.Fatal(err)
	}
	if !m["data"].IsSecret() || m["stringData"].V != nil {
		t.Errorf("what was stringData is plain: %v", m)
	}
	inputs := resource.PropertyMap{
		"metadata": resource.NewProperty(resource.PropertyMap{"name": resource.NewProperty("c")}),
		"data":     resource.NewProperty(resource.PropertyMap{"p": resource.MakeSecret(resource.NewProperty("hunter2")), "q": resource.NewProperty("plain")}),
		"list":     resource.NewProperty([]resource.PropertyValue{resource.MakeSecret(resource.NewProperty("x"))}),
	}
	out := outputsOf(object{"metadata": object{"name": "c", "uid": "u"}, "data": object{"p": "hunter2", "q": "plain"}, "list": []any{"y", "x"}}, inputs)
	want := resource.PropertyMap{
		"metadata": property(object{"name": "c", "uid": "u"}),
		"data":     inputs["data"],
		"list":     resource.MakeSecret(property([]any{"y", "x"})),
	}
	if diff := cmp.Diff(want.Mappable(), out.Mappable()); diff != "" || !out.DeepEquals(want) {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

func TestPruningLeavesWhatTheInputsName(t *testing.T) {
	for name, c := range map[string]struct {
		asked, live, want object
	}{
		"an edit is seen": {
			object{"cpu": "1"}, object{"cpu": "2"}, object{"cpu": "2"},
		},
		"a removed property is gone": {
			object{"a": object{"x": "1", "y": "2"}}, object{"a": object{"x": "1"}}, object{"a": object{"x": "1"}},
		},
		"an entry that somebody adds to a map is not seen": {
			object{"a": object{"x": "1"}}, object{"a": object{"x": "1", "z": "3"}}, object{"a": object{"x": "1"}},
		},
		"nor is an item that somebody adds to a list": {
			object{"l": []any{object{"x": "1"}}}, object{"l": []any{object{"x": "1", "d": "0"}, object{"x": "*"}}}, object{"l": []any{object{"x": "1"}}},
		},
		"an item that is put before ours is seen in its place": {
			object{"l": []any{object{"x": "1"}}}, object{"l": []any{object{"x": "*"}, object{"x": "1"}}}, object{"l": []any{object{"x": "*"}}},
		},
		"a removed item is gone": {
			object{"l": []any{"a", "b"}}, object{"l": []any{"b"}}, object{"l": []any{"b"}},
		},
		"what is put into an empty list is not seen": {
			object{"l": []any{}}, object{"l": []any{"a"}}, object{"l": []any{}},
		},
		"another type is what it is": {
			object{"a": object{"x": "1"}}, object{"a": "text"}, object{"a": "text"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, prune(c.live, c.asked)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
