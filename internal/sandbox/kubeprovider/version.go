package kubeprovider

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// removal is a version that Kubernetes no longer serves.
type removal struct {
	kinds []string // none: all of the version's
	minor int      // of the release without it
	use   string   // the version instead
}

// removals are those versions (provider/pkg/kinds/deprecated.go,
// RemovedInVersion and SuggestedAPIVersion;
// https://kubernetes.io/docs/reference/using-api/deprecation-guide/).
var removals = map[string]removal{
	"admissionregistration.k8s.io/v1beta1": {minor: 22, use: "admissionregistration.k8s.io/v1"},
	"apiextensions.k8s.io/v1beta1":         {minor: 22, use: "apiextensions.k8s.io/v1"},
	"apps/v1beta1":                         {minor: 16, use: "apps/v1"},
	"apps/v1beta2":                         {minor: 16, use: "apps/v1"},
	"autoscaling/v2beta2":                  {kinds: []string{"HorizontalPodAutoscaler"}, minor: 26, use: "autoscaling/v2beta2"},
	"batch/v1beta1":                        {kinds: []string{"CronJob"}, minor: 25, use: "batch/v1"},
	"batch/v2alpha1":                       {minor: 21, use: "batch/v1"},
	"coordination.k8s.io/v1beta1":          {minor: 22, use: "coordination.k8s.io/v1"},
	"discovery.k8s.io/v1beta1":             {minor: 25, use: "discovery.k8s.io/v1"},
	"policy/v1beta1":                       {minor: 25, use: "policy/v1"},
	"rbac.authorization.k8s.io/v1alpha1":   {minor: 20, use: "rbac.authorization.k8s.io/v1"},
	"rbac.authorization.k8s.io/v1beta1":    {minor: 22, use: "rbac.authorization.k8s.io/v1"},
	"scheduling.k8s.io/v1alpha1":           {minor: 17, use: "scheduling.k8s.io/v1"},
	"scheduling.k8s.io/v1beta1":            {minor: 17, use: "scheduling.k8s.io/v1"},
}

// removed returns why a cluster does not serve a kind that Kubernetes once had;
// "" when that is not why.
func (c *cluster) removed(gvk schema.GroupVersionKind) string {
	r, is := removals[gvk.GroupVersion().String()]
	if !is || len(r.kinds) > 0 && !slices.Contains(r.kinds, gvk.Kind) {
		return ""
	}
	minor, err := strconv.Atoi(strings.TrimRight(c.version.Minor, "+"))
	if err != nil || minor < r.minor {
		return ""
	}
	return fmt.Sprintf("apiVersion %q was removed in Kubernetes 1.%d. Use %q instead.", gvk.GroupVersion().String()+"/"+gvk.Kind, r.minor, r.use+"/"+gvk.Kind)
}

// warnOfVersion says that the cluster no longer serves a version.
func (c *connection) warnOfVersion(ctx context.Context, urn string, gvk schema.GroupVersionKind) {
	if _, old := removals[gvk.GroupVersion().String()]; !old {
		return
	}
	cl, err := c.reach(ctx)
	if err != nil {
		return // the operation says so
	}
	if why := cl.removed(gvk); why != "" {
		c.report(ctx, pulumirpc.LogSeverity_WARNING, urn, why, false)
	}
}
