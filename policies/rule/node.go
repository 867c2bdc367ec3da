package rule

import "strconv"

// Node is where a walk through a value is, for whoever wants to know: to write every path would
// cost more than what is looked for.
type Node struct {
	Up    *Node
	Key   string
	Index int
	Raw   any
}

// Path writes the path to a place.
func (p *Node) Path() string {
	switch {
	case p.Up == nil:
		return ""
	case p.Key == "":
		return p.Up.Path() + "[" + strconv.Itoa(p.Index) + "]"
	default:
		return JoinPath(p.Up.Path(), p.Key)
	}
}

// VisitLeaves visits everything in a value that is no map and no list.
func VisitLeaves(p *Node, visit func(p *Node)) {
	switch in := p.Raw.(type) {
	case map[string]any:
		for key, v := range in {
			VisitLeaves(&Node{Up: p, Key: key, Raw: v}, visit)
		}
	case []any:
		for i, v := range in {
			VisitLeaves(&Node{Up: p, Index: i, Raw: v}, visit)
		}
	default:
		visit(p)
	}
}
