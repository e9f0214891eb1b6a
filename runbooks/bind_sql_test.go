//go:build unix

package runbooks

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/erpgo/flightdeck/testenv"
)

// statement is an SQL command as the parser would make it.
func statement(text string) Command {
	c := Command{Text: text, Language: SQL, Line: 1}
	describeSQL(&c)
	return c
}

// TestBindHostileValuesInSQL lets PostgreSQL itself tell what became of each
// value.
func TestBindHostileValuesInSQL(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: "CREATE TABLE users (id int, note text); INSERT INTO users VALUES (1, 'x')"})
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, pg.AdminURL())
	if err != nil {
		t.Fatal("connect: failed") // the error may hold the password
	}
	defer func() { _ = conn.Close(ctx) }()

	places := []struct {
		name, sql, want string // %s is the value
		kept            int    // at least so many values are taken
	}{
		{"literal", `SELECT '<value>'`, "%s", 190},
		{"in a literal", `SELECT 'a <value> b' /* c */ -- d`, "a %s b", 190},
		{"bare", `SELECT <value>::text`, "%s", 190},
		{"compared", `SELECT CASE WHEN 'x' = <value> THEN 'same' ELSE 'other' END`, "other", 190},
		{"quoted name", `SELECT 1 AS "<value>"`, "1", 190},
		{"name", `SELECT count(*)::text FROM (SELECT 1 AS a) AS t, (SELECT 1) AS u WHERE EXISTS (SELECT 1 FROM users JOIN <value> ON true)`, "", 190},
		{"dollar quotes", `SELECT $a$<value>$a$`, "%s", 100},
		{"escape string", `SELECT E'<value>'`, "%s", 100},
		{"comment", "SELECT 'x' /* <value> */", "x", 100},
		{"line comment", "SELECT 'x' -- <value>", "x", 100},
	}
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			kept := 0
			for _, v := range hostileValues("/nonexistent/canary") {
				b, err := Bind(statement(place.sql), map[string]string{"value": v})
				var refused *RefusedError
				if errors.As(err, &refused) {
					continue
				}
				if err != nil {
					t.Fatalf("%q: %v", v, err)
				}
				kept++
				results, err := conn.PgConn().Exec(ctx, b.Script).ReadAll() // takes several statements, if there were any
				if place.want == "" || !validForShell(v) || place.name == "compared" && sqlNumberShape.MatchString(v) {
					continue // it names a table that is not there, or no text of this database: refused by the server, and harmless
				}
				if err != nil {
					t.Errorf("%q: %s: %v", v, b.Script, err)
					continue
				}
				if len(results) != 1 || len(results[0].Rows) != 1 {
					t.Errorf("%q: %s gave %d results", v, b.Script, len(results))
					continue
				}
				want := strings.ReplaceAll(place.want, "%s", v)
				got := string(results[0].Rows[0][0])
				if place.name == "bare" && sqlNumberShape.MatchString(v) {
					continue // a number prints as PostgreSQL writes it
				}
				if got != want {
					t.Errorf("%q: got %q, want %q", v, got, want)
				}
			}
			if kept < place.kept {
				t.Errorf("only %d values were taken", kept)
			}
			var rows int
			if err := conn.QueryRow(ctx, "SELECT count(*) FROM users").Scan(&rows); err != nil || rows != 1 {
				t.Fatalf("the table was changed: %d rows, %v", rows, err)
			}
		})
	}
}

func TestBindSQLPlaces(t *testing.T) {
	for _, tt := range []struct{ sql, value, want string }{ // want is empty where the value is refused
		{"SELECT * FROM users WHERE id = <user-id>", "42", "SELECT * FROM users WHERE id = 42"},
		{"SELECT * FROM users WHERE id = <user-id>", "-42", "SELECT * FROM users WHERE id = (-42)"},
		{"SELECT * FROM users WHERE id = <user-id>", "id", "SELECT * FROM users WHERE id = 'id'"},
		{"SELECT * FROM users WHERE id = <user-id>", "1 OR 1=1", "SELECT * FROM users WHERE id = '1 OR 1=1'"},
		{"SELECT * FROM <user-id>", "orders", "SELECT * FROM orders"},
		{"SELECT * FROM <user-id>", "Orders", `SELECT * FROM "Orders"`},
		{"SELECT * FROM <user-id>", "select", `SELECT * FROM "select"`},
		{"SELECT * FROM public.<user-id>", "x; DROP TABLE y", `SELECT * FROM public."x; DROP TABLE y"`},
		{"SELECT * FROM orders_<user-id>", "2026", "SELECT * FROM orders_2026"},
		{"SELECT * FROM orders_<user-id>", "a b", ""},
		{"SELECT E'<user-id>'", `\'`, ""},
		{"SELECT $$<user-id>$$", "a$$b", ""},
		{"<user-id>", "SELECT 1", ""},
		{"EXPLAIN <slow-query>;", "SELECT 1;", "EXPLAIN SELECT 1;"},
		{"EXPLAIN <slow-query>;", "SELECT 1; DROP TABLE users", ""},
		{"EXPLAIN (ANALYZE, BUFFERS) <slow-query>", "SELECT 1", "EXPLAIN (ANALYZE, BUFFERS) SELECT 1"},
		{"EXPLAIN ANALYZE <slow-query>", "SELECT 'a", ""},
		{"EXPLAIN ANALYZE <slow-query>", `\! rm`, ""},
		{"EXPLAIN ANALYZE <slow-query>", "SELECT 1 -- x", ""},
		{"SELECT '<a>', '<b>'", "it's", "SELECT 'it''s', 'it''s'"},
		{`\d <user-id>`, "x", ""},
	} {
		c := statement(tt.sql)
		values := map[string]string{}
		for _, p := range c.Placeholders {
			values[p] = tt.value
		}
		b, err := Bind(c, values)
		if b.Script != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s with %q: %q, want %q (%v)", tt.sql, tt.value, b.Script, tt.want, err)
		}
	}
	for _, tt := range []struct{ command, value, want string }{
		{`psql -c "SELECT '<value>'"`, "it's \"$x`", `psql -c "SELECT 'it''s \"\$x\` + "`'\""},
		{`psql -c "SELECT * FROM t WHERE id = <value>"`, "1; DROP TABLE t", `psql -c "SELECT * FROM t WHERE id = '1; DROP TABLE t'"`},
		{`psql -c 'SELECT * FROM t WHERE id = <value>'`, "x'y", `psql -c 'SELECT * FROM t WHERE id = '\''x'\'''\''y'\'''`},
		{`psql --command="SELECT '<value>'"`, "a'b", `psql --command="SELECT 'a''b'"`},
		{"psql <<EOF\nSELECT '<value>';\nEOF", "a'$b", "psql <<EOF\nSELECT 'a''\\$b';\nEOF"},
		{`kubectl exec p -- psql -c "SELECT '$VALUE'"`, "plain", `kubectl exec p -- psql -c "SELECT '$VALUE'"`},
		{`kubectl exec p -- psql -c "SELECT '$VALUE'"`, "it's", ""},
		{`kubectl exec p -- psql -c "SELECT $VALUE"`, "1", `kubectl exec p -- psql -c "SELECT $VALUE"`},
		{`kubectl exec p -- psql -c "SELECT $VALUE"`, "1; DROP TABLE t", ""},
	} {
		b, err := Bind(command(tt.command), map[string]string{"value": tt.value, "VALUE": tt.value})
		if b.Script != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s with %q:\n got %q\nwant %q (%v)", tt.command, tt.value, b.Script, tt.want, err)
		}
	}
}
