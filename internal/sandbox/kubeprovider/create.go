package kubeprovider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/rand"
)

// Create applies a new object and waits until it is ready. An object of that
// name that is there already is taken over, if nobody else owns a field that is
// to be different (provider/pkg/await/await.go, Creation).
func (p *Provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	inputs, err := unmarshal("Create.properties", req.GetProperties())
	if err != nil {
		return nil, err
	}
	w := &write{
		connection: p.of(ctx), urn: resource.URN(req.GetUrn()), inputs: inputs, object: plainMap(inputs),
		preview: req.GetPreview(), timeout: req.GetTimeout(),
	}
	ctx, cancel := w.operation(ctx)
	defer cancel()
	asked := &pulumirpc.CreateResponse{Properties: req.GetProperties()}
	if w.preview && (hasUnknown(w.object) || !w.served(ctx)) {
		return asked, nil
	}
	if w.manager, err = fieldManager(w.object, checkpoint{}); err != nil {
		return nil, err
	}
	if err := w.unreachable(ctx); err != nil {
		return nil, err
	}
	live, err := w.create(ctx)
	switch {
	case err == nil:
	case w.preview && cannotPreview(err):
		return asked, nil
	case meta.IsNoMatchError(err):
		return nil, fmt.Errorf("creation of resource %q with kind %s failed because the Kubernetes API server "+
			"reported that the apiVersion for this resource does not exist. "+
			"Verify that any required CRDs have been created: %w", w.urn, w.kind(), err)
	default:
		return nil, fmt.Errorf("resource %q was not successfully created by the Kubernetes API server: %w", w.urn, err)
	}
	version := stringOf(w.object["apiVersion"])
	if w.preview {
		state, err := w.outputs(live, version)
		return &pulumirpc.CreateResponse{Properties: state}, err
	}
	c, r, err := w.client(ctx, patient)
	if err != nil {
		return nil, err
	}
	live, waitErr := w.settle(ctx, c, r, live, nil)
	state, err := w.outputs(live, version)
	if err != nil {
		return nil, err
	}
	id := key{live.GetNamespace(), live.GetName()}.id()
	if waitErr != nil {
		return nil, initFailed(id, state, nil, fmt.Errorf("resource %q was successfully created, but the Kubernetes API server "+
			"reported that it failed to fully initialize or become live: %w", w.urn, waitErr))
	}
	if kindOf(w.object).GroupKind() == definitionKind {
		c.mapper.Reset() // it serves a new kind now
	}
	return &pulumirpc.CreateResponse{Id: id, Properties: state}, nil
}

// served reports whether the cluster can be reached and has the object's kind.
func (w *write) served(ctx context.Context) bool {
	_, _, err := w.client(ctx, impatient)
	return err == nil
}

// creations is how often a create is tried whose kind or namespace is not there
// yet: what makes it may be on its way.
const creations = 6

// create applies the object, again and again while something that it needs is
// not there, with a pause that doubles.
func (w *write) create(ctx context.Context) (live *unstructured.Unstructured, err error) {
	pause := w.provider.retryPause
	for try := range creations {
		if try > 0 {
			w.report(ctx, pulumirpc.LogSeverity_INFO, string(w.urn), fmt.Sprintf("Retry #%d; creation failed: %v", try-1, err), true)
			select {
			case <-ctx.Done():
				return nil, fmt.Errorf("%w: %w", err, context.Cause(ctx))
			case <-time.After(pause):
				pause *= 2
			}
		}
		live, err = w.createOnce(ctx)
		if meta.IsNoMatchError(err) {
			// What makes the kind is not on its way if Kubernetes removed it.
			if c, unreachable := w.reach(ctx); unreachable == nil {
				c.mapper.Reset() // and where it is, the next try sees it
				if why := c.removed(kindOf(w.object)); why != "" {
					return nil, errors.New(why)
				}
			}
		}
		if !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) || w.preview && namespaceMissing(err) {
			return live, err
		}
	}
	return nil, err
}

func (w *write) createOnce(ctx context.Context) (*unstructured.Unstructured, error) {
	_, r, err := w.client(ctx, impatient)
	if err != nil {
		return nil, err
	}
	force := forced(w.object, nil, w.preview)
	live, err := w.apply(ctx, r, w.object, force)
	if w.preview && apierrors.IsInvalid(err) && strings.Contains(err.Error(), "field is immutable") {
		// It will be made anew, which a dry run beside the old one cannot show.
		other := (&unstructured.Unstructured{Object: w.object}).DeepCopy()
		other.SetName(other.GetName() + rand.String(5))
		w.report(ctx, pulumirpc.LogSeverity_INFO, string(w.urn),
			fmt.Sprintf("Preview creation failed due to immutable fields; retrying with name %q", other.GetName()), false)
		return w.apply(ctx, r, other.Object, force)
	}
	return live, err
}

// namespaceMissing reports whether an object's namespace is not there.
func namespaceMissing(err error) bool {
	var s apierrors.APIStatus
	return apierrors.IsNotFound(err) && errors.As(err, &s) && s.Status().Details != nil && s.Status().Details.Kind == "namespaces"
}

// cannotPreview reports whether a dry run of a create says nothing about the
// real one: who may not write may be allowed to by then, and the namespace may
// be there.
func cannotPreview(err error) bool {
	return apierrors.IsForbidden(err) || namespaceMissing(err) || apierrors.IsAlreadyExists(err) ||
		apierrors.IsBadRequest(err) && strings.Contains(err.Error(), "does not support dry run")
}
