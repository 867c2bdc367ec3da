package spec_test

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"freehold.dev/freehold/internal/spec"
)

var update = flag.Bool("update", false, "rewrite golden files")

// Each archive holds pairs: a document, and the mistakes that it must give.
func TestABadDocumentNamesEveryMistakeInIt(t *testing.T) {
	archives, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("archives: %v, %v", archives, err)
	}
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(archive.Files); i += 2 {
			document, want := archive.Files[i], &archive.Files[i+1]
			t.Run(strings.TrimSuffix(document.Name, ".yaml"), func(t *testing.T) {
				_, err := spec.Parse("acme.yaml", bytes.NewReader(document.Data))
				var mistakes spec.Mistakes
				if !errors.As(err, &mistakes) || !errors.Is(err, spec.ErrInvalid) {
					t.Fatalf("error is %v; want Mistakes that wrap ErrInvalid", err)
				}
				got := mistakes.Error() + "\n"
				if *update {
					want.Data = []byte(got)
					return
				}
				if diff := cmp.Diff(string(want.Data), got); diff != "" {
					t.Errorf("mistakes (-want +got):\n%s", diff)
				}
			})
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestEveryMistakeOfADocumentIsReportedAtOnceInTheOrderOfItsLines(t *testing.T) {
	const document = `apiVersion: freehold.dev/v2
org: A
regoin: eu-central-1
account:
  name: ""
network:
  cidr: "10.0.0.0/33"
  nat: one
  nat: none
cluster:
  version: 1.35
  nodePools:
    - name: a
      min: 9
      max: 3
      labels: {kubernetes.io/os: linux}
projects:
  - name: default
    members: [{role: owner}]
tags: {aws:x: y}
`
	_, err := spec.Parse("acme.yaml", strings.NewReader(document))
	var got spec.Mistakes
	if !errors.As(err, &got) {
		t.Fatalf("error is %v", err)
	}
	const f = "acme.yaml"
	want := spec.Mistakes{
		{f, 1, 1, "region", "is missing", "an AWS region where EKS runs, such as eu-central-1"},
		{f, 1, 13, "apiVersion", `"freehold.dev/v2" is not known`, "freehold.dev/v1alpha1"},
		{f, 2, 6, "org", `"A" is not a DNS label`, "3 to 40 lower-case letters, digits and single hyphens, such as acme"},
		{f, 3, 1, "regoin", "unknown field (did you mean region?)", "one of apiVersion, kind, org, region, account, network, cluster, projects, projectSource, access, tags, deletionProtection, versions, exceptions"},
		{f, 4, 1, "account.email", "is missing", "an address of 6 to 64 characters that no other AWS account uses, such as aws+acme@example.com"},
		{f, 5, 9, "account.name", `"" is not printable ASCII`, "1 to 50 printable ASCII characters"},
		{f, 7, 9, "network.cidr", `"10.0.0.0/33" is not a CIDR`, "an RFC 1918 range from /16 to /20, such as 10.0.0.0/16"},
		{f, 9, 3, "network.nat", "is given again, first on line 8", "it once"},
		{f, 11, 12, "cluster.version", "1.35 is a number", `text: put it in quotes, "1.35"`},
		{f, 14, 12, "cluster.nodePools[0].min", "min 9 is more than max 3", "min <= desired <= max"},
		{f, 16, 16, `cluster.nodePools[0].labels["kubernetes.io/os"]`, `"kubernetes.io/os" is reserved, as all of kubernetes.io`, "a key of your own, such as example.com/team"},
		{f, 18, 11, "projects[0].name", `"default" is reserved`, "a name other than default and not starting with kube- or freehold-"},
		{f, 19, 15, "projects[0].members[0]", "has neither group nor user", "exactly one of them"},
		{f, 19, 22, "projects[0].members[0].role", `"owner" is not known`, "one of admin, editor, viewer"},
		{f, 20, 8, "tags.aws:x", "aws: is reserved to AWS", "a key with another prefix"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestAMistakeIsOneLineWithItsPlace(t *testing.T) {
	m := spec.Mistake{
		File: "acme.yaml", Line: 7, Column: 12, Field: "network.cidr", Problem: `"10.0.0.0/33" is not a CIDR`,
		Want: "an RFC 1918 range from /16 to /20, such as 10.0.0.0/16",
	}
	const want = `acme.yaml:7:12: network.cidr: "10.0.0.0/33" is not a CIDR; want an RFC 1918 range from /16 to /20, such as 10.0.0.0/16`
	if got := m.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestADocumentOfTwoMegabytesIsRefused(t *testing.T) {
	document := minimal + "# " + strings.Repeat("x", 2<<20) + "\n"
	_, err := spec.Parse("acme.yaml", strings.NewReader(document))
	want := spec.Mistakes{{"acme.yaml", 1, 1, "", "the document is larger than 1 MiB", "a smaller one"}}
	if diff := cmp.Diff(want, err); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestADocumentThatIsNotUTF8IsRefusedWithThePlaceOfTheFirstBadByte(t *testing.T) {
	for reason, c := range map[string]struct {
		document string
		line     int
		column   int
	}{
		"Latin-1":            {"org: acme\n# Gr\xfc\xdfe\n", 2, 5},
		"UTF-16":             {"\xff\xfeo\x00r\x00g\x00", 1, 1},
		"a stray byte after": {"# Grüße \xff", 1, 9},
	} {
		_, err := spec.Parse("acme.yaml", strings.NewReader(c.document))
		want := spec.Mistakes{{"acme.yaml", c.line, c.column, "", "the document is not UTF-8", "UTF-8 text"}}
		if diff := cmp.Diff(want, err); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
}

func TestAFileThatIsNotThereIsInvalidInputAndOneThatCannotBeReadIsNot(t *testing.T) {
	if _, err := spec.ParseFile("testdata/none.yaml"); !errors.Is(err, spec.ErrInvalid) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	broken := errors.New("disk on fire")
	if _, err := spec.Parse("acme.yaml", iotest.ErrReader(broken)); errors.Is(err, spec.ErrInvalid) || !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
}

func TestEveryExampleParses(t *testing.T) {
	orgs := map[string]string{}
	examples, err := filepath.Glob("../../docs/examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range examples {
		s, err := spec.ParseFile(path)
		if err != nil {
			t.Error(err)
		}
		orgs[filepath.Base(path)] = s.Org
	}
	want := map[string]string{
		"acme.yaml": "acme", "existing-account.yaml": "initech", "full.yaml": "hooli",
		"globex.yaml": "globex", "minimal.yaml": "acme", "private.yaml": "umbrella",
	}
	if diff := cmp.Diff(want, orgs); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
}
