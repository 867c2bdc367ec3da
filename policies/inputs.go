package policies

import (
	"slices"
	"strconv"
)

// input is one text among a resource's inputs. Its path is written when it is
// asked for: most texts have nothing to be reported.
type input struct {
	text string
	// key is true where the text is a map's key, in which an ARN is as good a
	// reference as in a value.
	key   bool
	steps []step
	visit func(*input)
	judge *judge
}

type step struct {
	key   string
	index int // of a list, where the key is empty
}

// visitInputs visits every text among a resource's inputs; numbers and booleans
// as they would be written. What is not known is undecided.
func visitInputs(j *judge, r Resource, visit func(*input)) {
	in := &input{visit: visit, judge: j}
	in.walk(r.Properties)
}

func (in *input) walk(v any) {
	switch v := v.(type) {
	case Unknown:
		in.judge.undecided(in.path())
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
		in.see((value{v: v}).text(), false)
	}
}

func (in *input) see(text string, key bool) {
	if text != "" {
		in.text, in.key = text, key
		in.visit(in)
	}
}

func (in *input) path() string {
	path := ""
	for _, s := range in.steps {
		if s.key == "" {
			path += "[" + strconv.Itoa(s.index) + "]"
		} else {
			path = join(path, s.key)
		}
	}
	return path
}

// name is the property's own name, of an element that of its list.
func (in *input) name() string {
	for _, s := range slices.Backward(in.steps) {
		if s.key != "" {
			return s.key
		}
	}
	return ""
}
