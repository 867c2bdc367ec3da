package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A build is one call of "go build".
type build struct {
	label   string // what people call it
	dir     string // folder of the module
	pkg     string // main package
	ldflags string
	out     string
}

// buildProgram builds a program of the main module straight to its place: the
// go command itself knows whether there is anything to do.
func buildProgram(ctx context.Context, repo, pkg, out string, say *printer) error {
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	// Without the tables of a debugger it is linked in two thirds of the time, and
	// takes two thirds of the space.
	return compile(ctx, build{label: filepath.Base(pkg), dir: repo, pkg: pkg, ldflags: "-s -w", out: out}, say)
}

// compile runs "go build" and shows how far it is. The go command has no
// progress of its own, but lists what is stale before, and names each package
// as it compiles it.
func compile(ctx context.Context, b build, say *printer) error {
	p := &progress{label: b.label, say: say, start: time.Now()}
	stop := p.show()
	defer stop()

	var stale bytes.Buffer
	list := append([]string{"list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"}, buildFlags...)
	if err := goCommand(ctx, b.dir, append(list, b.pkg), &stale, p.listing); err != nil {
		return fmt.Errorf("listing what %s needs: %w", b.pkg, err)
	}
	p.compiling(strings.Fields(stale.String()))

	args := append([]string{"build", "-v"}, buildFlags...)
	if b.ldflags != "" {
		args = append(args, "-ldflags", b.ldflags)
	}
	args = append(args, "-o", b.out, b.pkg)
	if err := goCommand(ctx, b.dir, args, io.Discard, p.compiled); err != nil {
		return fmt.Errorf("building %s: %w", b.pkg, err)
	}
	p.done()
	return nil
}

// goCommand runs go, gives each line of its progress to line, and returns what
// line did not take as a part of the error.
func goCommand(ctx context.Context, dir string, args []string, stdout io.Writer, line func(string) bool) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout = stdout
	// A first Ctrl-C lets go remove its temporary files.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var said []string
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if !line(lines.Text()) {
			said = append(said, lines.Text())
		}
	}
	err = errors.Join(lines.Err(), cmd.Wait())
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && len(said) > 0 {
		return fmt.Errorf("go %s: %w\n%s", args[0], err, strings.Join(said, "\n"))
	}
	if err != nil {
		return fmt.Errorf("go %s: %w", args[0], err)
	}
	return nil
}

// progress is what a person is told about one build.
type progress struct {
	label string
	say   *printer
	start time.Time

	mu         sync.Mutex
	downloaded int
	todo       map[string]bool
	main       string
	total      int
	spoke      bool
}

const downloading = "go: downloading "

// listing takes the lines of "go list", which first downloads the modules.
func (p *progress) listing(line string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.HasPrefix(line, downloading) {
		p.downloaded++
		return true
	}
	return false
}

func (p *progress) compiling(stale []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = len(stale)
	if len(stale) > 0 {
		p.main = stale[len(stale)-1] // dependencies come before what needs them
	}
	p.todo = make(map[string]bool, len(stale))
	for _, pkg := range stale {
		p.todo[pkg] = true
	}
}

// compiled takes the lines of "go build -v".
func (p *progress) compiled(line string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.todo[line] {
		delete(p.todo, line)
		return true
	}
	return strings.HasPrefix(line, downloading)
}

// text says how far the build is, in one line.
func (p *progress) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := time.Since(p.start).Round(time.Second)
	switch {
	case p.todo == nil && p.downloaded > 0:
		return fmt.Sprintf("%s: %d modules downloaded, %s", p.label, p.downloaded, took)
	case p.todo == nil:
		return fmt.Sprintf("%s: looking what is to be done, %s", p.label, took)
	case !p.todo[p.main] || len(p.todo) == 1:
		// go names a package when it starts with it; after main only the linker
		// is left. Stale packages that turned out to be the same are never named.
		return fmt.Sprintf("%s: linking, %s", p.label, took)
	}
	return fmt.Sprintf("%s: %d of %d packages compiled, %s", p.label, p.total-len(p.todo), p.total, took)
}

// quiet is how long a build may take before it is worth a line.
const quiet = 2 * time.Second

// show prints the progress from time to time until stop is called.
func (p *progress) show() (stop func()) {
	every := 10 * time.Second
	if p.say.terminal {
		every = time.Second
	}
	finished := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		next := time.NewTimer(quiet)
		defer next.Stop()
		for {
			select {
			case <-finished:
				return
			case <-next.C:
				p.mu.Lock()
				p.spoke = true
				p.mu.Unlock()
				p.say.passing(p.text())
				next.Reset(every)
			}
		}
	})
	return sync.OnceFunc(func() { close(finished); wait.Wait() })
}

// done says how long it took, if it was long enough that something was said.
func (p *progress) done() {
	p.mu.Lock()
	spoke, compiled := p.spoke, p.total-len(p.todo)
	p.mu.Unlock()
	switch {
	case !spoke: // it took no time worth a line
	case compiled == 0:
		p.say.line("%s: linked in %s", p.label, round(time.Since(p.start)))
	default:
		p.say.line("%s: %d packages compiled and linked in %s", p.label, compiled, round(time.Since(p.start)))
	}
}

// A printer writes whole lines, and on a terminal lines that the next one
// replaces.
type printer struct {
	w        io.Writer
	terminal bool

	mu      sync.Mutex
	pending bool // a passing line is on the screen
}

// line prints a line that stays.
func (p *printer) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.w, "tools: "+format+"\n", args...)
}

// passing prints a line that the next one replaces, where that can be.
func (p *printer) passing(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.terminal {
		fmt.Fprintln(p.w, "tools: "+text)
		return
	}
	p.clear()
	fmt.Fprint(p.w, "tools: "+text)
	p.pending = true
}

func (p *printer) clear() {
	if p.pending {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.pending = false
	}
}

// isTerminal reports whether a person is likely to look at a file as it grows.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("CI") == "" && os.Getenv("TERM") != "dumb"
}
