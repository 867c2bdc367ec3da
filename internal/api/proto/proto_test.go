package proto

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	internalv1 "freehold.dev/freehold/internal/api/freeholdinternal/v1"
)

// Both packages register their files when they are linked.
var _, _ = freeholdv1.File_freehold_v1_fleet_proto, internalv1.File_freehold_internal_v1_identity_proto

// fleet is the one service whose requests name an organization: it is served to
// operators, on a host of their own.
const fleet = "freehold.v1.FleetService"

func methods(t *testing.T) []protoreflect.MethodDescriptor {
	t.Helper()
	var out []protoreflect.MethodDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage("freehold.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Services().Len() {
			for j := range f.Services().Get(i).Methods().Len() {
				out = append(out, f.Services().Get(i).Methods().Get(j))
			}
		}
		return true
	})
	if len(out) < 25 {
		t.Fatalf("only %d methods are registered", len(out))
	}
	return out
}

func TestNoRequestOfACustomerNamesAnOrg(t *testing.T) {
	words := []string{"org", "tenant", "customer", "account", "host"}
	for _, m := range methods(t) {
		if m.Parent().FullName() == fleet {
			continue
		}
		for path, f := range fields(m.Input(), "", nil) {
			for _, w := range words {
				if strings.Contains(strings.ToLower(string(f.Name())), w) {
					t.Errorf("%s: %s names an org; it comes from the host and the token", m.FullName(), path)
				}
			}
			// What can hold anything can hold an org.
			if f.Message() != nil && strings.HasPrefix(string(f.Message().FullName()), "google.protobuf.") &&
				f.Message().Name() != "Duration" && f.Message().Name() != "Timestamp" || f.IsMap() {
				t.Errorf("%s: %s can hold anything", m.FullName(), path)
			}
		}
	}
}

func TestEveryAnswerToACustomerSaysWhoseItIs(t *testing.T) {
	for _, m := range methods(t) {
		if m.Parent().FullName() == fleet {
			continue
		}
		f := m.Output().Fields().ByName("org")
		if f == nil || f.Number() != 1 || f.Kind() != protoreflect.StringKind || f.IsList() {
			t.Errorf("%s: the first field of %s must be the string org", m.FullName(), m.Output().Name())
		}
	}
}

// The linked descriptors have no comments, so the definitions are read.
func TestEachMethodSaysWhoMayCallIt(t *testing.T) {
	rpc := regexp.MustCompile(`(?m)((?:^  //.*\n)+)  rpc (\w+)\(`)
	documented := map[string]string{}
	files, err := filepath.Glob("freehold/v1/*.proto")
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range rpc.FindAllStringSubmatch(string(text), -1) {
			documented[m[2]] = m[1]
		}
	}
	for _, m := range methods(t) {
		if !strings.Contains(documented[string(m.Name())], "// Callers: ") {
			t.Errorf("%s does not say who may call it", m.FullName())
		}
	}
}

// fields are those of a message and of all messages in it, by path.
func fields(m protoreflect.MessageDescriptor, prefix string, seen map[protoreflect.FullName]bool) map[string]protoreflect.FieldDescriptor {
	out := map[string]protoreflect.FieldDescriptor{}
	if seen[m.FullName()] {
		return out
	}
	within := map[protoreflect.FullName]bool{m.FullName(): true}
	for name := range seen {
		within[name] = true
	}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		path := prefix + string(f.Name())
		out[path] = f
		if f.Message() != nil {
			maps.Copy(out, fields(f.Message(), path+".", within))
		}
	}
	return out
}
