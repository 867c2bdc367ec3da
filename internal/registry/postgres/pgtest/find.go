package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// toolsVariable names the folder with the programs that "make test" found or fetched.
const toolsVariable = "FREEHOLD_TOOLS"

// find returns the folder that has postgres and initdb: that of the tools, or
// one of the machine's, the newest of Debian's last.
func find() (string, error) {
	var places []string
	if tools := os.Getenv(toolsVariable); tools != "" {
		places = append(places, tools)
	}
	if bin, err := binAbove(); err == nil {
		places = append(places, bin)
	}
	places = append(places, filepath.SplitList(os.Getenv("PATH"))...)
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Sort(debian)
	slices.Reverse(debian)
	for _, place := range append(places, debian...) {
		// A link leads to where initdb is, and what both need.
		file, err := filepath.EvalSymlinks(filepath.Join(place, "postgres"))
		if err != nil || !filepath.IsAbs(file) {
			continue
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(file), "initdb")); err == nil {
			return filepath.Dir(file), nil
		}
	}
	return "", fmt.Errorf("there is no postgres with an initdb beside it in $%s, bin, the PATH or /usr/lib/postgresql/*/bin: "+
		"run make test, which fetches one where it can", toolsVariable)
}

// binAbove finds the repository's bin folder from the folder that the test runs in.
func binAbove() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "bin"), nil
		}
	}
	return "", errors.New("there is no go.mod above")
}

// tail is the end of a log.
func tail(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
