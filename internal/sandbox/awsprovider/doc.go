// Package awsprovider is AWS as the sandbox has it: the Pulumi provider "aws",
// served over gRPC, on a cloud that is rows in a database and refuses what AWS
// refuses, in AWS's words.
//
// What a resource type is, is data: a Type in one of the tables (types_*.go),
// each with the page of AWS's documentation that it was written from. Property
// names and types come from the SDK's own Go types. A call goes this way:
//
//	server.go     the wire: Check, Diff, Create, Read, Update, Delete, Invoke
//	configure.go  who is calling: assumed role, allowed accounts, region
//	check.go      inputs against the SDK's types and the table's rules
//	backend.go    injected faults, retries, latency, the journal
//	resources.go  one resource: made, read, changed, deleted
//	verify.go     what AWS refuses: references, policies, quotas, identities
//	call.go       what the tables' functions work with
//
// Each provider resource of a program has a connection of its own, and its
// configuration lives with the connection.
package awsprovider
