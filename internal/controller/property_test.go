package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// specs draws the specs of projects that the API server accepts.
func specs(rt *rapid.T) v1alpha1.ProjectSpec {
	amount := func(label string, suffix string, least, most int) v1alpha1.Quantity {
		return v1alpha1.MustQuantity(fmt.Sprint(rapid.IntRange(least, most).Draw(rt, label)) + suffix)
	}
	maybe := func(label string) bool { return rapid.Bool().Draw(rt, label) }
	s := v1alpha1.ProjectSpec{
		Org: "acme",
		ProjectSettings: v1alpha1.ProjectSettings{
			Quota: v1alpha1.Quota{
				CPU: amount("cpu", "", 1, 64), Memory: amount("memory", "Gi", 1, 64), Storage: amount("storage", "Gi", 0, 64),
				Pods: rapid.Int32Range(0, 50).Draw(rt, "pods"), GPUs: rapid.Int32Range(0, 2).Draw(rt, "gpus"),
			},
			Limits: v1alpha1.Limits{
				DefaultCPU: amount("defaultCpu", "m", 50, 500), DefaultMemory: amount("defaultMemory", "Mi", 50, 500),
				MaxCPU: amount("maxCpu", "", 1, 8), MaxMemory: amount("maxMemory", "Gi", 1, 8),
			},
			Hibernate:   maybe("hibernate"),
			PodSecurity: rapid.SampledFrom([]v1alpha1.PodSecurity{v1alpha1.PodSecurityRestricted, v1alpha1.PodSecurityBaseline}).Draw(rt, "podSecurity"),
			DisplayName: rapid.SampledFrom([]string{"", "A team", "Näme"}).Draw(rt, "displayName"),
			Registries:  rapid.SliceOfN(rapid.SampledFrom([]string{"a.example.com", "b.example.com/x"}), 0, 2).Draw(rt, "registries"),
		},
	}
	if maybe("objects") {
		s.Quota.Objects = v1alpha1.ObjectCounts{Secrets: new(int32(7)), Jobs: new(rapid.Int32Range(0, 9).Draw(rt, "jobs"))}
	}
	if maybe("min") {
		s.Limits.MinCPU = amount("minCpu", "m", 1, 50)
	}
	for i := range rapid.IntRange(0, 4).Draw(rt, "members") {
		m := v1alpha1.Member{Role: rapid.SampledFrom([]v1alpha1.Role{v1alpha1.RoleAdmin, v1alpha1.RoleEditor, v1alpha1.RoleViewer}).Draw(rt, "role")}
		name := rapid.SampledFrom([]string{"ada", "bo", "cy"}).Draw(rt, "member")
		if i%2 == 0 {
			m.Group = name
		} else {
			m.User = name
		}
		s.Members = append(s.Members, m)
	}
	for range rapid.IntRange(0, 2).Draw(rt, "egress") {
		s.Egress = append(s.Egress, v1alpha1.Egress{
			CIDR: rapid.SampledFrom([]string{"10.0.0.0/8", "192.0.2.0/24"}).Draw(rt, "cidr"), Protocol: rapid.SampledFrom([]string{"TCP", "UDP"}).Draw(rt, "protocol"),
			Ports: rapid.SliceOfN(rapid.Int32Range(1, 65535), 0, 2).Draw(rt, "ports"),
		})
	}
	for range rapid.IntRange(0, 2).Draw(rt, "ingress") {
		s.Ingress = append(s.Ingress, v1alpha1.Ingress{Project: rapid.SampledFrom([]string{"front", "batch"}).Draw(rt, "from"), Protocol: "TCP"})
	}
	for i := range rapid.IntRange(0, 2).Draw(rt, "accounts") {
		a := v1alpha1.ServiceAccount{Name: fmt.Sprint("a", i)}
		if maybe("pod identity") {
			a.PodIdentityRole = "arn:aws:iam::123456789012:role/web"
		}
		s.ServiceAccounts = append(s.ServiceAccounts, a)
	}
	return s
}

// However a project came to be what it is, its objects are those of one that
// was made so.
func TestAnySequenceOfEditsEndsWhereTheLastOneAloneDoes(t *testing.T) {
	k := start(t, definitionFile)
	run(t, k.rc).ready(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		edited, alone := fmt.Sprintf("edited-%d", n), fmt.Sprintf("alone-%d", n)
		spec := specs(rt)
		is := func(name string) *v1alpha1.Project {
			return &v1alpha1.Project{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
		}
		k.make(is(edited))
		for range rapid.IntRange(1, 6).Draw(rt, "edits") {
			switch what := rapid.SampledFrom([]string{"change", "change", "change", "hand", "again", "wait"}).Draw(rt, "edit"); what {
			case "change":
				spec = specs(rt)
				k.change(edited, func(p *v1alpha1.Project) { p.Spec = spec })
			case "hand": // whatever is there by now
				var ns corev1.Namespace
				if k.Get(t.Context(), client.ObjectKey{Name: edited}, &ns) != nil {
					continue
				}
				all := k.objects(edited)
				o := all[rapid.IntRange(0, len(all)-1).Draw(rt, "object")%len(all)]
				if o != all[0] && rapid.Bool().Draw(rt, "delete") {
					_ = k.Delete(t.Context(), o) // it may have gone by itself
				} else {
					loosen(o)
					_ = k.Client.Update(t.Context(), o, client.FieldOwner("kubectl-edit")) // or have changed
				}
			case "again":
				k.gone(edited)
				k.make(is(edited))
			case "wait":
				time.Sleep(100 * time.Millisecond)
			}
		}
		k.make(is(alone))
		k.ready(edited, alone)
		var want, got string
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			want, got = k.dump(alone), strings.ReplaceAll(k.dump(edited), edited, alone)
			if want == got {
				return
			}
		}
		rt.Fatalf("(-alone +edited):\n%s", cmp.Diff(want, got))
	})
	k.quiet(2 * time.Second)
}
