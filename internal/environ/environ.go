// Package environ says which variables of this process's environment the
// processes that it starts get: an allow-list with a reason for each, and a
// secret only where it is needed. One shell's passphrase would otherwise become
// every org's, and one shell's setting how every org is made.
package environ

import (
	"slices"
	"strings"
)

// Need is what a process needs variables for.
type Need string

// What a process may need beside what every one does. A backend of states and a
// key that encrypts them need what their URL's scheme stands for.
const (
	// Process is what every process of ours may need; no secret is in it.
	Process Need = ""
	// Pulumi is the CLI and what it starts: plugins, and the program by which a
	// kubeconfig asks for a token, which is this one.
	Pulumi Need = "pulumi"
	// AWS is a process that signs in at AWS.
	AWS Need = "aws"
	// Google, Azure and Vault are where states and keys may be, and Service is
	// Pulumi's own.
	Google  Need = "google"
	Azure   Need = "azure"
	Vault   Need = "vault"
	Service Need = "service"
)

// Of is what the URL of a backend or of a key needs, by its scheme; Process for
// one that needs nothing.
// https://www.pulumi.com/docs/iac/concepts/state-and-backends/
// https://www.pulumi.com/docs/iac/concepts/secrets/
func Of(url string) Need {
	scheme, _, _ := strings.Cut(url, "://")
	switch scheme {
	case "s3", "awskms":
		return AWS
	case "gs", "gcpkms":
		return Google
	case "azblob", "azurekeyvault":
		return Azure
	case "hashivault":
		return Vault
	case "https", "http", "default", "service":
		return Service
	}
	return Process
}

// Variable is one that is passed on.
type Variable struct {
	// Name is the variable's. One that ends in "*" is of all that begin so.
	Name string
	For  Need
	Why  string
}

// Variables are all that are ever passed on.
var Variables = []Variable{
	{"PATH", Process, "where programs are: plugins, node, the credential helpers of a profile"},
	{"HOME", Process, "where ~/.aws, ~/.pulumi and ~/.kube are"},
	{"USER", Process, "who runs it, where the system's own list of users cannot be asked"},
	{"LOGNAME", Process, "as USER"},
	{"TMPDIR", Process, "where there is room for temporary files"},
	{"XDG_*", Process, "where HOME's folders are, if elsewhere"},
	{"LANG", Process, "the language of messages and the form of texts"},
	{"LANGUAGE", Process, "as LANG"},
	{"LC_*", Process, "as LANG"},
	{"TZ", Process, "the time zone of messages"},
	{"TERM", Process, "what a terminal can show"},
	{"NO_COLOR", Process, "whether messages have colors"},
	{"LD_LIBRARY_PATH", Process, "libraries of programs that are installed beside the system's"},
	{"GOGC", Process, "how much memory a Go program takes before it collects garbage"},
	{"GOMEMLIMIT", Process, "as GOGC"},
	{"GOMAXPROCS", Process, "how many processors a Go program takes"},
	{"GODEBUG", Process, "what a Go program does as an earlier version of Go did"},
	{"GOTRACEBACK", Process, "what a Go program says when it fails"},
	{"GOCOVERDIR", Process, "where a Go program that measures itself writes to"},

	{"HTTP_PROXY", Pulumi, "the way out of a network"},
	{"HTTPS_PROXY", Pulumi, "the way out of a network"},
	{"NO_PROXY", Pulumi, "what needs no way out of a network"},
	{"ALL_PROXY", Pulumi, "the way out of a network"},
	{"http_proxy", Pulumi, "as HTTP_PROXY"},
	{"https_proxy", Pulumi, "as HTTPS_PROXY"},
	{"no_proxy", Pulumi, "as NO_PROXY"},
	{"all_proxy", Pulumi, "as ALL_PROXY"},
	{"SSL_CERT_FILE", Process, "the authorities that a Go program trusts"},
	{"SSL_CERT_DIR", Process, "the authorities that a Go program trusts"},
	{"NODE_EXTRA_CA_CERTS", Pulumi, "the authorities that node trusts, which runs the plugin eks"},
	{"NODE_OPTIONS", Pulumi, "how much memory node takes"},
	{"REQUESTS_CA_BUNDLE", Pulumi, "the authorities that a credential helper in Python trusts, as the AWS CLI is"},
	{"CURL_CA_BUNDLE", Pulumi, "the authorities that a credential helper trusts"},

	{"PULUMI_HOME", Pulumi, "where plugins and sign-ins are"},
	{"PULUMI_CREDENTIALS_PATH", Pulumi, "where sign-ins are, if elsewhere"},
	{"PULUMI_DEBUG_PROVIDERS", Pulumi, "providers that run already"},
	{"PULUMI_ACCESS_TOKEN", Service, "the sign-in at Pulumi's service"},

	{"FREEHOLD_HOME", Pulumi, "where this program keeps what a kubeconfig's token is made from"},
	{"FREEHOLD_SANDBOX_DIR", Pulumi, "where the sandbox is whose token is asked for"},
	{"FREEHOLD_TOOLS", Process, "where the programs are that this one runs"},

	// Freehold's own calls read the same ones, so that all are one principal.
	// https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
	{"AWS_*", AWS, "the AWS SDK's credentials, profile, region, endpoints and retries"},
	// https://cloud.google.com/docs/authentication/application-default-credentials
	{"GOOGLE_CREDENTIALS", Google, "a key of Google Cloud, as Pulumi names it"},
	{"GOOGLE_APPLICATION_CREDENTIALS", Google, "the file of a key of Google Cloud"},
	{"GOOGLE_OAUTH_ACCESS_TOKEN", Google, "a token of Google Cloud"},
	{"GOOGLE_CLOUD_PROJECT", Google, "whose quota the calls count on"},
	{"GOOGLE_CLOUD_QUOTA_PROJECT", Google, "whose quota the calls count on"},
	{"CLOUDSDK_CONFIG", Google, "where gcloud keeps its sign-ins"},
	{"GCE_METADATA_HOST", Google, "who gives tokens to machines of Google Cloud"},
	{"STORAGE_EMULATOR_HOST", Google, "an emulated store"},
	// https://learn.microsoft.com/azure/developer/go/sdk/authentication/authentication-overview
	{"AZURE_*", Azure, "the Azure SDK's credentials and the account of its store"},
	{"IDENTITY_ENDPOINT", Azure, "who gives tokens to machines of Azure"},
	{"IDENTITY_HEADER", Azure, "the word that IDENTITY_ENDPOINT asks for"},
	// https://developer.hashicorp.com/vault/docs/commands#environment-variables
	{"VAULT_*", Vault, "the address and the token of a Vault"},
}

// Passed is what of an environment, "NAME=value" each, a process gets that has
// these needs beside those of every one.
func Passed(environment []string, needs ...Need) []string {
	var out []string
	for _, v := range environment {
		if name, _, ok := strings.Cut(v, "="); ok && passes(name, needs) {
			out = append(out, v)
		}
	}
	return out
}

// Dropped are the names of Pulumi's settings in an environment that a process
// with these needs does not get, in order.
func Dropped(environment []string, needs ...Need) []string {
	var out []string
	for _, v := range environment {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "PULUMI_") && !passes(name, needs) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func passes(name string, needs []Need) bool {
	return slices.ContainsFunc(Variables, func(v Variable) bool {
		return v.is(name) && (v.For == Process || slices.Contains(needs, v.For))
	})
}

func (v Variable) is(name string) bool {
	if prefix, all := strings.CutSuffix(v.Name, "*"); all {
		return strings.HasPrefix(name, prefix)
	}
	return v.Name == name
}
