package cli

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
)

// promise is what a row of the contract says of a command's end.
type promise struct {
	Exit string
	// Ends are the states of the terminal events, as the command ends takes them.
	Ends string
	// Streamed is whether the command writes events at all.
	Streamed bool
	// Begun is whether there is an operation that ended so.
	Begun bool
}

// TestEachRowOfTheContractHasAProofAndEachProofARow reads the table for
// pipelines and the script that proves it.
func TestEachRowOfTheContractHasAProofAndEachProofARow(t *testing.T) {
	rows := contractRows(t, filepath.Join("..", "..", "docs", "pipelines", "README.md"))
	if d := cmp.Diff(rows, contractProofs(t, filepath.Join("testdata", "contract.txtar"))); d != "" {
		t.Errorf("the proofs differ from the rows (-row +proof):\n%s", d)
	}
	exits, ends := map[string]bool{}, map[string]bool{}
	for _, p := range rows {
		exits[p.Exit] = true
		for end := range strings.FieldsSeq(p.Ends) {
			ends[end] = true
		}
	}
	var statuses []string
	for _, status := range worst {
		statuses = append(statuses, strconv.Itoa(status))
	}
	slices.Sort(statuses)
	if d := cmp.Diff(statuses, slices.Sorted(maps.Keys(exits))); d != "" {
		t.Errorf("exit statuses of the table (-want +got):\n%s", d)
	}
	terminal := []string{event.OperationBlocked.State(), event.OperationFailed.State(), event.OperationPending.State(), event.OperationSucceeded.State()}
	if d := cmp.Diff(terminal, slices.Sorted(maps.Keys(ends))); d != "" {
		t.Errorf("terminal events of the table (-want +got):\n%s", d)
	}
}

// contractRows reads the table whose first column is a row's name.
func contractRows(t *testing.T, file string) map[string]promise {
	t.Helper()
	rows := map[string]promise{}
	for line := range strings.Lines(read(t, file)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 6 || !strings.HasPrefix(cells[0], "| `") {
			continue
		}
		name := strings.Trim(cells[0], "|` ")
		if _, twice := rows[name]; twice {
			t.Errorf("row %s is there twice", name)
		}
		ends, none := strings.CutSuffix(cells[3], ", not begun")
		p := promise{Exit: cells[2], Ends: strings.ReplaceAll(ends, ",", ""), Streamed: ends != "–", Begun: !none}
		if ends == "nothing" || ends == "–" {
			p.Ends = ""
		}
		rows[name] = p
		for i, command := range strings.Split(cells[1], "`") {
			if words := strings.Fields(command); i%2 == 1 && !exists(words) {
				t.Errorf("row %s: there is no command %s", name, command)
			}
		}
	}
	return rows
}

// exists reports whether words name a command, and flags of it.
func exists(words []string) bool {
	cmd, rest, err := (&app{}).root().Find(words)
	return err == nil && !slices.ContainsFunc(rest, func(word string) bool {
		name, flag := strings.CutPrefix(word, "--")
		name, _, _ = strings.Cut(name, "=")
		return !flag || cmd.Flags().Lookup(name) == nil
	})
}

// contractProofs reads what each part of the script last asks for.
func contractProofs(t *testing.T, file string) map[string]promise {
	t.Helper()
	script, _, _ := strings.Cut(read(t, file), "\n-- ")
	proofs := map[string]promise{}
	for _, part := range strings.Split(script, "\n# row: ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		if _, twice := proofs[name]; twice {
			t.Errorf("row %s is proved twice", name)
		}
		p := promise{Begun: true}
		for line := range strings.Lines(body) {
			line = strings.TrimSpace(line)
			if exit, ok := strings.CutPrefix(line, "exits "); ok {
				p.Exit = exit
			}
			if ends, ok := strings.CutPrefix(line, "ends"); ok {
				p.Ends, p.Streamed = strings.TrimSpace(ends), true
			}
			if line == `stdout '"operation":""'` {
				p.Begun = false
			}
		}
		proofs[name] = p
	}
	return proofs
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
