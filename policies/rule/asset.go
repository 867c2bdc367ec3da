package rule

// AccountDigits is the length of an account's id.
const AccountDigits = 12

// Asset is a file, or an archive of files, as a rule sees it: code, for the most part,
// with whatever examples and test data its libraries bring along. Its text is not
// judged as an input is. An account that the registry knows as another org's is.
type Asset struct {
	SHA256 string
	// Accounts are the numbers in it that have as many digits as an account, sorted.
	Accounts []string
}

// VisitAssets visits the assets among a resource's inputs.
func VisitAssets(r Resource, visit func(*Node, Asset)) {
	VisitLeaves(&Node{Raw: r.Properties}, func(p *Node) {
		if a, ok := p.Raw.(Asset); ok {
			visit(p, a)
		}
	})
}
