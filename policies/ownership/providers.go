package ownership

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/policies/rule"
)

// argument says what may be given to a provider. The zero value takes anything.
type argument struct {
	// never is why nothing may be given; a switch may still be off.
	never string
	// judged reads what is given.
	judged func(j *rule.Judge, v rule.Value, s rule.Scope)
}

func (a argument) check(j *rule.Judge, v rule.Value, s rule.Scope) {
	switch {
	case v.Raw == nil || !j.Known(v):
	case a.never != "":
		if says(v) {
			j.Violate(v.Path, "%s", a.never)
		}
	case a.judged != nil:
		a.judged(j, v, s)
	}
}

// says reports whether a value says anything: a switch that is off does not.
func says(v rule.Value) bool {
	switch in := rule.Opened(v.Raw).(type) {
	case []any:
		return len(in) > 0
	case map[string]any:
		return len(in) > 0
	default:
		return !v.Is("", "false")
	}
}

// free is an argument that cannot lead anywhere else.
var free = argument{}

func refused(why string) argument { return argument{never: why} }

// readBy is an argument that another rule reads.
func readBy(string) argument { return argument{} }

const (
	elsewhere = "requests, and what answers them, can be somebody else's"
	machine   = "it takes what the machine that runs the program happens to have"
	static    = "credentials belong to the process and to the role that it assumes, not to a program"
)

// awsArguments are the arguments of the pinned provider.
//
// https://www.pulumi.com/registry/packages/aws/api-docs/provider/
var awsArguments = map[string]argument{
	"accessKey": refused(static), "secretKey": refused(static), "token": refused(static),
	"profile": refused(machine), "sharedConfigFiles": refused(machine), "sharedCredentialsFiles": refused(machine),
	"customCaBundle": refused(elsewhere), "endpoints": refused(elsewhere), "httpProxy": refused(elsewhere), "httpsProxy": refused(elsewhere),
	"insecure": refused(elsewhere), "ec2MetadataServiceEndpoint": refused(elsewhere),
	"skipRequestingAccountId":   refused("the provider does not ask whose its credentials are"),
	"skipCredentialsValidation": refused("the provider does not ask whether its credentials are valid"),

	"allowedAccountIds": readBy("FH102"), "forbiddenAccountIds": free, "assumeRole": readBy("FH104 and FH802"),
	"assumeRoleWithWebIdentity": {judged: checkWebIdentity},
	"region":                    {judged: checkRegion}, "stsRegion": {judged: checkRegion},
	"defaultTags": {judged: func(j *rule.Judge, v rule.Value, s rule.Scope) { otherOrg(j, v, s) }},
	"ignoreTags":  {judged: checkIgnoredTags},

	"ec2MetadataServiceEndpointMode": free, "maxRetries": free, "noProxy": free, "retryMode": free, "s3UsEast1RegionalEndpoint": free,
	"s3UsePathStyle": free, "skipMetadataApiCheck": free, "skipRegionValidation": free, "tokenBucketRateLimiterCapacity": free,
	"useDualstackEndpoint": free, "useFipsEndpoint": free,
}

// kubernetesArguments are those of the pinned provider.
//
// https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/
var kubernetesArguments = map[string]argument{
	"kubeconfig":            {judged: checkKubeconfig},
	"clusterIdentifier":     readBy("FH104"),
	"helmReleaseSettings":   refused("a release makes objects that no rule sees"),
	"renderYamlToDirectory": refused("objects are written to a folder, secrets in clear, and not made"),
	"alwaysRender":          refused("objects are written to a folder, secrets in clear, and not made"),

	"cluster": free, "context": free, "namespace": free, "deleteUnreachable": free, "enableConfigMapMutable": free,
	"enableSecretMutable": free, "enableServerSideApply": free, "kubeClientSettings": free, "skipUpdateUnreachable": free,
	"suppressDeprecationWarnings": free, "suppressHelmHookWarnings": free,
}

// providers are the arguments of each provider that acts on a cloud or a cluster,
// and the major version of the SDK whose types the rules know.
var providers = map[string]struct {
	arguments map[string]argument
	major     string
}{
	"pulumi:providers:aws":        {awsArguments, "6"},
	"pulumi:providers:eks":        {map[string]argument{}, "3"},
	"pulumi:providers:kubernetes": {kubernetesArguments, "4"},
}

var providerRules = []rule.Rule{
	{
		ID:       "FH110",
		Title:    "A provider is given only arguments that cannot lead to another account, server or plugin",
		Why:      "an endpoint, a proxy, a profile or a plugin of another origin decides whom the credentials reach and whose account is changed, whatever the resources say",
		Fix:      "give the provider its region, the org's account and the role that it assumes, or the kubeconfig of the org's cluster; what belongs to the machine, as a proxy, is set in its environment",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"pulumi:providers:aws", "pulumi:providers:eks", "pulumi:providers:kubernetes"},
		Check:    rule.On(checkArguments),
		Bad:      badArguments(), Good: goodArguments(),
	},
	{
		ID:       "FH111",
		Title:    "A Kubernetes provider reaches the org's own cluster",
		Why:      "who answers at another address takes the org's objects, its secrets among them, and the token of whoever makes them",
		Fix:      "take the kubeconfig from the org's own cluster: the component's kubeconfig, or the one that the layer is handed",
		Severity: rule.Critical, NoException: true,
		Criteria:   []string{"CC6.1", "CC6.6"},
		Types:      []string{"pulumi:providers:kubernetes"},
		CheckStack: rule.OnStack([]string{"pulumi:providers:kubernetes"}, checkServers),
		Bad:        badServers(), Good: goodServers(),
	},
}

func checkArguments(j *rule.Judge, r rule.Resource, s rule.Scope) {
	known := providers[r.Type]
	for name := range r.Properties {
		v := r.Values().Get(name)
		switch a, ok := known.arguments[name]; {
		case ok:
			a.check(j, v, s)
		case name == "version":
			checkVersion(j, v, known.major)
		case name == "__internal":
			checkInternal(j, v, r.Type)
		case v.Raw != nil:
			j.Violate(v.Path, "the rules know no argument of that name")
		}
	}
}

// checkVersion wants the provider whose types the rules know.
func checkVersion(j *rule.Judge, v rule.Value, major string) {
	if j.Known(v) && !strings.HasPrefix(v.Text(), major+".") {
		j.Violate(v.Path, "the version %s is not the one whose types the rules know, %s", v.Text(), major)
	}
}

// checkInternal reads what the engine notes of a provider's plugin. A plugin of
// another origin is another program under the same name.
//
// https://github.com/pulumi/pulumi/blob/v3.250.0/pkg/resource/deploy/providers/registry.go
func checkInternal(j *rule.Judge, internal rule.Value, typ string) {
	in, _ := rule.Opened(internal.Raw).(map[string]any)
	if in == nil {
		j.Must(internal, []string{""}, "it cannot be read")
		return
	}
	for name := range in {
		v := internal.Get(name)
		switch {
		case name == "pluginChecksums": // they only refuse what they do not match
		case name == "name" && v.Is(strings.TrimPrefix(typ, "pulumi:providers:")):
		case v.Unknown():
			j.Undecided(v.Path)
		default:
			j.Violate(v.Path, "the plugin is not the one that the SDK names")
		}
	}
}

// regions are names of Regions: the name is a part of the host to which requests go.
var regions = regexp.MustCompile(`^[a-z]{2}(-[a-z]+){1,3}-\d{1,2}$`)

func checkRegion(j *rule.Judge, v rule.Value, _ rule.Scope) {
	if j.Known(v) && v.Text() != "" && !regions.MatchString(v.Text()) {
		j.Violate(v.Path, "%q is not the name of a Region, and requests go to the host that it makes", v.Text())
	}
}

func checkIgnoredTags(j *rule.Judge, v rule.Value, _ rule.Scope) {
	for _, key := range v.Get("keys").Each() {
		if j.Known(key) && strings.EqualFold(key.Text(), rule.OrgTag) {
			j.Violate(key.Path, "the provider would not see the tag %q", rule.OrgTag)
		}
	}
	for _, prefix := range v.Get("keyPrefixes").Each() {
		if j.Known(prefix) && strings.HasPrefix(rule.OrgTag, prefix.Text()) {
			j.Violate(prefix.Path, "the provider would not see the tag %q", rule.OrgTag)
		}
	}
	for _, key := range []string{"keys", "keyPrefixes"} {
		j.Known(v.Get(key))
	}
}

// podTokens is where Kubernetes puts the tokens of a pod's service account.
const podTokens = "/var/run/secrets/"

func checkWebIdentity(j *rule.Judge, v rule.Value, _ rule.Scope) {
	in, _ := rule.Opened(v.Raw).(map[string]any)
	if in == nil {
		j.Violate(v.Path, "it cannot be read")
	}
	for key := range in {
		at := v.Get(key)
		switch {
		case !j.Known(at) || slices.Contains([]string{"roleArn", "sessionName", "duration", "policy", "policyArns"}, key): // FH104 reads the role
		case key == "webIdentityTokenFile" && strings.HasPrefix(at.Text(), podTokens) && !strings.Contains(at.Text(), ".."):
		case says(at):
			j.Violate(at.Path, "the token must be the pod's own, in a file below %s", podTokens)
		}
	}
}

// checkKubeconfig reads everything in it: which part is used is decided by other
// arguments, and by whoever edits the file.
func checkKubeconfig(j *rule.Judge, v rule.Value, s rule.Scope) {
	config, err := readKubeconfig(v.Raw)
	if err != nil {
		j.Violate(v.Path, "%v", err)
		return
	}
	k := rule.Value{Path: v.Path, Raw: config}
	rule.VisitLeaves(&rule.Node{Key: v.Path, Up: &rule.Node{}, Raw: config}, func(p *rule.Node) { j.Known(rule.Value{Path: p.Path(), Raw: p.Raw}) })
	onlyKeys(j, k, "", "apiVersion", "kind", "clusters", "contexts", "users", "current-context", "preferences")
	for _, c := range k.Get("clusters").Each() {
		onlyKeys(j, c.Get("cluster"), elsewhere, "server", "certificate-authority-data", "disable-compression")
	}
	for _, u := range k.Get("users").Each() {
		user := u.Get("user")
		onlyKeys(j, user, static, "exec", "token", "client-certificate-data", "client-key-data")
		if exec := user.Get("exec"); exec.Raw != nil {
			checkExec(j, exec, s)
		}
	}
}

// onlyKeys violates where something else is given. A switch that is off is nothing.
func onlyKeys(j *rule.Judge, v rule.Value, why string, keys ...string) {
	in, _ := v.Raw.(map[string]any)
	for key, given := range in {
		if slices.Contains(keys, key) || given == nil || given == false || given == "" {
			continue
		}
		at := v.Get(key)
		if why == "" {
			j.Violate(at.Path, "it is no part of a kubeconfig")
		} else {
			j.Violate(at.Path, "%s", why)
		}
	}
}

// checkExec takes the programs that ask EKS for a token, with arguments that name
// a cluster and a role of the org's and nothing else.
//
// https://docs.aws.amazon.com/cli/latest/reference/eks/get-token.html
func checkExec(j *rule.Judge, exec rule.Value, s rule.Scope) {
	onlyKeys(j, exec, elsewhere, "apiVersion", "command", "args", "env", "interactiveMode", "installHint", "provideClusterInfo")
	command := exec.Get("command").Text()
	base := command[strings.LastIndexAny(command, `/\`)+1:]
	var args []string
	for _, a := range exec.Get("args").Each() {
		args = append(args, a.Text())
	}
	words, flags := commandLine(args)
	path := exec.Path + ".args"
	for _, p := range tokenPlugins {
		if !strings.HasPrefix(base, p.command) || strings.Join(words, " ") != p.words {
			continue
		}
		for _, f := range flags {
			takes, ok := p.flags[f[0]]
			switch {
			case !ok:
				j.Violate(path, "%s is given %s, with which it may ask somebody else", base, f[0])
			case takes == "role":
				j.Own(rule.Value{Path: path, Raw: f[1]}, s)
			case takes == "region":
				checkRegion(j, rule.Value{Path: path, Raw: f[1]}, s)
			}
		}
		for _, e := range exec.Get("env").Each() {
			if name := e.Get("name").Text(); !strings.HasPrefix(name, "FREEHOLD_") && !slices.Contains(tokenVariables, name) {
				j.Violate(e.Path, "the variable %s is not one that a token needs", name)
			}
		}
		return
	}
	j.Violate(exec.Path, "%s %s does not ask EKS for a token", command, strings.Join(args, " "))
}

// tokenVariables are the variables that a token may be asked for with.
var tokenVariables = []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_STS_REGIONAL_ENDPOINTS", "KUBERNETES_EXEC_INFO"}

// tokenPlugins are the programs that get a token for a cluster of EKS, or of the
// sandbox, and what each of their flags takes.
var tokenPlugins = []struct {
	command, words string
	flags          map[string]string
}{
	{"aws-iam-authenticator", "token", map[string]string{"-i": "", "--cluster-id": "", "-r": "role", "--role": "role", "--region": "region"}},
	{"aws", "eks get-token", map[string]string{
		"--region": "region", "--cluster-name": "", "--output": "", "--role": "role", "--role-arn": "role",
	}},
	{"freehold", "eks-token", map[string]string{"--region": "region", "--cluster": "", "--role-arn": "role", "--external-id": ""}},
	{"freehold", "sandbox token", map[string]string{"--dir": "", "--as": "", "--role": "role"}},
}

// commandLine takes a command line apart: every flag of these programs has a value.
func commandLine(args []string) (words []string, flags [][2]string) {
	for i := 0; i < len(args); i++ {
		name, v, with := strings.Cut(args[i], "=")
		switch {
		case !strings.HasPrefix(args[i], "-"):
			words = append(words, args[i])
		case with || i+1 == len(args):
			flags = append(flags, [2]string{name, v})
		default:
			i++
			flags = append(flags, [2]string{name, args[i]})
		}
	}
	return words, flags
}

// readKubeconfig reads a kubeconfig, which is an object or its text. A text that is
// neither is the name of a file, which is of whoever runs the program.
func readKubeconfig(v any) (map[string]any, error) {
	if text, ok := v.(string); ok {
		in, err := readYAML(text)
		if err != nil {
			return nil, fmt.Errorf("it cannot be read as a kubeconfig: %w", err)
		}
		v = in
	}
	config, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("it must be a kubeconfig, not the name of a file")
	}
	return config, nil
}

// checkServers compares the servers of a kubeconfig with the endpoint of the org's
// cluster, which this stack makes or an earlier layer has made.
func checkServers(j *rule.Judge, r rule.Resource, stack []rule.Resource, s rule.Scope) {
	v := r.Values().Get("kubeconfig")
	if v.Raw == nil || !j.Known(v) {
		return // without one FH103 refuses the provider
	}
	config, err := readKubeconfig(v.Raw)
	if err != nil {
		j.Violate(v.Path, "%v", err)
		return
	}
	all := rule.Value{Path: v.Path, Raw: config}.Get("clusters")
	if !j.Known(all) {
		return
	}
	clusters := all.Each()
	if len(clusters) == 0 {
		j.Violate(v.Path, "it names no server, so the provider works in the cluster of whoever runs it")
	}
	for _, c := range clusters {
		server := c.Get("cluster", "server")
		if !j.Known(server) {
			continue
		}
		switch own, known := ownServer(server.Text(), stack, s); {
		case own:
		case !known:
			j.Undecided(server.Path)
		default:
			j.Violate(server.Path, "%q is not the endpoint of the org's cluster", server.Text())
		}
	}
}

func ownServer(server string, stack []rule.Resource, s rule.Scope) (own, known bool) {
	server = endpoint(server)
	if server == "" {
		return false, true
	}
	if slices.ContainsFunc(s.Owned, func(o string) bool { return endpoint(o) == server }) {
		return true, true
	}
	known = true
	for _, r := range stack {
		if r.Type != rule.TypeCluster {
			continue
		}
		at := r.Values().Get("endpoint")
		if endpoint(at.Text()) == server {
			return true, true
		}
		known = known && at.Raw != nil && !at.Unknown()
	}
	return false, known
}

// endpoint is an address of HTTPS in the one form in which two can be compared;
// empty for everything else.
func endpoint(text string) string {
	host, ok := strings.CutPrefix(strings.ToLower(text), "https://")
	host = strings.TrimSuffix(strings.TrimSuffix(host, "/"), ":443")
	if !ok || strings.ContainsAny(host, "/@?#\\ \t\r\n") {
		return ""
	}
	return host
}

// readYAML reads YAML, JSON among it, as Kubernetes does: a key that is there
// twice is refused.
func readYAML(text string) (any, error) {
	var v any
	err := yaml.UnmarshalStrict([]byte(text), &v)
	return v, err
}
