package spec

import (
	"regexp"
	"strings"
)

// Accelerator is the hardware for which a node's image needs a driver.
type Accelerator string

// The accelerators for which EKS has images.
const (
	NoAccelerator Accelerator = ""
	NVIDIA        Accelerator = "nvidia"
	Neuron        Accelerator = "neuron"
)

// Machine is what an instance type's name tells of it.
type Machine struct {
	ARM         bool
	Accelerator Accelerator
}

// instanceFamily splits a family such as c7gn into its series, its generation
// and its attributes.
//
// https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
var instanceFamily = regexp.MustCompile(`^([a-z]+)[0-9]+([a-z0-9-]*)$`)

// MachineOf reads an instance type's name: attributes that start with g mean
// Graviton (m7g, c7gn, im4gn, is4gen), and a1 is Graviton's first generation.
// A Grace host (p6e-gb200) is ARM as well.
func MachineOf(instanceType string) Machine {
	family, _, _ := strings.Cut(instanceType, ".")
	parts := instanceFamily.FindStringSubmatch(family)
	if parts == nil {
		return Machine{}
	}
	series, attributes := parts[1], parts[2]
	m := Machine{ARM: strings.HasPrefix(attributes, "g") || strings.Contains(attributes, "-gb") || family == "a1"}
	switch series {
	case "g", "gr", "p":
		// g4ad has an AMD card, for which EKS has no image with a driver.
		if attributes != "ad" {
			m.Accelerator = NVIDIA
		}
	case "inf", "trn":
		m.Accelerator = Neuron
	}
	return m
}
