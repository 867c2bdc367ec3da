package sqlstore_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/registry/sqlstore"
	pgquery "github.com/wasilibs/go-pgquery"
)

// fleetTables are the tables that are not of one org, and why.
var fleetTables = map[string]string{
	"ledger":          "an identity has one owner over all orgs",
	"slots":           "what all orgs do at once is counted over all of them",
	"paces":           "and so is how fast",
	"fleet_audit_log": "who read over all orgs",
}

// constants are the statements of the package by name.
func constants(t *testing.T) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "statements.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "statement" || len(spec.Values) != 1 {
			t.Errorf("%s is not a statement with its text", spec.Names[0].Name)
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Errorf("%s is put together, and cannot be read", spec.Names[0].Name)
			return true
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Error(err)
		}
		out[spec.Names[0].Name] = text
		return true
	})
	if len(out) < 20 {
		t.Fatalf("found %d statements", len(out))
	}
	return out
}

func TestEveryStatementOnOrgsRecordsIsBoundToTheOrgThatAsks(t *testing.T) {
	for name, text := range constants(t) {
		if strings.HasPrefix(name, "fleet") {
			continue
		}
		for _, problem := range unbound(t, text) {
			t.Errorf("%s: %s\n%s", name, problem, text)
		}
	}
}

func TestAStatementThatIsNotBoundIsFound(t *testing.T) {
	for text, want := range map[string]string{
		`SELECT id FROM operations`:                                                           "operations is not bound",
		`SELECT id FROM operations WHERE org <> $1`:                                           "operations is not bound",
		`SELECT id FROM operations WHERE org = $2`:                                            "operations is not bound",
		`SELECT id FROM operations WHERE org = $1 OR state = 'running'`:                       "operations is not bound",
		`SELECT id FROM operations WHERE NOT org = $1`:                                        "operations is not bound",
		`SELECT id FROM operations WHERE org LIKE $1`:                                         "operations is not bound",
		`SELECT e.seq FROM operations o, events e WHERE o.org = $1`:                           "events is not bound",
		`SELECT e.seq FROM operations o JOIN events e ON e.operation = o.id WHERE o.org = $1`: "events is not bound",
		`SELECT e.seq FROM operations o LEFT JOIN events e ON e.org = o.org WHERE o.id = $1`:  "operations is not bound",
		`SELECT e.seq FROM operations o LEFT JOIN events e ON e.org = o.org AND o.org = $1`:   "JOIN_LEFT lets rows through that its condition does not",
		`SELECT id FROM operations WHERE org = $1 AND EXISTS (SELECT 1 FROM events)`:          "events is not bound",
		`SELECT (SELECT count(*) FROM events) FROM operations WHERE org = $1`:                 "events is not bound",
		`WITH e AS (SELECT * FROM events) SELECT * FROM e`:                                    "events is not bound",
		`SELECT id FROM operations WHERE org = $1 UNION SELECT id FROM operations`:            "operations is not bound",
		`DELETE FROM leases`:                                                                            "leases is not bound",
		`UPDATE leases SET until = ''`:                                                                  "leases is not bound",
		`UPDATE leases SET org = $2 WHERE org = $1`:                                                     "leases gives its rows to another org",
		`INSERT INTO fences (token, org) VALUES (1, $2)`:                                                "fences is not bound",
		`INSERT INTO fences (token) VALUES (1)`:                                                         "fences is not bound",
		`INSERT INTO fences (org, token) SELECT org, 1 FROM orgs`:                                       "orgs is not bound",
		`INSERT INTO fences (org, token) VALUES ($1, 1), ('globex', 1)`:                                 "fences is not bound",
		`INSERT INTO fences (org, token) VALUES ($1, 1) ON CONFLICT (token) DO NOTHING`:                 "fences meets a conflict with another org",
		`INSERT INTO fences (org, token) VALUES ($1, 1) ON CONFLICT DO NOTHING`:                         "fences meets a conflict with another org",
		`INSERT INTO fences (org, token) VALUES ($1, 1) ON CONFLICT (org) DO UPDATE SET org = 'globex'`: "fences gives its rows to another org",
		`SELECT kind FROM ledger WHERE org = $1`:                                                        "ledger is a table of the whole fleet",
		`TRUNCATE leases`:                                                                               "TruncateStmt is not allowed",
		`SELECT id FROM operations WHERE org = $1; DELETE FROM leases`:                                  "2 statements",
	} {
		if got := unbound(t, text); !slices.Contains(got, want) {
			t.Errorf("%s\n\tfound %q, want %q", text, got, want)
		}
	}
}

func TestOnlyTheStatementsOfOneFileAreRun(t *testing.T) {
	sql := regexp.MustCompile(`(?is)^\s*(select|insert|update|delete|with|copy|truncate|create|drop|alter)\s`)
	names := constants(t)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		// An archive reads and writes whole tables, each by one statement.
		if strings.HasSuffix(file, "_test.go") || file == "statements.go" || file == "archive.go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && sql.MatchString(text) {
					t.Errorf("%s has a statement of its own: %s", file, text)
				}
			case *ast.Ident:
				if _, ok := names[n.Name]; ok && strings.HasPrefix(n.Name, "fleet") && file != "fleet.go" {
					t.Errorf("%s uses %s, which is about all orgs", file, n.Name)
				}
			}
			return true
		})
	}
}

// unbound is what is wrong with a statement.
func unbound(t *testing.T, text string) []string {
	t.Helper()
	tree, err := pgquery.ParseToJSON(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var parsed struct{ Stmts []struct{ Stmt node } }
	if err := json.Unmarshal([]byte(tree), &parsed); err != nil {
		t.Fatal(err)
	}
	var c checker
	if len(parsed.Stmts) != 1 {
		c.say("%d statements", len(parsed.Stmts))
	}
	for _, s := range parsed.Stmts {
		c.statement(s.Stmt)
	}
	return c.problems
}

// node is a node of PostgreSQL's parse tree: its kind, and what it has.
type node = map[string]any

type checker struct{ problems []string }

func (c *checker) say(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// statement checks a statement, and every one that is inside of it.
func (c *checker) statement(n node) {
	for kind, v := range n {
		s, ok := v.(node)
		if !ok {
			continue
		}
		switch kind {
		case "SelectStmt":
			c.query(s, s["fromClause"])
		case "DeleteStmt":
			c.query(s, []any{node{"RangeVar": s["relation"]}})
		case "UpdateStmt":
			c.query(s, []any{node{"RangeVar": s["relation"]}})
			c.keeps(table(s["relation"]), s["targetList"])
		case "InsertStmt":
			c.insert(s)
		default:
			c.say("%s is not allowed", kind)
		}
	}
}

// query checks one SELECT, UPDATE or DELETE, and then what is inside of it.
func (c *checker) query(s node, from any) {
	tables, equal := map[string]string{}, [][2]string{} // by alias
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case node:
			if r, ok := v["RangeVar"].(node); ok {
				alias := table(r)
				if a, ok := r["alias"].(node); ok {
					alias, _ = a["aliasname"].(string)
				}
				tables[alias] = table(r)
				return
			}
			if j, ok := v["JoinExpr"].(node); ok {
				if j["jointype"] != "JOIN_INNER" {
					c.say("%v lets rows through that its condition does not", j["jointype"])
				}
				walk(j["larg"])
				walk(j["rarg"])
				equal = append(equal, equalities(j["quals"])...)
			}
		}
	}
	walk(from)
	equal = append(equal, equalities(s["whereClause"])...)
	bound := map[string]bool{"$1": true}
	for range len(tables) + 1 {
		for _, e := range equal {
			for i := range e {
				if bound[e[i]] {
					bound[e[1-i]] = true
				}
			}
		}
	}
	for alias, name := range tables {
		own := bound[alias+".org"] || len(tables) == 1 && bound[".org"]
		switch {
		case fleetTables[name] != "":
			c.say("%s is a table of the whole fleet", name)
		case !own:
			c.say("%s is not bound", name)
		}
	}
	c.inside(s)
}

// inside checks the statements below a node.
func (c *checker) inside(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			c.inside(e)
		}
	case node:
		for kind, e := range v {
			if sub, ok := e.(node); ok {
				switch {
				case kind == "SelectStmt" || kind == "InsertStmt" || kind == "UpdateStmt" || kind == "DeleteStmt":
					c.statement(node{kind: sub})
					continue
				case kind == "larg" || kind == "rarg": // of a UNION
					if _, ok := sub["targetList"]; ok {
						c.statement(node{"SelectStmt": sub})
						continue
					}
				}
			}
			c.inside(e)
		}
	}
}

func (c *checker) insert(s node) {
	name := table(s["relation"])
	if fleetTables[name] != "" {
		c.say("%s is a table of the whole fleet", name)
	}
	cols, _ := s["cols"].([]any)
	if len(cols) == 0 || target(cols[0]) != "org" {
		c.say("%s is not bound", name)
		return
	}
	sel, _ := s["selectStmt"].(node)
	values, _ := sel["SelectStmt"].(node)
	rows, _ := values["valuesLists"].([]any)
	for _, r := range rows {
		list, _ := r.(node)["List"].(node)
		items, _ := list["items"].([]any)
		if len(items) == 0 || operand(items[0]) != "$1" {
			c.say("%s is not bound", name)
		}
	}
	if rows == nil {
		targets, _ := values["targetList"].([]any)
		first, _ := targets[0].(node)["ResTarget"].(node)
		if op := operand(first["val"]); op != "$1" && !strings.HasSuffix(op, ".org") {
			c.say("%s is not bound", name)
		}
		c.statement(sel)
	}
	if conflict, ok := s["onConflictClause"].(node); ok {
		infer, _ := conflict["infer"].(node)
		elems, _ := infer["indexElems"].([]any)
		first := node{}
		if len(elems) > 0 {
			first, _ = elems[0].(node)["IndexElem"].(node)
		}
		if first["name"] != "org" {
			c.say("%s meets a conflict with another org", name)
		}
		c.keeps(name, conflict["targetList"])
		c.inside(conflict["targetList"])
		c.inside(conflict["whereClause"])
	}
}

// keeps checks that an update leaves the org as it is.
func (c *checker) keeps(name string, targets any) {
	list, _ := targets.([]any)
	for _, v := range list {
		if target(v) == "org" {
			c.say("%s gives its rows to another org", name)
		}
	}
}

func target(v any) string {
	n, _ := v.(node)
	t, _ := n["ResTarget"].(node)
	name, _ := t["name"].(string)
	return name
}

func table(v any) string {
	n, _ := v.(node)
	name, _ := n["relname"].(string)
	return name
}

// equalities are the pairs that a condition demands to be equal: only what is
// true in every row that it lets through.
func equalities(v any) [][2]string {
	n, _ := v.(node)
	if b, ok := n["BoolExpr"].(node); ok && b["boolop"] == "AND_EXPR" {
		var out [][2]string
		args, _ := b["args"].([]any)
		for _, a := range args {
			out = append(out, equalities(a)...)
		}
		return out
	}
	e, ok := n["A_Expr"].(node)
	if !ok || e["kind"] != "AEXPR_OP" || !strings.Contains(fmt.Sprint(e["name"]), "sval:=]") {
		return nil
	}
	l, r := operand(e["lexpr"]), operand(e["rexpr"])
	if l == "" || r == "" {
		return nil
	}
	return [][2]string{{l, r}}
}

// operand is a parameter, "$1", or a column, "alias.name".
func operand(v any) string {
	n, _ := v.(node)
	if p, ok := n["ParamRef"].(node); ok {
		return fmt.Sprintf("$%v", p["number"])
	}
	col, ok := n["ColumnRef"].(node)
	if !ok {
		return ""
	}
	var names []string
	fields, _ := col["fields"].([]any)
	for _, f := range fields {
		s, _ := f.(node)["String"].(node)
		name, _ := s["sval"].(string)
		names = append(names, name)
	}
	if len(names) == 1 {
		names = slices.Insert(names, 0, "")
	}
	return strings.Join(names, ".")
}

func TestAnImportWritesRowsOfTheOrgThatItIsBoundTo(t *testing.T) {
	for _, text := range sqlstore.ArchiveWrites() {
		for _, problem := range unbound(t, text) {
			t.Errorf("%s\n%s", problem, text)
		}
	}
}
