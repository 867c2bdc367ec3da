package spec

import (
	"reflect"
	"strconv"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// fill gives every field that the document leaves out its default.
func (d *decoder) fill(s *Spec) {
	if !d.given("cluster.nodePools") {
		s.Cluster.NodePools = []NodePool{{Name: "default"}}
	}
	d.fillStatic(reflect.ValueOf(s).Elem(), "", "")

	// What follows depends on other fields.
	if !d.given("account.name") {
		s.Account.Name = s.Org
	}
	if !d.given("network.zones") {
		s.Network.Zones = defaultZones(s.Region)
	}
	for i := range s.Cluster.NodePools {
		d.fillPool(&s.Cluster.NodePools[i], "cluster.nodePools["+strconv.Itoa(i)+"]")
	}
	if p := &s.Cluster.IdentityProvider; d.given("cluster.identityProvider") {
		orElse(&p.UsernameClaim, "sub")
		orElse(&p.UsernamePrefix, "oidc:")
		if p.GroupsClaim != "" {
			orElse(&p.GroupsPrefix, "oidc:")
		}
	}
	for i := range s.Projects {
		fillLimits(s.Projects[i].Quota, &s.Projects[i].Limits)
	}
	d.fillAccess(&s.Access)
	if d.given("projectSource") {
		orElse(&s.ProjectSource.Interval, "1m")
	}
	if r, ok := ReleaseOf(s.Cluster.Version); ok {
		v := &s.Versions
		orElse(&v.VPCCNI, r.Addons.VPCCNI)
		orElse(&v.CoreDNS, r.Addons.CoreDNS)
		orElse(&v.KubeProxy, r.Addons.KubeProxy)
		orElse(&v.EBSCSI, r.Addons.EBSCSI)
		orElse(&v.PodIdentityAgent, r.Addons.PodIdentityAgent)
	}
}

// fillStatic gives v, and everything in it, the defaults of facets.
func (d *decoder) fillStatic(v reflect.Value, path, rule string) {
	if f := facets[rule]; f.Default != nil && !d.given(path) {
		v = target(v)
		v.Set(reflect.ValueOf(f.Default).Convert(v.Type()))
		if v.Kind() == reflect.Slice { // the table's own must not be shared
			v.Set(reflect.AppendSlice(reflect.Zero(v.Type()), v))
		}
		return
	}
	switch {
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[v1alpha1.Quantity]():
		for _, f := range Fields(v.Type()) {
			name := FieldName(f)
			d.fillStatic(v.FieldByIndex(f.Index), join(path, name), join(rule, name))
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			d.fillStatic(v.Index(i), path+"["+strconv.Itoa(i)+"]", rule+"[]")
		}
	}
}

// fillPool chooses the numbers that are left out so that they fit those that are given.
func (d *decoder) fillPool(p *NodePool, path string) {
	if !d.given(path + ".max") {
		p.Max = max(4, p.Min, p.Desired)
	}
	if !d.given(path + ".min") {
		p.Min = min(2, p.Max)
		if d.given(path + ".desired") {
			p.Min = min(p.Min, p.Desired)
		}
	}
	if !d.given(path + ".desired") {
		p.Desired = p.Min
	}
}

func fillLimits(q v1alpha1.Quota, l *v1alpha1.Limits) {
	orElse(&l.MaxCPU, q.CPU)
	orElse(&l.MaxMemory, q.Memory)
	orElse(&l.DefaultCPU, smaller("250m", l.MaxCPU))
	orElse(&l.DefaultMemory, smaller("256Mi", l.MaxMemory))
}

// smaller returns the smaller of two quantities; b may be one that was refused.
func smaller(a string, b v1alpha1.Quantity) v1alpha1.Quantity {
	least := v1alpha1.MustQuantity(a)
	most := b.Value()
	if b.Text != "" && most.Cmp(least.Value()) < 0 {
		return b
	}
	return least
}

func orElse[T comparable](field *T, value T) {
	var none T
	if *field == none {
		*field = value
	}
}
