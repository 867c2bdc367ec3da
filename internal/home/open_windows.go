package home

import "io/fs"

func open(fs.FileInfo, bool) string { return "" }
