package controlplane

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// AccountKeys are the public keys of the cluster whose service account tokens have
// an issuer, as its API server serves them at /openid/v1/jwks. It wraps ErrNotFound
// when no cluster has the issuer. The cluster need not run: EKS serves them, too,
// apart from the cluster.
// https://docs.aws.amazon.com/eks/latest/userguide/irsa-fetch-keys.html
func (m *Manager) AccountKeys(issuer string) (jose.JSONWebKeySet, error) {
	all, err := m.records()
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	for _, r := range all {
		if r.Issuer != issuer {
			continue
		}
		key, err := loadKey(m.files(r.Cluster).accountKey())
		if err != nil {
			return jose.JSONWebKeySet{}, fmt.Errorf("cluster %s: %w", r.Cluster, err)
		}
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			return jose.JSONWebKeySet{}, fmt.Errorf("cluster %s: %w", r.Cluster, err)
		}
		// Kubernetes' own name for a key.
		// https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/serviceaccount/jwt.go#L122
		sum := sha256.Sum256(der)
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
			Key: key.Public(), KeyID: base64.RawURLEncoding.EncodeToString(sum[:]), Algorithm: string(jose.ES256), Use: "sig",
		}}}, nil
	}
	return jose.JSONWebKeySet{}, fmt.Errorf("issuer %s: %w", issuer, ErrNotFound)
}
