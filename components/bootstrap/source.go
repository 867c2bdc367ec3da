package bootstrap

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	admissionv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/admissionregistration/v1"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	networkingv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/networking/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ProjectSource is an API that lists projects beside those of Args. The
// controller asks it over connections that it opens itself.
type ProjectSource struct {
	// URL is that of the org's whole set of projects; https; required.
	URL string
	// CABundle holds the authorities that the API's certificate may be of, PEM;
	// empty: those of the controller's image.
	CABundle string
	// Interval is the pause between two requests, as Go writes it; required.
	Interval string
}

// ProjectSourceBinding is the ClusterRoleBinding without which the controller
// makes no Project any more, whatever its source lists.
const ProjectSourceBinding = "freehold-" + sourceName

const (
	// sourceName names what exists for the sake of a ProjectSource.
	sourceName = controllerName + "-projects"
	// sourceTokenSeconds is the shortest life that Kubernetes gives a token. The
	// kubelet writes the next one when four fifths of it are over.
	sourceTokenSeconds = 600
	sourceDir          = "/var/run/secrets/freehold.dev/projects"
	sourceTokenFile    = "token"
	sourceCAFile       = "ca.crt"
	sourceLabel        = "freehold.dev/source"
	sourceValue        = "api"
)

// way returns where the API is: a host and a port.
func (s ProjectSource) way() (host string, port int, err error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return "", 0, fmt.Errorf("the URL of the project source is not https://HOST/…")
	}
	if u.Port() == "" {
		return u.Hostname(), 443, nil
	}
	port, err = strconv.Atoi(u.Port())
	return u.Hostname(), port, err
}

// audience is whom the controller's token for the API is for: the API's host, which
// is the org's own. A token for one org's host is refused at every other.
func (s ProjectSource) audience() (string, error) {
	host, _, err := s.way()
	return strings.ToLower(host), err
}

// sourceArgs name the source to the controller.
func (b *builder) sourceArgs() []string {
	s := b.args.ProjectSource
	if s == nil {
		return nil
	}
	args := []string{
		"--projects-url=" + s.URL, "--projects-token-file=" + sourceDir + "/" + sourceTokenFile, "--projects-interval=" + s.Interval,
	}
	if s.CABundle != "" {
		args = append(args, "--projects-ca-file="+sourceDir+"/"+sourceCAFile)
	}
	return args
}

// sourceBundle makes the ConfigMap with the API's authorities, if there are any.
func (b *builder) sourceBundle(namespace pulumi.Resource) ([]pulumi.Resource, error) {
	if b.args.ProjectSource == nil || b.args.ProjectSource.CABundle == "" {
		return nil, nil
	}
	bundle, err := corev1.NewConfigMap(b.ctx, b.child(sourceName), &corev1.ConfigMapArgs{
		Metadata: b.meta(sourceName),
		Data:     pulumi.StringMap{sourceCAFile: pulumi.String(b.args.ProjectSource.CABundle)},
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{namespace}))
	return []pulumi.Resource{bundle}, err
}

// podMeta is the metadata of the controller's pods. Other authorities make other
// pods, because the controller reads them once.
func (b *builder) podMeta() *metav1.ObjectMetaArgs {
	meta := &metav1.ObjectMetaArgs{Labels: b.labels(selector)}
	if s := b.args.ProjectSource; s != nil && s.CABundle != "" {
		sum := sha256.Sum256([]byte(s.CABundle))
		meta.Annotations = stringMap(map[string]string{"freehold.dev/projects-ca": hex.EncodeToString(sum[:])})
	}
	return meta
}

// sourceVolumes hold the controller's token for the API, and the API's authorities.
func (b *builder) sourceVolumes() (corev1.VolumeArray, corev1.VolumeMountArray, error) {
	if b.args.ProjectSource == nil {
		return nil, nil, nil
	}
	audience, err := b.args.ProjectSource.audience()
	if err != nil {
		return nil, nil, err
	}
	sources := corev1.VolumeProjectionArray{&corev1.VolumeProjectionArgs{
		ServiceAccountToken: &corev1.ServiceAccountTokenProjectionArgs{
			Audience: pulumi.String(audience), ExpirationSeconds: pulumi.Int(sourceTokenSeconds), Path: pulumi.String(sourceTokenFile),
		},
	}}
	if b.args.ProjectSource.CABundle != "" {
		sources = append(sources, &corev1.VolumeProjectionArgs{
			ConfigMap: &corev1.ConfigMapProjectionArgs{Name: pulumi.String(sourceName)},
		})
	}
	return corev1.VolumeArray{&corev1.VolumeArgs{
			Name: pulumi.String("projects"), Projected: &corev1.ProjectedVolumeSourceArgs{Sources: sources},
		}}, corev1.VolumeMountArray{&corev1.VolumeMountArgs{
			Name: pulumi.String("projects"), MountPath: pulumi.String(sourceDir), ReadOnly: pulumi.Bool(true),
		}}, nil
}

// sourceEgress is the way out to an API that is not at the port that is open
// anyway. A name cannot be fenced: its addresses are its owner's to change.
func (b *builder) sourceEgress() (networkingv1.NetworkPolicyEgressRuleArray, error) {
	if b.args.ProjectSource == nil {
		return nil, nil
	}
	host, port, err := b.args.ProjectSource.way()
	if err != nil || port == 443 {
		return nil, err
	}
	rule := &networkingv1.NetworkPolicyEgressRuleArgs{
		Ports: networkingv1.NetworkPolicyPortArray{&networkingv1.NetworkPolicyPortArgs{Port: pulumi.Int(port), Protocol: pulumi.String("TCP")}},
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		rule.To = networkingv1.NetworkPolicyPeerArray{&networkingv1.NetworkPolicyPeerArgs{
			IpBlock: &networkingv1.IPBlockArgs{Cidr: pulumi.String(netip.PrefixFrom(ip, ip.BitLen()).String())},
		}}
	}
	return networkingv1.NetworkPolicyEgressRuleArray{rule}, nil
}

// pulledProjectsOnly keeps the controller's hands off the Projects that it did
// not pull: of those it writes the finalizers and the status, as ever.
func (b *builder) pulledProjectsOnly() *admissionv1.ValidatingAdmissionPolicySpecArgs {
	pulled := func(object string) string { return mark(object, sourceLabel) + " == " + strconv.Quote(sourceValue) }
	may := `request.operation == "CREATE" ? ` + pulled("object") +
		` : request.operation == "DELETE" ? ` + pulled("oldObject") +
		` : ` + mark("object", sourceLabel) + " == " + mark("oldObject", sourceLabel) +
		" && (" + pulled("object") + " || object.spec == oldObject.spec)"
	return policy(
		onWrites([]string{"projects"}, "freehold.dev"),
		check(may, "the namespace controller may only make, change and remove projects that it pulled"),
	).ofTheController(b).spec
}
