package v1alpha1

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// DeepCopyInto writes a copy that shares nothing with p.
func (p *Project) DeepCopyInto(out *Project) {
	*out = *p
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	p.Spec.DeepCopyInto(&out.Spec)
	p.Status.DeepCopyInto(&out.Status)
}

// DeepCopy returns a copy that shares nothing with p.
func (p *Project) DeepCopy() *Project {
	if p == nil {
		return nil
	}
	out := &Project{}
	p.DeepCopyInto(out)
	return out
}

// DeepCopyObject makes Project a runtime.Object.
func (p *Project) DeepCopyObject() runtime.Object {
	if p == nil {
		return nil
	}
	return p.DeepCopy()
}

// DeepCopyObject makes ProjectList a runtime.Object.
func (l *ProjectList) DeepCopyObject() runtime.Object {
	if l == nil {
		return nil
	}
	out := &ProjectList{TypeMeta: l.TypeMeta}
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	if l.Items != nil {
		out.Items = make([]Project, len(l.Items))
		for i := range l.Items {
			l.Items[i].DeepCopyInto(&out.Items[i])
		}
	}
	return out
}

// DeepCopyInto writes a copy that shares nothing with s.
func (s *ProjectSpec) DeepCopyInto(out *ProjectSpec) {
	*out = *s
	s.Quota.deepCopyInto(&out.Quota)
	s.Limits.deepCopyInto(&out.Limits)
	out.Members = slices.Clone(s.Members)
	out.Egress = slices.Clone(s.Egress)
	for i := range out.Egress {
		out.Egress[i].Ports = slices.Clone(s.Egress[i].Ports)
	}
	out.Ingress = slices.Clone(s.Ingress)
	for i := range out.Ingress {
		out.Ingress[i].Ports = slices.Clone(s.Ingress[i].Ports)
	}
	out.ServiceAccounts = slices.Clone(s.ServiceAccounts)
	out.Registries = slices.Clone(s.Registries)
	out.TTL = clone(s.TTL)
}

func (q *Quota) deepCopyInto(out *Quota) {
	out.CPU, out.Memory, out.Storage = q.CPU.DeepCopy(), q.Memory.DeepCopy(), q.Storage.DeepCopy()
	o := &out.Objects
	for _, count := range []**int32{
		&o.ConfigMaps, &o.Secrets, &o.Services, &o.LoadBalancers, &o.NodePorts, &o.PersistentVolumeClaims,
		&o.Deployments, &o.StatefulSets, &o.Jobs, &o.CronJobs, &o.Ingresses,
	} {
		*count = clone(*count)
	}
}

func (l *Limits) deepCopyInto(out *Limits) {
	out.DefaultCPU, out.DefaultMemory = l.DefaultCPU.DeepCopy(), l.DefaultMemory.DeepCopy()
	out.MaxCPU, out.MaxMemory = l.MaxCPU.DeepCopy(), l.MaxMemory.DeepCopy()
	for _, least := range []**resource.Quantity{&out.MinCPU, &out.MinMemory} {
		if *least != nil {
			*least = new((*least).DeepCopy())
		}
	}
}

// DeepCopyInto writes a copy that shares nothing with s.
func (s *ProjectStatus) DeepCopyInto(out *ProjectStatus) {
	*out = *s
	out.LastSync = s.LastSync.DeepCopy()
	if s.Quota != nil {
		out.Quota = make(map[string]Usage, len(s.Quota))
		for name, u := range s.Quota {
			out.Quota[name] = Usage{Hard: u.Hard.DeepCopy(), Used: u.Used.DeepCopy()}
		}
	}
	if s.Conditions != nil {
		out.Conditions = make([]metav1.Condition, len(s.Conditions))
		for i := range s.Conditions {
			s.Conditions[i].DeepCopyInto(&out.Conditions[i])
		}
	}
}

// DeepCopy returns a copy that shares nothing with s.
func (s *ProjectStatus) DeepCopy() *ProjectStatus {
	out := &ProjectStatus{}
	s.DeepCopyInto(out)
	return out
}

func clone[T any](v *T) *T {
	if v == nil {
		return nil
	}
	return new(*v)
}
