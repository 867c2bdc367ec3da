package awsprovider

import (
	"strings"
	"testing"
)

// TestTablesSpeakOfPropertiesThatExist holds each entry against the SDK's types:
// a mistyped property in a table would be a rule that never applies.
func TestTablesSpeakOfPropertiesThatExist(t *testing.T) {
	seen := map[string]bool{}
	for _, ty := range all {
		if seen[ty.Token] {
			t.Errorf("%s is there twice", ty.Token)
		}
		seen[ty.Token] = true
		s := shapesOf(ty)
		input := func(what, path string) {
			if path != "*" && !s.inputs.reaches(steps(path)) {
				t.Errorf("%s: %s speaks of the input %q, which there is not", ty.Token, what, path)
			}
		}
		output := func(what, name string) {
			if _, is := s.outputs[name]; !is && !strings.HasPrefix(name, "__") {
				t.Errorf("%s: %s speaks of the output %q, which there is not", ty.Token, what, name)
			}
		}
		for p := range ty.Fields {
			// The default group shares the rules of the others, without a name of its own.
			if ty.Token != "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup" || p != "name" && p != "description" {
				input("Fields", p)
			}
		}
		for p := range ty.Policies {
			input("Policies", p)
		}
		for _, p := range ty.Required {
			input("Required", p)
		}
		for _, p := range ty.Replace {
			input("Replace", p)
		}
		for _, r := range ty.Refs {
			input("Refs", r.Path)
			for _, to := range r.To {
				if byToken[to] == nil && !strings.HasPrefix(to, "aws:iam/user:") {
					t.Errorf("%s: Refs speaks of the type %s, which there is not", ty.Token, to)
				}
			}
		}
		for _, group := range append(ty.Conflicts, ty.ExactlyOne...) {
			for _, p := range group {
				input("Conflicts or ExactlyOne", p)
			}
		}
		for p := range ty.API.Updates {
			input("Updates", p)
		}
		for p := range ty.Outputs {
			output("Outputs", p)
		}
		for p := range ty.Defaults {
			output("Defaults", p)
		}
		for _, p := range ty.Computed {
			output("Computed", p)
		}
		if ty.Name.Property != "" {
			input("Name", ty.Name.Property)
		}
		if ty.Name.Prefix != "" {
			input("Name", ty.Name.Prefix)
		}
		for _, l := range ty.Owns {
			linked(t, ty, l)
		}
		for _, b := range ty.Blocks {
			linked(t, ty, b.Link)
			if b.Unless != "" {
				input("Unless", b.Unless)
			}
		}
		for what, missing := range map[string]bool{
			"Source": !strings.HasPrefix(ty.Source, "https://"), "Noun": ty.Noun == "", "Service": names[ty.Service] == "",
			"Create": ty.API.Create == "", "Read": ty.API.Read == "", "ID": ty.ID == "",
		} {
			if missing {
				t.Errorf("%s: %s is missing", ty.Token, what)
			}
		}
		if _, tagged := s.outputs["tagsAll"]; tagged != ty.Tags {
			t.Errorf("%s: Tags is %v, the SDK says %v", ty.Token, ty.Tags, tagged)
		}
		if _, arn := s.outputs["arn"]; arn && ty.ARN == "" && ty.Outputs["arn"] == "" {
			t.Errorf("%s: it has an ARN, the table has none", ty.Token)
		}
	}
}

func linked(t *testing.T, ty *Type, l Link) {
	t.Helper()
	other := byToken[l.Type]
	if other == nil {
		t.Errorf("%s: a link to the type %s, which there is not", ty.Token, l.Type)
		return
	}
	top := steps(l.Path)[0]
	if _, is := shapesOf(other).outputs[top]; !is && !strings.HasPrefix(top, "__") {
		t.Errorf("%s: a link to %s of %s, which there is not", ty.Token, l.Path, l.Type)
	}
}

// reaches reports whether a path leads to a property.
func (s *shape) reaches(path []string) bool {
	if len(path) == 0 || s.props == nil && s.elem == nil {
		return len(path) == 0
	}
	if s.elem != nil {
		return s.elem.reaches(path[1:])
	}
	p, is := s.props[path[0]]
	return is && p.reaches(path[1:])
}
