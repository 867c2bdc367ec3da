package spec

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxSize is the most that a document may have: far more than any data plane
// needs, and far less than what would hurt.
const maxSize = 1 << 20

// ParseFile reads the document in a file. Its errors wrap ErrInvalid when the
// document, or the name of the file, is what must change.
func ParseFile(path string) (Spec, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Spec{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err != nil {
		return Spec{}, fmt.Errorf("read spec: %w", err)
	}
	defer f.Close()
	return Parse(path, f)
}

// Parse reads one document. name stands for the document in messages. The Spec
// is complete, with every default filled in, and valid; otherwise the error is
// Mistakes, with everything that is wrong, or tells that r could not be read.
func Parse(name string, r io.Reader) (Spec, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err != nil {
		return Spec{}, fmt.Errorf("read spec %s: %w", name, err)
	}
	d := newDecoder(name)
	s := d.document(text)
	if len(d.mistakes) > 0 {
		d.mistakes.sort()
		return Spec{}, d.mistakes
	}
	return s, nil
}

// Refuse returns a mistake that others have found in a field of a document that
// Parse has read, at the field's place in it.
func Refuse(name string, text []byte, field, problem, want string) error {
	d := newDecoder(name)
	d.document(text)
	d.mistakes = nil
	d.complain(field, problem, want)
	return d.mistakes
}

// Places are where a document that Parse has read gives a field: one place, or
// none where the document leaves it out.
func Places(name string, text []byte, field string) Mistakes {
	d := newDecoder(name)
	d.document(text)
	at, given := d.values[field]
	if !given || field == "" {
		return nil
	}
	d.mistakes = nil
	d.report(at, field, "", "")
	return d.mistakes
}

func (d *decoder) document(text []byte) Spec {
	const wantDocument = "one document of at least org, region and account.email"
	var s Spec
	switch {
	case len(text) > maxSize:
		d.report(place{}, "", "the document is larger than 1 MiB", "a smaller one")
		return s
	case !utf8.Valid(text):
		d.report(invalidUTF8(text), "", "the document is not UTF-8", "UTF-8 text")
		return s
	}
	reader := yaml.NewDecoder(strings.NewReader(string(text)))
	var tree yaml.Node
	if err := reader.Decode(&tree); errors.Is(err, io.EOF) {
		d.report(place{}, "", "the document is empty", wantDocument)
		return s
	} else if err != nil {
		d.syntax(err)
		return s
	}
	root := tree.Content[0]
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" && root.Anchor == "" {
		d.report(place{}, "", "the document is empty", wantDocument)
		return s
	}

	d.refuseExtras(root, "")
	d.decode(root, reflect.ValueOf(&s).Elem(), "", "")
	if !d.wrong[""] {
		d.fill(&s)
		d.validate(s)
	}

	var next yaml.Node
	if err := reader.Decode(&next); err == nil {
		d.report(place{next.Line, next.Column}, "", "a second document begins", "one document in a file")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
	}
	return s
}

// refuseExtras reports what YAML can say and a spec cannot: anchors, aliases
// and merges, because a document must mean what it shows (and must not unfold
// to a thousand times its size), and explicit tags, because quotes do.
func (d *decoder) refuseExtras(n *yaml.Node, path string) {
	at := place{n.Line, n.Column}
	switch {
	case n.Kind == yaml.AliasNode:
		d.report(at, path, "is an alias, *"+n.Value, "the value itself")
		return
	case n.Anchor != "":
		d.report(at, path, "has an anchor, &"+n.Anchor, "the value alone")
	case n.Style&yaml.TaggedStyle != 0:
		d.report(at, path, "has a tag, "+n.Tag, "the value alone")
	}
	if n.Kind != yaml.MappingNode {
		for i, item := range n.Content {
			d.refuseExtras(item, path+"["+strconv.Itoa(i)+"]")
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			d.report(place{key.Line, key.Column}, path, "merges another mapping, <<", "the fields themselves")
			continue
		}
		d.refuseExtras(key, path)
		name := path
		if key.Kind == yaml.ScalarNode {
			name = join(path, key.Value)
		}
		d.refuseExtras(value, name)
	}
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line ([0-9]+): `)

// The library counts lines from 0 in what its grammar finds, and from 1 in what
// its scanner finds.
var yamlGrammar = regexp.MustCompile(`^did not find expected (',' or|key$|node content$|'-' indicator$|<)`)

// syntax reports what the YAML parser could not read. It knows the line at best.
func (d *decoder) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	at := place{}
	if found := yamlLine.FindStringSubmatch(text); found != nil {
		at.line, _ = strconv.Atoi(found[1])
		text = text[len(found[0]):]
	}
	if yamlGrammar.MatchString(text) {
		at.line++
	}
	d.report(at, "", "the document is not YAML: "+text, "")
}

// invalidUTF8 returns the place of the first byte that is not UTF-8.
func invalidUTF8(text []byte) place {
	at := place{1, 1}
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && size == 1:
			return at
		case r == '\n':
			at = place{at.line + 1, 1}
		default:
			at.column++
		}
		text = text[size:]
	}
	return at
}
