// Package kubeprovider serves Pulumi's kubernetes package (v4) over the
// provider protocol, from inside the process, against whatever API server a
// kubeconfig resolves to.
//
// What it promises is what the genuine provider does where Freehold's programs
// can tell the difference:
//
//   - Objects are applied server-side, with one field manager. A create without
//     force names the manager that it conflicts with; an update forces, so that
//     fields edited by hand go back to what the program says.
//   - A preview is a dry run on the server where the server and the kind are
//     there, and the inputs otherwise.
//   - Deployments are waited for until their rollout is complete, definitions
//     until they are established, namespaces until they are active, and deleted
//     objects until they are gone. What cannot be waited for in time is an error
//     that keeps the object in the state.
//   - A refresh returns, for the properties that the program sets, what the live
//     object holds, and nothing for those that it does not: an edit by hand shows
//     as exactly that edit.
//   - Names are made up as <name>-<8 hex digits> when there is none.
//
// Patch resources, Helm charts, YAML files and functions are not served.
package kubeprovider
