package lifecycletest

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/kubelive"
)

// LiveObjects are the objects of the world's clusters, as a process reaches them.
type LiveObjects struct{ p *Process }

// Objects are the objects of the clusters.
func (p *Process) Objects() *LiveObjects { return &LiveObjects{p} }

// Compare returns the objects to which somebody has added something.
func (l *LiveObjects) Compare(_ context.Context, kubeconfig []byte, objects []kubelive.Object) ([]kubelive.Result, error) {
	if err := l.p.guard(Objects, ""); err != nil {
		return nil, err
	}
	cluster, err := clusterIn(kubeconfig)
	if err != nil {
		return nil, err
	}
	var out []kubelive.Result
	err = l.p.read(func() error {
		for _, o := range objects {
			t := l.p.w.find(cluster, o.Type, o.ID)
			if t == nil || len(t.Added) == 0 {
				continue
			}
			r := kubelive.Result{Object: o, By: []string{"kubectl-edit"}, Live: maps.Clone(t.Inputs)}
			for _, path := range slices.Sorted(maps.Keys(t.Added)) {
				r.Differences = append(r.Differences, finding.Difference{Path: path, Have: finding.Text(t.Added[path])})
				if !strings.ContainsAny(path, ".[") {
					r.Live[path] = t.Added[path]
				}
			}
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

// Expose has nothing to do: here, somebody is always on record.
func (l *LiveObjects) Expose(context.Context, []byte, []kubelive.Result) error {
	return l.p.guard(Objects, "")
}

// Strays returns the objects that somebody put into a cluster, beside those of a
// layer and what its workloads made.
func (l *LiveObjects) Strays(_ context.Context, kubeconfig []byte, s kubelive.Sought) (kubelive.Found, error) {
	if err := l.p.guard(Strays, ""); err != nil {
		return kubelive.Found{}, err
	}
	cluster, err := clusterIn(kubeconfig)
	if err != nil {
		return kubelive.Found{}, err
	}
	var out kubelive.Found
	err = l.p.read(func() error {
		for _, t := range l.p.w.data.Things {
			declared := slices.ContainsFunc(s.Objects, func(o kubelive.Object) bool { return o.Type == t.Type && o.ID == t.ID })
			if t.Where != cluster || !strings.HasPrefix(t.Type, "kubernetes:") || t.ByWorkload || declared || s.Pulled && isPulled(t) {
				continue
			}
			out.Strays = append(out.Strays, kubelive.Stray{
				Type: t.Type, ID: t.ID, Name: t.Name, Why: "no layer declares it", Kept: t.Type == projectType && policyOf(t) == string(v1alpha1.DeletionDelete),
			})
		}
		return nil
	})
	return out, err
}

// Remove ends a stray at once.
func (l *LiveObjects) Remove(_ context.Context, kubeconfig []byte, s kubelive.Stray) error {
	cluster, err := clusterIn(kubeconfig)
	if err != nil {
		return err
	}
	return l.p.write(Write{"cloud", "remove", s.Type, s.ID}, func() error {
		if t := l.p.w.find(cluster, s.Type, s.ID); t != nil {
			return l.p.w.unapply(t)
		}
		return nil
	})
}

// Available reads how much of a Deployment runs: nothing, once somebody has added
// replicas of their own to it, or has broken it.
func (l *LiveObjects) Available(_ context.Context, kubeconfig []byte, o kubelive.Object) (kubelive.Availability, error) {
	if err := l.p.guard(Objects, ""); err != nil {
		return kubelive.Availability{}, err
	}
	cluster, err := clusterIn(kubeconfig)
	if err != nil {
		return kubelive.Availability{}, err
	}
	var out kubelive.Availability
	err = l.p.read(func() error {
		t := l.p.w.find(cluster, o.Type, o.ID)
		if t == nil {
			return nil
		}
		out = kubelive.Availability{There: true, Wanted: 2, Available: 2}
		if n, scaled := t.Added["spec.replicas"].(int); scaled {
			out.Wanted, out.Available = int64(n), int64(n)
		}
		if l.p.w.data.Crashing {
			out.Available, out.Why = 0, "containers with unready status: [controller]"
		}
		return nil
	})
	return out, err
}

// PutBack takes away what was added, and makes again what is gone.
func (l *LiveObjects) PutBack(_ context.Context, kubeconfig []byte, objects []kubelive.Object) error {
	cluster, err := clusterIn(kubeconfig)
	if err != nil {
		return err
	}
	for _, o := range objects {
		err := l.p.write(Write{"cloud", "put back", o.Type, o.ID}, func() error {
			t := l.p.w.find(cluster, o.Type, o.ID)
			if t == nil {
				_, err := l.p.w.apply(cluster, o.Type, o.Want)
				return err
			}
			t.Added = nil
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// MakeWay removes objects.
func (l *LiveObjects) MakeWay(_ context.Context, kubeconfig []byte, objects []kubelive.Object) error {
	cluster, err := clusterIn(kubeconfig)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := l.p.write(Write{"cloud", "make way", o.Type, o.ID}, func() error {
			if t := l.p.w.find(cluster, o.Type, o.ID); t != nil {
				return l.p.w.unapply(t)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// clusterIn is the ARN of the cluster that a kubeconfig of this world reaches.
func clusterIn(kubeconfig []byte) (string, error) {
	config, err := clientcmd.Load(kubeconfig)
	if err != nil {
		return "", err
	}
	server := config.Clusters["freehold"].Server
	cluster, err := hex.DecodeString(server[strings.LastIndex(server, "/")+1:])
	return string(cluster), err
}
