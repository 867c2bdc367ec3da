package controller

import "freehold.dev/freehold/internal/api/v1alpha1"

// podSecurity are the labels that make Kubernetes' own admission refuse pods
// that do not meet a standard. Warnings and audit follow the strictest one, so
// that a baseline project sees what restricted would refuse.
func podSecurity(level v1alpha1.PodSecurity) map[string]string {
	if level != v1alpha1.PodSecurityBaseline {
		level = v1alpha1.PodSecurityRestricted
	}
	const prefix, latest = "pod-security.kubernetes.io/", "latest"
	return map[string]string{
		prefix + "enforce":         string(level),
		prefix + "enforce-version": latest,
		prefix + "audit":           string(v1alpha1.PodSecurityRestricted),
		prefix + "audit-version":   latest,
		prefix + "warn":            string(v1alpha1.PodSecurityRestricted),
		prefix + "warn-version":    latest,
	}
}
