package runbooks

import (
	"fmt"
	"strings"
	"unicode/utf8"

	xansi "github.com/charmbracelet/x/ansi"
	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATE codes with a remark of our own, from PostgreSQL's appendix A.
const (
	stateReadOnly           = "25006" // read-only transaction
	stateTooManyConnections = "53300"
	stateLockNotAvailable   = "55P03"
	stateCanceled           = "57014"
)

// maxMessage bounds each text of an error, in bytes: a detail may quote a row.
const maxMessage = 4 << 10

// errorText words an error as psql does with VERBOSITY verbose, without the
// server's source lines: severity, SQLSTATE and message, the line with a caret
// where it is, detail, hint and context.
func errorText(e *pgconn.PgError, script string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:  %s: %s\n", e.Severity, e.Code, bounded(e.Message))
	if e.Position > 0 {
		b.WriteString(caret(script, int(e.Position)))
	} else if e.InternalPosition > 0 {
		b.WriteString(caret(e.InternalQuery, int(e.InternalPosition)))
	}
	for _, part := range []struct{ name, text string }{{"DETAIL", e.Detail}, {"HINT", e.Hint}, {"CONTEXT", e.Where}} {
		if part.text != "" {
			fmt.Fprintf(&b, "%s:  %s\n", part.name, bounded(part.text))
		}
	}
	return b.String()
}

// noticeText words a notice or a warning.
func noticeText(n *pgconn.Notice) string {
	text := fmt.Sprintf("%s:  %s\n", n.Severity, bounded(n.Message))
	if n.Hint != "" {
		text += fmt.Sprintf("HINT:  %s\n", bounded(n.Hint))
	}
	return text
}

func bounded(s string) string {
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}

// caretAround is how many characters are shown before and after the place of an
// error in a long line.
const caretAround = 60

// caret is the line of a text that holds a position (in characters, from 1)
// with a caret under it, as in "LINE 2:   FROM usrs".
func caret(text string, position int) string {
	runes := []rune(strings.ToValidUTF8(text, string(utf8.RuneError)))
	at := min(position-1, len(runes))
	line, start := 1, 0
	for i, r := range runes[:at] {
		if r == '\n' {
			line, start = line+1, i+1
		}
	}
	end := start
	for end < len(runes) && runes[end] != '\n' {
		end++
	}
	from, to := max(start, at-caretAround), min(end, at+caretAround)
	prefix := fmt.Sprintf("LINE %d: ", line)
	if from > start {
		prefix += "…"
	}
	suffix := ""
	if to < end {
		suffix = "…"
	}
	shown := strings.NewReplacer("\t", " ", "\r", " ")
	before := shown.Replace(string(runes[from:at]))
	return prefix + before + shown.Replace(string(runes[at:to])) + suffix + "\n" +
		strings.Repeat(" ", xansi.StringWidth(prefix+before)) + "^\n"
}
