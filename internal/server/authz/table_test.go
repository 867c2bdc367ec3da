package authz

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "freehold.dev/freehold/internal/api/freehold/v1"
	_ "freehold.dev/freehold/internal/api/freeholdinternal/v1"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/server/route"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// procedures are those of all services that are defined, also of one that was
// added a minute ago.
func procedures() (out []string) {
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(f.Package()), "freehold.") {
			return true
		}
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				out = append(out, fmt.Sprintf("/%s/%s", s.FullName(), s.Methods().Get(j).Name()))
			}
		}
		return true
	})
	slices.Sort(out)
	return out
}

func serviceID(name string) string { return mtls.ID(td.Name(), name).String() }

// asker is somebody who asks, through the gateway if it is not a service.
type asker struct {
	name string
	Call
}

func person(roles ...string) asker {
	name := strings.Join(roles, "+")
	if name == "" {
		name = "no role"
	}
	return asker{name, Call{Org: "acme", Peer: mtls.ID(td.Name(), "gateway"), Claims: delegation.Claims{
		Org: "acme", Subject: "user:https://login.acme.example#1", Roles: roles,
	}}}
}

func workload(role string) asker {
	a := person(role)
	a.Claims.Subject = "workload:https://ci.example#repo"
	return a
}

func operator(roles ...string) asker {
	a := person(roles...)
	a.Org, a.Claims.Org, a.Claims.Fleet = "", "", true
	return a
}

// acting is a service that acts for an org in its own name.
func acting(service string) asker {
	return asker{service + " for an org", Call{Org: "acme", Peer: mtls.ID(td.Name(), service), Claims: delegation.Claims{
		Org: "acme", Subject: "service:" + serviceID(service),
	}}}
}

// itself is a service without a token.
func itself(service string) asker { return asker{service, Call{Peer: mtls.ID(td.Name(), service)}} }

func newTestEngine(t testing.TB) *Engine {
	t.Helper()
	e, err := New(td)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The table is what a reviewer reads: who may ask for what. It is made of the
// descriptors and of the engine's decisions, and not of the policies' text.
func TestWhoMayWhat(t *testing.T) {
	e := newTestEngine(t)
	askers := []asker{
		person("viewer"), workload("pipeline"), person("operator"), person("admin"), workload("controller"), person(),
		operator("fleet-viewer"), operator("fleet-operator"), operator(),
	}
	var services []asker
	for _, s := range route.Services() {
		services = append(services, acting(string(s)), itself(string(s)))
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, "Who may ask for what. Everything that is not marked is refused. Rewrite this file with -update, and read the difference.")
	fmt.Fprintln(&out)
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for i, a := range askers {
		fmt.Fprintf(w, "\t%c %s\n", 'A'+i, a.name)
	}
	fmt.Fprint(w, "\n\t")
	for i := range askers {
		fmt.Fprintf(w, "%c ", 'A'+i)
	}
	fmt.Fprintln(w, "\tFreehold's services")
	for _, p := range append(procedures(), ChangeAccess) {
		fmt.Fprintf(w, "%s\t", p)
		for _, a := range askers {
			a.Procedure = p
			fmt.Fprint(w, map[bool]string{true: "x ", false: ". "}[e.Decide(t.Context(), a.Call).Allow])
		}
		var by []string
		for _, a := range services {
			a.Procedure = p
			if e.Decide(t.Context(), a.Call).Allow {
				by = append(by, a.name)
			}
		}
		fmt.Fprintf(w, "\t%s\n", strings.Join(by, ", "))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	golden(t, "who-may-what.txt", trimmed(out.String()))
}

func trimmed(text string) string {
	return regexp.MustCompile(`(?m) +$`).ReplaceAllString(text, "")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run with -update if that is meant): %s", file, diff)
	}
}

// Several roles allow what each of them allows, and nothing more.
func TestSeveralRolesAreTheirUnion(t *testing.T) {
	e := newTestEngine(t)
	for _, roles := range [][]string{{"viewer", "operator"}, {"viewer", "admin"}, {"pipeline", "viewer"}, {"viewer", "pipeline", "operator", "admin"}} {
		for _, p := range append(procedures(), ChangeAccess) {
			want := slices.ContainsFunc(roles, func(r string) bool {
				a := person(r)
				a.Procedure = p
				return e.Decide(t.Context(), a.Call).Allow
			})
			a := person(roles...)
			a.Procedure = p
			if got := e.Decide(t.Context(), a.Call); got.Allow != want {
				t.Errorf("%v, %s: %+v", roles, p, got)
			}
		}
	}
}

// The definitions say who may call; customers read them there.
func TestTheDefinitionsSayWhoMayCall(t *testing.T) {
	e := newTestEngine(t)
	callers := defined(t)
	for _, p := range procedures() {
		want, ok := callers[p]
		if !ok {
			t.Errorf("the definition of %s does not say who may call it", p)
			continue
		}
		var got []string
		for _, a := range []asker{person("viewer"), workload("pipeline"), person("operator"), person("admin"), workload("controller"), operator("fleet-viewer"), operator("fleet-operator")} {
			a.Procedure = p
			if e.Decide(t.Context(), a.Call).Allow {
				got = append(got, a.name)
			}
		}
		for _, s := range route.Services() {
			a := itself(string(s))
			a.Procedure = p
			if e.Decide(t.Context(), a.Call).Allow {
				got = append(got, a.name)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s is defined for (-) and open to (+): %s", p, diff)
		}
	}
}

// defined are the callers of each procedure by the comments of its definition.
func defined(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, pattern := range []string{"freehold/v1/*.proto", "freehold/internal/v1/*.proto"} {
		names, err := filepath.Glob(filepath.Join("../../api/proto", pattern))
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var pkg, service string
			var callers []string
			for line := range strings.Lines(string(text)) {
				line = strings.TrimSpace(line)
				if after, ok := strings.CutPrefix(line, "package "); ok {
					pkg = strings.TrimSuffix(after, ";")
				} else if after, ok := strings.CutPrefix(line, "service "); ok {
					service, _, _ = strings.Cut(after, " ")
				} else if after, ok := strings.CutPrefix(line, "// Callers: "); ok {
					list, _, _ := strings.Cut(after, ".")
					callers = strings.Split(list, ", ")
					slices.Sort(callers)
				} else if after, ok := strings.CutPrefix(line, "rpc "); ok {
					method, _, _ := strings.Cut(after, "(")
					if callers != nil {
						out["/"+pkg+"."+service+"/"+method] = callers
					}
					callers = nil
				}
			}
		}
	}
	return out
}
