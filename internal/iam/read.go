package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrMalformed is wrapped by every error of Parse and Decode, which also say
// where in the document the fault is: "Statement[1].Action". What cannot be
// read cannot be judged: callers refuse it.
var ErrMalformed = errors.New("the policy document cannot be read")

// Parse reads a document from JSON text. Whatever it holds that a Document
// cannot hold is an error, because a part that is not read is a part that is
// not judged. What AWS demands of one kind of policy beyond that is not
// checked here: that a trust policy names a principal, that a list has an entry.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func Parse(text string) (Document, error) {
	v, err := parseJSON(text)
	if err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return Decode(v)
}

// Decode reads a document from a decoded JSON value: what json.Unmarshal
// returns, or the object that Pulumi's providers take in the place of a text.
// Names of elements are taken in any case, because a reader that misses one
// judges half a document, and an element that appears twice is refused. So are
// effects in another case than AWS's.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_effect.html
func Decode(v any) (Document, error) {
	d, _, err := DecodeKnown(v, func(any) bool { return false })
	return d, err
}

// DecodeKnown reads the part of a document that is known. A statement that
// holds a value for which unknown is true is left out, and whole is false then.
func DecodeKnown(v any, unknown func(any) bool) (d Document, whole bool, err error) {
	r := reader{unknown: unknown}
	d = r.document(v)
	if r.err != nil {
		return Document{}, false, fmt.Errorf("%w: %w", ErrMalformed, r.err)
	}
	return d, !r.partial, nil
}

// UnmarshalJSON implements json.Unmarshaler, as strictly as Parse.
func (d *Document) UnmarshalJSON(text []byte) (err error) {
	*d, err = Parse(string(text))
	return err
}

// reader keeps the first fault that it meets.
type reader struct {
	unknown func(any) bool
	partial bool
	err     error
}

// fail notes a fault at a path, which is empty for the document itself.
func (r *reader) fail(path, format string, args ...any) {
	if r.err != nil {
		return
	}
	r.err = fmt.Errorf(format, args...)
	if path != "" {
		r.err = fmt.Errorf("%s: %w", path, r.err)
	}
}

func (r *reader) document(v any) Document {
	m := r.object("", v, "Version", "Id", "Statement")
	d := Document{Version: r.text("Version", m["Version"]), ID: r.text("Id", m["Id"])}
	if d.Version != "" && d.Version != version2012 && d.Version != version2008 {
		r.fail("Version", "must be %q or %q, got %q", version2012, version2008, d.Version)
	}
	for i, raw := range oneOrMany(m["Statement"]) {
		if r.holdsUnknown(raw) {
			r.partial = true
			continue
		}
		d.Statement = append(d.Statement, r.statement("Statement["+strconv.Itoa(i)+"]", raw))
	}
	return d
}

func (r *reader) statement(path string, v any) Statement {
	m := r.object(path, v, "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
	for _, name := range []string{"Principal", "Action", "Resource"} {
		if m[name] != nil && m["Not"+name] != nil {
			r.fail(path, "has both %s and Not%s", name, name)
		}
	}
	s := Statement{
		Sid:          r.text(path+".Sid", m["Sid"]),
		Effect:       Effect(r.text(path+".Effect", m["Effect"])),
		Principal:    r.principal(path+".Principal", m["Principal"]),
		NotPrincipal: r.principal(path+".NotPrincipal", m["NotPrincipal"]),
		Action:       r.texts(path+".Action", m["Action"]),
		NotAction:    r.texts(path+".NotAction", m["NotAction"]),
		Resource:     r.texts(path+".Resource", m["Resource"]),
		NotResource:  r.texts(path+".NotResource", m["NotResource"]),
		Condition:    r.condition(path+".Condition", m["Condition"]),
	}
	if s.Effect != Allow && s.Effect != Deny {
		r.fail(path+".Effect", "must be Allow or Deny, got %q", s.Effect)
	}
	return s
}

func (r *reader) principal(path string, v any) *Principal {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		if v != "*" {
			r.fail(path, `must be "*" or an object such as {"AWS": …}, got %q`, v)
		}
		return &Principal{Anyone: true}
	case map[string]any:
		p := &Principal{}
		for _, kind := range slices.Sorted(maps.Keys(v)) {
			at := path + "." + kind
			switch kind {
			case "AWS":
				p.AWS = r.texts(at, v[kind])
			case "Service":
				p.Service = r.texts(at, v[kind])
			case "Federated":
				p.Federated = r.texts(at, v[kind])
			case "CanonicalUser":
				p.CanonicalUser = r.texts(at, v[kind])
			default:
				r.fail(at, "is not a kind of principal: use AWS, Service, Federated or CanonicalUser")
			}
		}
		return p
	default:
		r.fail(path, `must be "*" or an object such as {"AWS": …}`)
		return nil
	}
}

func (r *reader) condition(path string, v any) Condition {
	if v == nil {
		return nil
	}
	operators, ok := v.(map[string]any)
	if !ok {
		r.fail(path, "must be an object")
		return nil
	}
	c := Condition{}
	names := slices.Sorted(maps.Keys(operators))
	if operator, found := twice(names); found {
		r.fail(path, "has the operator %s twice", operator)
	}
	for _, operator := range names {
		at := path + "." + operator
		keys, ok := operators[operator].(map[string]any)
		if !ok {
			r.fail(at, "must be an object of condition keys")
			return nil
		}
		c[operator] = make(map[string]Values, len(keys))
		names := slices.Sorted(maps.Keys(keys))
		if key, found := twice(names); found {
			r.fail(at, "has the key %q twice: the case of a condition key does not matter", key)
		}
		for _, key := range names {
			if looksLike(key) {
				r.fail(at, "the key %q has a letter that only looks like one of ASCII", key)
			}
			c[operator][key] = r.conditionValues(at+"["+strconv.Quote(key)+"]", keys[key])
		}
	}
	return c
}

// looksLike reports whether a key has a letter outside of ASCII that Unicode folds
// into one of it: a reader that ignores case takes such a key for one of AWS's.
func looksLike(key string) bool {
	return strings.ContainsFunc(key, func(c rune) bool {
		return c >= utf8.RuneSelf && (unicode.SimpleFold(c) < utf8.RuneSelf)
	})
}

// conditionValues reads the values of a condition key, the one place where
// quotation marks are optional for numbers and for true and false.
func (r *reader) conditionValues(path string, v any) Values {
	list := oneOrMany(v)
	if v == nil {
		r.fail(path, "must be text, a number, true or false")
	}
	out := make(Values, len(list))
	for i, e := range list {
		switch e := e.(type) {
		case string:
			out[i] = e
		case bool:
			out[i] = strconv.FormatBool(e)
		case json.Number:
			out[i] = e.String()
		case float64:
			out[i] = strconv.FormatFloat(e, 'f', -1, 64)
		case int:
			out[i] = strconv.Itoa(e)
		default:
			r.fail(path, "must be text, a number, true or false")
		}
	}
	return out
}

// texts reads a text or a list of texts; nil where there is none.
func (r *reader) texts(path string, v any) Values {
	if v == nil {
		return nil
	}
	list := oneOrMany(v)
	out := make(Values, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			r.fail(path, "must be text or a list of texts")
		}
		out[i] = s
	}
	return out
}

func (r *reader) text(path string, v any) string {
	if v != nil && r.holdsUnknown(v) {
		r.partial = true
		return ""
	}
	s, ok := v.(string)
	if v != nil && !ok {
		r.fail(path, "must be text")
	}
	return s
}

// object reads an object's elements by their names, in any case, and refuses
// those that have no such name and those that are there twice. An element that
// is null is read as one that is absent.
func (r *reader) object(path string, v any, names ...string) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		r.fail(path, "must be a JSON object")
		return nil
	}
	out := make(map[string]any, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		i := slices.IndexFunc(names, func(n string) bool { return lowered(n) == lowered(k) })
		if i < 0 {
			r.fail(path, "unknown element %q", k)
			continue
		}
		if _, twice := out[names[i]]; twice {
			r.fail(path, "has %s twice", names[i])
		}
		out[names[i]] = m[k]
	}
	return out
}

func (r *reader) holdsUnknown(v any) bool {
	if r.unknown(v) {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			if r.holdsUnknown(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, r.holdsUnknown)
	}
	return false
}

// oneOrMany reads what AWS takes as one value or as a list.
func oneOrMany(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}
