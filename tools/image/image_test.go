package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/x509"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const repo = "../.."

var shared string // a folder of the whole run, for the one layout that tests read

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "image-test-")
	if err != nil {
		panic(err)
	}
	shared = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// built is a layout of this repository.
var built = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(shared, "layout")
	var out bytes.Buffer
	if err := run(context.Background(), []string{"build", "-out", dir, "-version", "v1.2.3"}, nil, &out, os.Stderr); err != nil {
		return "", err
	}
	digest, err := digestOf(dir)
	if err == nil && out.String() != digest.String()+"\n" {
		err = fmt.Errorf("build printed %q, and the layout holds %s", out.String(), digest)
	}
	return dir, err
})

func layoutOfThis(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTheDigestDependsOnNeitherFolderNorEnvironmentNorTime(t *testing.T) {
	build := func(place string) map[string]string {
		root := filepath.Join(t.TempDir(), place)
		copyModule(t, root, "go.mod", "go.sum", "cmd", "internal")
		out := filepath.Join(t.TempDir(), "layout")
		if err := run(t.Context(), []string{"build", "-repo", root, "-out", out}, nil, io.Discard, os.Stderr); err != nil {
			t.Fatal(err)
		}
		return hashes(t, out)
	}
	checkBuiltTwice(t, build)
}

// checkBuiltTwice builds in two folders and in two environments.
func checkBuiltTwice(t *testing.T, build func(place string) map[string]string) {
	t.Helper()
	first := build("a")
	t.Setenv("GOAMD64", "v3")
	t.Setenv("GOARM64", "v8.2,lse")
	t.Setenv("GOFLAGS", "-tags=other")
	t.Setenv("TZ", "Asia/Tokyo")
	if diff := cmp.Diff(first, build("a/much/longer/place")); diff != "" {
		t.Errorf("two builds differ (-first +second):\n%s", diff)
	}
}

// copyModule copies what git would: the main module, and nothing that was built.
func copyModule(t *testing.T, to string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		from := filepath.Join(repo, part)
		if info, err := os.Stat(from); err != nil {
			t.Fatal(err)
		} else if info.IsDir() {
			if err := os.CopyFS(filepath.Join(to, part), os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, part)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, part), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(filepath.Join(dir, path))
		if err != nil {
			return err
		}
		defer f.Close()
		h, _, err := v1.SHA256(f)
		all[path] = h.Hex
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// An entry is a file of an image as a container sees it.
type entry struct {
	Mode     int64
	UID, GID int
}

func TestTheImageHoldsOneStaticProgramOfNobody(t *testing.T) {
	index, _, err := open(layoutOfThis(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range manifest.Manifests {
		found = append(found, m.Platform.String())
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		want := v1.Config{
			User: "65532:65532", WorkingDir: "/", Entrypoint: []string{"/namespace-controller"},
			Labels: map[string]string{
				"org.opencontainers.image.title":       "Freehold namespace controller",
				"org.opencontainers.image.description": "Gives every Project of a customer's cluster its own fenced namespace",
				"org.opencontainers.image.vendor":      "Freehold",
				"org.opencontainers.image.licenses":    "Apache-2.0",
				"org.opencontainers.image.version":     "v1.2.3",
			},
		}
		if diff := cmp.Diff(want, config.Config); diff != "" {
			t.Errorf("%s (-want +got):\n%s", m.Platform, diff)
		}
		if config.OS+"/"+config.Architecture != m.Platform.String() || !config.Created.IsZero() {
			t.Errorf("%s: the configuration says %s/%s, made %s", m.Platform, config.OS, config.Architecture, config.Created)
		}
		entries, bodies := contents(t, image)
		wantEntries := map[string]entry{
			"etc/": {Mode: 0o755}, "etc/group": {Mode: 0o644}, "etc/passwd": {Mode: 0o644}, "etc/ssl/": {Mode: 0o755},
			"etc/ssl/certs/": {Mode: 0o755}, "etc/ssl/certs/ca-certificates.crt": {Mode: 0o644},
			"namespace-controller": {Mode: 0o755},
		}
		if diff := cmp.Diff(wantEntries, entries); diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", m.Platform, diff)
		}
		checkProgram(t, m.Platform, bodies["namespace-controller"])
		checkAuthorities(t, bodies["etc/ssl/certs/ca-certificates.crt"])
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, found); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

func contents(t *testing.T, image v1.Image) (map[string]entry, map[string][]byte) {
	t.Helper()
	entries, bodies := map[string]entry{}, map[string][]byte{}
	r := mutate.Extract(image)
	defer r.Close()
	for files := tar.NewReader(r); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return entries, bodies
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		if h.ModTime.Unix() != 0 {
			t.Errorf("%s was changed at %s", h.Name, h.ModTime)
		}
		name := h.Name
		if h.Typeflag == tar.TypeDir {
			name = strings.TrimSuffix(name, "/") + "/"
		}
		entries[name], bodies[name] = entry{h.Mode, h.Uid, h.Gid}, body
	}
}

func checkProgram(t *testing.T, p *v1.Platform, body []byte) {
	t.Helper()
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	f, err := elf.NewFile(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if f.Machine != machine[p.Architecture] {
		t.Errorf("the program for %s is of %s", p, f.Machine)
	}
	if libraries, err := f.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("the program for %s needs %v, which is not in the image", p, libraries)
	}
	info, err := buildinfo.Read(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range info.Settings {
		got[s.Key] = s.Value
	}
	for key, want := range map[string]string{"-trimpath": "true", "CGO_ENABLED": "0", "vcs.revision": "", "vcs.modified": ""} {
		if got[key] != want {
			t.Errorf("the program for %s was built with %s=%q, want %q", p, key, got[key], want)
		}
	}
}

func checkAuthorities(t *testing.T, text []byte) {
	t.Helper()
	n := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if !c.IsCA {
			t.Errorf("%s is no authority", c.Subject)
		}
		n++
	}
	if n < 50 {
		t.Errorf("%d authorities", n)
	}
}

// The file system of the image is all that the program sees: where this runs as
// root, it is its root, and its user is that of the image.
func TestTheProgramStartsInItsImage(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the image's program runs on Linux")
	}
	index, _, err := open(layoutOfThis(t))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(manifest.Manifests, func(m v1.Descriptor) bool { return m.Platform.Architecture == runtime.GOARCH })
	if i < 0 {
		t.Skipf("there is no image for %s", runtime.GOARCH)
	}
	image, err := index.Image(manifest.Manifests[i].Digest)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	entries, bodies := contents(t, image)
	for name, body := range bodies {
		to := filepath.Join(root, name)
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(to, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
			err = os.WriteFile(to, body, fs.FileMode(entries[name].Mode))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "namespace-controller"), "--help")
	if os.Getuid() == 0 {
		cmd.Path, cmd.Dir = "/namespace-controller", "/"
		confine(cmd, root)
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("-leader-elect")) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestTheListOfComponentsRefersToItsImage(t *testing.T) {
	index, boms, err := open(layoutOfThis(t))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(boms) != len(manifest.Manifests) {
		t.Fatalf("%d lists for %d images", len(boms), len(manifest.Manifests))
	}
	for i, bom := range boms {
		m, err := bom.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		if m.Subject == nil || m.Subject.Digest != manifest.Manifests[i].Digest || m.Subject.Size != manifest.Manifests[i].Size {
			t.Errorf("list %d is about %v, want %s", i, m.Subject, manifest.Manifests[i].Digest)
		}
		layers, err := bom.Layers()
		if err != nil {
			t.Fatal(err)
		}
		r, err := layers[0].Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		var list cyclonedx.BOM
		if err := cyclonedx.NewBOMDecoder(r, cyclonedx.BOMFileFormatJSON).Decode(&list); err != nil {
			t.Fatal(err)
		}
		r.Close()
		if got, want := list.Metadata.Component.Name, "freehold.dev/freehold/cmd/namespace-controller"; got != want {
			t.Errorf("it lists %s, want %s", got, want)
		}
		version := pinned(t, "k8s.io/client-go")
		want := cyclonedx.Component{
			BOMRef: "pkg:golang/k8s.io/client-go@" + version, Type: "library", Name: "k8s.io/client-go", Version: version,
			PackageURL: "pkg:golang/k8s.io/client-go@" + version,
		}
		if !slices.ContainsFunc(*list.Components, func(c cyclonedx.Component) bool { return cmp.Equal(c, want) }) {
			t.Errorf("it does not list %v", want)
		}
		if (*list.Components)[0].Name != "stdlib" || (*list.Components)[0].Version == "" {
			t.Errorf("it begins with %v, want Go's library", (*list.Components)[0])
		}
	}
}

func pinned(t *testing.T, module string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == module {
			return f[1]
		}
	}
	t.Fatalf("go.mod does not require %s", module)
	return ""
}

// server is a registry that takes AWS's user, and notes what changes it.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	changes []string
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{}
	registry := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "AWS" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			s.mu.Lock()
			s.changes = append(s.changes, r.Method+" "+r.URL.Path)
			s.mu.Unlock()
		}
		registry.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// made returns the changes since the last call.
func (s *server) made() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := s.changes
	s.changes = nil
	return made
}

func (s *server) repository() string {
	return strings.TrimPrefix(s.URL, "http://") + "/freehold-acme/namespace-controller"
}

var aws = just{authn.FromConfig(authn.AuthConfig{Username: "AWS", Password: "secret"})}

func TestWhatIsPushedIsPulledByTheSameDigest(t *testing.T) {
	dir := layoutOfThis(t)
	s := serve(t)
	pushIt := func(password, to string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), []string{"push", "-layout", dir, "-username", "AWS", "-password-stdin", to},
			strings.NewReader(password+"\n"), &out, os.Stderr)
		return strings.TrimSpace(out.String()), err
	}

	if _, err := pushIt("wrong", s.repository()+":v1"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("a wrong password: %v", err)
	}
	pushed, err := pushIt("secret", s.repository()+":v1")
	if err != nil {
		t.Fatal(err)
	}
	digest, err := digestOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := s.repository() + "@" + digest.String(); pushed != want {
		t.Errorf("it pushed %s, want %s", pushed, want)
	}
	ref, err := name.NewDigest(pushed)
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Index(ref, remote.WithAuthFromKeychain(aws))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(pulled); err != nil {
		t.Error(err)
	}
	manifest, err := pulled.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifest.Manifests {
		about, err := remote.Referrers(ref.Context().Digest(m.Digest.String()), remote.WithAuthFromKeychain(aws))
		if err != nil {
			t.Fatal(err)
		}
		lists, err := about.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(lists.Manifests) != 1 || lists.Manifests[0].ArtifactType != string(bomType) {
			t.Errorf("about %s there is %v, want one list of components", m.Platform, lists.Manifests)
		}
	}

	s.made()
	if _, err := pushIt("secret", s.repository()+":v1"); err != nil {
		t.Error(err)
	}
	for _, change := range s.made() {
		// An artifact's manifest is written again: it has no tag to ask for.
		if strings.Contains(change, "/blobs/") || strings.HasSuffix(change, "/v1") {
			t.Errorf("a second push: %s", change)
		}
	}
}

func TestATagIsNotMoved(t *testing.T) {
	s := serve(t)
	tag, err := name.NewTag(s.repository() + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	other, err := random.Index(10, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(tag, other, remote.WithAuthFromKeychain(aws)); err != nil {
		t.Fatal(err)
	}
	s.made()
	_, err = push(t.Context(), layoutOfThis(t), tag.String(), aws)
	if err == nil || !strings.Contains(err.Error(), "a tag is not moved") {
		t.Errorf("it ended with %v", err)
	}
	if made := s.made(); len(made) > 0 {
		t.Errorf("it changed the registry: %v", made)
	}
}

func TestABaseIsAnIndexByDigest(t *testing.T) {
	s := serve(t)
	platform := func(arch string) mutate.IndexAddendum {
		image, err := random.Image(100, 2)
		if err != nil {
			t.Fatal(err)
		}
		return mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}}
	}
	put := func(tag string, index v1.ImageIndex) string {
		ref, err := name.NewTag(s.repository() + ":" + tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.WriteIndex(ref, index, remote.WithAuthFromKeychain(aws)); err != nil {
			t.Fatal(err)
		}
		digest, err := index.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return s.repository() + "@" + digest.String()
	}
	whole := mutate.AppendManifests(empty.Index, platform("amd64"), platform("arm64"))
	half := mutate.AppendManifests(empty.Index, platform("amd64"))
	wholeRef, halfRef := put("whole", whole), put("half", half)

	for name, c := range map[string]struct{ base, says string }{
		"a tag":                    {s.repository() + ":whole", "must name a digest"},
		"a base without arm64":     {halfRef, "has no image for linux/arm64"},
		"a base that is not there": {s.repository() + "@sha256:" + strings.Repeat("0", 64), "read the index of -base"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "layout")
			_, err := build(t.Context(), options{image: "controller", repo: repo, out: out, base: c.base, keychain: aws}, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it ended with %v", err)
			}
			if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
				t.Error("it left a layout")
			}
		})
	}

	out := filepath.Join(t.TempDir(), "layout")
	if _, err := build(t.Context(), options{image: "controller", repo: repo, out: out, base: wholeRef, keychain: aws}, io.Discard); err != nil {
		t.Fatal(err)
	}
	index, _, err := open(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	bases, err := whole.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range manifest.Manifests {
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		got, err := image.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		base, err := whole.Image(bases.Manifests[i].Digest)
		if err != nil {
			t.Fatal(err)
		}
		below, err := base.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Layers) != 3 || !cmp.Equal(got.Layers[:2], below.Layers) {
			t.Errorf("%s: layers %v are not those of the base and one more", m.Platform, got.Layers)
		}
		if at := got.Annotations["org.opencontainers.image.base.digest"]; at != bases.Manifests[i].Digest.String() {
			t.Errorf("%s: its base is %q, want %s", m.Platform, at, bases.Manifests[i].Digest)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Config.User != "65532:65532" {
			t.Errorf("%s runs as %q", m.Platform, config.Config.User)
		}
	}
}

func TestAFolderThatIsNoLayoutIsKept(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(dir, empty.Index, nil); err == nil || !strings.Contains(err.Error(), "not an OCI layout") {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		stdin string
		says  string
	}{
		"nothing":                      {nil, "", "usage: image build"},
		"a command that is not there":  {[]string{"pull"}, "", `no command "pull"`},
		"an argument of build":         {[]string{"build", "x"}, "", "1 arguments, want 0"},
		"another repository":           {[]string{"build", "-repo", "."}, "", "-repo . is not Freehold's main module"},
		"a layout that is not there":   {[]string{"push", "-layout", "/nonexistent", "a.example/b:v1"}, "", `"make image" writes it`},
		"a push by digest":             {[]string{"push", "a.example/b@sha256:" + strings.Repeat("0", 64)}, "", "must be REPOSITORY:TAG"},
		"a push to no tag":             {[]string{"push", "a.example/b"}, "", "must be REPOSITORY:TAG"},
		"an image that is not there":   {[]string{"build", "-image", "cli"}, "", `-image "cli" must be one of controller, server`},
		"a platform that is not there": {[]string{"build", "-platforms", "linux/amd64,windows/amd64"}, "", `"windows/amd64" must be linux/amd64 or linux/arm64`},
		"plugins of no platform":       {[]string{"build", "-plugins", "/plugins"}, "", "must be PLATFORM=FOLDER"},
		"plugins of the controller":    {[]string{"build", "-plugins", "linux/amd64=/plugins"}, "", "are for the server's image"},
		"plugins for one of two":       {[]string{"build", "-image", "server", "-plugins", "linux/amd64=/plugins"}, "", "-plugins linux/arm64=FOLDER is missing"},
		"a server of no controller":    {[]string{"build", "-image", "server", "-controller", "/nonexistent"}, "", "-controller /nonexistent, which the server installs in clusters"},
		"a name without a password":    {[]string{"push", "-username", "AWS", "a.example/b:v1"}, "", "need each other"},
		"an empty password":            {[]string{"push", "-username", "AWS", "-password-stdin", "a.example/b:v1"}, "\n", "is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), c.args, strings.NewReader(c.stdin), io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// What freehold is told at its build is what its plans say: the name in the
// linker's flag is checked by nobody else, and one that is wrong is ignored.
func TestTheLinkerSetsThePlansDigest(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(repo, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	const flag = "-X freehold.dev/freehold/internal/plan.DefaultControllerDigest="
	if !bytes.Contains(makefile, []byte(flag)) {
		t.Errorf("the Makefile does not say %s", flag)
	}
	digest := "sha256:" + strings.Repeat("ab", 32)
	main := filepath.Join(t.TempDir(), "main.go")
	err = os.WriteFile(main, []byte(`package main

import (
	"fmt"

	"freehold.dev/freehold/internal/plan"
)

func main() { fmt.Print(plan.DefaultControllerDigest, plan.ControllerReleased()) }
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ flags, says string }{
		"with the flag": {flag + digest, digest + "true"},
		"without":       {"", "false"},
	} {
		t.Run(name, func(t *testing.T) {
			// The overlay puts the file into the module, which alone may import
			// its internal packages, and leaves the checkout as it is.
			root, err := filepath.Abs(repo)
			if err != nil {
				t.Fatal(err)
			}
			at := filepath.Join(root, "internal", "plan", "printdigest", "main.go")
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{at: main}})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "overlay.json")
			if err := os.WriteFile(file, overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "go", "run", "-overlay", file, "-ldflags", c.flags, "./internal/plan/printdigest")
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if !strings.HasSuffix(string(out), c.says) {
				t.Errorf("it says %s, want %s", out, c.says)
			}
		})
	}
}
