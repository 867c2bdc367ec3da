package kubelive

import "context"

// Clusters reaches any cluster by its kubeconfig.
type Clusters struct{}

// Compare is Client.Compare.
func (Clusters) Compare(ctx context.Context, kubeconfig []byte, objects []Object) ([]Result, error) {
	c, err := New(kubeconfig)
	if err != nil {
		return nil, err
	}
	return c.Compare(ctx, objects)
}

// Expose is Client.Expose.
func (Clusters) Expose(ctx context.Context, kubeconfig []byte, results []Result) error {
	c, err := New(kubeconfig)
	if err != nil {
		return err
	}
	return c.Expose(ctx, results)
}

// PutBack is Client.PutBack.
func (Clusters) PutBack(ctx context.Context, kubeconfig []byte, objects []Object) error {
	c, err := New(kubeconfig)
	if err != nil {
		return err
	}
	return c.PutBack(ctx, objects)
}

// MakeWay is Client.MakeWay.
func (Clusters) MakeWay(ctx context.Context, kubeconfig []byte, objects []Object) error {
	c, err := New(kubeconfig)
	if err != nil {
		return err
	}
	return c.MakeWay(ctx, objects)
}

// Available is Client.Available.
func (Clusters) Available(ctx context.Context, kubeconfig []byte, o Object) (Availability, error) {
	c, err := New(kubeconfig)
	if err != nil {
		return Availability{}, err
	}
	return c.Available(ctx, o)
}

// Strays is Client.Strays.
func (Clusters) Strays(ctx context.Context, kubeconfig []byte, s Sought) (Found, error) {
	c, err := New(kubeconfig)
	if err != nil {
		return Found{}, err
	}
	return c.Strays(ctx, s)
}

// Remove is Client.Remove.
func (Clusters) Remove(ctx context.Context, kubeconfig []byte, s Stray) error {
	c, err := New(kubeconfig)
	if err != nil {
		return err
	}
	return c.Remove(ctx, s)
}
