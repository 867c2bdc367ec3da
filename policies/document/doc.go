// Package document reads policy documents: whom a statement lets in, what it allows and
// denies, and which conditions keep others out. It knows the few accounts and ARNs of
// AWS that all customers share.
//
// What cannot be decided by a document alone lets everybody in: a condition counts only
// where it is sure to keep out whoever is not of the account.
package document
