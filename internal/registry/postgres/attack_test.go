package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"freehold.dev/freehold/internal/registry/postgres/pgtest"
)

// An attacker is in a transaction that is bound to acme and can send any one
// statement. Each statement is tried in two databases that differ in globex's
// rows only, and has to be answered in the same way: the same rows, the same
// count, the same error.

// answer is everything that a client gets to see.
type answer struct {
	Rows    []string
	Tag     string
	Error   string
	Notices []string
}

// victim is one of the two databases, and the attacker's connection to it.
type victim struct {
	conn    *pgx.Conn
	notices []string
}

// table is a table as the catalogue has it.
type table struct {
	name    string
	columns []string
	types   map[string]string
	key     []string
	parents []parent
}

// parent is a reference: these columns, of which the first is the org, are
// another table's key.
type parent struct{ columns []string }

func tables(t *testing.T, conn *pgx.Conn, names []string) []table {
	t.Helper()
	var all []table
	for _, name := range names {
		x := table{name: name, types: map[string]string{}}
		for _, row := range do(t, conn, `SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, name) {
			x.columns = append(x.columns, row[0].(string))
			x.types[row[0].(string)] = row[1].(string)
		}
		columns := `SELECT ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY u(n, i) JOIN pg_attribute a ON attrelid = conrelid AND attnum = n ORDER BY i) FROM pg_constraint WHERE conrelid = $1::text::regclass AND contype = $2::text::"char"`
		for _, row := range do(t, conn, columns, name, "p") {
			x.key = texts(row[0])
		}
		for _, row := range do(t, conn, columns, name, "f") {
			x.parents = append(x.parents, parent{texts(row[0])})
		}
		all = append(all, x)
	}
	return all
}

func texts(v any) (out []string) {
	for _, e := range v.([]any) {
		out = append(out, e.(string))
	}
	return out
}

// values are a row of an org as literals. Rows with the same mark have the same
// values in each column that can be a part of a key, and so refer to each other.
func (x table) values(org, mark string) string {
	var out []string
	for _, c := range x.columns {
		switch {
		case c == "org":
			out = append(out, quote(org))
		case x.types[c] == "text":
			out = append(out, quote(mark))
		case x.types[c] == "bytea":
			out = append(out, `'\x01'`)
		case x.types[c] == "boolean":
			out = append(out, "true")
		case strings.HasPrefix(x.types[c], "timestamp"):
			out = append(out, "now()")
		default:
			out = append(out, fmt.Sprint(mark[0]))
		}
	}
	return "(" + strings.Join(out, ", ") + ")"
}

func (x table) insert(org, mark string) string {
	return "INSERT INTO " + x.name + " VALUES " + x.values(org, mark)
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// attacks are the statements to be tried on a table of orgs' rows.
func (x table) attacks() []string {
	n := x.name
	some := x.columns[len(x.columns)-1] // any column but the org
	all := []string{
		"SELECT * FROM " + n,
		"SELECT count(*), min(org), max(org), string_agg(org, ',') FROM " + n,
		"SELECT * FROM " + n + " WHERE org = 'globex'",
		"SELECT * FROM " + n + " WHERE org <> 'acme' OR org IS NULL",
		"SELECT EXISTS (SELECT 1 FROM " + n + " WHERE org = 'globex')",
		"SELECT * FROM " + n + " WHERE org LIKE 'glo%'",
		"SELECT * FROM " + n + " WHERE org ~ '^g' OR org SIMILAR TO 'g%' OR starts_with(org, 'g')",
		"SELECT * FROM " + n + " WHERE CASE WHEN org = 'acme' THEN 1 ELSE 1 / 0 END = 1",
		"SELECT * FROM " + n + " WHERE org::int = 1",
		"SELECT * FROM " + n + " WHERE (CASE WHEN org = 'acme' THEN '1' ELSE org END)::int = 1",
		"SELECT a.org, b.org FROM " + n + " a JOIN " + n + " b ON a.org <> b.org",
		"SELECT * FROM " + n + " TABLESAMPLE SYSTEM (100)",
		"SELECT * FROM " + n + " ORDER BY org LIMIT 10",
		"WITH x AS MATERIALIZED (SELECT * FROM " + n + ") SELECT * FROM x",
		"SELECT (SELECT org FROM " + n + " WHERE org = 'globex' LIMIT 1)",
		"SELECT * FROM pg_stats WHERE tablename = '" + n + "'",
		"SELECT query_to_xml('SELECT * FROM " + n + "', true, false, '')",
		"SELECT table_to_xml('" + n + "', true, false, '')",

		x.insert("globex", "shared"),
		x.insert("globex", "theirs"),
		x.insert("globex", "fresh"),
		x.insert("globex", "theirs") + " RETURNING *",
		x.insert("acme", "theirs") + " RETURNING *",
		x.insert("acme", "shared") + " RETURNING *",
		x.insert("", "theirs"),
		"INSERT INTO " + n + " SELECT * FROM " + n + " WHERE org = 'globex' RETURNING *",

		"UPDATE " + n + " SET org = 'globex'",
		"UPDATE " + n + " SET org = 'globex' WHERE org = 'acme' RETURNING *",
		"UPDATE " + n + " SET org = 'acme' WHERE org = 'globex' RETURNING *",
		"UPDATE " + n + " SET " + some + " = " + some + " WHERE org = 'globex' RETURNING *",
		"UPDATE " + n + " SET " + some + " = " + some + " RETURNING *",
		"UPDATE " + n + " a SET " + some + " = a." + some + " FROM " + n + " b WHERE b.org <> 'acme' RETURNING b.*",

		"DELETE FROM " + n + " WHERE org = 'globex' RETURNING *",
		"DELETE FROM " + n + " USING orgs WHERE orgs.org = 'globex' RETURNING orgs.*",
		"DELETE FROM " + n + " RETURNING *",
		// Without a column to read, only the policies for the change itself hold.
		"DELETE FROM " + n,
		"UPDATE " + n + " SET " + some + " = DEFAULT",

		x.insert("globex", "theirs") + " ON CONFLICT DO NOTHING",
		x.insert("globex", "fresh") + " ON CONFLICT DO NOTHING",
		x.insert("acme", "theirs") + " ON CONFLICT DO NOTHING RETURNING *",
		x.insert("globex", "theirs") + " ON CONFLICT (" + strings.Join(x.key, ", ") + ") DO UPDATE SET " + some + " = excluded." + some + " RETURNING *",
		x.insert("acme", "shared") + " ON CONFLICT (" + strings.Join(x.key, ", ") + ") DO UPDATE SET org = 'globex' RETURNING *",
		"MERGE INTO " + n + " m USING (SELECT 'globex' AS o) g ON m.org = g.o WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN DO NOTHING",
		"MERGE INTO " + n + " m USING (SELECT 'globex' AS o) g ON m.org = g.o WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES " + x.values("globex", "theirs"),

		"CREATE VIEW seen AS SELECT * FROM " + n,
		"CREATE TEMPORARY VIEW seen AS SELECT * FROM freehold." + n + "; SELECT * FROM seen",
		"CREATE TEMPORARY TABLE seen AS SELECT * FROM freehold." + n + "; SELECT * FROM seen",
		"CREATE MATERIALIZED VIEW seen AS SELECT * FROM " + n,
		"CREATE FUNCTION pg_temp.leak(o text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS 'BEGIN RAISE NOTICE ''%'', o; RETURN true; END'; SELECT * FROM " + n + " WHERE pg_temp.leak(org)",
		"CREATE FUNCTION pg_temp.leak() RETURNS SETOF " + n + " LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM freehold." + n + "'; SELECT * FROM pg_temp.leak()",
		"DO 'DECLARE r record; BEGIN FOR r IN SELECT * FROM freehold." + n + " LOOP RAISE NOTICE ''%'', r; END LOOP; END'",
		"CREATE TEMPORARY TABLE child (LIKE " + n + ", FOREIGN KEY (" + strings.Join(x.key, ", ") + ") REFERENCES " + n + ")",
		"CREATE POLICY mine ON " + n + " USING (true)",
		"ALTER TABLE " + n + " DISABLE ROW LEVEL SECURITY",
		"CREATE TRIGGER mine BEFORE INSERT ON " + n + " EXECUTE FUNCTION refuse_change()",
		"CREATE RULE mine AS ON SELECT TO " + n + " DO INSTEAD NOTHING",
		"GRANT SELECT ON " + n + " TO PUBLIC",
		"SET LOCAL row_security = off; SELECT * FROM " + n,
		"RESET ROLE; SELECT * FROM " + n,

		"COPY " + n + " TO STDOUT",
		"COPY (SELECT * FROM " + n + ") TO STDOUT",
		"COPY (DELETE FROM " + n + " WHERE org = 'globex' RETURNING *) TO STDOUT",
		"COPY " + n + " FROM STDIN",

		"TRUNCATE " + n,
		"TRUNCATE " + n + " CASCADE",

		"SELECT * FROM " + n + " WHERE org = 'globex' FOR UPDATE NOWAIT",
		"SELECT * FROM " + n + " FOR UPDATE NOWAIT",
		"SELECT * FROM " + n + " FOR UPDATE SKIP LOCKED",
		"SELECT * FROM " + n + " FOR KEY SHARE",
		"LOCK TABLE " + n + " IN ACCESS EXCLUSIVE MODE NOWAIT",
		"LOCK TABLE " + n + " IN SHARE MODE NOWAIT",
	}
	for _, c := range x.columns {
		if x.types[c] == "text" {
			all = append(all, "SELECT count(*) FROM "+n+" WHERE "+c+" LIKE 'the%'", "SELECT * FROM "+n+" WHERE "+c+" = 'theirs' AND org <> 'acme'")
		}
	}
	for _, p := range x.parents {
		for _, mark := range []string{"theirs", "nobody's"} {
			for _, c := range p.columns[1:] {
				all = append(all, "UPDATE "+n+" SET "+c+" = "+quote(mark)+" WHERE org = 'acme' RETURNING *")
			}
			all = append(all, x.insert("acme", mark))
		}
	}
	return all
}

// onFleet are the statements to be tried on a table of which an org sees nothing.
func (x table) onFleet() []string {
	n := x.name
	return []string{
		"SELECT * FROM " + n, "SELECT count(*) FROM " + n, "SELECT 1 FROM " + n + " LIMIT 1", x.insert("globex", "theirs"), x.insert("acme", "theirs"),
		x.insert("acme", "theirs") + " ON CONFLICT DO NOTHING", "UPDATE " + n + " SET " + x.columns[1] + " = " + x.columns[1], "DELETE FROM " + n,
		"TRUNCATE " + n, "COPY " + n + " TO STDOUT", "COPY " + n + " FROM STDIN", "LOCK TABLE " + n + " IN SHARE MODE", "SELECT * FROM " + n + " FOR UPDATE",
		"CREATE TEMPORARY VIEW seen AS SELECT * FROM freehold." + n + "; SELECT * FROM seen",
	}
}

// ask sends what the attacker sends, in a transaction that is bound to acme, and
// undoes it.
func (v *victim) ask(ctx context.Context, t *testing.T, statement string) (a answer) {
	t.Helper()
	v.notices = nil
	if err := exec(ctx, v.conn, "BEGIN; SELECT set_config('role', 'freehold_org', true), set_config('app.org', 'acme', true)"); err != nil {
		t.Fatal(err)
	}
	err := func() error {
		pg := v.conn.PgConn()
		switch {
		case strings.HasPrefix(statement, "COPY") && strings.HasSuffix(statement, "STDOUT"):
			var out bytes.Buffer
			tag, err := pg.CopyTo(ctx, &out, statement)
			a.Tag, a.Rows = tag.String(), strings.Split(out.String(), "\n")
			return err
		case strings.HasPrefix(statement, "COPY"):
			tag, err := pg.CopyFrom(ctx, strings.NewReader("globex\n"), statement)
			a.Tag = tag.String()
			return err
		}
		results, err := pg.Exec(ctx, statement).ReadAll()
		for _, r := range results {
			a.Tag = r.CommandTag.String()
			for _, row := range r.Rows {
				a.Rows = append(a.Rows, string(bytes.Join(row, []byte("|"))))
			}
		}
		return err
	}()
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		a.Error = strings.Join([]string{e.Code, e.Message, e.Detail, e.Hint, e.TableName, e.ColumnName, e.ConstraintName, e.Where}, "|")
	} else if err != nil {
		a.Error = err.Error()
	}
	a.Notices = v.notices
	if err := exec(ctx, v.conn, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	return a
}

func exec(ctx context.Context, conn *pgx.Conn, statements string) error {
	return conn.PgConn().Exec(ctx, statements).Close()
}

// battlefield is two databases with acme's rows in each org's table, and in the
// first one, globex's before them.
func battlefield(t *testing.T, holes ...string) (with, without *victim, all []table) {
	t.Helper()
	var both []*victim
	own := "shared" // with all that is in a key, but for the org
	if len(holes) > 0 {
		own = "own"
	}
	for _, globex := range []bool{true, false} {
		db := pgtest.Database(t)
		admin := superuser(t, db)
		for _, hole := range holes {
			do(t, admin, hole)
		}
		all = tables(t, admin, orgTables)
		for _, x := range all {
			if globex {
				do(t, admin, x.insert("globex", "shared"))
				if len(x.key) > 1 { // otherwise an org has one row
					do(t, admin, x.insert("globex", "theirs"))
				}
			}
		}
		for _, x := range all {
			do(t, admin, x.insert("acme", own))
		}
		do(t, admin, "INSERT INTO ledger VALUES ('vpc', 'acme-vpc', 'acme', '', true)")
		if globex {
			do(t, admin, "INSERT INTO ledger VALUES ('vpc', 'globex-vpc', 'globex', '', true)")
		}
		do(t, admin, "ANALYZE")
		v := &victim{}
		config, err := pgx.ParseConfig(db.Service + "&search_path=freehold,pg_temp&lock_timeout=50ms")
		if err != nil {
			t.Fatal(err)
		}
		config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { v.notices = append(v.notices, n.Message) }
		if v.conn, err = pgx.ConnectConfig(t.Context(), config); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.conn.Close(context.Background()) })
		both = append(both, v)
		// Somebody works on globex's rows meanwhile, whether there are any or not.
		busy, err := admin.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			do(t, busy, "SELECT * FROM "+x.name+" WHERE org = 'globex' FOR UPDATE")
		}
	}
	return both[0], both[1], all
}

// attack tries a statement in both databases, and returns the answer, and how it
// differs or what was seen of globex's.
func attack(t *testing.T, with, without *victim, statement string) (a answer, found string) {
	t.Helper()
	a, b := with.ask(t.Context(), t, statement), without.ask(t.Context(), t, statement)
	if d := cmp.Diff(b, a); d != "" {
		return a, "with globex's rows it is answered otherwise (-without +with):\n" + d
	}
	for _, seen := range append(a.Rows, a.Notices...) {
		if strings.Contains(seen, "globex") {
			return a, "it returns " + seen
		}
	}
	return a, ""
}

func TestNoStatementOfAnOrgShowsThatAnotherHasARow(t *testing.T) {
	t.Parallel()
	with, without, all := battlefield(t)
	tried, refused := 0, 0
	for _, x := range all {
		for _, statement := range x.attacks() {
			a, found := attack(t, with, without, statement)
			if found != "" {
				t.Errorf("%s\n%s", statement, found)
			}
			if tried++; a.Error != "" {
				refused++
			}
		}
		// Otherwise the table had nothing to hide, or the attacker no way in.
		if a := with.ask(t.Context(), t, "SELECT * FROM "+x.name); len(a.Rows) != 1 || !strings.Contains(a.Rows[0], "acme") {
			t.Errorf("acme sees of its own in %s: %+v", x.name, a)
		}
	}
	for _, x := range tables(t, with.conn, fleetTables) {
		for _, statement := range x.onFleet() {
			a, found := attack(t, with, without, statement)
			if found != "" {
				t.Errorf("%s\n%s", statement, found)
			}
			if x.name != "goose_db_version" && !strings.HasPrefix(a.Error, denied) {
				t.Errorf("%s\nis answered with %+v", statement, a)
			}
			tried++
		}
	}
	for _, statement := range []string{"SELECT * FROM ledger_mine('acme')", "SELECT * FROM ledger_release('acme', 'vpc', 'globex-vpc')", "SELECT * FROM ledger_mine('globex')"} {
		if _, found := attack(t, with, without, statement); found != "" {
			t.Errorf("%s\n%s", statement, found)
		}
	}
	t.Logf("%d statements, of which %d on orgs' tables were refused", tried, refused)
}

// What the test above would find, if the schema were not as it is.
func TestTheAttackFindsEachHoleThatItLooksFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ hole, table string }{
		"no policies":                   {"ALTER TABLE steps DISABLE ROW LEVEL SECURITY", "steps"},
		"a policy for all to read":      {"CREATE POLICY more ON steps FOR SELECT USING (true)", "steps"},
		"a policy for all to write":     {"CREATE POLICY more ON steps FOR DELETE USING (true)", "steps"},
		"a unique key without the org":  {"CREATE UNIQUE INDEX ON drift_reports (id)", "drift_reports"},
		"a reference without the org":   {"ALTER TABLE drift_reports ADD UNIQUE (id), ADD parent text REFERENCES drift_reports (id)", "drift_reports"},
		"a view that runs as its owner": {"CREATE VIEW everything AS SELECT * FROM steps; GRANT SELECT ON everything TO freehold_org", "everything"},
	} {
		t.Run(name, func(t *testing.T) {
			with, without, all := battlefield(t, strings.Split(c.hole, "; ")...)
			statements := []string{"SELECT * FROM " + c.table}
			if i := slices.IndexFunc(all, func(x table) bool { return x.name == c.table }); i >= 0 {
				statements = all[i].attacks()
			}
			found := map[string]string{}
			for _, s := range statements {
				if _, f := attack(t, with, without, s); f != "" {
					found[s] = f
				}
			}
			if len(found) == 0 {
				t.Errorf("none of %d statements found that %s", len(statements), c.hole)
			}
			t.Logf("%d of %d statements show it, such as %v", len(found), len(statements), slices.Sorted(maps.Keys(found))[:min(1, len(found))])
		})
	}
}

// A connection that forgets to say whose it is gets nothing, and no empty list
// that would pass for the truth.
func TestALoginThatTakesNoRoleIsRefusedEverything(t *testing.T) {
	db := pgtest.Database(t)
	all := tables(t, superuser(t, db), slices.Concat(orgTables, fleetTables))
	stranger := strings.Replace(db.Name, "registry", "stranger", 1)
	do(t, superuser(t, db), "CREATE ROLE "+stranger+" LOGIN PASSWORD 'guessed'")
	t.Cleanup(func() { _ = pgtest.Start(t).Do(context.Background(), "DROP ROLE "+stranger) })
	for login, url := range map[string]string{"the service": db.Service, "a stranger": pgtest.Start(t).URL(stranger, "guessed", db.Name)} {
		conn := connection(t, url)
		for _, set := range []string{"SELECT", "SET app.org = 'acme'"} {
			do(t, conn, set)
			for _, x := range all {
				for _, statement := range []string{
					"SELECT * FROM " + x.name, "SELECT 1 FROM " + x.name + " WHERE false", "SELECT count(*) FROM " + x.name, x.insert("acme", "own"),
					"UPDATE " + x.name + " SET " + x.columns[0] + " = DEFAULT", "DELETE FROM " + x.name, "TRUNCATE " + x.name, "DO 'BEGIN LOCK TABLE " + x.name + "; END'",
					x.insert("acme", "own") + " ON CONFLICT DO NOTHING", "COPY " + x.name + " TO STDOUT",
				} {
					if _, err := try(t, conn, statement); code(err) != denied {
						t.Errorf("%s after %s: %s: %v", login, set, statement, err)
					}
				}
			}
			for _, f := range []string{"ledger_claim('acme', 'vpc', 'v', '', true)", "ledger_release('acme', 'vpc', 'v')", "ledger_mine('acme')", "ledger_taken('acme', '[]')", "ledger_org('acme')"} {
				if _, err := try(t, conn, "SELECT * FROM "+f); code(err) != denied {
					t.Errorf("%s after %s: %s: %v", login, set, f, err)
				}
			}
		}
	}
}
