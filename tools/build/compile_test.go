package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestProgressText(t *testing.T) {
	cases := map[string]struct {
		reason string
		do     func(p *progress)
		want   string
	}{
		"start": {
			"go list reads thousands of files first",
			func(*progress) {}, "kube: looking what is to be done, 0s",
		},
		"download": {
			"the first minute of a bare machine",
			func(p *progress) { p.listing("go: downloading k8s.io/api v0.35.4") },
			"kube: 1 modules downloaded, 0s",
		},
		"compile": {
			"what was in Go's cache is not counted",
			func(p *progress) { p.compiling([]string{"a", "b", "main"}); p.compiled("a") },
			"kube: 1 of 3 packages compiled, 0s",
		},
		"link": {
			"main is compiled last, and b turned out to be the same as before",
			func(p *progress) { p.compiling([]string{"a", "b", "main"}); p.compiled("a"); p.compiled("main") },
			"kube: linking, 0s",
		},
		"only link": {
			"everything is in Go's cache, as after go.mod's comments changed",
			func(p *progress) { p.compiling([]string{"main"}) },
			"kube: linking, 0s",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &progress{label: "kube", start: time.Now()}
			tc.do(p)
			if got := p.text(); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestErrorsOfGoAreNotTakenForProgress(t *testing.T) {
	p := &progress{label: "kube"}
	p.compiling([]string{"a"})
	for _, line := range []string{"# a", "a/a.go:1:1: undefined: x", "go: updates to go.mod needed"} {
		if p.compiled(line) || p.listing(line) {
			t.Errorf("%q was taken for progress, and would not be shown", line)
		}
	}
}

func TestPrinterRewritesOnlyATerminal(t *testing.T) {
	for terminal, want := range map[bool]string{
		false: "tools: 1 of 2\ntools: 2 of 2\ntools: done\n",
		true:  "tools: 1 of 2\r\x1b[Ktools: 2 of 2\r\x1b[Ktools: done\n",
	} {
		var out bytes.Buffer
		p := &printer{w: &out, terminal: terminal}
		p.passing("1 of 2")
		p.passing("2 of 2")
		p.line("done")
		if out.String() != want {
			t.Errorf("terminal %v: %q, want %q", terminal, out.String(), want)
		}
	}
}

func TestFailedGoCommandShowsWhatItSaid(t *testing.T) {
	dir := write(t, map[string]string{"go.mod": "module m\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() { nothing() }\n"})
	err := compile(t.Context(), build{label: "m", dir: dir, pkg: ".", out: dir + "/m"}, &printer{w: &bytes.Buffer{}})
	if err == nil || !strings.Contains(err.Error(), "undefined: nothing") {
		t.Errorf("got %v, want the compiler's words", err)
	}
}
