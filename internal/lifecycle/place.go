package lifecycle

import "strings"

// placeOf is temporary until the types' table says it.
func placeOf(typ, id string, inputs map[string]any) (string, bool) {
	if typ != "aws:eks/identityProviderConfig:IdentityProviderConfig" {
		return "", false
	}
	cluster, _ := inputs["clusterName"].(string)
	if cluster == "" {
		cluster, _, _ = strings.Cut(id, ":")
	}
	return typ + " of " + cluster, true
}
