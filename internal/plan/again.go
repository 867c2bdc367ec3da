package plan

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/spec"
)

// Again decides a data plane that was decided before, in the words of then:
// what AWS and Kubernetes take for the same, such as an address in another case,
// a quantity in another unit or a list in another order, is no change, and stays
// as it was written first. All else is as Build decides it.
//
// Pulled projects stay as they were, because no document lists them. One whose
// name the document has taken gives way here, and is for the caller to refuse.
func Again(s spec.Spec, was Plan) Plan {
	s.Network.Zones = inOrder(s.Network.Zones, was.Cluster.Zones)
	is := Build(s)
	for _, p := range was.Bootstrap.Pulled() {
		if _, taken := is.Bootstrap.Project(p.Name); !taken {
			is.Bootstrap.Projects = append(is.Bootstrap.Projects, p)
		}
	}
	is = settle("", reflect.ValueOf(was), reflect.ValueOf(is)).Interface().(Plan)
	is.Hash = hash(is)
	return is
}

// inOrder puts zones in the order of those before them: ranges that are left
// out are taken in the order of the zones, and would move with them.
func inOrder(zones []spec.Zone, was []Zone) []spec.Zone {
	at := func(z spec.Zone) int { return slices.IndexFunc(was, func(w Zone) bool { return w.Name == z.Name }) }
	if len(zones) != len(was) || slices.ContainsFunc(zones, func(z spec.Zone) bool { return at(z) < 0 }) {
		return zones
	}
	zones = slices.Clone(zones)
	slices.SortStableFunc(zones, func(a, b spec.Zone) int { return at(a) - at(b) })
	return zones
}

// forms are the texts of a plan, by their path, of which several mean the same,
// with a form in which these are equal. Everything else counts to the letter:
// names of roles in ARNs, claims, issuers and clients.
var forms = map[string]func(string) string{
	// An address is taken once, whatever its case, and kept as it was given:
	// aws-ia/terraform-aws-control_tower_account_factory#172.
	"account.email":                    strings.ToLower,
	"account.name":                     words,
	"bootstrap.projects[].ttl":         duration,
	"bootstrap.projectSource.interval": duration,
	"bootstrap.projectSource.caBundle": words,
	"bootstrap.projectSource.url":      address,
}

func duration(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil {
		return text
	}
	return d.String()
}

// address leaves out of a URL what it means without saying it.
func address(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	u.Host = strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	return u.String()
}

// words leaves one space of every run of white space, and none at the ends.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// unordered are the lists of a plan, by their path, whose order says nothing,
// with the field by which an entry is known; empty: by all that it is. The order
// of a pool's instance types says which one EKS takes first, unless all of them
// are bought on the spot market.
//
// https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
var unordered = map[string]string{
	"cluster.allowCidrs":                            "",
	"cluster.nodePools":                             "pool",
	"cluster.nodePools[].taints":                    "",
	"cluster.projectRoles":                          "role",
	"cluster.projectRoles[].policies":               "",
	"bootstrap.projects":                            "name",
	"bootstrap.projects[].members":                  "",
	"bootstrap.projects[].egress":                   "",
	"bootstrap.projects[].egress[].ports":           "",
	"bootstrap.projects[].ingress":                  "",
	"bootstrap.projects[].ingress[].ports":          "",
	"bootstrap.projects[].registries":               "",
	"bootstrap.projects[].hosts":                    "",
	"bootstrap.projects[].priorityClasses":          "",
	"bootstrap.projects[].storageClasses":           "",
	"bootstrap.projects[].runtimeClasses":           "",
	"bootstrap.projects[].serviceAccounts":          "",
	"bootstrap.projects[].podIdentities":            "serviceAccount",
	"bootstrap.projects[].podIdentities[].policies": "",
	"exceptions":                   "",
	"access.people.roles":          "role",
	"access.people.roles[].groups": "",
	"access.pipelines":             "name",
	"access.aws.roles":             "roleArn",
}

// settle returns what is there now, in the words of what was there before.
func settle(path string, was, is reflect.Value) reflect.Value {
	if is.Type() == reflect.TypeFor[v1alpha1.Quantity]() {
		a, b := was.Interface().(v1alpha1.Quantity), is.Interface().(v1alpha1.Quantity)
		if amount := a.Value(); a.Text != "" && b.Text != "" && amount.Cmp(b.Value()) == 0 {
			return was
		}
		return is
	}
	switch is.Kind() {
	case reflect.Pointer:
		if was.IsNil() || is.IsNil() {
			return is
		}
		out := reflect.New(is.Type().Elem())
		out.Elem().Set(settle(path, was.Elem(), is.Elem()))
		return out
	case reflect.Struct:
		return settleFields(path, was, is)
	case reflect.Slice:
		if key, listed := unordered[path]; listed {
			return settleEntries(path, key, was, is)
		}
		return settleInOrder(path, was, is)
	case reflect.String:
		if form := forms[path]; form != nil && form(was.String()) == form(is.String()) {
			return was
		}
	}
	return is
}

func settleFields(path string, was, is reflect.Value) reflect.Value {
	out := reflect.New(is.Type()).Elem()
	out.Set(is)
	for i := range is.NumField() {
		f := is.Type().Field(i)
		name := path
		if !f.Anonymous {
			name = strings.TrimPrefix(path+"."+spec.FieldName(f), ".")
		}
		out.Field(i).Set(settle(name, was.Field(i), is.Field(i)))
	}
	if a, ok := reflect.TypeAssert[NodePool](was); ok {
		b := out.Interface().(NodePool)
		if a.CapacityType == spot && b.CapacityType == spot && sameSet(a.InstanceTypes, b.InstanceTypes) {
			b.InstanceTypes = a.InstanceTypes
			out.Set(reflect.ValueOf(b))
		}
	}
	return out
}

// spot is how EKS calls nodes of the spot market.
const spot = "SPOT"

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func settleInOrder(path string, was, is reflect.Value) reflect.Value {
	if was.Len() != is.Len() || is.Len() == 0 {
		return is
	}
	out := reflect.MakeSlice(is.Type(), is.Len(), is.Len())
	for i := range is.Len() {
		out.Index(i).Set(settle(path+"[]", was.Index(i), is.Index(i)))
	}
	return out
}

// settleEntries puts the entries that were there before first, in their order.
func settleEntries(path, key string, was, is reflect.Value) reflect.Value {
	if is.Len() == 0 {
		return is
	}
	out := reflect.MakeSlice(is.Type(), 0, is.Len())
	taken := make([]bool, is.Len())
	for i := range was.Len() {
		for j := range is.Len() {
			if taken[j] {
				continue
			}
			before := was.Index(i)
			now := settle(path+"[]", before, is.Index(j))
			if key != "" && known(before, key) != known(now, key) || key == "" && !reflect.DeepEqual(before.Interface(), now.Interface()) {
				continue
			}
			taken[j] = true
			out = reflect.Append(out, now)
			break
		}
	}
	for j := range is.Len() {
		if !taken[j] {
			out = reflect.Append(out, is.Index(j))
		}
	}
	return out
}

// known is the text of a field by its name in JSON.
func known(v reflect.Value, key string) string {
	for _, f := range spec.Fields(v.Type()) {
		if spec.FieldName(f) == key {
			return v.FieldByIndex(f.Index).String()
		}
	}
	return ""
}
