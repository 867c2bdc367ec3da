// Package lab is where Freehold meets an AWS that it did not write: an API
// emulator, genuine provider code, and between them a front that records every
// call. It serves tests only, in the lane that "make conformance" runs.
//
// What the emulator leaves out and AWS does, the front does: a session ends
// when its time is over, and a role is assumed only by whom its trust policy
// names, with its external id, in an account that exists.
//
// EKS's control planes, which no emulator has, are real ones (etcd,
// kube-apiserver, kube-controller-manager), and who speaks to them shows the
// token that EKS would ask for. The providers eks and kubernetes are the
// official plugins where they are on PATH, and else the sandbox's.
package lab
