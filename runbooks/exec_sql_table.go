package runbooks

import (
	"fmt"
	"strings"

	xansi "github.com/charmbracelet/x/ansi"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Bounds of a result as it is shown and kept.
const (
	maxTableRows  = 1000
	maxTableBytes = 1 << 20
	maxCellWidth  = 200 // terminal cells
)

// null is how a table shows NULL, which is not the empty text.
const null = "∅"

// table is a result, aligned as psql aligns it.
type table struct {
	columns []tableColumn // nil for a statement that returns none
	rows    [][]string
	bytes   int
	more    bool // rows were left out
}

type tableColumn struct {
	name  string
	right bool // numbers stand right-aligned
	width int
}

func newTable(fields []pgconn.FieldDescription) *table {
	t := &table{}
	for _, f := range fields {
		c := tableColumn{name: cell([]byte(f.Name))}
		switch f.DataTypeOID {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID,
			pgtype.OIDOID, pgtype.XIDOID, pgtype.XID8OID, pgtype.CIDOID, moneyOID:
			c.right = true
		}
		c.width = xansi.StringWidth(c.name)
		t.columns = append(t.columns, c)
	}
	return t
}

// moneyOID is the type money, which pgtype has no name for.
const moneyOID = 790

// add takes a row. It returns false, and takes nothing, once the bounds are
// reached.
func (t *table) add(values [][]byte) bool {
	if len(t.rows) == maxTableRows || t.bytes > maxTableBytes {
		t.more = true
		return false
	}
	row := make([]string, len(values))
	for i, v := range values {
		row[i] = cell(v)
		t.bytes += len(row[i])
		t.columns[i].width = max(t.columns[i].width, xansi.StringWidth(row[i]))
	}
	t.rows = append(t.rows, row)
	return true
}

// cell is a value on one line.
func cell(value []byte) string {
	if value == nil {
		return null
	}
	const widest = 16 * maxCellWidth // bytes that can matter
	cut := len(value) > widest
	s := string(value[:min(len(value), widest)])
	s = strings.NewReplacer("\r\n", "↵", "\n", "↵", "\t", " ", "\r", "↵").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	if cut {
		s += "…"
	}
	return xansi.Truncate(s, maxCellWidth, "…")
}

// String is the table with its header and the number of rows.
func (t *table) String() string {
	var b strings.Builder
	line := func(values []string) {
		var parts []string
		for i, v := range values {
			c := t.columns[i]
			pad := strings.Repeat(" ", max(0, c.width-xansi.StringWidth(v)))
			if c.right {
				v = pad + v
			} else {
				v += pad
			}
			parts = append(parts, " "+v+" ")
		}
		b.WriteString(strings.TrimRight(strings.Join(parts, "|"), " ") + "\n")
	}
	var names, rules []string
	for _, c := range t.columns {
		names = append(names, c.name)
		rules = append(rules, strings.Repeat("-", c.width+2))
	}
	line(names)
	b.WriteString(strings.Join(rules, "+") + "\n")
	for _, row := range t.rows {
		line(row)
	}
	if len(t.rows) == 1 {
		b.WriteString("(1 row)\n")
	} else {
		fmt.Fprintf(&b, "(%d rows)\n", len(t.rows))
	}
	if t.more {
		b.WriteString("more rows were left out\n")
	}
	return b.String()
}
