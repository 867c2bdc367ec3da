package crossguard_test

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"freehold.dev/freehold/policies"
)

// asked takes the type apart under which rules see what a program only asks for.
func asked(typ string) (kind, token string, ok bool) {
	rest, ok := strings.CutPrefix(typ, "pulumi:")
	kind, token, _ = strings.Cut(rest, ":")
	return kind, token, ok && slices.Contains([]string{"import", "read", "invoke", "call", "package"}, kind)
}

func isFunction(typ string) bool {
	kind, _, ok := asked(typ)
	return ok && kind != "import" && kind != "read"
}

// request asks for it as a program does. That it is refused the program sees, and
// the engine reports: this one asks for the next thing all the same.
func request(ctx *pulumi.Context, kind, token, name string, r policies.Resource, s policies.Scope) error {
	pkg, _, _ := strings.Cut(token, ":")
	if kind == "package" {
		in := &pulumirpc.RegisterPackageRequest{Name: token, Version: "1.0.0"}
		in.DownloadUrl, _ = r.Properties["downloadUrl"].(string)
		if r.Properties["parameterized"] == true {
			in.Parameterization = &pulumirpc.Parameterization{Name: token, Version: "1.0.0", Value: []byte("{}")}
		}
		_, _ = ctx.RegisterPackage(in)
		return nil
	}
	var by pulumi.ProviderResource
	if pkg != "pulumi" {
		props := r.Provider.Properties
		if props == nil || pkg != "aws" {
			props = map[string]any{"allowedAccountIds": []any{s.AccountID}}
		}
		var p provider
		if err := ctx.RegisterResource(providerType+pkg, "of-"+name, asProvider(props), &p); err != nil {
			return err
		}
		by = &p
	}
	switch kind {
	case "import":
		var c custom
		_ = ctx.RegisterResource(token, name, mapOf(r.Properties), &c, pulumi.Provider(by), pulumi.Import(pulumi.ID(r.ID)))
	case "read":
		var c custom
		_ = ctx.ReadResource(token, name, pulumi.ID(r.ID), mapOf(r.Properties), &c, pulumi.Provider(by))
	case "invoke":
		var opts []pulumi.InvokeOption
		if by != nil {
			opts = append(opts, pulumi.Provider(by))
		}
		var answer map[string]any
		_ = ctx.Invoke(token, r.Properties, &answer, opts...)
	case "call":
		_, _ = ctx.Call(token, mapOf(r.Properties), pulumi.AnyOutput{}, nil, pulumi.Provider(by))
	}
	return nil
}
