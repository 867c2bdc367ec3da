package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/spec"
)

// specFile is an org's spec file while a project is added or removed; nil stands
// for none.
type specFile struct {
	name  string
	mode  os.FileMode
	text  []byte
	parse spec.Spec
}

func (a *app) openSpec(cmd *cobra.Command, org, file string) (*specFile, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, usagef(cmd, "%v", err)
	}
	if !info.Mode().IsRegular() {
		return nil, usagef(cmd, "--spec %s is not a regular file", file)
	}
	text, _, err := a.readText(cmd, file)
	if err != nil {
		return nil, err
	}
	s, err := spec.Parse(file, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if s.Org != org {
		return nil, usagef(cmd, "--spec %s is the spec of %s, expected %s", file, s.Org, org)
	}
	return &specFile{name: file, mode: info.Mode().Perm(), text: text, parse: s}, nil
}

// add adds a project, unless the file has it with the same settings.
func (f *specFile) add(one spec.Project, text []byte) error {
	if i := slices.IndexFunc(f.parse.Projects, func(p spec.Project) bool { return p.Name == one.Name }); i >= 0 {
		if reflect.DeepEqual(f.parse.Projects[i], one) {
			return nil
		}
		return fmt.Errorf("%s: %w: project %s already exists with different settings", f.name, spec.ErrInvalid, one.Name)
	}
	return f.become(spec.AddProject(f.text, text))
}

// remove removes a project, unless the file does not have it.
func (f *specFile) remove(name string) error {
	if !slices.ContainsFunc(f.parse.Projects, func(p spec.Project) bool { return p.Name == name }) {
		return nil
	}
	return f.become(spec.RemoveProject(f.text, name))
}

// become takes the text that an edit has returned.
func (f *specFile) become(text []byte, err error) error {
	if _, ok := errors.AsType[spec.Mistakes](err); ok {
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %w", f.name, spec.ErrInvalid, err)
	}
	f.text = text
	return nil
}

// save replaces the file in one step, so that it is never half written.
func (f *specFile) save() error {
	if f == nil {
		return nil
	}
	name, err := filepath.EvalSymlinks(f.name)
	if err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	next := name + ".new"
	if err := os.WriteFile(next, f.text, f.mode); err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	if err := os.Rename(next, name); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.name, err), os.Remove(next))
	}
	return nil
}
