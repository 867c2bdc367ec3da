package finding

// Identity is one physical thing that only one org may own, in the form in
// which two mentions of it are equal.
type Identity struct {
	Kind  string `json:"kind"` // account, e-mail, boundary, cluster, VPC, key, endpoint, issuer…
	Value string `json:"value"`
}
