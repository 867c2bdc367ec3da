package server_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A reviewer follows each link of the page, and runs each test that it names.
func TestThePageOnIsolationNamesWhatThereIs(t *testing.T) {
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", "isolation.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(string(text), -1) {
		if _, err := os.Stat(filepath.Join(root, "docs", m[1])); err != nil {
			t.Errorf("%s: %v", m[0], err)
		}
	}
	tests := 0
	for _, m := range regexp.MustCompile("`([a-z0-9/]+)`: ((?:`\\w+`(?:, )?)+)").FindAllStringSubmatch(string(text), -1) {
		files, err := filepath.Glob(filepath.Join(root, m[1], "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no tests", m[1])
			continue
		}
		all := ""
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all += string(text)
		}
		for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(m[2], -1) {
			if tests++; !strings.Contains(all, "func "+name[1]+"(") {
				t.Errorf("%s has no %s", m[1], name[1])
			}
		}
	}
	if tests < 25 {
		t.Errorf("the page names %d tests only", tests)
	}
	for _, m := range regexp.MustCompile(`(?m)^go test (\S+) -run '?([^' ]+)'?`).FindAllStringSubmatch(string(text), -1) {
		for name := range strings.SplitSeq(m[2], "|") {
			if !strings.Contains(string(text), "`"+name+"`") && name != "^$" {
				t.Errorf("%s: the page does not say what %s shows", m[0], name)
			}
		}
	}
}
