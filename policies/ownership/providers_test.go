package ownership

import (
	"reflect"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-eks/sdk/v3/go/eks"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// A new version of an SDK brings new arguments, and each is a decision.
func TestEveryArgumentOfTheProvidersIsInOneList(t *testing.T) {
	for _, tc := range []struct {
		typ  string
		args any
	}{
		{"pulumi:providers:aws", aws.ProviderArgs{}},
		{"pulumi:providers:eks", eks.ProviderArgs{}},
		{"pulumi:providers:kubernetes", kubernetes.ProviderArgs{}},
	} {
		// The names that Pulumi knows stand in the type that the public one makes.
		element, ok := reflect.TypeOf(tc.args).MethodByName("ElementType")
		if !ok {
			t.Fatalf("%s: the SDK does not say what it sends", tc.typ)
		}
		sent := element.Func.Call([]reflect.Value{reflect.ValueOf(tc.args)})[0].Interface().(reflect.Type)
		if sent.Kind() == reflect.Pointer {
			sent = sent.Elem()
		}
		has := map[string]bool{}
		for field := range sent.Fields() {
			name := field.Tag.Get("pulumi")
			has[name] = true
			if _, ok := providers[tc.typ].arguments[name]; !ok {
				t.Errorf("%s takes %q: say in policies/ownership/providers.go whether it may be given", tc.typ, name)
			}
		}
		for name := range providers[tc.typ].arguments {
			if !has[name] {
				t.Errorf("%s takes no %q", tc.typ, name)
			}
		}
	}
}

// The engine writes it, and takes none of a program's: no example can show it.
func TestAPluginIsTheOneThatTheSDKNames(t *testing.T) {
	for _, tc := range []struct {
		name  string
		noted object
		want  rule.Answer
	}{
		{"a checksum, which only refuses", object{"pluginChecksums": object{"linux-amd64": "00"}}, rule.Pass},
		{"its own name", object{"name": "aws"}, rule.Pass},
		{"a plugin from somewhere else", object{"pluginDownloadURL": "https://plugins.example.com"}, rule.Violated},
		{"another plugin under this name", object{"name": "terraform-provider"}, rule.Violated},
		{"a provider that is made of another", object{"parameterization": object{"value": "e30="}}, rule.Violated},
		{"variables of the machine under other names", object{"envVarMappings": object{"AWS_PROFILE": "GLOBEX"}}, rule.Violated},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := example.AWSProvider(tc.name, object{"allowedAccountIds": list{example.Account}, "__internal": tc.noted})
			if v := providerRules[0].Check(e.Resource, e.Scope); v.Answer != tc.want {
				t.Errorf("%s %v, want %s", v.Answer, v.Findings, tc.want)
			}
		})
	}
}
