// Command build makes the programs that Freehold runs but does not import, at
// the versions that this module pins, and links them into a folder:
//
//	go run -C tools ./build -out bin
//
// It is a program and not a few lines of make because a half-written binary,
// two builds at once, or five silent minutes are what a person meets on their
// first day. What holds:
//
//   - A program is built once for each content of go.mod, go.sum, our sources,
//     flags, platform and Go version, and kept outside the checkout (cache.go).
//   - A binary that is found in the cache is whole and has run (publish.go).
//   - Of two builds of the same program the second waits for the first.
//   - Something is printed at least every ten seconds while it works.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/modfile"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	want := flags.String("want", "pulumi,kube", "which tools to make, of "+names())
	out := flags.String("out", "", "folder to link the tools into; relative to the repository")
	programs := flags.String("programs", "", "packages of the main module to build into -out as well, as ./cmd/freehold,./cmd/other")
	printPath := flags.Bool("print-path", false, "print the path of each tool, a line each")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *programs != "" && *out == "" {
		return errors.New("-programs needs -out, the folder to build them into")
	}
	module, err := findModule()
	if err != nil {
		return err
	}
	cache, err := cacheDir(os.Getenv("FREEHOLD_CACHE"))
	if err != nil {
		return err
	}
	repo := filepath.Dir(module)
	if *out != "" && !filepath.IsAbs(*out) {
		*out = filepath.Join(repo, *out)
	}

	start := time.Now()
	say := &printer{w: stderr, terminal: isTerminal(stderr)}
	var done []string
	for _, name := range strings.FieldsFunc(*want, func(r rune) bool { return r == ',' }) {
		i := slices.IndexFunc(tools, func(t tool) bool { return t.name == name })
		if i < 0 {
			return fmt.Errorf("-want %s: there is no such tool, only %s", name, names())
		}
		began := time.Now()
		file, how, err := provide(ctx, tools[i], module, cache, *out, say)
		if err != nil && tools[i].fetched && ctx.Err() == nil {
			// Tests need it, and say so where they do not find it.
			say.line("%s: there is none: %v", name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if *out != "" {
			if err := linkAll(tools[i], file, *out); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if *printPath {
			fmt.Fprintln(stdout, file)
		}
		done = append(done, name+" "+how+spent(began))
	}
	for _, pkg := range strings.FieldsFunc(*programs, func(r rune) bool { return r == ',' }) {
		began := time.Now()
		name := filepath.Base(pkg)
		if err := buildProgram(ctx, repo, pkg, filepath.Join(*out, name+exe()), say); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		done = append(done, name+" built"+spent(began))
	}
	if took := time.Since(start); *printPath && took < quiet {
		return nil // a script asked, and nothing was done that it could show
	}
	say.line("ready in %s: %s", round(time.Since(start)), strings.Join(done, ", "))
	return nil
}

// provide returns a file that is the tool, and says in a word where it is from.
func provide(ctx context.Context, t tool, module, cache, out string, say *printer) (file, how string, err error) {
	if t.fetched {
		return providePostgres(ctx, cache, out, say)
	}
	pins, err := readPins(filepath.Join(module, t.module, "go.mod"))
	if err != nil {
		return "", "", err
	}
	version, pinned := pins[t.pin]
	if !pinned {
		return "", "", fmt.Errorf("%s does not require %s: add it", filepath.Join(module, t.module, "go.mod"), t.pin)
	}
	if t.onPath && os.Getenv("FREEHOLD_PULUMI") != "build" {
		// Our own folders may be on the PATH, and a link to itself is no Pulumi.
		ours := []string{cache, out}
		found, v, why := findOnPath(ctx, t, version, os.Getenv("PATH"), ours, askVersion)
		if found != "" {
			say.line("%s: using %s (%s) from the PATH; FREEHOLD_PULUMI=build builds %s instead", t.name, found, v, version)
			return found, v + " from the PATH", nil
		}
		if why != "" {
			say.line("%s: not using the PATH: %s", t.name, why)
		}
	}
	key, err := keyOf(t, filepath.Join(module, t.module), version, platform())
	if err != nil {
		return "", "", err
	}
	p := publisher{
		cache: cache,
		say:   say,
		compile: func(ctx context.Context, out string) error {
			return compile(ctx, build{
				label: t.name, dir: filepath.Join(module, t.module), pkg: t.pkg,
				ldflags: t.ldflags(version), out: out,
			}, say)
		},
		check: func(ctx context.Context, file string) error { return smoke(ctx, t, file, version) },
	}
	file, built, err := p.publish(ctx, t.name, key, t.file()+exe())
	switch {
	case err != nil:
		return "", "", err
	case built:
		return file, version + " built", nil
	}
	return file, version + " cached", nil
}

func names() string {
	var all []string
	for _, t := range tools {
		all = append(all, t.name)
	}
	return strings.Join(all, ", ")
}

// findModule returns the folder of the tools module, which is where
// "go run -C tools" starts this program.
func findModule() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || modfile.ModulePath(data) != "freehold.dev/freehold/tools" {
		return "", fmt.Errorf("%s is not Freehold's tools module: run \"go run -C tools ./build\" in the repository", dir)
	}
	return dir, nil
}

// readPins returns the version of each module that a go.mod requires.
func readPins(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	mod, err := modfile.ParseLax(file, data, nil)
	if err != nil {
		return nil, err
	}
	pins := make(map[string]string, len(mod.Require))
	for _, r := range mod.Require {
		pins[r.Mod.Path] = r.Mod.Version
	}
	return pins, nil
}

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH + " " + runtime.Version() }

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// spent is the time a step took, when it is worth a word.
func spent(began time.Time) string {
	if d := time.Since(began); d >= 500*time.Millisecond {
		return " in " + round(d).String()
	}
	return ""
}

func round(d time.Duration) time.Duration {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond)
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
