package tryissuer

import (
	"fmt"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/crypto"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Mint signs an ID token for one of an org's users with the keys that New keeps in
// dir: what a browser would get, for a script. It is valid for 15 minutes.
func Mint(dir, org, name string, now time.Time) (string, error) {
	keys := keyFolder{dir: dir}
	d, err := keys.described()
	if err != nil {
		return "", err
	}
	if !known(org) {
		return "", fmt.Errorf("%w: %q is not the name of an org, nor %q for the operators", ErrUnknown, org, Operators)
	}
	who, ok := find(org, name)
	if !ok {
		var names []string
		for _, u := range users(org) {
			names = append(names, u.name)
		}
		return "", fmt.Errorf("%w: user %q: want one of %s", ErrUnknown, name, strings.Join(names, ", "))
	}
	key, err := keys.of(org)
	if err != nil {
		return "", err
	}
	o := Options{BaseURL: d.BaseURL, APIBase: d.APIBase}
	claims := oidc.NewIDTokenClaims(o.Issuer(org), who.name, []string{o.Audience(org)}, now.Add(tokenLifetime), now, "", "", nil, o.Audience(org), 0)
	claims.IssuedAt = oidc.FromTime(now)
	claims.SetUserInfo(who.info(org))
	signer, err := op.SignerFromKey(key)
	if err != nil {
		return "", fmt.Errorf("trial issuer: %w", err)
	}
	token, err := crypto.Sign(claims, signer)
	if err != nil {
		return "", fmt.Errorf("trial issuer: sign a token: %w", err)
	}
	return token, nil
}
