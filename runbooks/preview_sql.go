package runbooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// countLimit is how long the rows of a condition are counted before the
	// planner's estimate is taken instead.
	countLimit = 2 * time.Second
	// maxBackends bounds the sessions that are listed.
	maxBackends = 100
)

// previewSQL finds out what one statement would change. It only reads.
func previewSQL(ctx context.Context, script string, db *SQLExecutor) (Preview, error) {
	if db == nil || db.unusable != nil {
		return Preview{}, noPreview("no database is configured to ask")
	}
	s, err := soleStatement(script)
	if err != nil {
		return Preview{}, noPreview("%v", err)
	}
	p := Preview{Where: db.name()}
	switch verb := s.word(0); {
	case verb == "UPDATE" || verb == "DELETE":
		err = db.previewRows(ctx, s, &p)
	case verb == "SELECT":
		err = db.previewBackends(ctx, s, &p)
	case verb == "ALTER" && s.word(1) == "SYSTEM" && s.word(2) == "SET":
		err = db.previewSetting(ctx, s, &p)
	default:
		err = noPreview("%s has no trial that neither locks nor writes", verb)
	}
	if err == nil && s.planned() {
		p.Plan, _ = db.explain(ctx, script) // what cannot be planned says why when it runs
	}
	return p, err
}

// name is the database and who the cockpit is there.
func (e *SQLExecutor) name() string {
	c := e.pool.Config().ConnConfig
	return fmt.Sprintf("database %s at %s as %s", c.Database, e.where, c.User)
}

// look reads at most most rows in a read-only transaction of its own. nil is
// NULL.
func (e *SQLExecutor) look(ctx context.Context, limit time.Duration, most int, query string, values ...string) ([][]*string, error) {
	conn, err := e.acquire(ctx, previewLimit)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	run := sqlRun{pg: conn.Conn().PgConn(), mode: sqlReadOnly}
	defer run.leave(ctx)
	begin := fmt.Sprintf("begin read only; set local statement_timeout = %d; set local lock_timeout = %d", limit.Milliseconds(), limit.Milliseconds()/2)
	if err := run.say(ctx, begin); err != nil {
		return nil, err
	}
	var params [][]byte
	for _, v := range values {
		params = append(params, []byte(v))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	reader := run.pg.ExecParams(ctx, query, params, nil, nil, nil)
	var rows [][]*string
	for reader.NextRow() {
		if len(rows) == most {
			stop()
			break
		}
		row := make([]*string, len(reader.Values()))
		for i, v := range reader.Values() {
			if v != nil {
				row[i] = new(string(v))
			}
		}
		rows = append(rows, row)
	}
	if _, err := reader.Close(); err != nil && len(rows) < most {
		return nil, err
	}
	return rows, nil
}

// previewRows counts the rows of the condition of an UPDATE or DELETE.
func (e *SQLExecutor) previewRows(ctx context.Context, s soleSQL, p *Preview) error {
	c, err := s.change()
	if err != nil {
		return err
	}
	if c.where == "" {
		p.Warnings = append(p.Warnings, "it has no WHERE: every row of "+c.table+" is hit")
	}
	matched, err := e.count(ctx, c, p)
	if err != nil {
		return err
	}
	p.Now = append(p.Now, fmt.Sprintf("%s rows of %s match", matched, c.table))
	if s.word(0) == "DELETE" {
		p.After = append(p.After, matched+" rows are removed")
	} else {
		p.After = append(p.After, matched+" rows are overwritten: "+strings.Join(strings.Fields(c.set), " "))
	}
	return nil
}

// count is the number of rows that a change hits: counted, or estimated by the
// planner where that takes too long or calls what may have an effect.
func (e *SQLExecutor) count(ctx context.Context, c rowChange, p *Preview) (string, error) {
	query := c.counting()
	if Judge(SQL, query).Risk == Reads {
		rows, err := e.look(ctx, countLimit, 1, query)
		if err == nil && len(rows) == 1 && rows[0][0] != nil {
			p.Checked = append(p.Checked, "rows of the same condition, read only")
			return *rows[0][0], nil
		}
		var refusal *pgconn.PgError
		if !errors.As(err, &refusal) || refusal.Code != stateCanceled && refusal.Code != stateLockNotAvailable {
			return "", fmt.Errorf("count the rows of the same condition: %w", err)
		}
	}
	// Without ANALYZE, EXPLAIN plans the statement and does not execute it.
	rows, err := e.look(ctx, countLimit/2, 1, "EXPLAIN (FORMAT JSON) "+c.text)
	if err != nil {
		return "", fmt.Errorf("ask the planner for an estimate: %w", err)
	}
	var plans []struct {
		Plan struct {
			Rows  float64 `json:"Plan Rows"`
			Plans []struct {
				Rows float64 `json:"Plan Rows"`
			}
		}
	}
	if len(rows) == 0 || rows[0][0] == nil || json.Unmarshal([]byte(*rows[0][0]), &plans) != nil || len(plans) != 1 {
		return "", noPreview("the planner's answer could not be read")
	}
	estimate := plans[0].Plan.Rows
	if inner := plans[0].Plan.Plans; len(inner) > 0 { // a change itself returns no rows
		estimate = inner[0].Rows
	}
	p.Checked = append(p.Checked, "the planner's estimate")
	p.Warnings = append(p.Warnings, "the number of rows is an estimate: counting them took too long, or could have had an effect")
	return "about " + strconv.FormatFloat(estimate, 'f', 0, 64), nil
}

// previewBackends lists the sessions that a terminate or a cancel would hit.
func (e *SQLExecutor) previewBackends(ctx context.Context, s soleSQL, p *Preview) error {
	signal, pids, err := s.signalled()
	if err != nil {
		return err
	}
	query := `SELECT pid, coalesce(usename, backend_type), coalesce(application_name, ''), coalesce(state, ''),
  date_trunc('second', clock_timestamp() - coalesce(state_change, backend_start))::text, coalesce(left(query, 300), '')
FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND pid IN (` + pids + "\n) ORDER BY coalesce(state_change, backend_start)"
	if Judge(SQL, query).Risk != Reads {
		return noPreview("what chooses the sessions may have an effect itself")
	}
	rows, err := e.look(ctx, countLimit, maxBackends+1, query)
	if err != nil {
		return fmt.Errorf("look for the sessions: %w", err)
	}
	p.Checked = append(p.Checked, "sessions of the same condition, read only")
	for _, row := range rows {
		state := *row[3]
		if state == "" {
			state = "no state to see"
		}
		line := fmt.Sprintf("pid %s  %s  %s for %s  %s", *row[0], *row[1], state, *row[4], strings.Join(strings.Fields(*row[5]), " "))
		p.Now = append(p.Now, line)
		if strings.HasPrefix(*row[2], "flightdeck") {
			p.Warnings = append(p.Warnings, "pid "+*row[0]+" is the cockpit's own session")
		}
	}
	hit := fmt.Sprintf("%d sessions", len(rows))
	switch {
	case len(rows) == 1:
		hit = "1 session"
	case len(rows) > maxBackends:
		hit = fmt.Sprintf("more than %d sessions", maxBackends)
	}
	switch {
	case len(rows) == 0:
		p.Now, p.After = append(p.Now, "no session matches now"), append(p.After, "nobody is hit")
	case signal == "pg_cancel_backend":
		p.After = append(p.After, "the statements of "+hit+" are cancelled; their connections stay")
	default:
		p.After = append(p.After, hit+" ended; what is not committed there is rolled back")
	}
	return nil
}

// previewSetting shows a setting before ALTER SYSTEM SET.
func (e *SQLExecutor) previewSetting(ctx context.Context, s soleSQL, p *Preview) error {
	name := s.text[s.tokens[3].start:s.tokens[3].end]
	if len(s.tokens) < 6 || s.tokens[3].kind != sqlWord {
		return noPreview("the setting's name cannot be told")
	}
	value := strings.TrimRight(s.text[s.tokens[5].start:s.tokens[len(s.tokens)-1].end], "; \n")
	rows, err := e.look(ctx, countLimit, 1, "SELECT setting, coalesce(unit, ''), context FROM pg_settings WHERE name = lower($1)", name)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return noPreview("there is no setting %s, or the role may not see it", name)
	}
	p.Checked = append(p.Checked, "pg_settings")
	p.Now = append(p.Now, strings.TrimSpace(name+": "+*rows[0][0]+" "+*rows[0][1]))
	when := "once the configuration is reloaded (SELECT pg_reload_conf())"
	if *rows[0][2] == "postmaster" {
		when = "only after the server has been restarted"
	}
	p.After = append(p.After, name+": "+value+", "+when)
	return nil
}
