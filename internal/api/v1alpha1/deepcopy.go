package v1alpha1

import (
	"maps"
	"slices"

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
	out.ProjectSettings = s.ProjectSettings.DeepCopy()
	out.ServiceAccounts = slices.Clone(s.ServiceAccounts)
}

// DeepCopy returns a copy that shares nothing with s.
func (s ProjectSettings) DeepCopy() ProjectSettings {
	out := s
	out.Quota.Objects = s.Quota.Objects.deepCopy()
	out.Quota.Resources = maps.Clone(s.Quota.Resources)
	out.Quota.DeviceClasses = maps.Clone(s.Quota.DeviceClasses)
	out.Members = slices.Clone(s.Members)
	out.Egress = slices.Clone(s.Egress)
	for i := range out.Egress {
		out.Egress[i].Ports = slices.Clone(s.Egress[i].Ports)
	}
	out.Ingress = slices.Clone(s.Ingress)
	for i := range out.Ingress {
		out.Ingress[i].Ports = slices.Clone(s.Ingress[i].Ports)
	}
	out.Registries = slices.Clone(s.Registries)
	out.Hosts = slices.Clone(s.Hosts)
	out.PriorityClasses = slices.Clone(s.PriorityClasses)
	out.StorageClasses = slices.Clone(s.StorageClasses)
	out.RuntimeClasses = slices.Clone(s.RuntimeClasses)
	return out
}

func (o ObjectCounts) deepCopy() ObjectCounts {
	for _, count := range []**int32{
		&o.ConfigMaps, &o.Secrets, &o.Services, &o.LoadBalancers, &o.NodePorts, &o.PersistentVolumeClaims,
		&o.Deployments, &o.StatefulSets, &o.Jobs, &o.CronJobs, &o.Ingresses,
	} {
		if *count != nil {
			*count = new(**count)
		}
	}
	return o
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
