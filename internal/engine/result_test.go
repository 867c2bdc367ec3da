package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestResourcesAreWhatIsThereAfterARun(t *testing.T) {
	n := 7
	step := func(op, urn string) Step { return Step{Op: op, URN: urn, Custom: true} }
	for reason, tc := range map[string]struct {
		result Result
		want   int
	}{
		"nothing":                               {Result{}, 0},
		"made and left alone":                   {Result{Steps: []Step{step("create", "a"), step("same", "b")}}, 2},
		"removed":                               {Result{Steps: []Step{step("delete", "a"), step("same", "b")}}, 1},
		"replaced":                              {Result{Steps: []Step{step("create-replacement", "a"), step("delete-replaced", "a")}}, 1},
		"a component is none":                   {Result{Steps: []Step{{Op: "create", URN: "c"}, step("create", "a")}}, 1},
		"it failed before its first step":       {Result{Recorded: &n}, 7},
		"it failed after some of them":          {Result{Recorded: &n, Steps: []Step{step("create", "a")}}, 7},
		"it failed with a step that is no news": {Result{Recorded: new(int), Steps: []Step{step("delete", "a")}}, 0},
	} {
		if got := tc.result.Resources(); got != tc.want {
			t.Errorf("%s: %d, want %d", reason, got, tc.want)
		}
	}
}

// A run that fails says how much there is, whatever it had got to: a preview
// that is refused has no steps, and an up none for what it did not reach.
func TestAFailedRunSaysHowManyResourcesTheStateHas(t *testing.T) {
	for reason, tc := range map[string]struct {
		state string // "": no stack
		run   func(*Engine) (Result, error)
		want  int
	}{
		"an up": {
			one, func(e *Engine) (Result, error) { return e.Up(t.Context(), account, nil) }, 2,
		},
		"an up of a stack whose creation fails": {
			"", func(e *Engine) (Result, error) { return e.Up(t.Context(), account, nil) }, 0,
		},
		"a destroy": {
			one, func(e *Engine) (Result, error) { return e.Destroy(t.Context(), account, nil) }, 2,
		},
		"a cancelled up": {
			one, func(e *Engine) (Result, error) {
				ctx, cancel := context.WithCancel(t.Context())
				s := account
				e.opts.Connect = func(context.Context) (map[string]string, error) { cancel(); return nil, nil }
				return e.Up(ctx, s, nil)
			}, 2,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			backend := t.TempDir()
			if tc.state != "" {
				store(t, backend, "acme.account.json", []byte(tc.state))
			}
			e := askedCLI(t, "echo 'error: the sky fell' >&2; exit 255")
			files, url, err := filesOf("file://"+backend, "freehold")
			if err != nil {
				t.Fatal(err)
			}
			e.files, e.opts.BackendURL = files, url
			e.opts.Policies = func() (Policies, error) {
				p := Policies{Pack: t.TempDir(), Name: "freehold", Analyzer: "freehold", ScopeKey: "freehold:scope"}
				return p, errors.Join(os.WriteFile(filepath.Join(p.Pack, "PulumiPolicy.yaml"), nil, 0o600),
					os.WriteFile(filepath.Join(p.Pack, "pulumi-analyzer-freehold"), nil, 0o600))
			}
			if err := e.opts.Secrets.Make("acme"); err != nil {
				t.Fatal(err)
			}
			res, err := tc.run(e)
			if err == nil || res.Recorded == nil || res.Resources() != tc.want {
				t.Errorf("%v, %d resources (%v), want %d", err, res.Resources(), res.Recorded, tc.want)
			}
		})
	}
}
