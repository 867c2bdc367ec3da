package rule

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/unknown"
)

// Value is what a rule reads at one place of a resource: nil where nothing was
// given, Unknown where nobody knows yet.
type Value struct {
	Path string
	Raw  any
}

// Values reads a resource from its top.
func (r Resource) Values() Value { return Value{Raw: r.Properties} }

// Get reads further down. What is below an unknown is unknown, and what is
// below nothing is nothing. A block that stands alone in a list is read as if
// it stood there without: some providers write it so, and some do not.
func (v Value) Get(keys ...string) Value {
	for _, key := range keys {
		v.Raw = Opened(v.Raw)
		if l, ok := v.Raw.([]any); ok && len(l) == 1 {
			v = Value{v.Path + "[0]", l[0]}
		}
		next := Value{Path: JoinPath(v.Path, key)}
		switch in := v.Raw.(type) {
		case map[string]any:
			next.Raw = in[key]
		case Unknown:
			next.Raw = Unknown{}
		}
		v = next
	}
	return v
}

// Opened reads a list or an object that was written as JSON into a text: the
// engine gives the inputs of providers so. Of one that is known in part, the
// rest is unknown.
func Opened(v any) any {
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

// Each returns the elements of a list, or the one value that is no list; none
// where nothing was given.
func (v Value) Each() []Value {
	switch in := Opened(v.Raw).(type) {
	case nil:
		return nil
	case []any:
		all := make([]Value, len(in))
		for i, e := range in {
			all[i] = Value{v.Path + "[" + strconv.Itoa(i) + "]", e}
		}
		return all
	default:
		return []Value{v}
	}
}

// All returns what is given at a path, "rules.copyActions.destinationVaultArn",
// in every element of every list on the way.
func (v Value) All(path string) []Value {
	here := []Value{v}
	for key := range strings.SplitSeq(path, ".") {
		var next []Value
		for _, h := range here {
			for _, e := range h.Each() {
				next = append(next, e.Get(key))
			}
		}
		here = next
	}
	var given []Value
	for _, h := range here {
		given = append(given, h.Each()...)
	}
	return given
}

// Unknown reports whether nobody knows the value yet.
func (v Value) Unknown() bool {
	_, unknown := v.Raw.(Unknown)
	return unknown
}

// Text is the value as it would be written: launch templates have "true" where
// others have true. It is empty where nothing, or no plain value, was given.
func (v Value) Text() string {
	switch in := v.Raw.(type) {
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

// Is reports whether the value is known to be one of these.
func (v Value) Is(texts ...string) bool { return !v.Unknown() && slices.Contains(texts, v.Text()) }

// Known reports whether a value can be judged, and notes as undecided one that cannot.
func (j *Judge) Known(v Value) bool {
	if v.Unknown() {
		j.Undecided(v.Path)
		return false
	}
	return true
}

// Must violates unless the value is one of these.
func (j *Judge) Must(v Value, texts []string, format string, args ...any) {
	if j.Known(v) && !v.Is(texts...) {
		j.Violate(v.Path, format, args...)
	}
}

// MustNot violates where the value is one of these.
func (j *Judge) MustNot(v Value, texts []string, format string, args ...any) {
	if j.Known(v) && v.Is(texts...) {
		j.Violate(v.Path, format, args...)
	}
}

// namesAccount finds the account in the forms in which AWS writes one: alone,
// in an ARN, before a security group's id, in a registry's host name, in a
// queue's address.
var namesAccount = regexp.MustCompile(
	`^(?:(\d{12})(?:/sg-[0-9a-f]+)?|arn:aws[a-z-]*:[^:]*:[^:]*:(\d{12}):.*|(?:https://)?(\d{12})\.dkr[.-]ecr[.-].*|` +
		`https://(?:[a-z0-9.-]+\.)?(?:sqs|sqs-fips|queue)\.[^/]*/(\d{12})/.*)$`)

// AccountNamed returns the account that a text names; empty for none.
func AccountNamed(text string) string {
	for i, m := range namesAccount.FindStringSubmatch(text) {
		if i > 0 && m != "" {
			return m
		}
	}
	return ""
}

// Own violates where a value names an account that is not the org's.
func (j *Judge) Own(v Value, s Scope) {
	account := ""
	if j.Known(v) {
		account = AccountNamed(v.Text())
	}
	switch {
	case account == "":
	case s.AccountID == "":
		j.Undecided(v.Path)
	case account != s.AccountID:
		j.Violate(v.Path, "%s belongs to account %s, expected %s", v.Text(), account, s.AccountID)
	}
}

// awsKey is a name that AWS gives to a key of its own making: its policy cannot
// be read into a fence, and every principal of the account may use it.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
var awsKey = regexp.MustCompile(`^(?:arn:aws[a-z-]*:kms:[^:]*:[^:]*:)?alias/aws/`)

// IsAWSKey reports whether a text names a key of AWS's own making.
func IsAWSKey(text string) bool { return awsKey.MatchString(text) }

// OwnKey violates unless a value names a KMS key of the org's account. An id or
// an alias without an ARN is looked up in the account itself.
func (j *Judge) OwnKey(v Value, s Scope) {
	switch text := v.Text(); {
	case !j.Known(v):
	case text == "":
		j.Violate(v.Path, "no key is named, so one that is not the org's own is used")
	case IsAWSKey(text):
		j.Violate(v.Path, "%s is a key of AWS, expected the org's own", text)
	case strings.HasPrefix(text, "arn:") && AccountNamed(text) == "":
		j.Violate(v.Path, "%s is not a key of an account", text)
	default:
		j.Own(v, s)
	}
}

// On makes a rule's check of one that notes what it finds.
func On(check func(j *Judge, r Resource, s Scope)) func(Resource, Scope) Verdict {
	return func(r Resource, s Scope) Verdict {
		var j Judge
		check(&j, r, s)
		return j.Verdict()
	}
}

// OnStack does the same for a check that must see the resources beside it; it
// is asked once for each resource of these types.
func OnStack(types []string, check func(j *Judge, r Resource, stack []Resource, s Scope)) func([]Resource, Scope) map[string]Verdict {
	return func(stack []Resource, s Scope) map[string]Verdict {
		verdicts := map[string]Verdict{}
		for _, r := range stack {
			if !typeIn(r.Type, types) {
				continue
			}
			var j Judge
			check(&j, r, stack, s)
			verdicts[r.URN] = j.Verdict()
		}
		return verdicts
	}
}

// typeIn reports whether a type is one of these, or begins as one that ends in "*".
func typeIn(typ string, types []string) bool { return len(types) > 0 && Rule{Types: types}.Covers(typ) }

// IsOf reports whether a value refers to a resource: by its id, or by the name
// that one of its properties gives it. known is false where that is not certain.
func (v Value) IsOf(r Resource, properties ...string) (yes, known bool) {
	if v.Unknown() {
		return false, false
	}
	text := v.Text()
	if r.ID != "" && text == r.ID {
		return true, true
	}
	for _, p := range properties {
		name := r.Values().Get(p)
		if name.Unknown() {
			return false, false
		}
		if name.Text() != "" && name.Text() == text {
			return true, true
		}
	}
	return false, true
}
