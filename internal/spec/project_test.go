package spec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/spec"
)

const edited = `# The customer.
org: acme # its name
region: eu-central-1
account:
  email: a@example.com

projects:
  # The shop.
  - name: shop
    members:
      - {group: shop, role: editor} # all of them

  # What finance does.
  - name: billing
    ingress:
      - project: shop
# A demo.
deletionProtection: false
`

func TestAProjectIsPutInAndTakenOutAndNothingElseIsTouched(t *testing.T) {
	added, err := spec.AddProject([]byte(edited), []byte("name: lab\nquota:\n  cpu: \"2\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(edited, "      - project: shop\n", "      - project: shop\n  - name: lab\n    quota:\n      cpu: \"2\"\n", 1)
	if diff := cmp.Diff(want, string(added)); diff != "" {
		t.Errorf("added (-want +got):\n%s", diff)
	}
	back, err := spec.RemoveProject(added, "lab")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(edited, string(back)); diff != "" {
		t.Errorf("removed again (-want +got):\n%s", diff)
	}
	without, err := spec.RemoveProject(back, "billing")
	if err != nil {
		t.Fatal(err)
	}
	want = strings.Replace(edited, "  # What finance does.\n  - name: billing\n    ingress:\n      - project: shop\n", "", 1)
	if diff := cmp.Diff(want, string(without)); diff != "" {
		t.Errorf("without one (-want +got):\n%s", diff)
	}
	none, err := spec.RemoveProject(without, "shop")
	if err != nil || strings.Contains(string(none), "projects:") {
		t.Fatalf("without any: %v\n%s", err, none)
	}
	first, err := spec.AddProject(none, []byte("name: lab\n"))
	if err != nil || !strings.HasSuffix(string(first), "deletionProtection: false\nprojects:\n  - name: lab\n") {
		t.Errorf("the first one: %v\n%s", err, first)
	}
}

func TestADocumentThatCannotBeEditedIsLeftAlone(t *testing.T) {
	const head = "org: acme\nregion: eu-central-1\naccount: {email: a@example.com}\n"
	for reason, c := range map[string]struct {
		document, project, remove string
		want                      error
	}{
		"projects in one line":           {head + "projects: [{name: shop}]\n", "name: lab\n", "", spec.ErrNotEditable},
		"projects in one line, removed":  {head + "projects: [{name: shop}]\n", "", "shop", spec.ErrNotEditable},
		"a document in one line":         {"{org: acme, region: eu-central-1, account: {email: a@example.com}}\n", "name: lab\n", "", spec.ErrNotEditable},
		"two projects where there's one": {head, "name: lab\n- name: more\n", "", spec.ErrInvalid},
		"more than a project":            {head, "name: lab\ntags:\n", "", spec.ErrInvalid},
		"a document with mistakes":       {head + "colour: red\n", "name: lab\n", "", spec.ErrInvalid},
		"a name that is taken":           {head + "projects:\n- name: lab\n", "name: lab\n", "", spec.ErrInvalid},
		"a project that is not there":    {head, "", "lab", spec.ErrInvalid},
		"one that another lets in":       {edited, "", "shop", spec.ErrInvalid},
	} {
		t.Run(reason, func(t *testing.T) {
			var err error
			if c.remove != "" {
				_, err = spec.RemoveProject([]byte(c.document), c.remove)
			} else {
				_, err = spec.AddProject([]byte(c.document), []byte(c.project))
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestAProjectByItselfIsHeldToTheSameRules(t *testing.T) {
	whole, err := spec.Parse("acme.yaml", strings.NewReader(edited))
	if err != nil {
		t.Fatal(err)
	}
	one, err := spec.ParseProject("p.yaml", strings.NewReader("name: billing\ningress:\n- project: shop\n"), []string{"shop"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole.Projects[1], one); diff != "" {
		t.Errorf("project (-in the document +by itself):\n%s", diff)
	}
	_, err = spec.ParseProject("p.yaml", strings.NewReader(`name: kube-x
quota: {cpu: none, cpus: 3}
limits: {defaultCpu: "8", maxCpu: "4"}
ingress: [{project: kube-x}, {project: shpo}]
`), []string{"shop"})
	want := `p.yaml:1:7: name: "kube-x" is reserved; want a name other than default and not starting with kube- or freehold-
p.yaml:2:14: quota.cpu: "none" is not a quantity; want a positive Kubernetes quantity, such as "4" or "500m"
p.yaml:2:20: quota.cpus: unknown field (did you mean cpu?); want one of cpu, memory, storage, ephemeralStorage, pods, gpus, resources, deviceClasses, objects
p.yaml:3:22: limits.defaultCpu: "8" is more than limits.maxCpu, "4"; want min <= default <= max <= quota
p.yaml:4:21: ingress[0].project: "kube-x" is the project itself, which may always call itself; want another project
p.yaml:4:40: ingress[1].project: "shpo" is no project of the org (did you mean shop?); want the name of another project`
	if err == nil || !errors.Is(err, spec.ErrInvalid) {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "[]", "name: a\n---\nname: b\n", "name: \xff"} {
		if _, err := spec.ParseProject("p.yaml", strings.NewReader(bad), nil); !errors.Is(err, spec.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
