package unknown_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"

	"freehold.dev/freehold/internal/unknown"
)

const (
	mark   = plugin.UnknownStringValue
	secret = `{"` + sig.Key + `":"` + sig.Secret + `","ciphertext":"[secret]"}`
)

func TestWhatTheEngineWritesForTheUnknownIsRead(t *testing.T) {
	later := unknown.Value{}
	for reason, tc := range map[string]struct {
		event  string
		want   any
		in     bool
		hidden bool
	}{
		"plain values":            {`{"a":"x","b":[1,true,null,"y"]}`, map[string]any{"a": "x", "b": []any{1.0, true, nil, "y"}}, false, false},
		"a text":                  {`"` + mark + `"`, later, true, true},
		"a truth value":           {`"` + plugin.UnknownBoolValue + `"`, later, true, true},
		"a number":                {`"` + plugin.UnknownNumberValue + `"`, later, true, true},
		"an asset":                {`"` + plugin.UnknownAssetValue + `"`, later, true, true},
		"an archive":              {`"` + plugin.UnknownArchiveValue + `"`, later, true, true},
		"a list":                  {`"` + plugin.UnknownArrayValue + `"`, later, true, true},
		"an object":               {`"` + plugin.UnknownObjectValue + `"`, later, true, true},
		"a part of a text":        {`"arn:aws:iam::1:role/` + mark + `"`, unknown.Value{Text: "arn:aws:iam::1:role/" + mark}, true, true},
		"deep in maps and lists":  {`{"a":[{"b":{"c":["` + mark + `"]}}]}`, map[string]any{"a": []any{map[string]any{"b": map[string]any{"c": []any{later}}}}}, true, true},
		"a secret":                {secret, unknown.Sealed, false, true},
		"a secret deep inside":    {`{"a":[` + secret + `]}`, map[string]any{"a": []any{unknown.Sealed}}, false, true},
		"an output":               {`{"` + sig.Key + `":"` + sig.OutputValue + `","value":"x"}`, "x", false, false},
		"an output of an unknown": {`{"` + sig.Key + `":"` + sig.OutputValue + `","value":["` + mark + `"]}`, []any{later}, true, true},
		"an output without value": {`{"` + sig.Key + `":"` + sig.OutputValue + `","dependencies":["urn"]}`, later, true, true},
		"a secret output":         {`{"` + sig.Key + `":"` + sig.OutputValue + `","value":"x","secret":true}`, unknown.Sealed, false, true},
		"an asset by its parts":   {`{"` + sig.Key + `":"` + sig.AssetSig + `","text":"x"}`, map[string]any{sig.Key: sig.AssetSig, "text": "x"}, false, false},
	} {
		t.Run(reason, func(t *testing.T) {
			var event any
			if err := json.Unmarshal([]byte(tc.event), &event); err != nil {
				t.Fatal(err)
			}
			got := unknown.Read(event)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if unknown.In(got) != tc.in || unknown.Hidden(got) != tc.hidden {
				t.Errorf("in %t, hidden %t; want %t, %t", unknown.In(got), unknown.Hidden(got), tc.in, tc.hidden)
			}
			if diff := cmp.Diff(got, unknown.Read(got)); diff != "" {
				t.Errorf("read twice it is another (-once +twice):\n%s", diff)
			}
		})
	}
}

func TestWithoutLeavesOutWhatIsNotKnownAndNothingElse(t *testing.T) {
	in := map[string]any{
		"name": "x", "n": 1.0, "later": unknown.Value{}, "token": unknown.Sealed,
		"tags": map[string]any{"Name": "x", "id": unknown.Value{}}, "all": map[string]any{"id": unknown.Value{}},
		"whole": []any{"a", map[string]any{"b": "c"}}, "partly": []any{"a", map[string]any{"b": unknown.Value{}}},
	}
	want := map[string]any{
		"name": "x", "n": 1.0, "tags": map[string]any{"Name": "x"}, "all": map[string]any{}, "whole": []any{"a", map[string]any{"b": "c"}},
	}
	if diff := cmp.Diff(want, unknown.Without(in)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if unknown.Without(nil) != nil || unknown.Properties(nil) != nil {
		t.Error("no properties became some")
	}
}

func TestAPersonReadsThatItIsKnownAfterApply(t *testing.T) {
	text, err := json.Marshal(map[string]any{"id": unknown.Value{Text: "arn:" + mark}})
	if err != nil || string(text) != `{"id":"(known after apply)"}` {
		t.Errorf("got %s, %v", text, err)
	}
}
