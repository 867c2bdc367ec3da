package eksprovider

import (
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// deref returns what p points to, or the zero value.
func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// text makes a string of an optional one; an absent one is empty.
func text(in pulumi.StringPtrInput) pulumi.StringOutput { return textOr(in, "") }

func textOr(in pulumi.StringPtrInput, absent string) pulumi.StringOutput {
	if in == nil {
		return pulumi.String(absent).ToStringOutput()
	}
	return in.ToStringPtrOutput().ApplyT(func(s *string) string {
		if s == nil {
			return absent
		}
		return *s
	}).(pulumi.StringOutput)
}

func boolOr(in pulumi.BoolPtrInput, absent bool) pulumi.BoolOutput {
	if in == nil {
		return pulumi.Bool(absent).ToBoolOutput()
	}
	return in.ToBoolPtrOutput().ApplyT(func(b *bool) bool {
		if b == nil {
			return absent
		}
		return *b
	}).(pulumi.BoolOutput)
}

func list(in pulumi.StringArrayInput) pulumi.StringArrayInput {
	if in == nil {
		return pulumi.StringArray{}
	}
	return in
}

func named(name string) pulumi.StringMapInput {
	return pulumi.StringMap{"Name": pulumi.String(name)}
}

// mergeTags joins maps of tags; a later one wins.
func mergeTags(tags ...pulumi.StringMapInput) pulumi.StringMapOutput {
	var given []any
	for _, t := range tags {
		if t != nil {
			given = append(given, t)
		}
	}
	return pulumi.All(given...).ApplyT(func(all []any) map[string]string {
		merged := map[string]string{}
		for _, t := range all {
			maps.Copy(merged, t.(map[string]string))
		}
		return merged
	}).(pulumi.StringMapOutput)
}
