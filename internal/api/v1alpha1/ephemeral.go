package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// The defaults of ephemeral storage. They are here, and not in a document, so
// that projects get them that were recorded before there was such a bound.
var (
	ephemeralPerPod         = resource.MustParse("2Gi")
	ephemeralPerContainer   = resource.MustParse("10Gi")
	ephemeralWithoutRequest = resource.MustParse("256Mi")
)

// Ephemeral is the sum of the ephemeral storage that a project's containers may request.
func (q Quota) Ephemeral() resource.Quantity {
	if q.EphemeralStorage.Text != "" {
		return q.EphemeralStorage.Value()
	}
	return *resource.NewQuantity(ephemeralPerPod.Value()*int64(q.Pods), resource.BinarySI)
}

// Ephemeral is what a container of a project with this quota requests of
// ephemeral storage when it states nothing, and the most that it may have.
func (l Limits) Ephemeral(q Quota) (request, most resource.Quantity) {
	request, most = l.DefaultEphemeralStorage.Value(), l.MaxEphemeralStorage.Value()
	if l.MaxEphemeralStorage.Text == "" {
		most = least(ephemeralPerContainer, q.Ephemeral())
		if most.Cmp(request) < 0 {
			most = request
		}
	}
	if l.DefaultEphemeralStorage.Text == "" {
		request = least(ephemeralWithoutRequest, most)
	}
	return request, most
}

func least(a, b resource.Quantity) resource.Quantity {
	if b.Cmp(a) < 0 {
		return b
	}
	return a
}
