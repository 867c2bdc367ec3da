package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/grpcreflect/v2"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"freehold.dev/freehold/internal/server/route"
)

// reflectIn is how long somebody may look at the definitions in one call.
const reflectIn = time.Minute

func isReflection(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/"+grpcreflect.ReflectV1ServiceName+"/") ||
		strings.HasPrefix(r.URL.Path, "/"+grpcreflect.ReflectV1AlphaServiceName+"/")
}

// newReflection describes the API to whoever asks. The definitions are open, so
// it takes no token, and it is the same on every host. The services between
// services are not in it.
func newReflection() (http.Handler, error) {
	open := &protoregistry.Files{}
	services := map[string]bool{}
	var problems []error
	for _, s := range route.Services() {
		for _, p := range route.Procedures(s) {
			name, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
			if services[name] {
				continue
			}
			services[name] = true
			d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
			if err != nil {
				problems = append(problems, fmt.Errorf("describe %s: %w", name, err))
				continue
			}
			problems = append(problems, register(open, d.ParentFile()))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(services))
	for name := range services {
		names = append(names, name)
	}
	slices.Sort(names)

	server := connect.NewServer()
	grpcreflect.Register(server,
		grpcreflect.WithNamer(grpcreflect.NamerFunc(func() []string { return names })),
		grpcreflect.WithDescriptorResolver(open),
		grpcreflect.WithExtensionResolver(&protoregistry.Types{}),
	)
	mux := http.NewServeMux()
	connecthttp.Mount(mux, server, connecthttp.WithReadMaxBytes(64<<10))
	return mux, nil
}

var _ protodesc.Resolver = (*protoregistry.Files)(nil)

// register adds a file with all that it imports.
func register(files *protoregistry.Files, f protoreflect.FileDescriptor) error {
	if _, err := files.FindFileByPath(f.Path()); err == nil {
		return nil
	}
	for i := range f.Imports().Len() {
		if err := register(files, f.Imports().Get(i).FileDescriptor); err != nil {
			return err
		}
	}
	return files.RegisterFile(f)
}

func (g *Gateway) reflect(w http.ResponseWriter, r *http.Request) {
	until := g.o.Now().Add(reflectIn)
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(until)
	_ = controller.SetWriteDeadline(until)
	defer func() { _ = controller.SetWriteDeadline(time.Time{}) }()
	private(w.Header())
	g.reflection.ServeHTTP(w, r)
}
