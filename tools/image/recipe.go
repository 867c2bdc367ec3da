package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A recipe is what one of the images consists of, beside the files that every
// static program may look for.
type recipe struct {
	title, description string
	programs           []program // a layer each; what changes seldom comes first
	files              []file
	config             v1.Config // without the user and the labels, which are the same for all
}

// A program is one that is compiled into an image.
type program struct {
	pkg     string // main package
	module  string // folder of the module that pins it, in the repository
	at      string // its file in the image
	ldflags func(context.Context, options) (string, error)
	// made is where "make build" leaves the same program for the machine's own
	// platform, or empty. It is taken if its build information says that compiling
	// it again would make the same file.
	made string
}

// home is where the server keeps its files: the one folder, beside /tmp, that it
// writes to. The rest of the file system may be read-only. Freehold's own is a folder
// in it, because a cluster mounts a volume that everybody may write to.
const home = "var/lib/freehold/"

var recipes = map[string]recipe{
	"controller": {
		title:       "Freehold namespace controller",
		description: "Gives every Project of a customer's cluster its own fenced namespace",
		programs:    []program{{pkg: "./cmd/namespace-controller", at: "namespace-controller", ldflags: stripped}},
		config:      v1.Config{WorkingDir: "/", Entrypoint: []string{"/namespace-controller"}},
	},
	"server": {
		title:       "Freehold",
		description: "Freehold's control plane: gives each customer a data plane of their own",
		programs: []program{
			{pkg: pulumiPackage, module: "tools", at: "usr/local/bin/pulumi", ldflags: pulumiVersion, made: "bin/pulumi"},
			{pkg: "./cmd/freehold", at: "usr/local/bin/freehold", ldflags: controllerDigest},
		},
		files: []file{
			{name: "tmp/", mode: 0o1777},
			{name: "var/", mode: 0o755}, {name: "var/lib/", mode: 0o755}, {name: home, mode: 0o700, owned: true},
		},
		config: v1.Config{
			WorkingDir: "/" + home, Entrypoint: []string{"/usr/local/bin/freehold"}, Cmd: []string{"serve"},
			ExposedPorts: map[string]struct{}{"8443/tcp": {}},
			Env: []string{
				"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/" + strings.TrimSuffix(home, "/"),
				"FREEHOLD_HOME=/" + home + "home", "PULUMI_HOME=/" + home + "pulumi",
				"PULUMI_SKIP_UPDATE_CHECK=true",
			},
		},
	},
}

func recipeOf(name string) (recipe, error) {
	r, ok := recipes[name]
	if !ok {
		return recipe{}, fmt.Errorf("-image %q must be one of %s", name, strings.Join(slices.Sorted(maps.Keys(recipes)), ", "))
	}
	return r, nil
}

// stripped leaves out the tables of a debugger.
func stripped(context.Context, options) (string, error) { return "-s -w", nil }

// controllerDigest puts the digest of the controller's image into freehold, which
// otherwise does not know which controller to install in a new cluster, and the
// version of a release.
func controllerDigest(_ context.Context, o options) (string, error) {
	digest, err := digestOf(o.controller)
	flags := "-s -w -X freehold.dev/freehold/internal/plan.DefaultControllerDigest=" + digest.String()
	if o.version != "" {
		flags += " -X main.version=" + o.version
	}
	return flags, err
}

// labels say what the image is. None holds a date or a commit: a release that
// changes nothing in the controller leaves the digest, and no cluster restarts it.
func (r recipe) labels(version string) map[string]string {
	all := map[string]string{
		"org.opencontainers.image.title":       r.title,
		"org.opencontainers.image.description": r.description,
		"org.opencontainers.image.vendor":      "Freehold",
		"org.opencontainers.image.licenses":    "Apache-2.0",
	}
	if version != "" {
		all["org.opencontainers.image.version"] = version
	}
	return all
}

// file puts the program for a platform into a folder, and returns where it is.
func (pr program) file(ctx context.Context, o options, p v1.Platform, dir string, stderr io.Writer) (string, error) {
	name := filepath.Base(pr.at)
	if pr.made != "" {
		made := filepath.Join(o.repo, pr.made)
		switch why, err := pr.differs(ctx, o, p, made); {
		case err != nil:
			return "", err
		case why == "":
			fmt.Fprintf(stderr, "image: taking %s for %s\n", made, p)
			return made, nil
		default:
			fmt.Fprintf(stderr, "image: not taking %s: %s\n", made, why)
		}
	}
	fmt.Fprintf(stderr, "image: compiling %s for %s\n", name, p)
	out := filepath.Join(dir, name+"-"+p.Architecture)
	return out, pr.compile(ctx, o, p, out, stderr)
}

// compile builds the program so that only sources, Go and go.mod decide its
// bytes. What the environment may say about code generation is said here.
func (pr program) compile(ctx context.Context, o options, p v1.Platform, out string, stderr io.Writer) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	ldflags, err := pr.ldflags(ctx, o)
	if err != nil {
		return err
	}
	cmd := goCommand(ctx, filepath.Join(o.repo, pr.module), p, "build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", out, pr.pkg)
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compile %s for %s: %w", pr.pkg, p, err)
	}
	return nil
}

func checkRepo(dir string, r recipe) error {
	for _, pr := range r.programs {
		if pr.module != "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, pr.pkg, "main.go")); err != nil {
			return fmt.Errorf("-repo %s is not Freehold's main module: run \"go run -C tools/image .\" in the repository: %w", dir, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return errors.Join(fmt.Errorf("-repo %s is not Freehold's main module", dir), err)
	}
	return nil
}
