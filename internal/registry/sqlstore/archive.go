package sqlstore

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/registry"
)

// kind is what a column holds, whatever a database calls it.
type kind byte

const (
	isText kind = iota
	isNumber
	isFlag
	isBytes
)

// column is a column of an archive.
type column struct {
	name string
	kind kind
}

// table is a table of an archive, with its columns in the archive's order.
type table struct {
	name    string
	columns []column
}

// columns reads a list of names. A name that ends in # is a number's, in ? a
// flag's, in * that of bytes.
func columns(list string) []column {
	var out []column
	for name := range strings.FieldsSeq(list) {
		c := column{name: strings.TrimRight(name, "#?*")}
		switch name[len(c.name):] {
		case "#":
			c.kind = isNumber
		case "?":
			c.kind = isFlag
		case "*":
			c.kind = isBytes
		}
		out = append(out, c)
	}
	return out
}

// orgTables are all tables of orgs' rows, each after those that it refers to. A
// test compares them with the schema.
var orgTables = []table{
	{"orgs", columns("org state plan* hash hash_version# management updated")},
	{"data_planes", columns("org facts updated")},
	{"layers", columns("org layer state unclean? made? outputs* resources# duration# error updated")},
	{"projects", columns("org project body")},
	{"exceptions", columns("org rule resource reason approver expires")},
	{"fences", columns("org token#")},
	{"operations", columns("org id kind state started finished error token# delivered? request document retry_at reason cancelled")},
	{"leases", columns("org operation token# holder until renewed renewals#")},
	{"steps", columns("org operation seq# name layer attempt# state started finished deadline error holder")},
	{"layer_runs", columns("org operation layer cloud kind duration# finished")},
	{"events", columns("org operation seq# version# type body")},
	{"drift_reports", columns("org id at drifted? complete? body")},
	{"audit_log", columns("org seq# at actor request what result previous hash")},
	{"endpoints", columns("org name url secret types created disabled claimed claimer")},
	{"outbox", columns("org endpoint seq# id operation event_seq# body state attempts# next_try error created")},
}

// fleetTables are those of the whole fleet. The ledger has a way in of its own.
var fleetTables = []table{
	{"ledger", columns("org kind value claimed made?")},
	{"fleet_audit_log", columns("seq# at actor request what result previous hash")},
}

func allTables() []table { return slices.Concat(orgTables, fleetTables) }

func (t table) names() string {
	var out []string
	for _, c := range t.columns {
		out = append(out, c.name)
	}
	return strings.Join(out, ", ")
}

// read is the statement that reads all rows of the table, in the order of its key.
func (t table) read() string {
	key := "org, " + t.columns[1].name
	if t.name == "fleet_audit_log" {
		key = "seq"
	}
	if len(t.columns) > 2 {
		key += ", " + t.columns[2].name
	}
	return "SELECT " + t.names() + " FROM " + t.name + " ORDER BY " + key
}

// write is the statement that writes one row.
func (t table) write() string {
	var places []string
	for i := range t.columns {
		places = append(places, fmt.Sprintf("$%d", i+1))
	}
	return "INSERT INTO " + t.name + " (" + t.names() + ") VALUES (" + strings.Join(places, ", ") + ")"
}

// archiveFormat names what the first line of an archive says it is.
const archiveFormat = "freehold-registry/1"

// line is a line of an archive: the head, a row, or the tail.
type line struct {
	Format string         `json:"format,omitempty"`
	Table  string         `json:"table,omitempty"`
	Row    map[string]any `json:"row,omitempty"`
	// Rows and SHA256 are of all lines before, in the tail. Without it, the archive
	// was cut off.
	Rows   *int   `json:"rows,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// Export writes everything that the registry holds, as it is at one moment: one
// JSON document a line, the same from whichever database.
func (s *Store) Export(ctx context.Context, w io.Writer) (event.Archive, error) {
	out := &archiver{w: bufio.NewWriter(w), sum: sha256.New(), orgs: map[string]bool{}}
	err := s.db.Snapshot(ctx, func(t Tx) error {
		out.write(line{Format: archiveFormat})
		for _, table := range allTables() {
			if err := out.table(ctx, t, table); err != nil {
				return fmt.Errorf("table %s: %w", table.name, err)
			}
		}
		return nil
	})
	if err == nil {
		rows := out.Rows
		out.write(line{Rows: &rows, SHA256: hex.EncodeToString(out.sum.Sum(nil))})
		err = errors.Join(out.err, out.w.Flush())
	}
	out.Orgs = len(out.orgs)
	if err != nil {
		return out.Archive, fmt.Errorf("export the registry: %w", err)
	}
	return out.Archive, nil
}

// archiver writes an archive.
type archiver struct {
	event.Archive

	w    *bufio.Writer
	sum  hash.Hash
	orgs map[string]bool
	err  error
}

func (a *archiver) write(l line) {
	text, err := json.Marshal(l)
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	text = append(text, '\n')
	a.sum.Write(text)
	_, err = a.w.Write(text)
	a.err = errors.Join(a.err, err)
}

func (a *archiver) table(ctx context.Context, t Tx, of table) (err error) {
	rows, err := t.Query(ctx, of.read())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		dest, value := of.row()
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		row := value()
		if org, ok := row["org"].(string); ok {
			a.orgs[org] = true
		}
		if of.name == "operations" && row["state"] == "running" {
			a.Running++
		}
		a.Rows++
		if a.write(line{Table: of.name, Row: row}); a.err != nil {
			return a.err
		}
	}
	return rows.Err()
}

// row is where a row is read into, and what it is then.
func (t table) row() (dest []any, value func() map[string]any) {
	for _, c := range t.columns {
		switch c.kind {
		case isNumber:
			dest = append(dest, new(int64))
		case isFlag:
			dest = append(dest, new(bool))
		case isBytes:
			dest = append(dest, new([]byte))
		default:
			dest = append(dest, new(string))
		}
	}
	return dest, func() map[string]any {
		out := make(map[string]any, len(dest))
		for i, d := range dest {
			switch v := d.(type) {
			case *int64:
				out[t.columns[i].name] = *v
			case *bool:
				out[t.columns[i].name] = *v
			case *[]byte:
				out[t.columns[i].name] = *v // base64; null is null
			case *string:
				out[t.columns[i].name] = *v
			}
		}
		return out
	}
}

// Import fills an empty registry with what Export wrote. Each org is whole or not
// there: an import that was interrupted is started again in an empty registry.
// The archive is read to its end before anything is written.
func (s *Store) Import(ctx context.Context, r io.Reader) (event.Archive, error) {
	a, err := readArchive(r)
	if err != nil {
		return event.Archive{}, fmt.Errorf("import into the registry: %w", err)
	}
	if err := s.importAll(ctx, a); err != nil {
		return event.Archive{}, fmt.Errorf("import into the registry: %w", err)
	}
	return a.Archive, nil
}

func (s *Store) importAll(ctx context.Context, a *archive) error {
	if err := s.empty(ctx); err != nil {
		return err
	}
	// An identity that is taken belongs to an org that has come in before, so all
	// of an org's are claimed in the transaction of its rows.
	for _, org := range a.names {
		err := s.db.Write(ctx, org, func(t Tx) error {
			for _, table := range orgTables {
				for _, row := range a.rows[org][table.name] {
					if _, err := t.Exec(ctx, table.write(), row...); err != nil {
						return fmt.Errorf("table %s: %w", table.name, err)
					}
				}
			}
			for _, row := range a.rows[org]["ledger"] {
				if _, ok, err := one(ctx, tx{t}, scanText, statement(s.ledger.Claim), row...); err != nil {
					return fmt.Errorf("ledger: %w", err)
				} else if !ok {
					return fmt.Errorf("%w: %s %q has two owners in it", errArchive, row[1], row[2])
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("org %s: %w", org, err)
		}
	}
	return s.db.Fleet(ctx, func(t Tx) error {
		log := fleetTables[1]
		for _, row := range a.rows[""][log.name] {
			if _, err := t.Exec(ctx, log.write(), row...); err != nil {
				return fmt.Errorf("table %s: %w", log.name, err)
			}
		}
		return nil
	})
}

// empty refuses a registry that holds anything.
func (s *Store) empty(ctx context.Context) error {
	return s.db.Snapshot(ctx, func(t Tx) error {
		for _, table := range allTables() {
			n, _, err := one(ctx, tx{t}, scanNumber, statement("SELECT count(*) FROM "+table.name))
			if err != nil {
				return fmt.Errorf("table %s: %w", table.name, err)
			}
			if n > 0 {
				return fmt.Errorf("%w: table %s has %d rows", registry.ErrNotEmpty, table.name, n)
			}
		}
		return nil
	})
}

// errArchive is wrapped when an archive is not one, or not whole.
var errArchive = registry.ErrArchive

// archive is an archive that was read: its rows by org and table, "" for what is
// of no org.
type archive struct {
	event.Archive

	names []string // of the orgs, in the order in which they appear
	rows  map[string]map[string][][]any
}

// CheckArchive reads an archive to its end, and writes nothing.
func CheckArchive(r io.Reader) (event.Archive, error) {
	a, err := readArchive(r)
	if err != nil {
		return event.Archive{}, fmt.Errorf("check the archive: %w", err)
	}
	return a.Archive, nil
}

func readArchive(r io.Reader) (*archive, error) {
	a := &archive{rows: map[string]map[string][][]any{}}
	tables := map[string]table{}
	for _, t := range allTables() {
		tables[t.name] = t
	}
	in, sum := bufio.NewReader(r), sha256.New()
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: line %d: it was cut off, as its last line is missing", errArchive, n)
		}
		if err != nil {
			return nil, err
		}
		var l line
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.UseNumber()
		if err := d.Decode(&l); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", errArchive, n, err)
		}
		switch {
		case n == 1 && l.Format != archiveFormat:
			return nil, fmt.Errorf("%w: line 1: its format is %q, want %q", errArchive, l.Format, archiveFormat)
		case n == 1:
		case l.Rows != nil:
			if *l.Rows != a.Rows || l.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
				return nil, fmt.Errorf("%w: line %d: it is not what was exported", errArchive, n)
			}
			if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("%w: line %d: something follows its last line", errArchive, n+1)
			}
			a.Orgs = len(a.names)
			return a, nil
		default:
			t, ok := tables[l.Table]
			if !ok {
				return nil, fmt.Errorf("%w: line %d: table %q is not known", errArchive, n, l.Table)
			}
			if err := a.add(t, l.Row); err != nil {
				return nil, fmt.Errorf("%w: line %d: table %s: %w", errArchive, n, l.Table, err)
			}
		}
		sum.Write(text)
	}
}

func (a *archive) add(t table, row map[string]any) error {
	values := make([]any, len(t.columns))
	for i, c := range t.columns {
		v, ok := row[c.name]
		if !ok {
			return fmt.Errorf("column %s is missing", c.name)
		}
		var err error
		if values[i], err = c.value(v); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	if len(row) > len(t.columns) {
		return errors.New("it has columns that are not known: use the newer freehold that exported it")
	}
	org, _ := row["org"].(string)
	if a.rows[org] == nil {
		a.rows[org] = map[string][][]any{}
		if org != "" {
			a.names = append(a.names, org)
		}
	}
	if t.name == "operations" && row["state"] == "running" {
		a.Running++
	}
	a.Rows++
	a.rows[org][t.name] = append(a.rows[org][t.name], values)
	return nil
}

// value is what a column holds, of what JSON makes of it.
func (c column) value(v any) (any, error) {
	switch c.kind {
	case isNumber:
		if n, ok := v.(json.Number); ok {
			return n.Int64()
		}
	case isFlag:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case isBytes:
		if v == nil {
			return []byte(nil), nil
		}
		if s, ok := v.(string); ok {
			return base64.StdEncoding.DecodeString(s)
		}
	default:
		if s, ok := v.(string); ok {
			return s, nil
		}
	}
	return nil, fmt.Errorf("it holds a %T", v)
}
