package crossguard

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/asset"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/policies"
)

func TestFilesAreHashedAndAskedForAccounts(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	zipped := filepath.Join(dir, "code.zip")
	f, err := os.Create(zipped)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	part, err := w.Create("main.py")
	if err != nil {
		t.Fatal(err)
	}
	// It is a number of another length that ends, and one that begins, at the end of
	// what is read at once.
	if _, err := part.Write([]byte(strings.Repeat(" ", 32<<10-6) + "333333333333 4444555566667777 +491701234567")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	file := func(path string) resource.PropertyValue {
		a, err := asset.FromPath(path)
		if err != nil {
			t.Fatal(err)
		}
		return resource.NewProperty(a)
	}
	packed := func(path string) resource.PropertyValue {
		a, err := archive.FromPath(path)
		if err != nil {
			t.Fatal(err)
		}
		return resource.NewProperty(a)
	}
	write("folder/a.txt", "210987654321")
	write("folder/deep/b.txt", "no account")
	inline, err := asset.FromText("arn:aws:iam::333333333333:root")
	if err != nil {
		t.Fatal(err)
	}
	program, err := archive.FromAssets(map[string]any{"index.js": inline, "more": packed(filepath.Join(dir, "folder")).ArchiveValue()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		in       resource.PropertyValue
		accounts []string
	}{
		{"a file", file(write("one.txt", "account=333333333333\n")), []string{"333333333333"}},
		{"an empty file", file(write("empty.txt", "")), nil},
		{"a zip file, at the edge of what is read at once", packed(zipped), []string{"333333333333", "491701234567"}},
		{"a folder", packed(filepath.Join(dir, "folder")), []string{"210987654321"}},
		{"files under names of a program's choice", resource.NewProperty(program), []string{"210987654321", "333333333333"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := value(c.in).(policies.Asset)
			if !ok || len(got.SHA256) != 64 || !reflect.DeepEqual(got.Accounts, c.accounts) {
				t.Errorf("%+v, want accounts %v", got, c.accounts)
			}
			if again := value(c.in); !reflect.DeepEqual(again, got) {
				t.Errorf("the second time %+v", again)
			}
		})
	}

	far := &asset.Asset{Sig: sig.AssetSig, URI: "https://example.com/code.zip"}
	mixed := &archive.Archive{Sig: sig.ArchiveSig, Assets: map[string]any{"far": far}}
	for _, c := range []struct {
		name string
		in   resource.PropertyValue
	}{
		{"a file that is not there", resource.NewProperty(&asset.Asset{Sig: sig.AssetSig, Path: filepath.Join(dir, "missing")})},
		{"an archive that is not there", resource.NewProperty(&archive.Archive{Sig: sig.ArchiveSig, Path: filepath.Join(dir, "missing.zip")})},
		{"a zip file that is none", resource.NewProperty(&archive.Archive{Sig: sig.ArchiveSig, Path: write("broken.zip", "PK")})},
		{"an address", resource.NewProperty(far)},
		{"an archive with an address in it", resource.NewProperty(mixed)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := value(c.in); got != (policies.Unknown{}) {
				t.Errorf("%+v, want unknown", got)
			}
		})
	}
}

// ledger knows two other orgs' accounts.
type ledger struct {
	asked [][]string
	err   error
}

func (l *ledger) Foreign(_ context.Context, org string, accounts []string) ([]string, error) {
	l.asked = append(l.asked, append([]string{org}, accounts...))
	var foreign []string
	for _, a := range accounts {
		if a == "333333333333" || a == "491701234567" {
			foreign = append(foreign, a)
		}
	}
	return foreign, l.err
}

func TestTheLedgerIsAskedAboutNumbersThatMayBeAccounts(t *testing.T) {
	numbers := func(text string) *pulumirpc.AnalyzeRequest {
		t.Helper()
		in, err := plugin.MarshalProperties(resource.PropertyMap{"data": resource.NewProperty(resource.PropertyMap{"support-phone": resource.NewProperty(text)})}, plugin.MarshalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return &pulumirpc.AnalyzeRequest{Type: "kubernetes:core/v1:ConfigMap", Urn: "urn:" + text, Name: "settings", Properties: in}
	}
	var rules []policies.Rule
	for _, r := range policies.All() {
		if r.ID == "FH201" {
			rules = append(rules, r)
		}
	}
	for _, c := range []struct {
		name, text string
		away       error
		asked      int
		violated   bool
	}{
		{name: "a telephone number that is nobody's account", text: "+498912345678", asked: 1},
		{name: "a telephone number that is another org's account", text: "+491701234567", asked: 1, violated: true},
		{name: "no number", text: "none"},
		{name: "a ledger that does not answer", text: "+498912345678", away: errors.New("the registry is away"), asked: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			known := &ledger{err: c.away}
			s := newServer(rules, "1.0.0", WithLedger(known))
			s.scope = &policies.Scope{Org: "acme", Layer: "bootstrap", AccountID: "210987654321"}
			got, err := s.Analyze(t.Context(), numbers(c.text))
			if !errors.Is(err, c.away) {
				t.Fatalf("got %v, want %v", err, c.away)
			}
			if len(known.asked) != c.asked {
				t.Errorf("it was asked %v", known.asked)
			}
			if violated := len(got.GetDiagnostics()) > 0; violated != c.violated {
				t.Errorf("got %v", got)
			}
		})
	}
}

// What a program reads or asks for is judged by the same knowledge.
func TestWhatAProgramAsksForIsJudgedByWhatTheLedgerKnows(t *testing.T) {
	scope, err := json.Marshal(policies.Scope{Org: "acme", Layer: "bootstrap", AccountID: "210987654321"})
	if err != nil {
		t.Fatal(err)
	}
	in, err := plugin.MarshalProperties(resource.PropertyMap{"name": resource.NewProperty("support-491701234567")}, plugin.MarshalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	refused := func(known Ledger) bool {
		found, err := Ask(t.Context(), policies.All(), string(scope), "acme.bootstrap", Asked{Kind: "invoke", Token: "aws:ssm/getParameter:getParameter", Name: "getParameter", Inputs: in}, known)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(found, func(f finding.Policy) bool { return f.Rule == "FH201" })
	}
	if refused(nil) {
		t.Error("a number is refused where nobody knows that it is an account")
	}
	if !refused(&ledger{}) {
		t.Error("another org's account is not refused")
	}
	away := errors.New("the registry is away")
	if _, err := Ask(t.Context(), policies.All(), string(scope), "acme.bootstrap", Asked{Kind: "invoke", Token: "aws:ssm/getParameter:getParameter", Inputs: in}, &ledger{err: away}); !errors.Is(err, away) {
		t.Errorf("a ledger that does not answer: got %v", err)
	}
}
