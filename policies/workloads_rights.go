package policies

import (
	"slices"
	"strings"
)

var bindingTypes = []string{"kubernetes:rbac.authorization.k8s.io/*"}

// adminRoles may do everything, or give themselves the right to.
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
var adminRoles = []string{"cluster-admin", "system:node", "system:controller:clusterrole-aggregation-controller", "system:controller:generic-garbage-collector"}

// knownAdministrators are the groups that EKS's access entries put Freehold's own
// roles into.
var knownAdministrators = []string{"freehold:administrators"}

var clusterAdmins = Rule{
	ID:       "FH903",
	Title:    "Nobody but the known is the cluster's administrator",
	Why:      "an administrator reads every project's secrets and takes down every fence",
	Fix:      "bind a role with what is needed; make people members of a project",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    bindingTypes,
	Check: on(func(j *judge, r Resource, _ Scope) {
		for _, o := range bindings(r) {
			role := o.get("roleRef", "name")
			if !j.known(role) || !role.is(adminRoles...) {
				continue
			}
			if subjects := o.get("subjects"); !j.known(subjects) {
				continue
			}
			for _, subject := range o.all("subjects") {
				name, kind := subject.get("name"), subject.get("kind")
				if j.known(name) && j.known(kind) && !(kind.is("Group") && name.is(knownAdministrators...)) {
					j.violate(name.path, "%s %s becomes %s", kind.text(), name.text(), role.text())
				}
			}
		}
	}),
	Good: []Example{
		shows("Freehold's administrators", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("cluster-admin", "Group", "freehold:administrators")),
		shows("readers", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "Group", "auditors")),
	},
	Bad: []Example{
		shows("the service account of a tool", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("cluster-admin", "ServiceAccount", "argocd")),
		shows("a user who has the name of the group", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("cluster-admin", "User", "freehold:administrators")),
		shows("in one namespace only", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("cluster-admin", "Group", "devs")),
		shows("one more subject of a binding that exists", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBindingPatch", binding("cluster-admin", "User", "ada@acme.example")),
	},
}

// binding is what gives a role to one subject.
func binding(role, kind, name string) object {
	return object{
		"roleRef":  object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
		"subjects": list{object{"kind": kind, "name": name}},
	}
}

func bindings(r Resource) []value {
	if kind := kindOf(r); kind != "ClusterRoleBinding" && kind != "RoleBinding" {
		return nil
	}
	return objectsOf(r)
}

// powers are verbs by which a role becomes any other: where it may use them on
// everything, it is one.
// https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks
var powers = map[string][]string{
	"bind":        {"roles", "clusterroles", "*"},
	"escalate":    {"roles", "clusterroles", "*"},
	"impersonate": {"users", "groups", "serviceaccounts", "userextras", "*"},
}

var allPowers = Rule{
	ID:       "FH904",
	Title:    "No role is the administrator under another name",
	Why:      "a role with every verb on everything, or one that may impersonate or hand out any role, is cluster-admin without being called so",
	Fix:      "name resources and verbs; name the roles that may be bound in resourceNames",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    bindingTypes,
	Check: on(func(j *judge, r Resource, _ Scope) {
		if kind := kindOf(r); kind != "ClusterRole" && kind != "Role" {
			return
		}
		for _, o := range objectsOf(r) {
			if j.known(o.get("rules")) {
				for _, rule := range o.all("rules") {
					j.power(rule)
				}
			}
			for _, selector := range o.all("aggregationRule.clusterRoleSelectors") {
				if j.known(selector) && len(selector.get("matchLabels").each()) == 0 && len(selector.get("matchExpressions").each()) == 0 {
					j.violate(selector.path, "the role gathers the rights of all others")
				}
			}
		}
	}),
	Good: []Example{
		shows("binding three roles by name", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{
			"apiGroups": list{"rbac.authorization.k8s.io"}, "resources": list{"clusterroles"}, "verbs": list{"bind"}, "resourceNames": list{"freehold-project-viewer"},
		})),
		shows("everything of one group", "kubernetes:rbac.authorization.k8s.io/v1:Role", rights(object{"apiGroups": list{"apps"}, "resources": list{"*"}, "verbs": list{"*"}})),
		shows("reading everything but secrets' neighbours", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{""}, "resources": list{"pods"}, "verbs": list{"*"}})),
	},
	Bad: []Example{
		shows("everything", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{"*"}, "resources": list{"*"}, "verbs": list{"*"}})),
		shows("everything, said in two lists", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{"", "*"}, "resources": list{"pods", "*"}, "verbs": list{"get", "create"}})),
		shows("being anybody", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{""}, "resources": list{"users", "groups"}, "verbs": list{"impersonate"}})),
		shows("handing out any role", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", rights(object{"apiGroups": list{"rbac.authorization.k8s.io"}, "resources": list{"clusterroles"}, "verbs": list{"bind"}})),
		shows("gathering all rights", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", object{"aggregationRule": object{"clusterRoleSelectors": list{object{}}}}),
	},
}

// rights are a role's rules.
func rights(rules ...any) object { return object{"rules": rules} }

func (j *judge) power(rule value) {
	if !j.known(rule) {
		return
	}
	parts := map[string][]value{}
	for _, part := range []string{"apiGroups", "resources", "verbs", "resourceNames"} {
		if !j.known(rule.get(part)) {
			return
		}
		parts[part] = rule.all(part)
	}
	has := func(part string, texts ...string) bool {
		return slices.ContainsFunc(parts[part], func(v value) bool { return v.is(texts...) })
	}
	for _, part := range []string{"apiGroups", "resources", "verbs"} {
		for _, v := range parts[part] {
			j.known(v)
		}
	}
	named := len(parts["resourceNames"]) > 0
	changes := has("verbs", "*", "create", "update", "patch", "delete", "deletecollection")
	if has("apiGroups", "*") && has("resources", "*") && changes && !named {
		j.violate(rule.path, "the role may change everything")
	}
	for _, verb := range sortedKeysOf(powers) {
		if has("verbs", verb) && has("resources", powers[verb]...) && !named {
			j.violate(rule.path, "the role may %s without a list of names", verb)
		}
	}
}

// everybody's subjects: who asks needs to be nobody in particular.
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
var nobodyInParticular = []string{"system:authenticated", "system:unauthenticated", "system:anonymous", "system:serviceaccounts"}

var everybodysRights = Rule{
	ID:       "FH905",
	Title:    "No right is given to everybody",
	Why:      "every pod of every project is system:authenticated, and every caller of the endpoint is system:unauthenticated",
	Fix:      "name the group or the service account that needs it",
	Severity: Critical,
	Criteria: []string{"CC6.1", "CC6.3"},
	Types:    bindingTypes,
	Check: on(func(j *judge, r Resource, _ Scope) {
		for _, o := range bindings(r) {
			if !j.known(o.get("subjects")) {
				continue
			}
			for _, name := range o.all("subjects.name") {
				if !j.known(name) {
					continue
				}
				all := strings.HasPrefix(name.text(), "system:serviceaccounts:") && kindOf(r) == "ClusterRoleBinding"
				if all || name.is(nobodyInParticular...) {
					j.violate(name.path, "%s is everybody", name.text())
				}
			}
		}
	}),
	Good: []Example{
		shows("one service account", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "ServiceAccount", "api")),
		shows("the service accounts of one namespace, in it", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("view", "Group", "system:serviceaccounts:shop")),
	},
	Bad: []Example{
		shows("everybody who is somebody", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "Group", "system:authenticated")),
		shows("everybody", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", binding("health", "Group", "system:unauthenticated")),
		shows("nobody, who is everybody", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "User", "system:anonymous")),
		shows("every pod", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "Group", "system:serviceaccounts")),
		shows("every pod of a namespace, everywhere", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", binding("view", "Group", "system:serviceaccounts:shop")),
	},
}
