package controller

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unseen is how long a written object may be missing from the cache before it
// is written again: within it, whoever deletes it at once is not noticed.
const unseen = 500 * time.Millisecond

// memory is what this process wrote: the cache follows a moment later, and
// whoever reads it meanwhile would write everything twice. It may be lost at
// any time: it saves writes and names culprits, and decides nothing else.
type memory struct {
	mu       sync.Mutex
	projects map[string]map[objectKey]written
}

type objectKey struct {
	schema.GroupKind
	namespace, name string
}

// project is the name of the project that an object is of.
func (k objectKey) project() string {
	if k.namespace != "" {
		return k.namespace
	}
	return k.name
}

func keyOf(kind schema.GroupVersionKind, o client.Object) objectKey {
	return objectKey{kind.GroupKind(), o.GetNamespace(), o.GetName()}
}

type written struct {
	sum    uint64
	at     time.Time
	object client.Object // until the cache has it
}

func newMemory() *memory { return &memory{projects: map[string]map[objectKey]written{}} }

func (m *memory) wrote(key objectKey, sum uint64, o client.Object, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.projects[key.project()]
	if of == nil {
		of = map[objectKey]written{}
		m.projects[key.project()] = of
	}
	of[key] = written{sum, now, o}
}

// last is the sum of what was written last; zero: nothing was.
func (m *memory) last(key objectKey) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.projects[key.project()][key].sum
}

// justWrote reports whether the cache may well not have heard of a writing yet.
func (m *memory) justWrote(key objectKey, sum uint64, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, ok := m.projects[key.project()][key]
	return ok && w.object != nil && w.sum == sum && now.Sub(w.at) < unseen
}

// newer returns the newer one of an object of the cache and what was written of
// it here. Once the cache has caught up, what was written is let go of.
func (m *memory) newer(key objectKey, cached client.Object) client.Object {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, ok := m.projects[key.project()][key]
	if !ok || w.object == nil {
		return cached
	}
	order, err := resourceversion.CompareResourceVersion(cached.GetResourceVersion(), w.object.GetResourceVersion())
	if err == nil && order < 0 && w.object.GetUID() == cached.GetUID() {
		return w.object.DeepCopyObject().(client.Object)
	}
	w.object = nil
	m.projects[key.project()][key] = w
	return cached
}

// drop forgets an object that should not be there any more.
func (m *memory) drop(key objectKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.projects[key.project()], key)
}

func (m *memory) forget(project string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.projects, project)
}
