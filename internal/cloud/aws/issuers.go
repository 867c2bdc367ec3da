package aws

import "net/http"

// Issuers is the network as it is for whoever asks OpenID Connect issuers for their
// keys. Those of EKS's clusters are on the internet, as all others are.
func (*Cloud) Issuers(next http.RoundTripper) http.RoundTripper { return next }
