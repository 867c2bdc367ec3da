// Package rule is the vocabulary of the isolation rules: what a rule is, the resource
// and the org that it judges, and how it reads the one, collects what it finds and
// answers.
//
// A value that is not known is never taken for one that is fine: whoever reads it
// through a Judge leaves the answer undecided. Findings come in the order of their
// paths, however the maps were walked.
package rule
