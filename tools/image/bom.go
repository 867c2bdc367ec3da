package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// bomType is what registries and scanners know a list of components by.
const bomType types.MediaType = "application/vnd.cyclonedx+json"

// bomOf returns the modules that the linker put into the programs of an image, as
// an artifact that refers to the image: the image's digest does not depend on it.
func bomOf(c inside, image v1.Image) (v1.Image, error) {
	bom := cyclonedx.NewBOM()
	var components []cyclonedx.Component
	var uses []cyclonedx.Dependency
	seen := map[string]bool{}
	add := func(component cyclonedx.Component) string {
		if !seen[component.BOMRef] {
			seen[component.BOMRef] = true
			components = append(components, component)
		}
		return component.BOMRef
	}
	// The image's own program first: it is what the list is about.
	for i, program := range slices.Backward(c.programs) {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, err
		}
		refs := []string{add(goModule("stdlib", strings.TrimPrefix(info.GoVersion, "go")))}
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			refs = append(refs, add(goModule(m.Path, m.Version)))
		}
		ref := "program"
		if i == len(c.programs)-1 {
			bom.Metadata = &cyclonedx.Metadata{Component: &cyclonedx.Component{BOMRef: ref, Type: cyclonedx.ComponentTypeApplication, Name: info.Path}}
		} else {
			below, _ := strings.CutPrefix(info.Path, info.Main.Path)
			other := goModule(info.Main.Path, info.Main.Version)
			other.Type, other.Name, other.PackageURL = cyclonedx.ComponentTypeApplication, info.Path, other.PackageURL+"#"+strings.Trim(below, "/")
			other.BOMRef = other.PackageURL
			ref = add(other)
		}
		uses = append(uses, cyclonedx.Dependency{Ref: ref, Dependencies: &refs})
	}
	others, err := pluginComponents(c)
	if err != nil {
		return nil, err
	}
	for _, component := range others {
		add(component)
	}
	bom.Components, bom.Dependencies = &components, &uses
	var text bytes.Buffer
	// Scanners know 1.5 for years; nothing here needs a later one.
	if err := cyclonedx.NewBOMEncoder(&text, cyclonedx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cyclonedx.SpecVersion1_5); err != nil {
		return nil, err
	}
	subject, err := partial.Descriptor(image)
	if err != nil {
		return nil, err
	}
	artifact := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	artifact = mutate.ConfigMediaType(artifact, bomType)
	if artifact, err = mutate.AppendLayers(artifact, static.NewLayer(text.Bytes(), bomType)); err != nil {
		return nil, err
	}
	return mutate.Subject(artifact, v1.Descriptor{
		MediaType: subject.MediaType, Size: subject.Size, Digest: subject.Digest,
	}).(v1.Image), nil
}

func goModule(path, version string) cyclonedx.Component {
	purl := fmt.Sprintf("pkg:golang/%s@%s", path, version)
	return cyclonedx.Component{BOMRef: purl, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl}
}
