package main_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// Every bad document that internal/spec knows, given to the whole binary: each
// mistake is reported with its place, and not a byte of the home changes.
func TestABadDocumentIsRefusedAndNothingIsTouched(t *testing.T) {
	t.Parallel()
	h, _ := onboarded(t)
	before := h.files("")

	dir := t.TempDir()
	archives, err := filepath.Glob(filepath.Join("..", "..", "internal", "spec", "testdata", "bad", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	documents := 0
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(archive.Files); i += 2 {
			document, mistakes := archive.Files[i], strings.TrimSpace(string(archive.Files[i+1].Data))
			documents++
			if err := os.WriteFile(filepath.Join(dir, "acme.yaml"), document.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			c := h.command(t.Context(), "onboard", "-f", "acme.yaml")
			c.Dir = dir
			r := h.finish(c)
			want := "freehold: " + strings.ReplaceAll(mistakes, "\n", "\nfreehold: ") + "\n"
			if d := cmp.Diff(want, r.stderr); d != "" || r.code != 4 || r.stdout != "" {
				t.Errorf("%s: exit %d, stdout %q, stderr (-want +got):\n%s", document.Name, r.code, r.stdout, d)
			}
		}
	}
	if documents < 100 {
		t.Errorf("only %d documents were found", documents)
	}
	if d := cmp.Diff(before, h.files("")); d != "" {
		t.Errorf("the home changed (-before +after):\n%s", d)
	}
}

func TestWhatIsNoDocumentIsRefusedAndNothingIsMade(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge.yaml")
	if err := os.WriteFile(huge, bytes.Repeat([]byte("# 16 characters\n"), 2<<20/16), 0o600); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(dir, "good.yaml")
	if err := os.WriteFile(good, []byte("org: acme\nregion: eu-west-1\naccount: {email: a@example.com}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"a missing file":          {[]string{"onboard", "-f", filepath.Join(dir, "none.yaml")}, "none.yaml: no such file"},
		"a directory":             {[]string{"onboard", "-f", dir}, "is a directory"},
		"two megabytes":           {[]string{"onboard", "-f", huge}, huge + ":1:1"},
		"no file at all":          {[]string{"onboard"}, "-f FILE is missing"},
		"an unknown flag":         {[]string{"onboard", "-f", good, "--froce"}, "--froce"},
		"an argument too many":    {[]string{"onboard", "-f", good, "globex"}, `unexpected argument "globex"`},
		"an unknown output":       {[]string{"onboard", "-f", good, "-o", "xml"}, "want text, json or ndjson"},
		"an unknown command":      {[]string{"onbord", "-f", good}, `unknown command "onbord" for "freehold"; did you mean onboard?`},
		"no digits of an account": {[]string{"sandbox", "account", "acme", "--role", "r", "--external-id", "xy"}, "12 digits"},
		"no role of an account":   {[]string{"sandbox", "account", ownID, "--external-id", "xy"}, "--role"},
	} {
		t.Run(name, func(t *testing.T) {
			r := h.want(4, tc.args...)
			if !strings.Contains(r.stderr, tc.says) || r.stdout != "" {
				t.Errorf("stderr does not say %q:\n%s\nstdout:\n%s", tc.says, r.stderr, r.stdout)
			}
		})
	}
	if made := h.files(""); len(made) > 0 {
		t.Errorf("made in an empty home: %v", made)
	}
}

func TestAnEMailInUseIsRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	h, _ := onboarded(t)
	h.want(0, "sandbox", "create", "100000000001", "organizations/account:Account", "stray", "email=aws+stray@example.com")
	before := h.contents()
	for email, says := range map[string]string{
		"aws+acme@example.com":  `belongs to org "acme"`,
		"aws+stray@example.com": "is the e-mail of account ",
	} {
		t.Run(email, func(t *testing.T) {
			file := h.changed("globex", "aws+globex@example.com", email)
			r := h.want(4, "onboard", "-f", file)
			for _, s := range []string{"globex", email, says, "next: "} {
				if !strings.Contains(r.stderr, s) {
					t.Errorf("it does not say %q:\n%s", s, r.stderr)
				}
			}
		})
	}
	if d := cmp.Diff(before, h.contents()); d != "" {
		t.Errorf("something changed (-before +after):\n%s", d)
	}
}

func TestWhatCannotChangeIsRefusedAndNothingChanges(t *testing.T) {
	t.Parallel()
	h, _ := onboarded(t)
	before := h.contents()
	for field, change := range map[string][2]string{
		"region":          {"eu-west-1", "eu-central-1"},
		"account.email":   {"aws+acme@example.com", "aws+other@example.com"},
		"network.cidr":    {"10.0.0.0/16", "10.1.0.0/16"},
		"account.mode":    {"  email: aws+acme@example.com", "  mode: existing\n  roleArn: arn:aws:iam::" + ownID + ":role/freehold-access\n  externalId: acme-7f3a"},
		"cluster.version": {"network:", "cluster: {version: \"1.36\"}\nnetwork:"},
	} {
		t.Run(field, func(t *testing.T) {
			file := h.changed("acme", change[0], change[1], "network: {cidr: 10.0.0.0/16}", inhabited)
			r := h.want(4, "onboard", "-f", file)
			if !strings.Contains(r.stderr, field) || !strings.Contains(r.stderr, "next: ") {
				t.Errorf("it does not say what cannot change, and what to do:\n%s", r.stderr)
			}
		})
	}
	if d := cmp.Diff(before, h.contents()); d != "" {
		t.Errorf("something changed (-before +after):\n%s", d)
	}
}

// changed writes the org's document with one thing in it replaced.
func (h home) changed(org, from, to string, more ...string) string {
	h.t.Helper()
	file := h.spec(org, more...)
	doc, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	if strings.Count(string(doc), from) != 1 {
		h.t.Fatalf("%q is not once in\n%s", from, doc)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(doc), from, to, 1)), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return file
}

// files lists what the home keeps below a folder, with sizes and times. A
// control plane that is started shows by the files that it writes.
func (h home) files(below string) map[string]string {
	h.t.Helper()
	out := map[string]string{}
	root := filepath.Join(h.dir, "sandbox", below)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		out[rel] = fmt.Sprintf("%d bytes of %s", info.Size(), info.ModTime().Format("15:04:05.000000000"))
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return out
}

// contents is all that a refused operation must not change: it may leave its own
// record, and the locks that it took.
func (h home) contents() map[string]any {
	h.t.Helper()
	registry := h.database(filepath.Join(h.dir, "sandbox", "registry.db"))
	clusters := []string{}
	for name := range h.files("cloud") {
		if filepath.Base(name) == "cluster.json" || filepath.Base(name) == "supervisor.json" {
			clusters = append(clusters, name)
		}
	}
	return map[string]any{
		"state":    h.files("state"),
		"stacks":   h.files("stacks"),
		"clusters": len(clusters),
		"orgs":     h.dump(registry, "select org, state, hash, updated, hex(plan) from orgs order by 1"),
		"layers":   h.dump(registry, "select org, layer, state, updated, hex(outputs) from layers order by 1, 2"),
		"ledger":   h.dump(registry, "select org, kind, value from ledger order by 1, 2, 3"),
		"journal":  h.journal(),
		"cloud":    h.dump(h.sandbox(), "select type, id, inputs, outputs from resources order by 1, 2, account, region"),
	}
}

// dump returns a query's rows, each as JSON.
func (h home) dump(db *sql.DB, query string) []string {
	h.t.Helper()
	rows, err := db.QueryContext(h.t.Context(), query)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			h.t.Fatal(err)
		}
		line, err := json.Marshal(row)
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, string(line))
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return out
}
