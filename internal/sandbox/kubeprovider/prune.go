package kubeprovider

import "reflect"

// prune returns of a live object what has the shape of what was asked for: the
// fields that the inputs name, and of a list as many items as they have, by
// position. What somebody else adds is not in it, and so no refresh sees it
// (provider/pkg/provider/util.go, pruneMap and pruneSlice).
func prune(live, asked map[string]any) map[string]any {
	if live == nil || asked == nil {
		return nil
	}
	out := map[string]any{}
	for k, v := range live {
		if want, ok := asked[k]; ok {
			out[k] = pruneValue(v, want)
		}
	}
	return out
}

func pruneValue(live, asked any) any {
	switch l := live.(type) {
	case map[string]any:
		if a, ok := asked.(map[string]any); ok {
			return prune(l, a)
		}
	case []any:
		if a, ok := asked.([]any); ok {
			return pruneList(l, a)
		}
	}
	return live
}

func pruneList(live, asked []any) []any {
	if len(live) > 0 && len(asked) > 0 && reflect.TypeOf(live[0]) != reflect.TypeOf(asked[0]) {
		return live
	}
	out := []any{}
	for i := range min(len(live), len(asked)) {
		out = append(out, pruneValue(live[i], asked[i]))
	}
	return out
}
