package policies

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Errors of ParseDocument.
var (
	// ErrUndecided is wrapped where a part of a document is not known yet. The
	// Document beside it holds the statements that are.
	ErrUndecided = errors.New("the policy document is not known yet")
	// ErrMalformed is wrapped where a document cannot be read. What cannot be
	// read cannot be judged: callers take it for a violation.
	ErrMalformed = errors.New("the policy document cannot be read")
)

// Document is a policy document as AWS reads it: of IAM, a bucket, a key, a
// queue, an endpoint.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type Document struct{ Statements []Statement }

// Statement is one statement of a document. Lists that the document does not
// have are nil; a single text is a list of one.
type Statement struct {
	Sid   string
	Allow bool // or Deny
	// Principals is who it speaks of; NotPrincipals is true if it speaks of
	// everybody else. A policy of an identity has none.
	Principals    []Principal
	NotPrincipals bool
	// Actions are patterns, "s3:Get*"; NotActions is true if it speaks of all others.
	Actions    []string
	NotActions bool
	// Resources are patterns of ARNs; NotResources is true if it speaks of all others.
	Resources    []string
	NotResources bool
	Conditions   []Condition
	// JSON is the statement in one line, for a report.
	JSON string
}

// Principal is one principal of a statement.
type Principal struct {
	Kind string // AWS, Service, Federated, CanonicalUser; empty with ID "*"
	ID   string
}

// Condition is one line of a statement's condition: any of the values is
// enough, and all lines must hold.
type Condition struct {
	Operator string // "ForAnyValue:StringLikeIfExists", as written
	Key      string // "aws:PrincipalAccount", as written; case does not matter
	Values   []string
}

// ParseDocument reads a policy document: JSON text, or the object that the
// providers take in its place. Nil, an empty text and an empty object have no
// statements. Documents are shared between those who ask: nobody changes one.
func ParseDocument(v any) (Document, error) {
	switch text := v.(type) {
	case nil:
		return Document{}, nil
	case Unknown:
		return Document{}, ErrUndecided
	case string:
		return parsedTexts.get(text)
	}
	return parseObject(v)
}

func parseText(text string) (Document, error) {
	if strings.TrimSpace(text) == "" {
		return Document{}, nil
	}
	v, err := parseJSON(text)
	if err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return parseObject(v)
}

func parseObject(v any) (Document, error) {
	doc, ok := v.(map[string]any)
	if !ok {
		return Document{}, fmt.Errorf("%w: it is no JSON object", ErrMalformed)
	}
	if err := elements(doc, "Version", "Id", "Statement"); err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	var (
		d       Document
		unknown bool
	)
	for i, raw := range oneOrMany(element(doc, "Statement")) {
		if holdsUnknown(raw) {
			unknown = true
			continue
		}
		s, err := parseStatement(raw)
		if err != nil {
			return Document{}, fmt.Errorf("%w: statement %d: %w", ErrMalformed, i, err)
		}
		d.Statements = append(d.Statements, s)
	}
	if unknown {
		return d, ErrUndecided
	}
	return d, nil
}

func parseStatement(raw any) (Statement, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return Statement{}, errors.New("it is no JSON object")
	}
	if err := elements(m, "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"); err != nil {
		return Statement{}, err
	}
	s := Statement{JSON: oneLine(m)}
	s.Sid, _ = element(m, "Sid").(string)
	effect, _ := element(m, "Effect").(string)
	switch {
	case strings.EqualFold(effect, "Allow"):
		s.Allow = true
	case !strings.EqualFold(effect, "Deny"):
		return s, fmt.Errorf("its effect is %q", effect)
	}
	var err error
	if s.Actions, s.NotActions, err = listOrNot(m, "Action"); err != nil {
		return s, err
	}
	if s.Resources, s.NotResources, err = listOrNot(m, "Resource"); err != nil {
		return s, err
	}
	if s.Principals, err = principals(element(m, "Principal")); err != nil {
		return s, err
	}
	others, err := principals(element(m, "NotPrincipal"))
	if err != nil {
		return s, err
	}
	if others != nil {
		if s.Principals != nil {
			return s, errors.New("it has both Principal and NotPrincipal")
		}
		s.Principals, s.NotPrincipals = others, true
	}
	s.Conditions, err = conditions(element(m, "Condition"))
	return s, err
}

// principals reads "*" and {"AWS": …, "Service": …}.
func principals(v any) ([]Principal, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []Principal{{ID: v}}, nil
	case map[string]any:
		out := []Principal{}
		for _, kind := range sortedKeys(v) {
			ids, err := texts(v[kind])
			if err != nil {
				return nil, fmt.Errorf("principal %s: %w", kind, err)
			}
			for _, id := range ids {
				out = append(out, Principal{Kind: kind, ID: id})
			}
		}
		return out, nil
	default:
		return nil, errors.New("its principal is neither text nor object")
	}
}

func conditions(v any) ([]Condition, error) {
	if v == nil {
		return nil, nil
	}
	operators, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("its condition is no object")
	}
	var out []Condition
	for _, operator := range sortedKeys(operators) {
		keys, ok := operators[operator].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("condition %s is no object", operator)
		}
		for _, key := range sortedKeys(keys) {
			values, err := texts(keys[key])
			if err != nil {
				return nil, fmt.Errorf("condition %s, %s: %w", operator, key, err)
			}
			out = append(out, Condition{operator, key, values})
		}
	}
	return out, nil
}

// listOrNot reads "Action" or "NotAction".
func listOrNot(m map[string]any, name string) (list []string, not bool, err error) {
	v, other := element(m, name), element(m, "Not"+name)
	if v != nil && other != nil {
		return nil, false, fmt.Errorf("it has both %s and Not%s", name, name)
	}
	if other != nil {
		v, not = other, true
	}
	if v == nil {
		return nil, false, nil
	}
	if list, err = texts(v); err != nil {
		return nil, false, fmt.Errorf("%s: %w", name, err)
	}
	return list, not, nil
}

// texts reads a text or a list of them. AWS also takes numbers and booleans.
func texts(v any) ([]string, error) {
	out := []string{}
	for _, e := range oneOrMany(v) {
		switch e := e.(type) {
		case string:
			out = append(out, e)
		case bool:
			out = append(out, strconv.FormatBool(e))
		case float64:
			out = append(out, strconv.FormatFloat(e, 'f', -1, 64))
		case json.Number:
			out = append(out, e.String())
		default:
			return nil, fmt.Errorf("%v is no text", e)
		}
	}
	return out, nil
}

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

// element reads an element by its name. The object form of the SDKs may spell
// it in lower case, and a reader that misses it would judge half a document.
func element(m map[string]any, name string) any {
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

// elements refuses elements that are not known and those that are there twice.
func elements(m map[string]any, names ...string) error {
	seen := map[string]bool{}
	for k := range m {
		i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, k) })
		if i < 0 {
			return fmt.Errorf("%q is no element of a policy", k)
		}
		if seen[names[i]] {
			return fmt.Errorf("it has %s twice", names[i])
		}
		seen[names[i]] = true
	}
	return nil
}

// holdsUnknown is walk without the paths: it is asked of every statement.
func holdsUnknown(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return true
	case map[string]any:
		for _, e := range v {
			if holdsUnknown(e) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, holdsUnknown)
	}
	return false
}

// parseJSON reads one JSON value and nothing after it. A key that is there
// twice is refused: readers differ in which of the two they take, and the one
// that is judged may not be the one that AWS takes.
func parseJSON(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	v, err := readJSON(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the JSON value")
	}
	return v, nil
}

func readJSON(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		m := map[string]any{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string) // a decoder gives nothing else there
			if _, twice := m[name]; twice {
				return nil, fmt.Errorf("the key %q is there twice", name)
			}
			if m[name], err = readJSON(dec); err != nil {
				return nil, err
			}
		}
		_, err = dec.Token()
		return m, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			e, err := readJSON(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		_, err = dec.Token()
		return list, err
	default:
		return token, nil
	}
}

func oneLine(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
