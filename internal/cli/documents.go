package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

// sheet is one of several documents, as it was read.
type sheet struct {
	document

	org  string // that it states, also when the rest is invalid; empty: none
	spec spec.Spec
	errs []error // why it cannot be used
}

// several reports whether -f names more than the one document of an onboard.
func several(named []string) bool {
	if len(named) != 1 {
		return len(named) > 1
	}
	info, err := os.Stat(named[0])
	return err == nil && info.IsDir()
}

// readSheets reads all documents that -f names, in files, folders or on standard
// input, and returns them in the order of their orgs. All of them must be valid,
// and no two may ask for what only one org can have: otherwise the error has
// every mistake of all of them, and nothing may be begun.
func (a *app) readSheets(cmd *cobra.Command, named []string) ([]sheet, error) {
	files, err := documentsIn(cmd, named)
	if err != nil {
		return nil, err
	}
	a.sheets = make([]sheet, len(files))
	for i, file := range files {
		a.sheets[i] = a.readSheet(cmd, file)
	}
	if err := clash(a.sheets); err != nil {
		return nil, err
	}
	var errs []error
	for _, s := range a.sheets {
		errs = append(errs, s.errs...)
	}
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, noneStarted(named, len(files)))...)
	}
	slices.SortFunc(a.sheets, func(a, b sheet) int { return cmp.Compare(a.org, b.org) })
	return a.sheets, nil
}

func (a *app) readSheet(cmd *cobra.Command, file string) sheet {
	text, name, err := a.readText(cmd, file)
	if err != nil {
		return sheet{document: document{name: file}, errs: []error{err}}
	}
	s := sheet{document: document{name, text}, org: statedOrg(text)}
	if s.spec, err = spec.Parse(name, bytes.NewReader(text)); err != nil {
		s.errs = append(s.errs, err)
	}
	return s
}

// documentsIn are the names of the documents: of a folder every *.yaml and *.yml
// that is directly in it. Hidden files are left out, as a shell's *.yaml does.
func documentsIn(cmd *cobra.Command, named []string) ([]string, error) {
	var out []string
	for _, name := range named {
		info, err := os.Stat(name)
		switch {
		case name == "-" && slices.Contains(out, "-"):
			return nil, usagef(cmd, "%s: standard input can be only one of the documents", cmd.Name())
		case name == "-", err != nil, !info.IsDir():
			out = append(out, name) // reading it says what is wrong with it
			continue
		}
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, usagef(cmd, "%v", err)
		}
		before := len(out)
		for _, e := range entries {
			ext := strings.ToLower(filepath.Ext(e.Name()))
			if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") && (ext == ".yaml" || ext == ".yml") {
				out = append(out, filepath.Join(name, e.Name()))
			}
		}
		if len(out) == before {
			return nil, usagef(cmd, "%s: folder %s has no document: want *.yaml or *.yml in it", cmd.Name(), name)
		}
	}
	return out, nil
}

// clash adds to the documents what two of them cannot both have.
func clash(sheets []sheet) error {
	first := map[string]int{}
	var specs []spec.Spec
	var at []int // the sheets of specs
	for i := range sheets {
		s := &sheets[i]
		if len(s.errs) > 0 {
			continue
		}
		one, taken := first[s.org]
		if taken {
			s.refuse("org", fmt.Sprintf("%q is also the org of %s", s.org, sheets[one].place("org")), "one document for each org")
			continue
		}
		first[s.org] = i
		specs, at = append(specs, s.spec), append(at, i)
	}
	clashes, err := lifecycle.Clashes(specs)
	if err != nil {
		return err
	}
	for _, c := range clashes {
		one := &sheets[at[c.One]]
		sheets[at[c.Other]].refuse(c.Field, fmt.Sprintf("%s %s is also claimed for org %s by %s", c.Kind, c.Value, one.org, one.place(c.Field)),
			"each identity for one org")
	}
	return nil
}

func (s *sheet) refuse(field, problem, want string) {
	s.errs = append(s.errs, spec.Refuse(s.name, s.text, field, problem, want))
}

// place is where the document gives a field, "acme.yaml:3:6".
func (s *sheet) place(field string) string {
	for _, m := range spec.Places(s.name, s.text, field) {
		return fmt.Sprintf("%s:%d:%d", m.File, m.Line, m.Column)
	}
	return s.name
}

// noneStartedError says that nothing was begun because of mistakes that are
// reported beside it.
type noneStartedError struct{ text string }

func (e *noneStartedError) Error() string { return e.text }
func (e *noneStartedError) Unwrap() error { return spec.ErrInvalid }

func noneStarted(named []string, documents int) error {
	what := fmt.Sprintf("there are %d documents", documents)
	if len(named) == 1 {
		what = fmt.Sprintf("%s is a directory with %d documents", named[0], documents)
		if documents == 1 {
			what = named[0] + " is a directory with one document"
		}
	}
	return &noneStartedError{what + "; all must be valid before any org is started, so nothing was changed"}
}

// refusal is why an org was not started.
type refusal struct {
	org string
	err error
}

// refusals are one for each org that the documents name, of which none was
// started: for the mistakes in its own documents, or because of err. Where no
// document names an org there is one of an org that is not known.
func refusals(sheets []sheet, err error) []refusal {
	var out []refusal
	var files []string
	for _, s := range sheets {
		if len(s.errs) > 0 {
			files = append(files, s.name)
		}
		if s.org == "" {
			continue
		}
		at := slices.IndexFunc(out, func(r refusal) bool { return r.org == s.org })
		if at < 0 {
			at, out = len(out), append(out, refusal{org: s.org})
		}
		out[at].err = errors.Join(append([]error{out[at].err}, s.errs...)...)
	}
	if len(out) == 0 {
		return []refusal{{err: err}}
	}
	if _, ok := errors.AsType[*noneStartedError](err); ok {
		err = fmt.Errorf("not started, because there are mistakes in %s: %w", strings.Join(files, ", "), spec.ErrInvalid)
	}
	for i := range out {
		if out[i].err == nil {
			out[i].err = err
		}
	}
	slices.SortFunc(out, func(a, b refusal) int { return cmp.Compare(a.org, b.org) })
	return out
}
