package kubeprovider

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

func (c *connection) warnOfVersion(context.Context, string, schema.GroupVersionKind) {}
