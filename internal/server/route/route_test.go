package route

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
)

var _ = freeholdv1.File_freehold_v1_fleet_proto

func TestEachProcedureThatIsDefinedIsAnsweredByOneService(t *testing.T) {
	defined := map[string]bool{}
	protoregistry.GlobalFiles.RangeFilesByPackage("freehold.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			s := f.Services().Get(i)
			for j := range s.Methods().Len() {
				defined["/"+string(s.FullName())+"/"+string(s.Methods().Get(j).Name())] = true
			}
		}
		return true
	})
	for p := range defined {
		if _, ok := Of(p); !ok {
			t.Errorf("%s is answered by nobody: say by which service", p)
		}
	}
	for p := range table {
		if !defined[p] {
			t.Errorf("%s is in the table, and no definition has it", p)
		}
	}
}

func TestAProcedureThatIsNotDefinedIsAnsweredByNobody(t *testing.T) {
	for _, p := range []string{
		"", "/", "/freehold.v1.OperationService/", "/freehold.v1.OperationService/DropOperations", "freehold.v1.OperationService/ListOperations",
		"/freehold.v1.OperationService/ListOperations/", "//freehold.v1.OperationService/ListOperations", "/freehold.v1.operationservice/listoperations",
		"/freehold.internal.v1.IdentityService/Exchange",
	} {
		if s, ok := Of(p); ok {
			t.Errorf("%q is answered by %s", p, s)
		}
	}
}
