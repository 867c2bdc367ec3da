package lifecycletest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Picture is a world as its users see it: ids that the cloud has made up are
// replaced by what they stand for, so that two worlds can be compared.
type Picture struct {
	Accounts []PictureAccount
	Things   []PictureThing
	Stacks   []PictureStack
}

// PictureAccount is an account in a Picture.
type PictureAccount struct{ ID, Name, Email, Status string }

// PictureThing is a thing in a Picture.
type PictureThing struct {
	Where, Type, ID, Name, ARN string
	Inputs                     map[string]any
	With                       string
	ByCloud, ByWorkload        bool
}

// PictureStack is a stack in a Picture.
type PictureStack struct {
	Backend, Name string
	Secrets       string
	Resources     []PictureResource
	Outputs       map[string]any
}

// PictureResource is a resource of a state in a Picture.
type PictureResource struct {
	URN, ID string
	Protect bool
	Inputs  map[string]any
}

// Picture returns what the world looks like now. Pending operations are left
// out: an engine keeps them until somebody has looked.
func (w *World) Picture() Picture {
	w.mu.Lock()
	defer w.mu.Unlock()
	var p Picture
	for _, id := range slices.Sorted(maps.Keys(w.data.Accounts)) {
		a := w.data.Accounts[id]
		p.Accounts = append(p.Accounts, PictureAccount{a.ID, a.Name, a.Email, a.Status})
	}
	for _, t := range w.data.Things {
		p.Things = append(p.Things, PictureThing{t.Where, t.Type, t.ID, t.Name, t.ARN, t.Inputs, t.With, t.ByCloud, t.ByWorkload})
	}
	for _, backend := range slices.Sorted(maps.Keys(w.data.Stacks)) {
		for _, name := range slices.Sorted(maps.Keys(w.data.Stacks[backend])) {
			st := w.data.Stacks[backend][name]
			s := PictureStack{Backend: backend, Name: name, Secrets: st.Secrets, Outputs: st.Outputs}
			for _, r := range st.Resources {
				if r.own() {
					r.Inputs = map[string]any{} // the way to a cluster is another one for each
				}
				s.Resources = append(s.Resources, PictureResource{r.URN, r.ID, r.Protect, r.Inputs})
			}
			slices.SortFunc(s.Resources, func(a, b PictureResource) int { return strings.Compare(a.URN, b.URN) })
			p.Stacks = append(p.Stacks, s)
		}
	}
	p = renamed(p, w.names())
	slices.SortFunc(p.Things, func(a, b PictureThing) int {
		return slices.Compare([]string{a.Where, a.Type, a.ID}, []string{b.Where, b.Type, b.ID})
	})
	slices.SortFunc(p.Accounts, func(a, b PictureAccount) int { return strings.Compare(a.ID, b.ID) })
	return p
}

// Named returns a value, which must survive JSON, with the names of things in
// the place of ids that the cloud has made up: claims or outputs of two worlds
// can then be compared.
func Named[T any](w *World, v T) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return renamed(v, w.names())
}

func renamed[T any](v T, names *strings.Replacer) (out T) {
	raw, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal([]byte(names.Replace(string(raw))), &out)
	}
	if err != nil {
		panic(fmt.Sprintf("name %T: %v", v, err)) // plain text, numbers and lists only
	}
	return out
}

// names replaces ids by names. Of several things of one name, the first that
// was made is the first. The caller holds w.mu.
func (w *World) names() *strings.Replacer {
	label := map[string]string{}
	for id, a := range w.data.Accounts {
		if id != ManagementAccount && a.Email != "" {
			label[id] = "(account " + a.Email + ")"
		}
	}
	count := map[string]int{}
	for _, t := range w.data.Things {
		if kubernetes(t.Type) || t.Type == accountType {
			continue
		}
		// What has its name for an id needs no other, and its outputs may.
		name := "(" + strings.ToLower(t.Type[strings.LastIndexByte(t.Type, ':')+1:]) + " " + t.Name
		if count[name]++; count[name] > 1 {
			name += fmt.Sprintf(" #%d", count[name])
		}
		name += ")"
		if inventions.MatchString(t.ID) {
			label[t.ID] = name
		}
		if id := text(t.Outputs, "uniqueId"); id != "" {
			label[id] = name + ".uniqueId"
		}
		if endpoint := text(t.Outputs, "endpoint"); endpoint != "" {
			host := strings.TrimPrefix(endpoint, "https://")
			label[host[:strings.IndexByte(host, '.')]] = name + ".server"
		}
	}
	// Longer ones first, since one may hold another.
	ids := slices.SortedFunc(maps.Keys(label), func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	var pairs []string
	for _, id := range ids {
		pairs = append(pairs, id, label[id])
	}
	return strings.NewReplacer(pairs...)
}

// inventions are the forms of ids that the cloud makes up.
var inventions = regexp.MustCompile(`^([a-z]+-[0-9a-f]{17}|p-[0-9a-f]{8}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

// Same fails the test unless two worlds look the same to their users.
func Same(t *testing.T, want, got *World) {
	t.Helper()
	a, b := want.Picture(), got.Picture()
	if reflect.DeepEqual(a, b) {
		return // cmp takes its time
	}
	if d := cmp.Diff(a, b, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("the worlds differ (-want +got):\n%s", d)
	}
}
