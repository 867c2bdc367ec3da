package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// TestEachCommandLineInTheDocsIsOneThatFreeholdHas takes every command line of
// the documentation, the ready pipelines and the commands' own examples, and
// parses it.
func TestEachCommandLineInTheDocsIsOneThatFreeholdHas(t *testing.T) {
	for file, texts := range documented(t) {
		lines := 0
		for _, text := range texts {
			for _, words := range commandLines(text) {
				lines++
				if err := parses(words); err != nil {
					t.Errorf("%s: freehold %s: %v", file, strings.Join(words, " "), err)
				}
			}
		}
		if strings.Contains(file, "pipelines") && lines == 0 {
			t.Errorf("%s has no command line", file)
		}
	}
}

func TestAWrongCommandLineIsFoundWhereverItStands(t *testing.T) {
	for text, wrong := range map[string]string{
		"freehold onboard -f acme.yaml -o json | jq .org":       "",
		"# freehold nonsense":                                   "",
		"echo freehold nonsense":                                "",
		"freehold sandbox exec -- pulumi stack --show-urns":     "",
		"freehold onbord -f acme.yaml":                          `unknown command "onbord"`,
		"status=0\nbin/freehold drift --al -o json || status=$": "unknown flag: --al",
		"A=1 freehold operations wiat acme":                     "unexpected argument",
		"if ! freehold status -o xml; then":                     "output xml",
		"org=\"$(freehold status --jsn)\"":                      "unknown flag: --jsn",
		"freehold projects lst acme":                            `unknown command "lst"`,
		"freehold onboard \\\n  --fiel acme.yaml":               "unknown flag: --fiel",
		"run freehold offboard a b":                             "unexpected argument",
		"aws sts get-caller-identity && freehold claims":        "ORG is missing",
	} {
		var got []string
		for _, words := range commandLines(text) {
			if err := parses(words); err != nil {
				got = append(got, err.Error())
			}
		}
		if joined := strings.Join(got, "\n"); (wrong == "") != (joined == "") || !strings.Contains(joined, wrong) {
			t.Errorf("%q: %q, want %q", text, joined, wrong)
		}
	}
}

// documented are the texts that may hold command lines, by file.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	texts := map[string][]string{}
	add := func(pattern string, take func(string) []string) {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			texts[file] = take(read(t, file))
		}
	}
	for _, pattern := range []string{"README.md", "CONTRIBUTING.md", "docs/*.md", "docs/*/*.md"} {
		add(pattern, codeBlocks)
	}
	add("docs/pipelines/*.sh", func(text string) []string { return []string{text} })
	add("docs/pipelines/*.yaml", func(text string) []string {
		found, err := scalars(text)
		if err != nil {
			t.Error(err)
		}
		return found
	})
	var examples func(cmd *cobra.Command)
	examples = func(cmd *cobra.Command) {
		texts[cmd.CommandPath()+" --help"] = []string{cmd.Example}
		for _, c := range cmd.Commands() {
			examples(c)
		}
	}
	examples((&app{}).root())
	return texts
}

// codeBlocks are the blocks of shell in Markdown.
func codeBlocks(text string) []string {
	var blocks []string
	block, inside := "", false
	for line := range strings.Lines(text) {
		if fence, ok := strings.CutPrefix(strings.TrimSpace(line), "```"); ok {
			if inside {
				blocks = append(blocks, block)
			}
			block, inside = "", !inside && slices.Contains([]string{"sh", "bash", "shell", "console"}, fence)
			continue
		}
		if inside {
			block += line
		}
	}
	return blocks
}

// scalars are the texts of all YAML documents in text: a script may stand anywhere.
func scalars(text string) ([]string, error) {
	var out []string
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			out = append(out, n.Value)
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	d := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		walk(&doc)
	}
}

// before are the words that may stand before a command.
var before = []string{"if", "elif", "while", "until", "then", "do", "else", "!", "exec", "run", "sudo", "time", "$"}

// commandLines are the arguments of each freehold that text calls.
func commandLines(text string) [][]string {
	var found [][]string
	for _, words := range shellWords(text) {
		for len(words) > 0 && (slices.Contains(before, words[0]) || assigns(words[0])) {
			words = words[1:]
		}
		if len(words) > 0 && (words[0] == "freehold" || strings.HasSuffix(words[0], "/freehold")) {
			found = append(found, words[1:])
		}
	}
	return found
}

func assigns(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// shellWords splits a shell script into simple commands and these into words,
// without redirections and comments. What is in $(…) is commands of its own.
func shellWords(text string) [][]string {
	var commands [][]string
	var words []string
	var word strings.Builder
	started, skip := false, false
	endWord := func() {
		if started && !skip {
			words = append(words, word.String())
		}
		if started {
			skip = false
		}
		word.Reset()
		started = false
	}
	end := func() {
		endWord()
		if len(words) > 0 {
			commands = append(commands, words)
		}
		words, skip = nil, false
	}
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			if text[i] != '\n' {
				word.WriteByte(text[i])
				started = true
			}
		case quote != '\'' && strings.HasPrefix(text[i:], "$("):
			inner := parenthesized(text[i+1:])
			commands = append(commands, shellWords(inner)...)
			word.WriteString("$()")
			started = true
			i += len(inner) + 2
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteByte(c)
			}
		case c == '\'' || c == '"':
			quote, started = c, true
		case c == '#' && !started:
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case c == ' ' || c == '\t':
			endWord()
		case strings.IndexByte("\n;|&(){}`", c) >= 0 && (c != '{' && c != '}' || !started):
			end()
		case c == '<' || c == '>':
			if strings.Trim(word.String(), "0123456789") == "" {
				word.Reset()
				started = false
			}
			endWord()
			skip = true // the next word is a file
			for i+1 < len(text) && strings.IndexByte("<>&", text[i+1]) >= 0 {
				i++
			}
		default:
			word.WriteByte(c)
			started = true
		}
	}
	end()
	return commands
}

// parenthesized is what stands between the first "(" of text and its ")".
func parenthesized(text string) string {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return text[1:i]
			}
		}
	}
	return text[1:]
}

// parses says what the command line would refuse before it looks at anything.
// What a variable holds is not known, nor how many words "$@" are.
func parses(words []string) error {
	words = slices.DeleteFunc(slices.Clone(words), func(word string) bool { return word == "$@" })
	a := &app{env: Env{
		Stdout: io.Discard, Stderr: new(bytes.Buffer), Remote: func(Options) (Remote, error) { return nil, nil },
		ServerOrg: func(url string) (string, error) {
			org, _, _ := strings.Cut(strings.TrimPrefix(url, "https://"), ".")
			return strings.TrimPrefix(org, "op"), nil
		},
	}}
	cmd, rest, err := a.root().Find(words)
	if err != nil {
		return err
	}
	if strings.HasPrefix(cmd.CommandPath(), "freehold get") {
		a.flags.server = "https://acme.freehold.example.com" // or FREEHOLD_SERVER
	}
	if err := cmd.ParseFlags(rest); err != nil {
		if strings.Contains(err.Error(), `invalid argument "$`) {
			return nil
		}
		return cmd.FlagErrorFunc()(cmd, err)
	}
	args := cmd.Flags().Args()
	if cmd.Flags().Changed("help") {
		return nil
	}
	if err := cmd.ValidateArgs(args); err != nil {
		return err
	}
	if run := reflect.ValueOf(cmd.RunE); len(args) > 0 && run.Pointer() == reflect.ValueOf(group).Pointer() {
		return group(cmd, args)
	}
	if out := output(a.flags.output); !slices.Contains([]output{"", asText, asJSON, asNDJSON}, out) {
		return fmt.Errorf("output %s", out)
	}
	return nil
}
