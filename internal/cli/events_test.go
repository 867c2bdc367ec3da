package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/event"
)

const acme = "apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\norg: acme\nregion: eu-central-1\naccount: {email: a@example.com}\ndeletionProtection: false\n"

// TestEveryPathEndsInOneTerminalEvent runs every operation with -o ndjson into
// every trouble that there is, and reads the stream as a pipeline would.
func TestEveryPathEndsInOneTerminalEvent(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, bad, broken := file("good.yaml", acme), file("bad.yaml", acme+"x: 1\n"), file("broken.yaml", "{")
	commands := [][]string{
		{"onboard", "-f", good}, {"onboard", "-f", bad}, {"onboard", "-f", broken}, {"onboard", "-f", dir}, {"onboard"},
		{"onboard", "-f", good, "extra"}, {"onboard", "--unknown"}, {"onboard", "-f", good, "--latency", "x"},
		{"plan", "-f", good}, {"plan", "-f", bad}, {"plan"},
		{"drift", "acme"}, {"drift", "nobody"}, {"drift"}, {"drift", "--all", "acme"}, {"drift", "--all"},
		{"onboard", "-f", good, "--prune"}, {"onboard", "-f", good, "--prune", "--yes=acme"}, {"onboard", "-f", good, "--prune", "--yes=globex"},
		{"onboard", "-f", good, "--yes=acme"}, {"plan", "-f", good, "--prune"}, {"plan", "-f", good, "--prune", "--offline=false"},
		{"projects", "add", "acme", "--name", "lab"}, {"projects", "add", "acme"}, {"projects", "remove", "acme", "lab", "--yes=lab"},
		{"claims", "release", "acme"}, {"claims", "release", "nobody"}, {"claims", "release"},
		{"offboard", "acme", "--yes=acme"}, {"offboard", "acme"}, {"offboard", "acme", "--yes=globex"}, {"offboard"}, {"offboard", "nobody", "--yes=nobody"},
	}
	troubles := []string{"", "wire", "busy", "blocked", "pending", "create", "cancelled", "e-mail", "silent", "interrupted", "registry", "no registry", "unmanaged", "lost", "lost in silence"}
	formats := [][]string{{"-o", "ndjson"}, {"-ondjson"}, {"--output=ndjson"}}
	for i, command := range commands {
		for j, trouble := range troubles {
			args := append(slices.Clone(command), formats[(i+j)%len(formats)]...)
			w := newWorld(newClock())
			var out, errs bytes.Buffer
			env := cli.Env{
				Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Now: w.clock.Now, Wire: w.wire,
				Width:  func() int { return 80 },
				Getenv: func(k string) string { return map[string]string{"HOME": dir}[k] },
			}
			if status := cli.Run(t.Context(), []string{"onboard", "-f", good}, env); status != 0 {
				t.Fatalf("the first onboard failed: %s", errs.String())
			}
			out.Reset()
			w.trouble = trouble
			status := cli.Run(t.Context(), args, env)

			var ends []string
			ids := map[string]bool{}
			for line := range strings.Lines(out.String()) {
				var e struct {
					SpecVersion, ID, Source, Type, Subject, Org string
					Data                                        event.Event
				}
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					t.Fatalf("%s %q: %v: %s", trouble, args, err, line)
				}
				if seq := e.Data.Seq; seq > 0 && e.ID != fmt.Sprintf("%s-%d", e.Data.Operation, seq) {
					t.Errorf("%s %q: the id %s is not that of event %d of %s", trouble, args, e.ID, seq, e.Data.Operation)
				}
				if e.SpecVersion != "1.0" || e.Source != "freehold" || e.Type != "dev.freehold."+string(e.Data.Type) || e.Subject != e.Org || e.Org != e.Data.Org || ids[e.ID] {
					t.Errorf("%s %q: a bad event: %s", trouble, args, line)
				}
				ids[e.ID] = true
				if e.Data.Type.Terminal() && e.Data.Operation != "op-dead" {
					ends = append(ends, e.Type)
				}
			}
			want := map[int]string{0: "succeeded", 2: "succeeded", 3: "blocked", 6: "pending"}[status]
			if want == "" {
				want = "failed"
			}
			if len(ends) != 1 || ends[0] != "dev.freehold.operation."+want {
				t.Errorf("%s %q: exit status %d and the ends %v, want one %s\n%s", trouble, args, status, ends, want, out.String())
			}
		}
	}
}

// A command that needs no services works where none can be built.
func TestSomeCommandsNeedNoServices(t *testing.T) {
	for _, args := range [][]string{{}, {"version"}, {"completion", "bash"}, {"onboard", "--help"}, {"help", "drift"}} {
		status := cli.Run(t.Context(), args, cli.Env{
			Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, Getenv: func(string) string { return "" },
			Wire: func(context.Context, cli.Options) (cli.Services, error) {
				t.Errorf("%q wires", args)
				return cli.Services{}, nil
			},
		})
		if status != 0 {
			t.Errorf("%q: exit status %d", args, status)
		}
	}
}
