package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
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

// bomOf returns the modules that the linker put into a program, as an artifact
// that refers to the program's image: the image's digest does not depend on it.
func bomOf(program string, image v1.Image) (v1.Image, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	components := []cyclonedx.Component{goModule("stdlib", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		components = append(components, goModule(m.Path, m.Version))
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{Component: &cyclonedx.Component{
		BOMRef: "program", Type: cyclonedx.ComponentTypeApplication, Name: info.Path,
	}}
	bom.Components = &components
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
