package probes

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The levels of a log line, however its writer spells them.
const (
	LevelDebug = "DEBUG"
	LevelInfo  = "INFO"
	LevelWarn  = "WARN"
	LevelError = "ERROR"
	LevelFatal = "FATAL"
)

// parsed is what could be read from a log line.
type parsed struct {
	level   string
	message string
	fields  []Field
}

// parseLine reads level, message and fields from a line written by any of the
// usual loggers: JSON (zap, slog, logrus, zerolog, bunyan and pino with their
// numeric levels, GELF), logfmt, klog, and plain text with a level near its
// start. It never fails: what it does not recognise is the message. The time
// inside a line is left out, since the container runtime's own is kept.
func parseLine(raw string) parsed {
	text := strings.TrimSpace(uncoloured(raw))
	for _, read := range [...]func(string) (parsed, bool){readJSON, readKlog, readLogfmt, readPlain} {
		if line, ok := read(text); ok {
			return line
		}
	}
	return parsed{message: raw}
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// uncoloured removes colours, which loggers write where they believe to have a
// terminal and which would hide the level.
func uncoloured(s string) string {
	if !strings.Contains(s, "\x1b[") {
		return s
	}
	return sgr.ReplaceAllString(s, "")
}

// structured sorts the members of a structured line into level, message and
// the rest. ok is false where there is neither a level nor a message: then the
// line is data, and best shown as it is.
func structured(members func(yield func(key, value string) bool)) (line parsed, ok bool) {
	for key, value := range members {
		switch strings.ToLower(key) {
		case "level", "lvl", "severity", "loglevel", "levelname", "log.level", "@level":
			if level := levelOf(value); level != "" && line.level == "" {
				line.level, ok = level, true
				continue
			}
		case "msg", "message", "@message", "short_message":
			if line.message == "" {
				line.message, ok = value, true
				continue
			}
		case "time", "ts", "timestamp", "@timestamp", "t", "asctime", "datetime", "eventtime":
			continue
		}
		line.fields = append(line.fields, Field{key, value})
	}
	// structlog's message is called event, and some log an error and no words.
	for _, name := range [...]string{"event", "error", "err"} {
		i := slices.IndexFunc(line.fields, func(f Field) bool { return f.Key == name })
		if line.message == "" && i >= 0 {
			line.message = line.fields[i].Value
			line.fields = slices.Delete(line.fields, i, i+1)
		}
	}
	return line, ok
}

// readJSON reads a line that is one JSON object.
func readJSON(text string) (parsed, bool) {
	if !strings.HasPrefix(text, "{") || !json.Valid([]byte(text)) {
		return parsed{}, false
	}
	return structured(func(yield func(key, value string) bool) { jsonMembers(text, yield) })
}

// jsonMembers yields the members of a valid JSON object in the order they were
// written. Strings are unquoted, other values are as written.
func jsonMembers(object string, yield func(key, value string) bool) {
	rest := strings.TrimLeft(object[1:], jsonSpace)
	for strings.HasPrefix(rest, `"`) {
		var key, value string
		key, rest = jsonToken(rest)
		rest = strings.TrimLeft(rest, jsonSpace+":")
		value, rest = jsonToken(rest)
		if !yield(jsonText(key), jsonText(value)) {
			return
		}
		rest = strings.TrimLeft(rest, jsonSpace+",")
	}
}

const jsonSpace = " \t\r\n"

// jsonToken splits valid JSON after its first value.
func jsonToken(s string) (token, rest string) {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
			if !quoted && depth == 0 {
				return s[:i+1], s[i+1:]
			}
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth == 0 {
				return s[:i], s[i:] // the end of the object around a number or a word
			}
			if depth--; depth == 0 {
				return s[:i+1], s[i+1:]
			}
		case depth == 0 && strings.IndexByte(jsonSpace+",:", c) >= 0:
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// jsonText is a JSON value as text.
func jsonText(value string) string {
	if !strings.HasPrefix(value, `"`) {
		return value
	}
	if inner := value[1 : len(value)-1]; !strings.Contains(inner, `\`) {
		return inner
	}
	var s string
	if json.Unmarshal([]byte(value), &s) != nil {
		return value
	}
	return s
}

// readLogfmt reads key=value pairs.
func readLogfmt(text string) (parsed, bool) {
	if key, _, ok := strings.Cut(text, "="); !ok || !isKey(key) {
		return parsed{}, false
	}
	return structured(func(yield func(key, value string) bool) { logfmtPairs(text, yield) })
}

// logfmtPairs yields key=value pairs. Words without a key belong to the value
// before them: not every writer quotes.
func logfmtPairs(text string, yield func(key, value string) bool) {
	var key, value string
	for text = strings.TrimLeft(text, " \t"); text != ""; text = strings.TrimLeft(text, " \t") {
		next, after, ok := strings.Cut(text, "=")
		if !ok || !isKey(next) {
			var word string
			word, text = cutSpace(text)
			value += " " + word
			continue
		}
		if key != "" && !yield(key, value) {
			return
		}
		key = next
		value, text = logfmtValue(after)
	}
	if key != "" {
		yield(key, value)
	}
}

func logfmtValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		return cutSpace(s)
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return cutSpace(s)
	}
	value, err = strconv.Unquote(quoted)
	if err != nil {
		value = quoted
	}
	return value, s[len(quoted):]
}

// cutSpace splits s at its first blank.
func cutSpace(s string) (word, rest string) {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// isKey tells whether s can be the key of a logfmt pair.
func isKey(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("_-.@/", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

var klogHeader = regexp.MustCompile(`^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ([^ \]]+)\] ?`)

// readKlog reads a line of the Kubernetes components' logger, with or without
// structure: E0102 15:04:05.678901 1234 server.go:97] "Failed" err="…".
func readKlog(text string) (parsed, bool) {
	if text == "" || strings.IndexByte("IWEF", text[0]) < 0 {
		return parsed{}, false
	}
	header := klogHeader.FindStringSubmatch(text)
	if header == nil {
		return parsed{}, false
	}
	line := parsed{
		level:   levelOf(header[1]),
		message: text[len(header[0]):],
		fields:  []Field{{"source", header[2]}},
	}
	if quoted, err := strconv.QuotedPrefix(line.message); err == nil {
		pairs := line.message[len(quoted):]
		if message, err := strconv.Unquote(quoted); err == nil {
			line.message = message
			logfmtPairs(pairs, func(key, value string) bool {
				line.fields = append(line.fields, Field{key, value})
				return true
			})
		}
	}
	return line, true
}

// levelOf is the level that a logger's own name or number for it means; empty
// where it means none.
func levelOf(name string) string {
	name = strings.ToLower(name)
	// slog writes levels between its own as an offset: INFO+2.
	if i := strings.IndexAny(name, "+-"); i > 0 {
		name = name[:i]
	}
	switch name {
	case "trace", "debug", "dbg", "fine", "finer", "finest", "verbose", "d":
		return LevelDebug
	case "info", "inf", "information", "informational", "notice", "log", "i":
		return LevelInfo
	case "warn", "warning", "wrn", "w":
		return LevelWarn
	case "error", "err", "eror", "severe", "e":
		return LevelError
	case "fatal", "ftl", "panic", "pnc", "dpanic", "critical", "crit", "alert", "emerg", "emergency", "f", "c":
		return LevelFatal
	}
	number, err := strconv.Atoi(name)
	switch {
	case err != nil || number < 0:
		return ""
	// Syslog's numbers, as GELF has them: 0 is an emergency, 7 is debugging.
	case number <= 2:
		return LevelFatal
	case number == 3:
		return LevelError
	case number == 4:
		return LevelWarn
	case number <= 6:
		return LevelInfo
	case number == 7:
		return LevelDebug
	// bunyan's and pino's: 10 is tracing, 60 is fatal.
	case number >= 60:
		return LevelFatal
	case number >= 50:
		return LevelError
	case number >= 40:
		return LevelWarn
	case number >= 30:
		return LevelInfo
	case number >= 10:
		return LevelDebug
	}
	return ""
}
