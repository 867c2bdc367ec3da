package lifecycletest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// apply makes an object of Kubernetes, or changes the one of its name: making
// one twice is the same as once. The caller holds w.mu.
func (w *World) apply(cluster, typ string, inputs map[string]any) (*Thing, error) {
	if !slices.ContainsFunc(w.data.Things, func(t *Thing) bool { return t.Type == clusterType && t.ARN == cluster }) {
		return nil, errors.New("the cluster does not answer: no such host")
	}
	if typ == projectType && w.find(cluster, definitionType, "projects.freehold.dev") == nil {
		return nil, errors.New(`no matches for kind "Project" in version "freehold.dev/v1alpha1"`)
	}
	name := nameOf(inputs)
	t := w.find(cluster, typ, name)
	if t == nil {
		t = &Thing{Where: cluster, Type: typ, ID: name, Name: name}
		w.data.Things = append(w.data.Things, t)
		if typ == projectType && w.find(cluster, namespaceType, name) == nil {
			// The namespace controller makes the project's namespace.
			w.data.Things = append(w.data.Things, &Thing{Where: cluster, Type: namespaceType, ID: name, Name: name, ByWorkload: true})
		}
	}
	t.Inputs = copied(inputs)
	t.Outputs = copied(inputs)
	return t, nil
}

// unapply deletes an object of Kubernetes, or says what it waits for. The caller
// holds w.mu.
func (w *World) unapply(t *Thing) error {
	others := func(typ string) bool {
		return slices.ContainsFunc(w.data.Things, func(o *Thing) bool { return o.Where == t.Where && o.Type == typ })
	}
	switch t.Type {
	case definitionType:
		if others(projectType) {
			return errors.New("timed out waiting for the definition of projects to go: there are still projects")
		}
	case projectType:
		if !others(controllerType) {
			return fmt.Errorf("timed out waiting for project %s to go: no namespace controller is running", t.ID)
		}
		goes := policyOf(t) == string(v1alpha1.DeletionDelete)
		if goes && text(annotationsOf(t), v1alpha1.AnnotationConfirmDelete) != t.ID {
			return fmt.Errorf("timed out waiting for project %s to go: nobody has confirmed that its namespace goes", t.ID)
		}
		if goes {
			w.drop(w.find(t.Where, namespaceType, t.ID))
		}
	}
	w.drop(t)
	return nil
}

func (w *World) drop(t *Thing) {
	w.data.Things = slices.DeleteFunc(w.data.Things, func(o *Thing) bool { return o == t })
}

func policyOf(t *Thing) string {
	spec, _ := t.Inputs["spec"].(map[string]any)
	return text(spec, "deletionPolicy")
}

// annotationsOf are what was written to the object beside what it was made with.
func annotationsOf(t *Thing) map[string]any {
	a, _ := t.Outputs["annotations"].(map[string]any)
	return a
}

// kubeServer serves the projects of every cluster, for the calls that go past
// the engine.
type kubeServer struct{ *httptest.Server }

// serve starts the API server of the world's clusters. Close ends it.
func (w *World) serve() string {
	if w.kube == nil {
		w.kube = &kubeServer{httptest.NewServer(http.HandlerFunc(w.handle))}
	}
	return w.kube.URL
}

// Close ends the API server of the world's clusters, if there was need of one.
func (w *World) Close() {
	w.mu.Lock()
	k := w.kube
	w.kube = nil
	w.mu.Unlock()
	if k != nil {
		k.Close()
	}
}

// kubeconfig reaches a cluster as a process: a dead one gets no answer. The
// caller holds w.mu.
func (p *Process) kubeconfig(cluster string) []byte {
	server := p.w.serve() + "/" + hex.EncodeToString([]byte(p.holder)) + "/" + hex.EncodeToString([]byte(cluster))
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: freehold
clusters: [{name: freehold, cluster: {server: %q}}]
users: [{name: freehold, user: {}}]
contexts: [{name: freehold, context: {cluster: freehold, user: freehold}}]
`, server)
}

// handle answers for /HOLDER/CLUSTER/apis/…, the first two in hexadecimal.
func (w *World) handle(rw http.ResponseWriter, r *http.Request) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 3)
	if len(parts) != 3 {
		http.NotFound(rw, r)
		return
	}
	holder, err := hex.DecodeString(parts[0])
	cluster, err2 := hex.DecodeString(parts[1])
	body, err3 := io.ReadAll(r.Body)
	w.mu.Lock()
	p := w.processes[string(holder)]
	w.mu.Unlock()
	if errors.Join(err, err2, err3) != nil || p == nil {
		http.NotFound(rw, r)
		return
	}
	if r.Method == http.MethodGet && parts[2] == projectsPath {
		w.pull(string(cluster))
	}
	code, answer := p.answer(r.Method, string(cluster), parts[2], body)
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(code)
	_ = json.NewEncoder(rw).Encode(answer)
}

// tight are disruption budgets with pods of which none may go.
func tight(names []string) map[string]any {
	items := []any{}
	for _, n := range names {
		namespace, name, _ := strings.Cut(n, "/")
		items = append(items, map[string]any{
			"metadata": map[string]any{"namespace": namespace, "name": name},
			"status":   map[string]any{"expectedPods": 2, "currentHealthy": 2, "desiredHealthy": 2, "disruptionsAllowed": 0},
		})
	}
	return map[string]any{"apiVersion": "policy/v1", "kind": "PodDisruptionBudgetList", "metadata": map[string]any{}, "items": items}
}

// projectsPath is where an API server has the Projects.
const projectsPath = "apis/freehold.dev/v1alpha1/projects"

// answer is what an API server says to a process.
func (p *Process) answer(method, cluster, path string, body []byte) (int, any) {
	const bindings = "apis/rbac.authorization.k8s.io/v1/clusterrolebindings/"
	name, typ := strings.TrimPrefix(strings.TrimPrefix(path, projectsPath), "/"), projectType
	if binding, is := strings.CutPrefix(path, bindings); is {
		name, typ = binding, bindingType
	}
	var out any
	missing := status(http.StatusNotFound, "NotFound", "the server could not find the requested resource")
	do := func() error {
		w := p.w
		if path == "api/v1/nodes" {
			// Nobody runs nodes here.
			out = map[string]any{"apiVersion": "v1", "kind": "NodeList", "metadata": map[string]any{}, "items": []any{}}
			return nil
		}
		if path == "apis/policy/v1/poddisruptionbudgets" {
			out = tight(w.data.Tight)
			return nil
		}
		if t := w.find(cluster, bindingType, name); typ == bindingType && method == http.MethodDelete && t != nil {
			w.drop(t)
			out = map[string]any{"apiVersion": "v1", "kind": "Status", "metadata": map[string]any{}, "status": "Success"}
			return nil
		}
		if !strings.HasPrefix(path, projectsPath) || w.find(cluster, definitionType, "projects.freehold.dev") == nil {
			return missing
		}
		if name == "" {
			out = w.projects(cluster)
			return nil
		}
		t := w.find(cluster, projectType, name)
		if t == nil {
			return missing
		}
		switch method {
		case http.MethodPatch:
			var patch struct {
				Metadata struct {
					Annotations map[string]any `json:"annotations"`
				} `json:"metadata"`
			}
			if err := json.Unmarshal(body, &patch); err != nil {
				return status(http.StatusBadRequest, "BadRequest", err.Error())
			}
			t.Outputs["annotations"] = merged(annotationsOf(t), patch.Metadata.Annotations)
		case http.MethodDelete:
			if err := w.unapply(t); err != nil {
				return status(http.StatusConflict, "Conflict", err.Error())
			}
		}
		out = project(t, w.data.Looks == 0)
		return nil
	}
	var err error
	if method == http.MethodGet {
		err = p.read(do)
	} else {
		err = p.write(Write{"cloud", strings.ToLower(method), typ, name}, do)
	}
	if s, ok := errors.AsType[*apiStatus](err); ok {
		return s.Code, s
	}
	if err != nil {
		return http.StatusServiceUnavailable, status(http.StatusServiceUnavailable, "ServiceUnavailable", err.Error())
	}
	return http.StatusOK, out
}

// apiStatus is how an API server refuses.
type apiStatus struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Status     string `json:"status"`
	Reason     string `json:"reason"`
	Message    string `json:"message"`
	Code       int    `json:"code"`
}

func (s *apiStatus) Error() string { return s.Message }

func status(code int, reason, message string) *apiStatus {
	return &apiStatus{"v1", "Status", "Failure", reason, message, code}
}

// projects lists the Projects of a cluster, which the namespace controller may
// not be done with yet. The caller holds w.mu.
func (w *World) projects(cluster string) map[string]any {
	items := []any{}
	for _, t := range w.data.Things {
		if t.Where == cluster && t.Type == projectType {
			items = append(items, project(t, w.data.Looks == 0))
			if t.Going {
				t.Lingers = max(t.Lingers-1, 0)
			}
		}
	}
	if w.data.Looks > 0 {
		w.data.Looks--
	}
	return map[string]any{
		"apiVersion": "freehold.dev/v1alpha1", "kind": "ProjectList", "metadata": map[string]any{}, "items": items,
	}
}

// project is a Project as the API server has it.
func project(t *Thing, ready bool) map[string]any {
	meta := map[string]any{"name": t.ID, "generation": 1, "annotations": maps.Clone(annotationsOf(t))}
	condition := map[string]any{
		"type": v1alpha1.ConditionReady, "status": "True", "reason": "Fenced", "message": "", "observedGeneration": 1,
		"lastTransitionTime": "2026-03-01T12:00:00Z",
	}
	phase := v1alpha1.PhaseReady
	if !ready {
		phase = v1alpha1.PhasePending
		condition["status"], condition["reason"], condition["message"] = "False", "Fencing", "the namespace is being made"
	}
	if t.Going {
		meta["deletionTimestamp"], phase = "2026-03-01T12:00:00Z", v1alpha1.PhaseTerminating
		condition["status"], condition["reason"], condition["message"] = "False", "NamespaceEmptying", "finalizers remaining: example.com/slow"
	}
	spec := map[string]any{"deletionPolicy": policyOf(t)}
	if isPulled(t) {
		spec = plain(t.Inputs["spec"])
		meta["labels"] = map[string]any{v1alpha1.LabelSource: v1alpha1.SourceAPI}
	}
	return map[string]any{
		"apiVersion": "freehold.dev/v1alpha1", "kind": "Project", "metadata": meta, "spec": spec,
		"status": map[string]any{
			"phase": phase, "namespace": t.ID, "observedGeneration": 1, "conditions": []any{condition},
		},
	}
}
