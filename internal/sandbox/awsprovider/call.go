package awsprovider

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"freehold.dev/freehold/internal/sandbox/store"
)

// gone marks a row that a deletion has kept; see Type.Retires. Outputs whose
// name begins with two underscores are the cloud's own and never leave it.
const gone = "__gone"

// Value returns what is at a path of the outputs or else of the inputs, nil if
// nothing is.
func (c *Call) Value(path string) any {
	for _, m := range []map[string]any{c.Out, c.In} {
		if found := walk(m, path); len(found) > 0 && found[0].value != nil {
			return found[0].value
		}
	}
	return nil
}

// String is Value as a text, "" if it is none.
func (c *Call) String(path string) string { return text(c.Value(path)) }

// Bool is Value as a boolean.
func (c *Call) Bool(path string) bool {
	b, _ := c.Value(path).(bool)
	return b
}

// Expand returns a template's text.
func (c *Call) Expand(template string) string {
	s, _ := expand(template, c.word("text"))
	return s
}

// word looks words of a template up; field keeps the generated values of two
// templates apart.
func (c *Call) word(field string) func(string) any {
	return func(word string) any {
		switch word {
		case "account":
			return c.Account
		case "region":
			return c.Region
		case "partition":
			return "aws"
		case "id":
			return absent(c.ID)
		case "arn":
			if c.ARN == "" { // of a policy it is an input: whose it is
				return c.Value("arn")
			}
			return c.ARN
		case "now":
			if c.Tx == nil && c.seed == "" {
				return unknown{}
			}
			return c.Env.Now().UTC().Format(time.RFC3339)
		}
		if generates("{" + word + "}") {
			if c.seed == "" {
				return unknown{} // a preview
			}
			return generate(word, c.seed+"/"+field)
		}
		return c.Value(word)
	}
}

func absent(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Fresh returns a new generated value: "hex:17", "uuid", "digits:12".
func (c *Call) Fresh(kind string) (string, error) {
	n, err := c.Tx.Next("fresh/" + c.Account + "/" + c.Region + "/" + c.Type.Token)
	if err != nil {
		return "", err
	}
	return generate(kind, c.Account+"/"+c.Region+"/"+c.Type.Token+"/fresh/"+strconv.FormatInt(n, 10)), nil
}

// List returns every row of a type in the account, and in the region if both
// have one; what is gone is not there.
func (c *Call) List(token string) ([]store.Row, error) {
	rows, err := c.Tx.List(c.filter(token))
	return slices.DeleteFunc(rows, isGone), err
}

func (c *Call) filter(token string) store.Filter {
	f := store.Filter{Account: c.Account, Type: token}
	if c.Region != store.Global {
		f.Region = c.Region
	}
	if t := byToken[token]; t != nil && t.Global {
		f.Region = store.Global
	}
	if t := byToken[token]; t != nil && t.Management {
		f.Account = ManagementAccount
	}
	return f
}

// Find returns the row of a type whose id, ARN or output (by) has a value, or nil.
func (c *Call) Find(token, by, value string) (*store.Row, error) {
	rows, err := c.search(token, by, value, false)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// search finds rows by an id, an ARN or an output's value, in the account or in all.
func (c *Call) search(token, by, value string, anyAccount bool) ([]store.Row, error) {
	f := c.filter(token)
	if anyAccount {
		f.Account, f.Region = "", ""
	}
	switch by {
	case "id":
		f.ID = value
	case "arn":
		f.ARN = value
	}
	rows, err := c.Tx.List(f)
	return slices.DeleteFunc(rows, func(r store.Row) bool { return isGone(r) || !has(r, by, value) }), err
}

func has(r store.Row, by, value string) bool {
	switch by {
	case "id":
		return r.ID == value
	case "arn":
		return r.ARN == value
	}
	return slices.ContainsFunc(walk(r.Outputs, by), func(a at) bool { return text(a.value) == value })
}

func isGone(r store.Row) bool { b, _ := r.Outputs[gone].(bool); return b }

// Put writes a row beside this one; account, region and time are filled in. Its
// identities are those of its type's table.
func (c *Call) Put(r store.Row) error {
	if r.Account == "" {
		r.Account = c.Account
	}
	t := byToken[r.Type]
	if r.Region == "" {
		r.Region = c.Region
	}
	if t != nil && t.Global {
		r.Region = store.Global
	}
	if r.Created.IsZero() {
		r.Created = c.Env.Now()
	}
	if r.Outputs == nil {
		r.Outputs = cloneMap(r.Inputs)
	}
	if t == nil {
		return c.Tx.Put(r)
	}
	other := c.other(t, r)
	if r.ARN == "" {
		r.ARN = other.Expand(t.ARN)
	}
	if _, is := shapesOf(t).outputs["arn"]; is && r.ARN != "" {
		r.Outputs["arn"] = r.ARN
	}
	return c.Tx.Put(r, other.keys()...)
}

// other is a call on another row in the same transaction.
func (c *Call) other(t *Type, r store.Row) *Call {
	return &Call{Verb: c.Verb, Type: t, Account: r.Account, Region: r.Region, URN: r.URN, ID: r.ID, ARN: r.ARN,
		In: r.Inputs, Out: r.Outputs, Tx: c.Tx, Env: c.Env, ctx: c.ctx}
}

// Drop deletes a row and what it owns; nothing can block it.
func (c *Call) Drop(r store.Row) error {
	if t := byToken[r.Type]; t != nil {
		if err := c.other(t, r).dropOwned(); err != nil {
			return err
		}
	}
	if err := c.Tx.Delete(r); err != nil {
		return err
	}
	return c.ended(r)
}

func (c *Call) dropOwned() error {
	for _, l := range c.Type.Owns {
		l.ByCloud = true
		rows, err := c.linked(l)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := c.Drop(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// linked returns the rows that a link finds.
func (c *Call) linked(l Link) ([]store.Row, error) {
	value := l.Value
	if value == "" {
		value = "{id}"
	}
	if value = c.Expand(value); value == "" {
		return nil, nil
	}
	rows, err := c.List(l.Type)
	return slices.DeleteFunc(rows, func(r store.Row) bool {
		self := r.Type == c.Type.Token && r.ID == c.ID
		return self || r.ByCloud && !l.ByCloud || !has(r, l.Path, value)
	}), err
}

// keys are the identities that the resource claims.
func (c *Call) keys() []string {
	var out []string
	for _, u := range c.Type.Unique {
		if k := c.key(u); k != "" {
			out = append(out, k)
		}
	}
	return out
}

func (c *Call) key(u Unique) string {
	k := c.Expand(u.Key)
	if k == "" {
		return ""
	}
	switch u.Scope {
	case AllOfAWS:
		return "aws/" + k
	case PerAccount:
		return c.Account + "/" + k
	default:
		return c.Account + "/" + c.Region + "/" + k
	}
}

// fill makes the outputs from the inputs and the table. Made once are the
// generated ones; the others follow the inputs.
func (c *Call) fill(creating bool) {
	s := shapesOf(c.Type)
	for k, v := range c.In {
		o, is := s.outputs[k]
		if !is {
			continue
		}
		// The SDK takes some documents as objects and gives them back as texts.
		if m, object := v.(map[string]any); object && o.props == nil && o.elem == nil && !hasUnknown(m) {
			if b, err := json.Marshal(m); err == nil {
				v = string(b)
			}
		}
		c.Out[k] = clone(v)
	}
	for k, v := range c.Type.Defaults {
		if _, is := c.Out[k]; !is {
			c.Out[k] = clone(v)
		}
	}
	if c.Type.Tags {
		tags, _ := c.In["tags"].(map[string]any)
		c.Out["tagsAll"] = cloneMap(tags)
		if _, is := c.In["tags"].(unknown); is {
			c.Out["tagsAll"] = unknown{}
		}
	}
	if creating {
		id, ok := expand(c.Type.ID, c.word("id"))
		if c.ID = id; !ok {
			c.ID = ""
		}
	}
	if c.Type.ARN != "" && (creating || !generates(c.Type.ARN)) {
		arn, ok := expand(c.Type.ARN, c.word("arn"))
		if c.ARN = arn; !ok {
			c.ARN = ""
		}
	}
	if _, is := s.outputs["arn"]; is && c.ARN != "" {
		c.Out["arn"] = c.ARN
	}
	for name, template := range c.Type.Outputs {
		if _, given := c.In[name]; given || !creating && generates(template) {
			continue
		}
		v, ok := expand(template, c.word(name))
		switch {
		case !ok:
			c.Out[name] = unknown{}
		case v != "":
			c.Out[name] = v
		}
	}
}

// forget removes outputs that came from inputs which are no more.
func (c *Call) forget() {
	for k := range c.OldIn {
		if _, is := c.In[k]; !is && !strings.HasPrefix(k, "__") {
			delete(c.Out, k)
		}
	}
}

// renew makes unknown what an update makes anew; it ends a preview of one.
func (c *Call) renew() {
	for _, d := range differences(c.Type, c.OldIn, c.In) {
		if steps(d.path)[0] == "tags" {
			continue
		}
		for _, name := range c.Type.Renews {
			c.Out[name] = unknown{}
		}
	}
}

// veil makes unknown what only a creation can tell; it ends a preview.
func (c *Call) veil() {
	s := shapesOf(c.Type)
	for name, o := range s.outputs {
		if _, is := c.Out[name]; is {
			continue
		}
		_, input := s.inputs.props[name]
		if o.always || !input || slices.Contains(c.Type.Computed, name) {
			c.Out[name] = unknown{}
		}
	}
}
