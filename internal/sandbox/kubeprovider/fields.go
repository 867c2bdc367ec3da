package kubeprovider

// fields is the tree of what managers own, as managedFields writes it: "f:name"
// for a map's entry, `k:{"name":"x"}` for a list's item, `v:"x"` for a set's
// value.
type fields map[string]any

func (f fields) merge(other map[string]any) {
	for k, v := range other {
		v, _ := v.(map[string]any)
		child, ok := f[k].(fields)
		if !ok {
			child = fields{}
			f[k] = child
		}
		child.merge(v)
	}
}
