// Package example makes the examples by which rules show what they mean: resources of
// acme, an org of which everything is known, and of globex, of which nothing may be
// named. They belong to the rules, and docs/policies.md names them.
package example
