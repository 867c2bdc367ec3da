package engine

import "errors"

// ErrUnreachable is a stand-in.
var ErrUnreachable = errors.New("the backend cannot be reached")

// ErrSecrets is a stand-in.
var ErrSecrets = errors.New("the secrets provider is not at hand")

// Info is a stand-in.
type Info struct {
	Exists    bool
	Resources int
	Pending   int
}
