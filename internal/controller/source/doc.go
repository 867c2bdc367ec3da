// Package source brings projects into the cluster that somebody else lists:
// today Freehold's API, over connections that only the controller opens.
//
// A round asks the source for the whole set of the org, and makes the Projects
// of the cluster equal to it:
//
//	             ┌─ answers ──> check ──> remember ─┐
//	ask the API ─┤                                  ├─> create, update, remove ─> wait
//	             └─ fails: the remembered set ──────┘
//
// What holds:
//
//   - Only a set that was read whole and is right removes a project. An API that
//     is away, refuses, lies about the org or sends half a document removes and
//     changes nothing.
//   - Only Projects with the label freehold.dev/source=api are changed or
//     removed. A name that somebody else has is left alone, and said.
//   - A round in which nothing changed writes nothing.
//   - The token goes to the host of the URL and to no other, over verified TLS.
package source
