package conformance_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"freehold.dev/freehold/internal/conformance/lab"
)

// misfits are values that are wrong somewhere: where, each provider says.
var misfits = struct{ texts, numbers []any }{
	texts:   []any{"", "a b", "a:b", "no such word", strings.Repeat("x", 3000)},
	numbers: []any{-2, -1, 0, 99999999, 2.5},
}

// TestTheSandboxChecksWhatTheGenuineProviderChecks tries misfits on each
// property that programs of ours set. Where the genuine provider refuses one
// before anything is made, the sandbox does, too: a preview in the sandbox that
// is fine is fine outside of it. The sandbox may refuse more: it is AWS as well.
func TestTheSandboxChecksWhatTheGenuineProviderChecks(t *testing.T) {
	t.Parallel()
	l := lab.Start(t)
	theirs, err := genuine(t, l).connect(t, props{"region": lab.Region})
	if err != nil {
		t.Fatal(err)
	}
	ours, err := sandboxed(t).connect(t, props{"region": lab.Region})
	if err != nil {
		t.Fatal(err)
	}
	tried, refused, n := map[string]bool{}, 0, 0
	for _, s := range samples(t) {
		in := resource.NewPropertyMapFromMap(s.inputs)
		for _, at := range leaves(resource.NewObjectProperty(in), nil) {
			key := s.token + "." + strings.Join(named(at), ".")
			if tried[key] {
				continue
			}
			tried[key] = true
			value, _ := at.Get(resource.NewObjectProperty(in))
			values := misfits.texts
			switch {
			case value.IsNumber():
				values = misfits.numbers
			case !value.IsString():
				continue
			}
			for _, v := range values {
				n++
				wrong := deepCopy(in)
				at.Set(wrong, resource.NewPropertyValue(v))
				_, genuinely := theirs.check(t, s.token, "sample", nil, wrong.ObjectValue())
				if genuinely == nil {
					continue
				}
				refused++
				if _, sandbox := ours.check(t, s.token, "sample", nil, wrong.ObjectValue()); sandbox == nil {
					t.Errorf("%s: the sandbox takes %.20v, of which the genuine provider says: %.200s", key, v, genuinely)
				}
			}
		}
	}
	t.Logf("%d properties, %d misfits, %d refused by the genuine provider", len(tried), n, refused)
}
