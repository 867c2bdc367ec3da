package kinds

import (
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/policies/manifest"
)

// tokensOf are the types that a package of an SDK makes, as its source names them.
func tokensOf(t *testing.T, module, named string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("find %s: %v", module, err)
	}
	token := regexp.MustCompile(`case "(` + named + `:[^"]+)"`)
	var tokens []string
	err = fs.WalkDir(os.DirFS(strings.TrimSpace(string(out))), "go", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "init.go" {
			return err
		}
		text, err := os.ReadFile(strings.TrimSpace(string(out)) + "/" + name)
		if err != nil {
			return err
		}
		for _, m := range token.FindAllStringSubmatch(string(text), -1) {
			tokens = append(tokens, m[1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(tokens)
	return slices.Compact(tokens)
}

// A new version of an SDK brings new groups and components, and each is a decision.
func TestEveryKindOfTheSDKsIsInOneState(t *testing.T) {
	tokens := tokensOf(t, "github.com/pulumi/pulumi-kubernetes/sdk/v4", "kubernetes")
	if len(tokens) < 400 {
		t.Fatalf("%d kinds, want 400 at least", len(tokens))
	}
	for _, token := range tokens {
		group, _, _ := manifest.GVK(token)
		if _, ok := kubernetesGroups[group]; !ok {
			t.Errorf("%s: say in policies/kinds/kinds.go what the group %s does", token, group)
		}
	}
	components := tokensOf(t, "github.com/pulumi/pulumi-eks/sdk/v3", "eks")
	if len(components) < 5 {
		t.Fatalf("%d components, want 5 at least", len(components))
	}
	for _, token := range components {
		if _, ok := eksComponents[token]; !ok {
			t.Errorf("%s: say in policies/kinds/kinds.go what it makes", token)
		}
	}
}

func TestAGroupIsInOneList(t *testing.T) {
	for _, lists := range []map[string]group{kubernetesGroups, customGroups} {
		for name := range lists {
			if why := makerOf(name); why != "" {
				t.Errorf("%s is allowed, and forbidden: %s", name, why)
			}
		}
	}
	for name := range customGroups {
		if _, twice := kubernetesGroups[name]; twice {
			t.Errorf("%s is there twice", name)
		}
	}
}
