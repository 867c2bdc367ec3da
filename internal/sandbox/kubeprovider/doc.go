// Package kubeprovider serves Pulumi's kubernetes package (v4) over the
// provider protocol, from inside the process, against whatever API server a
// kubeconfig resolves to.
//
// What it promises is what the official provider, pulumi-kubernetes 4.28.0, does
// (docs/decisions/0016-what-the-official-plugins-do.md has the table, and files
// that comments name are below provider/pkg of its repository):
//
//   - Objects are applied server-side, each with a field manager of its own. A
//     field that another manager owns is a conflict, unless the program forces it.
//   - A preview is a dry run on the server where the server and the kind are
//     there, and the inputs otherwise.
//   - Workloads are waited for until they are ready, and deleted objects until
//     they are gone. What is not in time is an error that keeps the object in the
//     state.
//   - A refresh returns the live object pruned to the shape of the inputs: an edit
//     of what the program sets shows as exactly that edit, and what somebody adds
//     does not show.
//   - What cannot be changed by the official provider's table is replaced.
//
// Patch resources, Helm charts, YAML files and functions are not served.
package kubeprovider
