package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// place is where a field stands in the document.
type place struct{ line, column int }

// decoder fills a Spec from a YAML tree by the types' json tags. It never stops
// at a mistake, and remembers where every field was, so that the rules that
// look at several fields can point at them.
type decoder struct {
	file     string
	mistakes Mistakes
	// values and keys are the places of each field's value and name, by path.
	values, keys map[string]place
	// wrong are the fields that are given and were not understood: no rule
	// may judge them again.
	wrong map[string]bool
}

func newDecoder(file string) *decoder {
	return &decoder{file: file, values: map[string]place{}, keys: map[string]place{}, wrong: map[string]bool{}}
}

func (d *decoder) report(at place, field, problem, want string) {
	d.mistakes = append(d.mistakes, Mistake{
		File: d.file, Line: max(at.line, 1), Column: max(at.column, 1), Field: field, Problem: problem, Want: want,
	})
}

func (d *decoder) reject(n *yaml.Node, path, problem, want string) {
	d.wrong[path] = true
	d.report(place{n.Line, n.Column}, path, problem, want)
}

// given reports whether the document has the field, right or wrong.
func (d *decoder) given(path string) bool { _, ok := d.values[path]; return ok }

// decode stores n in v. path names the field, and rule is its path in facets.
func (d *decoder) decode(n *yaml.Node, v reflect.Value, path, rule string) {
	d.values[path] = place{n.Line, n.Column}
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		d.wrong[path] = true // refuseExtras has reported it
		return
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		// The parser places an absent value anywhere up to the next token.
		if at, ok := d.keys[path]; ok {
			d.values[path] = at
		}
		d.wrong[path] = true
		d.report(d.values[path], path, "has no value", "a value, or leave the field out")
		return
	}
	v = target(v)
	switch v.Kind() {
	case reflect.Struct:
		if d.isKind(n, yaml.MappingNode, path, "a mapping of fields") {
			d.decodeStruct(n, v, path, rule)
		}
	case reflect.Map:
		if d.isKind(n, yaml.MappingNode, path, "a mapping of text to text") {
			d.decodeMap(n, v, path, rule)
		}
	case reflect.Slice:
		if d.isKind(n, yaml.SequenceNode, path, "a list") {
			d.decodeList(n, v, path, rule)
		}
	case reflect.String:
		if d.isKind(n, yaml.ScalarNode, path, "text") {
			d.decodeText(n, v, path, rule)
		}
	case reflect.Int, reflect.Int32:
		if d.isKind(n, yaml.ScalarNode, path, "a whole number") {
			d.decodeInt(n, v, path, rule)
		}
	case reflect.Bool:
		if d.isKind(n, yaml.ScalarNode, path, "true or false") {
			d.decodeBool(n, v, path)
		}
	default:
		panic(fmt.Sprintf("spec: field %s has a type that the decoder does not know: %s", path, v.Type()))
	}
}

// target is where the value of a field belongs: behind a pointer, which is made,
// and in the text of a quantity.
func target(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if v.Type() == reflect.TypeFor[v1alpha1.Quantity]() {
		v = v.FieldByName("Text")
	}
	return v
}

func (d *decoder) isKind(n *yaml.Node, kind yaml.Kind, path, want string) bool {
	if n.Kind == kind {
		return true
	}
	problem := describe(n)
	if path == "" {
		problem = "the document is not a mapping"
	}
	d.reject(n, path, problem, want)
	return false
}

func (d *decoder) decodeStruct(n *yaml.Node, v reflect.Value, path, rule string) {
	fields := map[string]reflect.Value{}
	var names []string
	for _, f := range Fields(v.Type()) {
		name := FieldName(f)
		fields[name] = v.FieldByIndex(f.Index)
		names = append(names, name)
	}
	for key, value := range d.entries(n, path) {
		name := key.Value
		field := join(path, name)
		target, known := fields[name]
		if !known {
			problem := "unknown field"
			if meant := suggest(name, names); meant != "" {
				problem += " (did you mean " + meant + "?)"
			}
			d.report(place{key.Line, key.Column}, field, problem, "one of "+strings.Join(names, ", "))
			continue
		}
		d.decode(value, target, field, join(rule, name))
	}
	for _, name := range names {
		field := join(path, name)
		if f := facets[join(rule, name)]; f.Required && !d.given(field) {
			d.missing(path, field, wanted(f))
		}
	}
}

// missing reports a field that must be there, at the field that should hold it.
func (d *decoder) missing(parent, field, want string) {
	at, ok := d.keys[parent]
	if !ok {
		at = d.values[parent]
	}
	d.wrong[field] = true
	d.report(at, field, "is missing", want)
}

func (d *decoder) decodeMap(n *yaml.Node, v reflect.Value, path, rule string) {
	if !d.fitsItems(n, len(n.Content)/2, path, facets[rule]) {
		return
	}
	m := reflect.MakeMap(v.Type())
	for key, value := range d.entries(n, path) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, item, join(path, key.Value), rule+"[]")
		m.SetMapIndex(reflect.ValueOf(key.Value), item)
	}
	if m.Len() > 0 {
		v.Set(m)
	}
}

func (d *decoder) decodeList(n *yaml.Node, v reflect.Value, path, rule string) {
	if !d.fitsItems(n, len(n.Content), path, facets[rule]) {
		return
	}
	if len(n.Content) == 0 {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.decode(item, v.Index(i), path+"["+strconv.Itoa(i)+"]", rule+"[]")
	}
}

func (d *decoder) fitsItems(n *yaml.Node, count int, path string, f Facet) bool {
	if count >= f.MinItems && (f.MaxItems == 0 || count <= f.MaxItems) {
		return true
	}
	problem := fmt.Sprintf("has %d entries", count)
	switch count {
	case 0:
		problem = "is empty"
	case 1:
		problem = "has one entry"
	}
	d.reject(n, path, problem, f.Want)
	return false
}

// entries yields the pairs of a mapping whose name is text and comes for the
// first time, and reports the others.
func (d *decoder) entries(n *yaml.Node, path string) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		first := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if key.Kind == yaml.AliasNode || key.Anchor != "" || key.Style&yaml.TaggedStyle != 0 || key.ShortTag() == "!!merge" {
				continue // refuseExtras has reported it
			}
			if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
				problem := "a field's name " + describe(key)
				d.report(place{key.Line, key.Column}, path, problem, "text, in quotes where YAML reads something else")
				continue
			}
			if line, again := first[key.Value]; again {
				problem := fmt.Sprintf("is given again, first on line %d", line)
				d.report(place{key.Line, key.Column}, join(path, key.Value), problem, "it once")
				continue
			}
			first[key.Value] = key.Line
			d.keys[join(path, key.Value)] = place{key.Line, key.Column}
			if !yield(key, value) {
				return
			}
		}
	}
}

func (d *decoder) decodeText(n *yaml.Node, v reflect.Value, path, rule string) {
	if n.ShortTag() != "!!str" {
		d.reject(n, path, describe(n), "text: put it in quotes, "+quote(n.Value))
		return
	}
	if problem := facets[rule].text(n.Value); problem != "" {
		d.reject(n, path, problem, wanted(facets[rule]))
		return
	}
	v.SetString(n.Value)
}

func (d *decoder) decodeInt(n *yaml.Node, v reflect.Value, path, rule string) {
	f := facets[rule]
	number, err := strconv.Atoi(n.Value)
	// Only plain decimals: YAML also reads 010, 0x10 and 1_0 as numbers, and
	// not everybody reads the same number.
	if n.ShortTag() != "!!int" || err != nil || strconv.Itoa(number) != n.Value {
		problem, want := describe(n), "a whole number"
		if n.ShortTag() == "!!int" {
			problem, want = short(n.Value)+" is not a plain decimal number", "only digits"
		}
		if f.Min != 0 || f.Max != 0 {
			want += ", " + wanted(f)
		}
		d.reject(n, path, problem, want)
		return
	}
	problem := f.number(number)
	if problem == "" && v.OverflowInt(int64(number)) {
		problem = fmt.Sprintf("%d is out of range", number)
	}
	if problem != "" {
		d.reject(n, path, problem, wanted(f))
		return
	}
	v.SetInt(int64(number))
}

func (d *decoder) decodeBool(n *yaml.Node, v reflect.Value, path string) {
	if n.ShortTag() != "!!bool" {
		d.reject(n, path, describe(n), "true or false")
		return
	}
	v.SetBool(strings.EqualFold(n.Value, "true"))
}

// text returns what is wrong with a text, or "".
func (f Facet) text(value string) string {
	length, shown := utf8.RuneCountInString(value), quote(value)
	if f.Hidden {
		shown = "the value"
	}
	switch {
	case f.Enum != nil:
		if slices.Contains(f.Enum, value) {
			return ""
		}
		problem := quote(value) + " is not known"
		if meant := suggest(value, f.Enum); meant != "" {
			problem += " (did you mean " + meant + "?)"
		}
		return problem
	case f.Pattern != "" && !patterns[f.Pattern].MatchString(value):
		return shown + " is not " + f.Noun
	case length < f.MinLength || f.MaxLength > 0 && length > f.MaxLength:
		unit := "characters"
		if length == 1 {
			unit = "character"
		}
		return fmt.Sprintf("%s has %d %s", shown, length, unit)
	}
	if f.check != nil {
		if problem := f.check(value); problem != "" {
			return shown + " " + problem
		}
	}
	return ""
}

// number returns what is wrong with a number, or "".
func (f Facet) number(value int) string {
	switch {
	case f.Values != nil && !slices.Contains(f.Values, value):
		return fmt.Sprintf("%d is not %s", value, f.Noun)
	case (f.Min != 0 || f.Max != 0) && (value < f.Min || value > f.Max):
		return fmt.Sprintf("%d is out of range", value)
	}
	return ""
}

// wanted says what a facet accepts.
func wanted(f Facet) string {
	switch {
	case f.Want != "":
		return f.Want
	case len(f.Enum) == 1:
		return f.Enum[0]
	case f.Enum != nil:
		return "one of " + strings.Join(f.Enum, ", ")
	case f.Values != nil:
		return "one of " + strings.Trim(strings.ReplaceAll(fmt.Sprint(f.Values), " ", ", "), "[]")
	case f.Min != 0 || f.Max != 0:
		return fmt.Sprintf("%d to %d", f.Min, f.Max)
	}
	return "a value"
}

// describe says what a node is, as the end of a sentence that its field begins.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "is a mapping"
	case yaml.SequenceNode:
		return "is a list"
	}
	kind := map[string]string{
		"!!str": "text", "!!int": "a number", "!!float": "a number", "!!bool": "a boolean",
		"!!null": "nothing", "!!timestamp": "a date",
	}[n.ShortTag()]
	if kind == "" {
		kind = n.ShortTag()
	}
	if n.ShortTag() == "!!str" {
		return quote(n.Value) + " is text"
	}
	return short(n.Value) + " is " + kind
}

// quote shows a value of the document in a message: on one line, and short.
func quote(s string) string {
	return strconv.Quote(short(s))
}

func short(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// Fields returns the fields that a mapping of this type may have, in their
// order, with those of an embedded type in its place.
func Fields(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return f.Anonymous })
}

// FieldName returns the name that a field of a document's types has in YAML.
func FieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// join extends a path by a field or by a key of a mapping.
func join(path, name string) string {
	if strings.ContainsAny(name, ".[]\" ") || name == "" {
		return path + "[" + quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}
