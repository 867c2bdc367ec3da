package event

// Claims are what the ledger has as an org's.
type Claims struct {
	Org    string  `json:"org"`
	Claims []Claim `json:"claims"`
}

// Claim is one identity that is an org's, and so nobody else's.
type Claim struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	// Made is false while the identity is only foreseen: such a claim can be released.
	Made bool `json:"made"`
}
