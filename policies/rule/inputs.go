package rule

import (
	"slices"
	"strconv"
)

// Input is one text among a resource's inputs. Its path is written when it is
// asked for: most texts have nothing to be reported.
type Input struct {
	Text string
	// IsKey is true where the text is a map's key, in which an ARN is as good a
	// reference as in a value.
	IsKey bool
	steps []step
	visit func(*Input)
	judge *Judge
}

type step struct {
	key   string
	index int // of a list, where the key is empty
}

// VisitInputs visits every text among a resource's inputs; numbers and booleans
// as they would be written. What is not known is undecided.
func VisitInputs(j *Judge, r Resource, visit func(*Input)) {
	in := &Input{visit: visit, judge: j, steps: make([]step, 0, 12)}
	in.walk(r.Properties)
}

func (in *Input) walk(v any) {
	switch v := v.(type) {
	case Unknown:
		in.judge.Undecided(in.Path())
	case map[string]any:
		for k, e := range v {
			in.steps = append(in.steps, step{key: k})
			in.see(k, true)
			in.walk(e)
			in.steps = in.steps[:len(in.steps)-1]
		}
	case []any:
		for i, e := range v {
			in.steps = append(in.steps, step{index: i})
			in.walk(e)
			in.steps = in.steps[:len(in.steps)-1]
		}
	case string:
		in.see(v, false)
	default:
		in.see((Value{Raw: v}).Text(), false)
	}
}

func (in *Input) see(text string, key bool) {
	if text != "" {
		in.Text, in.IsKey = text, key
		in.visit(in)
	}
}

// Path writes the path of the property.
func (in *Input) Path() string {
	path := ""
	for _, s := range in.steps {
		if s.key == "" {
			path += "[" + strconv.Itoa(s.index) + "]"
		} else {
			path = JoinPath(path, s.key)
		}
	}
	return path
}

// Name is the property's own name, of an element that of its list.
func (in *Input) Name() string {
	for _, s := range slices.Backward(in.steps) {
		if s.key != "" {
			return s.key
		}
	}
	return ""
}
