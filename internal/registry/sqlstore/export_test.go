package sqlstore

// ArchiveWrites are the statements by which an import writes orgs' rows.
func ArchiveWrites() []string {
	var out []string
	for _, t := range orgTables {
		out = append(out, t.write())
	}
	return out
}

// ArchiveColumns are the columns of every table of an archive, in order.
func ArchiveColumns() map[string][]string {
	out := map[string][]string{}
	for _, t := range allTables() {
		for _, c := range t.columns {
			out[t.name] = append(out[t.name], c.name)
		}
	}
	return out
}
