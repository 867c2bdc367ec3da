package audit

import (
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"freehold.dev/freehold/policies"
)

func TestAStateIsReadInEachFormInWhichItIsStored(t *testing.T) {
	const role = `{"urn":"urn:pulumi:acme.boundary::freehold::aws:iam/role:Role::read","custom":true,"id":"r","type":"aws:iam/role:Role",
		"stackTrace":[{"a":"}]\\\""}],"inputs":{"name":"r"},"outputs":{"arn":"arn:aws:iam::1:role/r","more":[1,{"x":null}]}}`
	type m = map[string]any
	for reason, tc := range map[string]struct {
		text    string
		inputs  []m
		pending []string
		fails   string
	}{
		"a checkpoint of a backend of files": {`{"version":3,"checkpoint":{"stack":"s","latest":{"manifest":{"v":[1]},"resources":[` + role + `],"metadata":{}}}}`, []m{{"name": "r"}}, nil, ""},
		"an exported deployment":             {`{"version":3,"deployment":{"resources":[` + role + "," + role + `]}}`, []m{{"name": "r"}, {"name": "r"}}, nil, ""},
		"a stack that was never run":         {`{"version":3,"checkpoint":{"latest":null}}`, nil, nil, ""},
		"a list that is null":                {`{"deployment":{"resources":null,"pending_operations":null}}`, nil, nil, ""},
		"no white space but where it may be": {"{ \"deployment\" :\n{\t\"resources\": [ ] } }", nil, nil, ""},
		"a run that was interrupted": {`{"deployment":{"resources":[],"pending_operations":[{"resource":{"urn":"urn:x"},"type":"creating"}]}}`,
			nil, []string{"creating urn:x"}, ""},
		"a secret stays closed": {`{"deployment":{"resources":[{"urn":"a::b","type":"t","inputs":{"k":{"` + signature + `":"` + secretMark + `","ciphertext":"v1:x"},"l":[{"` +
			signature + `":"` + secretMark + `"}]}}]}}`, []m{{"k": policies.Unknown{}, "l": []any{policies.Unknown{}}}}, nil, ""},
		"what was never known":          {`{"deployment":{"resources":[{"urn":"a::b","type":"t","inputs":{"k":"` + plugin.UnknownStringValue + `"}}]}}`, []m{{"k": policies.Unknown{}}}, nil, ""},
		"a state that breaks off":       {`{"deployment":{"resources":[` + role + `,{"urn":"u`, []m{{"name": "r"}}, nil, "unexpected EOF"},
		"an empty file":                 {``, nil, nil, "unexpected EOF"},
		"a file that is no state":       {`[1]`, nil, nil, "expected"},
		"a resource without a name":     {`{"deployment":{"resources":[{"type":"t"}]}}`, nil, nil, "no URN"},
		"resources that are no list":    {`{"deployment":{"resources":{}}}`, nil, nil, "expected"},
		"inputs that are no object":     {`{"deployment":{"resources":[{"urn":"a::b","type":"t","inputs":7}]}}`, nil, nil, "inputs"},
		"outputs with a hole in them":   {`{"deployment":{"resources":[{"urn":"a::b","type":"t","outputs":{"arn":}}]}}`, nil, nil, "outputs"},
		"a bracket that closes nothing": {`{"version":]}`, nil, nil, "bracket"},
	} {
		t.Run(reason, func(t *testing.T) {
			for name, r := range map[string]func() (state, []m, error){
				"at once":         func() (state, []m, error) { return all(t, strings.NewReader(tc.text).Read) },
				"byte after byte": func() (state, []m, error) { return all(t, iotest.OneByteReader(strings.NewReader(tc.text)).Read) },
			} {
				st, got, err := r()
				if tc.fails != "" {
					if err == nil || !strings.Contains(err.Error(), tc.fails) {
						t.Errorf("%s: got %v, want an error with %q", name, err, tc.fails)
					}
				} else if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if d := cmp.Diff(tc.inputs, got); d != "" {
					t.Errorf("%s: (-want +got):\n%s", name, d)
				}
				if d := cmp.Diff(tc.pending, st.pending); d != "" {
					t.Errorf("%s: pending (-want +got):\n%s", name, d)
				}
			}
		})
	}
}

type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

func all(t *testing.T, r reader) (st state, inputs []map[string]any, err error) {
	t.Helper()
	st, err = read(r, func(r resource) error {
		inputs = append(inputs, r.Inputs)
		return nil
	})
	return st, inputs, err
}
