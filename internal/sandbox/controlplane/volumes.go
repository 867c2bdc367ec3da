package controlplane

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// volumesAfter is how long a change of a ConfigMap may take to reach the files: as
// long as a kubelet's.
const volumesAfter = time.Minute

// volumes are the files that the pod's template asks for. They are where a
// process may write, and not where a container would see them: the process is
// given their paths in its arguments.
//
// A kubelet can do more. What it could and a process here cannot is refused,
// so that nothing runs without the files that it was given.
type volumes struct {
	dir      string // of this replica's volumes
	template *corev1.PodTemplateSpec
	// configMap reads one of the namespace.
	configMap func(ctx context.Context, name string) (*corev1.ConfigMap, error)
	// token asks for one of the pod's service account.
	token func(ctx context.Context, audiences []string, seconds int64) (authenticationv1.TokenRequestStatus, error)
	now   func() time.Time

	renewal map[string]time.Time // by file; of tokens that were written
	wanted  map[string]bool      // files of the last round
}

// write makes the files what they must be now, and returns when to look again.
func (v *volumes) write(ctx context.Context) (next time.Time, err error) {
	if v.renewal == nil {
		v.renewal = map[string]time.Time{}
		// Of a token that an earlier process had, nothing is known any more.
		if err := os.RemoveAll(v.dir); err != nil {
			return next, fmt.Errorf("clear the volumes: %w", err)
		}
	}
	if err := v.check(); err != nil {
		return next, err
	}
	next, v.wanted = v.now().Add(volumesAfter), map[string]bool{}
	for _, volume := range v.template.Spec.Volumes {
		if volume.ConfigMap != nil {
			c := volume.ConfigMap
			err = v.writeConfigMap(ctx, volume.Name, c.Name, c.Items)
		} else {
			err = v.writeProjected(ctx, volume.Name, volume.Projected.Sources)
		}
		if err != nil {
			return next, fmt.Errorf("volume %s: %w", volume.Name, err)
		}
	}
	for _, at := range v.renewal {
		if at.Before(next) {
			next = at
		}
	}
	return next, v.sweep()
}

// sweep removes what no config map has any more.
func (v *volumes) sweep() error {
	err := filepath.WalkDir(v.dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || v.wanted[file] {
			return err
		}
		return os.Remove(file)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sweep the volumes: %w", err)
	}
	return nil
}

// check refuses what a process cannot have.
func (v *volumes) check() error {
	for _, volume := range v.template.Spec.Volumes {
		switch {
		case volume.ConfigMap != nil:
		case volume.Projected != nil:
			for _, s := range volume.Projected.Sources {
				if s.ConfigMap == nil && s.ServiceAccountToken == nil {
					return fmt.Errorf("volume %s: the sandbox projects service account tokens and config maps, and nothing else", volume.Name)
				}
			}
		default:
			return fmt.Errorf("volume %s: the sandbox mounts config maps and projected volumes, and nothing else", volume.Name)
		}
	}
	for _, m := range v.mounts() {
		if m.SubPath != "" || m.SubPathExpr != "" {
			return fmt.Errorf("volume %s: the sandbox mounts no part of a volume", m.Name)
		}
	}
	return nil
}

func (v *volumes) writeProjected(ctx context.Context, volume string, sources []corev1.VolumeProjection) error {
	for _, s := range sources {
		var err error
		if c := s.ConfigMap; c != nil {
			err = v.writeConfigMap(ctx, volume, c.Name, c.Items)
		} else {
			err = v.writeToken(ctx, volume, *s.ServiceAccountToken)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeToken writes a token, and another one when four fifths of its life are over.
func (v *volumes) writeToken(ctx context.Context, volume string, p corev1.ServiceAccountTokenProjection) error {
	file, err := v.file(volume, p.Path)
	if err != nil {
		return err
	}
	now := v.now()
	if at, there := v.renewal[file]; there && now.Before(at) {
		v.wanted[file] = true
		return nil
	}
	seconds := int64(tokenLife / time.Second)
	if p.ExpirationSeconds != nil {
		seconds = *p.ExpirationSeconds
	}
	var audiences []string // none: the API server's
	if p.Audience != "" {
		audiences = []string{p.Audience}
	}
	t, err := v.token(ctx, audiences, seconds)
	if err != nil {
		return err
	}
	if err := v.put(file, []byte(t.Token)); err != nil {
		return err
	}
	v.renewal[file] = now.Add(t.ExpirationTimestamp.Sub(now) * 4 / 5)
	return nil
}

// writeConfigMap writes the keys of a ConfigMap, or those of items.
func (v *volumes) writeConfigMap(ctx context.Context, volume, name string, items []corev1.KeyToPath) error {
	m, err := v.configMap(ctx, name)
	if err != nil {
		return fmt.Errorf("read config map %s/%s: %w", workloadNamespace, name, err)
	}
	content := map[string][]byte{}
	for key, text := range m.Data {
		content[key] = []byte(text)
	}
	maps.Copy(content, m.BinaryData)
	if items == nil {
		for key := range content {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, i := range items {
		b, ok := content[i.Key]
		if !ok {
			return fmt.Errorf("config map %s/%s has no key %s", workloadNamespace, name, i.Key)
		}
		file, err := v.file(volume, i.Path)
		if err != nil {
			return err
		}
		if err := v.put(file, b); err != nil {
			return err
		}
	}
	return nil
}

// file is where a file of a volume is.
func (v *volumes) file(volume, name string) (string, error) {
	if !filepath.IsLocal(name) { // the API server has refused it before
		return "", fmt.Errorf("the file %q is not inside of the volume", name)
	}
	return filepath.Join(v.dir, volume, filepath.FromSlash(name)), nil
}

// put writes a file in one step, unless it is the same.
func (v *volumes) put(file string, content []byte) error {
	v.wanted[file] = true
	if had, err := os.ReadFile(file); err == nil && bytes.Equal(had, content) {
		return nil
	}
	return writeFile(file, content)
}

// mounts are those of the container that runs.
func (v *volumes) mounts() []corev1.VolumeMount {
	if len(v.template.Spec.Containers) == 0 {
		return nil
	}
	return v.template.Spec.Containers[0].VolumeMounts
}

// located returns an argument with the paths of mounts replaced by where their
// files are: a path that is the argument, or that stands behind its "=".
func (v *volumes) located(arg string) string {
	name, value, isFlag := strings.Cut(arg, "=")
	if !isFlag {
		name, value = "", arg
	}
	mounts := slices.Clone(v.mounts())
	// Of two that fit, the inner one covers the other.
	slices.SortStableFunc(mounts, func(a, b corev1.VolumeMount) int { return cmp.Compare(len(b.MountPath), len(a.MountPath)) })
	for _, m := range mounts {
		mount := path.Clean(m.MountPath)
		rest, inside := strings.CutPrefix(value, mount)
		if !inside || rest != "" && rest[0] != '/' {
			continue
		}
		value = filepath.Join(v.dir, m.Name, filepath.FromSlash(rest))
		break
	}
	if !isFlag {
		return value
	}
	return name + "=" + value
}

// keep writes what is due until ctx ends.
func (v *volumes) keep(ctx context.Context, next time.Time, failed func(error)) {
	for sleep(ctx, max(next.Sub(v.now()), time.Second)) {
		var err error
		if next, err = v.write(ctx); err != nil && ctx.Err() == nil {
			failed(err)
			next = v.now().Add(10 * time.Second)
		}
	}
}

// volumes are those of a replica.
func (r *replica) volumes() *volumes {
	return &volumes{
		dir:      r.w.supervisor.files.run(r.name + ".volumes"),
		template: r.template,
		configMap: func(ctx context.Context, name string) (*corev1.ConfigMap, error) {
			return r.w.core.ConfigMaps(workloadNamespace).Get(ctx, name, metav1.GetOptions{})
		},
		token: r.token,
		now:   r.w.supervisor.options.Now,
	}
}
