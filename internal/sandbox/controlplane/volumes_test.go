package controlplane

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// projected is a pod with a token for somebody else and the keys of a config map.
func projected() *corev1.PodTemplateSpec {
	seconds := int64(600)
	return &corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		Containers: []corev1.Container{{VolumeMounts: []corev1.VolumeMount{
			{Name: "both", MountPath: "/var/run/both/"}, {Name: "inner", MountPath: "/var/run/both/inner"},
		}}},
		Volumes: []corev1.Volume{
			{Name: "both", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Audience: "them", ExpirationSeconds: &seconds, Path: "token"}},
				{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "ca"}}},
			}}}},
			{Name: "inner", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: "ca"}, Items: []corev1.KeyToPath{{Key: "ca.crt", Path: "deep/ca"}},
			}}},
		},
	}}
}

// TestVolumesAreWrittenAndRenewed follows the files of a pod over time.
func TestVolumesAreWrittenAndRenewed(t *testing.T) {
	begin := time.Unix(1_000_000, 0)
	now, asked := begin, 0
	data := map[string]string{"ca.crt": "first", "more": "x"}
	v := &volumes{
		dir: t.TempDir(), template: projected(), now: func() time.Time { return now },
		configMap: func(_ context.Context, name string) (*corev1.ConfigMap, error) {
			if name != "ca" {
				return nil, fmt.Errorf("no %s", name)
			}
			return &corev1.ConfigMap{Data: data}, nil
		},
		token: func(_ context.Context, audiences []string, seconds int64) (authenticationv1.TokenRequestStatus, error) {
			asked++
			return authenticationv1.TokenRequestStatus{
				Token:               fmt.Sprintf("token %d for %s", asked, strings.Join(audiences, ",")),
				ExpirationTimestamp: metav1.NewTime(now.Add(time.Duration(seconds) * time.Second)),
			}, nil
		},
	}
	if err := os.WriteFile(filepath.Join(v.dir, "left"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		at   time.Duration
		data map[string]string
		want map[string]string
		next time.Duration // of the step
	}{
		{0, data, map[string]string{"both/token": "token 1 for them", "both/ca.crt": "first", "both/more": "x", "inner/deep/ca": "first"}, time.Minute},
		{7*time.Minute + 30*time.Second, map[string]string{"ca.crt": "second"}, map[string]string{"both/token": "token 1 for them", "both/ca.crt": "second", "inner/deep/ca": "second"}, 8 * time.Minute},
		{8 * time.Minute, map[string]string{"ca.crt": "second"}, map[string]string{"both/token": "token 2 for them", "both/ca.crt": "second", "inner/deep/ca": "second"}, 9 * time.Minute},
	} {
		now, data = begin.Add(step.at), step.data
		next, err := v.write(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := next.Sub(begin); got != step.next {
			t.Errorf("at %s, it looks again at %s, want %s", step.at, got, step.next)
		}
		got := map[string]string{}
		err = filepath.WalkDir(v.dir, func(file string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			text, err := os.ReadFile(file)
			name, _ := filepath.Rel(v.dir, file)
			got[filepath.ToSlash(name)] = string(text)
			return err
		})
		if diff := cmp.Diff(step.want, got); diff != "" || err != nil {
			t.Errorf("at %s: %v (-want +got):\n%s", step.at, err, diff)
		}
	}
}

func TestArgumentsNameWhereTheFilesAre(t *testing.T) {
	v := &volumes{dir: "/run", template: projected()}
	for arg, want := range map[string]string{
		"--token=/var/run/both/token":      "--token=/run/both/token",
		"/var/run/both/token":              "/run/both/token",
		"--dir=/var/run/both":              "--dir=/run/both",
		"--ca=/var/run/both/inner/deep/ca": "--ca=/run/inner/deep/ca",
		"--token=/var/run/bothering":       "--token=/var/run/bothering",
		"--url=https://a/var/run/both/x":   "--url=https://a/var/run/both/x",
		"--leader-elect":                   "--leader-elect",
	} {
		if got := v.located(arg); got != want {
			t.Errorf("%s became %s, want %s", arg, got, want)
		}
	}
}

func TestAVolumeThatAProcessCannotHaveIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*corev1.PodSpec)
		says   string
	}{
		"a secret": {func(p *corev1.PodSpec) {
			p.Volumes[0].VolumeSource = corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}
		}, "volume both: the sandbox mounts config maps and projected volumes, and nothing else"},
		"an empty directory": {func(p *corev1.PodSpec) {
			p.Volumes[1].VolumeSource = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}
		}, "volume inner: the sandbox mounts config maps"},
		"the pod's own fields": {func(p *corev1.PodSpec) {
			p.Volumes[0].Projected.Sources[0] = corev1.VolumeProjection{DownwardAPI: &corev1.DownwardAPIProjection{}}
		}, "volume both: the sandbox projects service account tokens and config maps, and nothing else"},
		"a part of a volume":             {func(p *corev1.PodSpec) { p.Containers[0].VolumeMounts[0].SubPath = "x" }, "mounts no part"},
		"a key that is not there":        {func(p *corev1.PodSpec) { p.Volumes[1].ConfigMap.Items[0].Key = "y" }, "has no key y"},
		"a file that is outside":         {func(p *corev1.PodSpec) { p.Volumes[1].ConfigMap.Items[0].Path = "../x" }, "not inside of the volume"},
		"a config map that is not there": {func(p *corev1.PodSpec) { p.Volumes[1].ConfigMap.Name = "none" }, "config map freehold-system/none: no none"},
	} {
		t.Run(name, func(t *testing.T) {
			v := &volumes{
				dir: t.TempDir(), template: projected(), now: time.Now,
				configMap: func(_ context.Context, name string) (*corev1.ConfigMap, error) {
					if name != "ca" {
						return nil, fmt.Errorf("no %s", name)
					}
					return &corev1.ConfigMap{Data: map[string]string{"ca.crt": "x"}}, nil
				},
				token: func(context.Context, []string, int64) (authenticationv1.TokenRequestStatus, error) {
					return authenticationv1.TokenRequestStatus{}, nil
				},
			}
			c.change(&v.template.Spec)
			if _, err := v.write(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}
