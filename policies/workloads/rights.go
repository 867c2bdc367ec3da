package workloads

import (
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/manifest"
	"freehold.dev/freehold/policies/rule"
)

var bindingTypes = []string{"kubernetes:rbac.authorization.k8s.io/*"}

// adminRoles may do everything, or give themselves the right to.
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
var adminRoles = []string{"cluster-admin", "system:node", "system:controller:clusterrole-aggregation-controller", "system:controller:generic-garbage-collector"}

// knownAdministrators are the groups that EKS's access entries put Freehold's own
// roles into.
var knownAdministrators = []string{"freehold:administrators"}

var clusterAdmins = rule.Rule{
	ID:       "FH903",
	Title:    "Nobody but the known is the cluster's administrator",
	Why:      "an administrator reads every project's secrets and takes down every fence",
	Fix:      "bind a role with what is needed; make people members of a project",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    bindingTypes,
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		for _, o := range bindings(r) {
			role := o.Get("roleRef", "name")
			if !j.Known(role) || !role.Is(adminRoles...) {
				continue
			}
			if subjects := o.Get("subjects"); !j.Known(subjects) {
				continue
			}
			for _, subject := range o.All("subjects") {
				name, kind := subject.Get("name"), subject.Get("kind")
				if j.Known(name) && j.Known(kind) && !(kind.Is("Group") && name.Is(knownAdministrators...)) {
					j.Violate(name.Path, "%s %s becomes %s", kind.Text(), name.Text(), role.Text())
				}
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("Freehold's administrators", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("cluster-admin", "Group", "freehold:administrators")),
		example.Shows("readers", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "Group", "auditors")),
	},
	Bad: []rule.Example{
		example.Shows("the service account of a tool", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("cluster-admin", "ServiceAccount", "argocd")),
		example.Shows("a user who has the name of the group", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("cluster-admin", "User", "freehold:administrators")),
		example.Shows("in one namespace only", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("cluster-admin", "Group", "devs")),
		example.Shows("one more subject of a binding that exists", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBindingPatch", binding("cluster-admin", "User", "ada@acme.example")),
	},
}

// binding is what gives a role to one subject.
func binding(role, kind, name string) object {
	return object{
		"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
		"subjects": list{object{"kind": kind, "name": name}},
	}
}

func bindings(r rule.Resource) []rule.Value {
	if kind := manifest.KindOf(r); kind != "ClusterRoleBinding" && kind != "RoleBinding" {
		return nil
	}
	return manifest.ObjectsOf(r)
}

// powers are verbs by which a role becomes any other: where it may use them on
// everything, it is one.
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
var powers = map[string][]string{
	"bind":        {"roles", "clusterroles", "*"},
	"escalate":    {"roles", "clusterroles", "*"},
	"impersonate": {"users", "groups", "serviceaccounts", "userextras", "*"},
}

var allPowers = rule.Rule{
	ID:       "FH904",
	Title:    "No role is the administrator under another name",
	Why:      "a role with every verb on everything, or one that may impersonate or hand out any role, is cluster-admin without being called so",
	Fix:      "name resources and verbs; name the roles that may be bound in resourceNames",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    bindingTypes,
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		if kind := manifest.KindOf(r); kind != "ClusterRole" && kind != "Role" {
			return
		}
		for _, o := range manifest.ObjectsOf(r) {
			if j.Known(o.Get("rules")) {
				for _, granted := range o.All("rules") {
					power(j, granted)
				}
			}
			for _, selector := range o.All("aggregationRule.clusterRoleSelectors") {
				if j.Known(selector) && len(selector.Get("matchLabels").Each()) == 0 && len(selector.Get("matchExpressions").Each()) == 0 {
					j.Violate(selector.Path, "the role gathers the rights of all others")
				}
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("binding three roles by name", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{
			"apiGroups": list{"rbac.authorization.k8s.io"}, "resources": list{"clusterroles"}, "verbs": list{"bind"}, "resourceNames": list{"freehold-project-viewer"},
		})),
		example.Shows("everything of one group", "kubernetes:rbac.authorization.k8s.io/v1:Role", rights(object{"apiGroups": list{"apps"}, "resources": list{"*"}, "verbs": list{"*"}})),
		example.Shows("reading everything but secrets' neighbours", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{""}, "resources": list{"pods"}, "verbs": list{"*"}})),
	},
	Bad: []rule.Example{
		example.Shows("everything", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{"*"}, "resources": list{"*"}, "verbs": list{"*"}})),
		example.Shows("everything, said in two lists", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{"", "*"}, "resources": list{"pods", "*"}, "verbs": list{"get", "create"}})),
		example.Shows("being anybody", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{""}, "resources": list{"users", "groups"}, "verbs": list{"impersonate"}})),
		example.Shows("handing out any role", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{"rbac.authorization.k8s.io"}, "resources": list{"clusterroles"}, "verbs": list{"bind"}})),
		example.Shows("gathering all rights", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", object{"aggregationRule": object{"clusterRoleSelectors": list{object{}}}}),
	},
}

// rights are a role's rules.
func rights(rules ...any) object { return object{"rules": rules} }

func power(j *rule.Judge, granted rule.Value) {
	if !j.Known(granted) {
		return
	}
	parts := map[string][]rule.Value{}
	for _, part := range []string{"apiGroups", "resources", "verbs", "resourceNames"} {
		if !j.Known(granted.Get(part)) {
			return
		}
		parts[part] = granted.All(part)
	}
	has := func(part string, texts ...string) bool {
		return slices.ContainsFunc(parts[part], func(v rule.Value) bool { return v.Is(texts...) })
	}
	for _, part := range []string{"apiGroups", "resources", "verbs"} {
		for _, v := range parts[part] {
			j.Known(v)
		}
	}
	named := len(parts["resourceNames"]) > 0
	changes := has("verbs", "*", "create", "update", "patch", "delete", "deletecollection")
	if has("apiGroups", "*") && has("resources", "*") && changes && !named {
		j.Violate(granted.Path, "the role may change everything")
	}
	for _, verb := range slices.Sorted(maps.Keys(powers)) {
		if has("verbs", verb) && has("resources", powers[verb]...) && !named {
			j.Violate(granted.Path, "the role may %s without a list of names", verb)
		}
	}
}

// everybody's subjects: who asks needs to be nobody in particular.
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
var nobodyInParticular = []string{"system:authenticated", "system:unauthenticated", "system:anonymous", "system:serviceaccounts"}

var everybodysRights = rule.Rule{
	ID:       "FH905",
	Title:    "No right is given to everybody",
	Why:      "every pod of every project is system:authenticated, and every caller of the endpoint is system:unauthenticated",
	Fix:      "name the group or the service account that needs it",
	Severity: rule.Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    bindingTypes,
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		for _, o := range bindings(r) {
			if !j.Known(o.Get("subjects")) {
				continue
			}
			for _, name := range o.All("subjects.name") {
				if !j.Known(name) {
					continue
				}
				all := strings.HasPrefix(name.Text(), "system:serviceaccounts:") && manifest.KindOf(r) == "ClusterRoleBinding"
				if all || name.Is(nobodyInParticular...) {
					j.Violate(name.Path, "%s is everybody", name.Text())
				}
			}
		}
	}),
	Good: []rule.Example{
		example.Shows("one service account", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "ServiceAccount", "api")),
		example.Shows("the service accounts of one namespace, in it", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "Group", "system:serviceaccounts:shop")),
	},
	Bad: []rule.Example{
		example.Shows("everybody who is somebody", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "Group", "system:authenticated")),
		example.Shows("everybody", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("health", "Group", "system:unauthenticated")),
		example.Shows("nobody, who is everybody", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "User", "system:anonymous")),
		example.Shows("every pod", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "Group", "system:serviceaccounts")),
		example.Shows("every pod of a namespace, everywhere", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "Group", "system:serviceaccounts:shop")),
	},
}
