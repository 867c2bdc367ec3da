// Package reading finds what a text names: accounts, buckets, clusters and the ids that
// AWS gives, alone, in ARNs and in the hosts of AWS, and in every encoding that somebody
// else takes off again.
//
// Every rule that looks for something in texts looks through this package. What it costs
// is bounded by the size of the text, and a text that holds more than is read says so.
package reading
