package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// projectPath is where a project by itself is decoded; no mistake shows it.
const projectPath = "project"

// ParseProject reads one project by itself, as it would stand in a document's
// projects beside those that others names. It holds every rule that Parse does:
// the Project is complete and valid, or the error is Mistakes.
func ParseProject(name string, r io.Reader, others []string) (Project, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return Project{}, fmt.Errorf("read project %s: %w", name, err)
	}
	d := newDecoder(name)
	p := d.project(text, others)
	if len(d.mistakes) == 0 {
		return p, nil
	}
	for i := range d.mistakes {
		m := &d.mistakes[i]
		m.Field = strings.TrimPrefix(strings.TrimPrefix(m.Field, projectPath), ".")
		m.Problem = strings.ReplaceAll(m.Problem, projectPath+".", "")
	}
	d.mistakes.sort()
	return Project{}, d.mistakes
}

func (d *decoder) project(text []byte, others []string) Project {
	var p Project
	const want = "the fields of one project, name at least"
	switch {
	case len(text) > maxSize:
		d.report(place{}, "", "the document is larger than 1 MiB", "a smaller one")
		return p
	case !utf8.Valid(text):
		d.report(invalidUTF8(text), "", "the document is not UTF-8", "UTF-8 text")
		return p
	}
	reader := yaml.NewDecoder(bytes.NewReader(text))
	var tree yaml.Node
	if err := reader.Decode(&tree); errors.Is(err, io.EOF) {
		d.report(place{}, "", "the document is empty", want)
		return p
	} else if err != nil {
		d.syntax(err)
		return p
	}
	root := tree.Content[0]
	d.refuseExtras(root, projectPath)
	d.decode(root, reflect.ValueOf(&p).Elem(), projectPath, "projects[]")
	if !d.wrong[projectPath] {
		d.fillStatic(reflect.ValueOf(&p).Elem(), projectPath, "projects[]")
		fillLimits(p.Quota, &p.Limits)
		d.validateProject(p, projectPath)
		d.validateCallers(p, others, projectPath)
	}
	var next yaml.Node
	if err := reader.Decode(&next); err == nil {
		d.report(place{next.Line, next.Column}, "", "a second document begins", "one project in a file")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
	}
	return p
}

// ErrNotEditable is wrapped where a document is not written in a way that a
// project can be put into, or taken out of, without touching anything else.
var ErrNotEditable = errors.New("edit it by hand")

// AddProject returns the document with a project, as YAML, at the end of its
// projects. Everything else stays as it is written, comments too.
func AddProject(document, project []byte) ([]byte, error) {
	before, _, list, err := projectsNode(document)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(string(document), "\n")
	item := func(indent string) string {
		var b strings.Builder
		for i, line := range strings.Split(strings.TrimRight(string(project), "\n"), "\n") {
			switch {
			case i == 0:
				b.WriteString(indent + "- " + line + "\n")
			case line == "":
				b.WriteString("\n")
			default:
				b.WriteString(indent + "  " + line + "\n")
			}
		}
		return b.String()
	}
	var after string
	switch {
	case list == nil:
		text := string(document)
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		after = text + "projects:\n" + item("  ")
	case list.Style&yaml.FlowStyle != 0 || len(list.Content) == 0:
		return nil, fmt.Errorf("the projects are written in one line: %w", ErrNotEditable)
	default:
		end := lastLine(list)
		if !strings.HasSuffix(lines[end-1], "\n") {
			lines[end-1] += "\n"
		}
		indent := strings.Repeat(" ", list.Column-1)
		after = strings.Join(lines[:end], "") + item(indent) + strings.Join(lines[end:], "")
	}
	return verified(before, []byte(after), func(now []Project) bool {
		return len(now) == len(before.Projects)+1 && reflect.DeepEqual(now[:len(now)-1:len(now)-1], slices.Clip(before.Projects)) ||
			len(before.Projects) == 0 && len(now) == 1
	})
}

// RemoveProject returns the document without one of its projects. Everything
// else stays as it is written; comments right above the project go with it.
func RemoveProject(document []byte, name string) ([]byte, error) {
	before, root, list, err := projectsNode(document)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(before.Projects, func(p Project) bool { return p.Name == name })
	if i < 0 || list == nil {
		return nil, fmt.Errorf("%w: the document has no project %s", ErrInvalid, name)
	}
	if list.Style&yaml.FlowStyle != 0 {
		return nil, fmt.Errorf("the projects are written in one line: %w", ErrNotEditable)
	}
	lines := strings.SplitAfter(string(document), "\n")
	start, end := headLine(lines, list.Content[i].Line), lastLine(list.Content[i])
	if len(list.Content) == 1 {
		// An empty list is no list: its name goes too.
		for k := 0; k+1 < len(root.Content); k += 2 {
			if root.Content[k].Value == "projects" {
				start = headLine(lines, root.Content[k].Line)
			}
		}
	}
	after := strings.Join(lines[:start-1], "") + strings.Join(lines[end:], "")
	return verified(before, []byte(after), func(now []Project) bool {
		want := slices.Delete(slices.Clone(before.Projects), i, i+1)
		return len(now) == len(want) && (len(want) == 0 || reflect.DeepEqual(now, want))
	})
}

// verified returns a document that was edited, when it says what it should, and
// nothing else has changed.
func verified(before Spec, text []byte, projects func([]Project) bool) ([]byte, error) {
	after, err := Parse("the edited document", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if !projects(after.Projects) {
		return nil, fmt.Errorf("its projects are written in a way that is not understood: %w", ErrNotEditable)
	}
	before.Projects, after.Projects = nil, nil
	if !reflect.DeepEqual(before, after) {
		return nil, fmt.Errorf("its projects are written in a way that is not understood: %w", ErrNotEditable)
	}
	return text, nil
}

// projectsNode parses a document, and finds its root and its list of projects;
// list is nil when it has none.
func projectsNode(document []byte) (s Spec, root, list *yaml.Node, err error) {
	if s, err = Parse("the document", bytes.NewReader(document)); err != nil {
		return s, nil, nil, err
	}
	var tree yaml.Node
	if err := yaml.Unmarshal(document, &tree); err != nil {
		return s, nil, nil, fmt.Errorf("read the document: %w", err)
	}
	root = tree.Content[0]
	if root.Style&yaml.FlowStyle != 0 {
		return s, nil, nil, fmt.Errorf("it is written in one line: %w", ErrNotEditable)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "projects" {
			list = root.Content[i+1]
		}
	}
	return s, root, list, nil
}

// lastLine is the last line of a node; a text over several lines is none that
// a project can have.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, c := range n.Content {
		last = max(last, lastLine(c))
	}
	return last
}

// headLine is the first of the comment lines right above a line.
func headLine(lines []string, line int) int {
	for line > 1 && strings.HasPrefix(strings.TrimSpace(lines[line-2]), "#") {
		line--
	}
	return line
}
