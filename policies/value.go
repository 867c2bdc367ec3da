package policies

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/unknown"
)

// value is what a rule reads at one place of a resource: nil where nothing was
// given, Unknown where nobody knows yet.
type value struct {
	path string
	v    any
}

// values reads a resource from its top.
func (r Resource) values() value { return value{v: r.Properties} }

// get reads further down. What is below an unknown is unknown, and what is
// below nothing is nothing. A block that stands alone in a list is read as if
// it stood there without: some providers write it so, and some do not.
func (v value) get(keys ...string) value {
	for _, key := range keys {
		v.v = opened(v.v)
		if l, ok := v.v.([]any); ok && len(l) == 1 {
			v = value{v.path + "[0]", l[0]}
		}
		next := value{path: join(v.path, key)}
		switch in := v.v.(type) {
		case map[string]any:
			next.v = in[key]
		case Unknown:
			next.v = Unknown{}
		}
		v = next
	}
	return v
}

// opened reads a list or an object that was written as JSON into a text: the
// engine gives the inputs of providers so. Of one that is known in part, the
// rest is unknown.
func opened(v any) any {
	text, ok := v.(string)
	later, partly := v.(Unknown)
	if partly {
		text = later.Text
	}
	if !ok && !partly || !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return v
	}
	var in any
	if json.Unmarshal([]byte(text), &in) != nil {
		return v
	}
	if partly {
		return unknown.Read(in)
	}
	return in
}

// each returns the elements of a list, or the one value that is no list; none
// where nothing was given.
func (v value) each() []value {
	switch in := opened(v.v).(type) {
	case nil:
		return nil
	case []any:
		all := make([]value, len(in))
		for i, e := range in {
			all[i] = value{v.path + "[" + strconv.Itoa(i) + "]", e}
		}
		return all
	default:
		return []value{v}
	}
}

// all returns what is given at a path, "rules.copyActions.destinationVaultArn",
// in every element of every list on the way.
func (v value) all(path string) []value {
	here := []value{v}
	for key := range strings.SplitSeq(path, ".") {
		var next []value
		for _, h := range here {
			for _, e := range h.each() {
				next = append(next, e.get(key))
			}
		}
		here = next
	}
	var given []value
	for _, h := range here {
		given = append(given, h.each()...)
	}
	return given
}

func (v value) unknown() bool {
	_, unknown := v.v.(Unknown)
	return unknown
}

// text is the value as it would be written: launch templates have "true" where
// others have true. It is empty where nothing, or no plain value, was given.
func (v value) text() string {
	switch in := v.v.(type) {
	case string:
		return in
	case bool:
		return strconv.FormatBool(in)
	case float64:
		return strconv.FormatFloat(in, 'f', -1, 64)
	case int:
		return strconv.Itoa(in)
	default:
		return ""
	}
}

// is reports whether the value is known to be one of these.
func (v value) is(texts ...string) bool { return !v.unknown() && slices.Contains(texts, v.text()) }

// known reports whether a value can be judged, and notes as undecided one that cannot.
func (j *judge) known(v value) bool {
	if v.unknown() {
		j.undecided(v.path)
		return false
	}
	return true
}

// must violates unless the value is one of these.
func (j *judge) must(v value, texts []string, format string, args ...any) {
	if j.known(v) && !v.is(texts...) {
		j.violate(v.path, format, args...)
	}
}

// mustNot violates where the value is one of these.
func (j *judge) mustNot(v value, texts []string, format string, args ...any) {
	if j.known(v) && v.is(texts...) {
		j.violate(v.path, format, args...)
	}
}

// namesAccount finds the account in the forms in which AWS writes one: alone,
// in an ARN, before a security group's id, in a registry's host name, in a
// queue's address.
var namesAccount = regexp.MustCompile(
	`^(?:(\d{12})(?:/sg-[0-9a-f]+)?|arn:aws[a-z-]*:[^:]*:[^:]*:(\d{12}):.*|(?:https://)?(\d{12})\.dkr[.-]ecr[.-].*|` +
		`https://(?:[a-z0-9.-]+\.)?(?:sqs|sqs-fips|queue)\.[^/]*/(\d{12})/.*)$`)

// accountNamed returns the account that a text names; empty for none.
func accountNamed(text string) string {
	for i, m := range namesAccount.FindStringSubmatch(text) {
		if i > 0 && m != "" {
			return m
		}
	}
	return ""
}

// own violates where a value names an account that is not the org's.
func (j *judge) own(v value, s Scope) {
	account := ""
	if j.known(v) {
		account = accountNamed(v.text())
	}
	switch {
	case account == "":
	case s.AccountID == "":
		j.undecided(v.path)
	case account != s.AccountID:
		j.violate(v.path, "%s belongs to account %s, expected %s", v.text(), account, s.AccountID)
	}
}

// awsKey is a name that AWS gives to a key of its own making: its policy cannot
// be read into a fence, and every principal of the account may use it.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
var awsKey = regexp.MustCompile(`^(?:arn:aws[a-z-]*:kms:[^:]*:[^:]*:)?alias/aws/`)

// ownKey violates unless a value names a KMS key of the org's account. An id or
// an alias without an ARN is looked up in the account itself.
func (j *judge) ownKey(v value, s Scope) {
	switch text := v.text(); {
	case !j.known(v):
	case text == "":
		j.violate(v.path, "no key is named, so one that is not the org's own is used")
	case awsKey.MatchString(text):
		j.violate(v.path, "%s is a key of AWS, expected the org's own", text)
	case strings.HasPrefix(text, "arn:") && accountNamed(text) == "":
		j.violate(v.path, "%s is not a key of an account", text)
	default:
		j.own(v, s)
	}
}

// place is where a walk is, for whoever wants to know: to write every path would
// cost more than what is looked for.
type place struct {
	up    *place
	key   string
	index int
	v     any
}

func (p *place) path() string {
	switch {
	case p.up == nil:
		return ""
	case p.key == "":
		return p.up.path() + "[" + strconv.Itoa(p.index) + "]"
	default:
		return join(p.up.path(), p.key)
	}
}

// visitLeaves visits everything in a value that is no map and no list.
func visitLeaves(p *place, visit func(p *place)) {
	switch in := p.v.(type) {
	case map[string]any:
		for key, v := range in {
			visitLeaves(&place{up: p, key: key, v: v}, visit)
		}
	case []any:
		for i, v := range in {
			visitLeaves(&place{up: p, index: i, v: v}, visit)
		}
	default:
		visit(p)
	}
}

// inOrder is the answer with its findings by path: walks go through maps in any
// order.
func (j *judge) inOrder() Verdict {
	v := j.verdict()
	slices.SortStableFunc(v.Findings, func(a, b Finding) int { return strings.Compare(a.Path, b.Path) })
	return v
}

// on makes a rule's check of one that notes what it finds.
func on(check func(j *judge, r Resource, s Scope)) func(Resource, Scope) Verdict {
	return func(r Resource, s Scope) Verdict {
		var j judge
		check(&j, r, s)
		return j.inOrder()
	}
}

// onStack does the same for a check that must see the resources beside it; it
// is asked once for each resource of these types.
func onStack(types []string, check func(j *judge, r Resource, stack []Resource, s Scope)) func([]Resource, Scope) map[string]Verdict {
	return func(stack []Resource, s Scope) map[string]Verdict {
		verdicts := map[string]Verdict{}
		for _, r := range stack {
			if !typeIn(r.Type, types) {
				continue
			}
			var j judge
			check(&j, r, stack, s)
			verdicts[r.URN] = j.inOrder()
		}
		return verdicts
	}
}

// typeIn reports whether a type is one of these, or begins as one that ends in "*".
func typeIn(typ string, types []string) bool { return len(types) > 0 && Rule{Types: types}.Covers(typ) }

// isOf reports whether a value refers to a resource: by its id, or by the name
// that one of its properties gives it. known is false where that is not certain.
func (v value) isOf(r Resource, properties ...string) (yes, known bool) {
	if v.unknown() {
		return false, false
	}
	text := v.text()
	if r.ID != "" && text == r.ID {
		return true, true
	}
	for _, p := range properties {
		name := r.values().get(p)
		if name.unknown() {
			return false, false
		}
		if name.text() != "" && name.text() == text {
			return true, true
		}
	}
	return false, true
}
