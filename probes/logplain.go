package probes

import (
	"slices"
	"strings"
)

const (
	// wordsToLevel is how many words may stand between the time and the level
	// of a plain line: a process, a thread, a logger, dashes between them.
	wordsToLevel = 6
	// timeWords is how many words a time may have: "Fri Jan 2 15:04:05 UTC 2026".
	timeWords = 6
)

// readPlain reads a line of text that begins with a level, or with a time and
// then, after a few words, a level in capitals or in brackets:
//
//	2026-01-02 15:04:05,678 - erpgo.orders - ERROR - order create failed
//	2026/01/02 15:04:05 [error] 12#12: *1 open() failed
//	WARNING: pool acquire slow
//
// Words between the time and the level are the field logger.
func readPlain(text string) (parsed, bool) {
	rest := text
	for range timeWords {
		word, after := cutSpace(rest)
		if !isTime(word) {
			break
		}
		rest = strings.TrimLeft(after, " \t")
	}
	words := 1
	if len(rest) < len(text) {
		words += wordsToLevel
	}
	var logger []string
	for range words {
		if rest == "" {
			break
		}
		if level, message, ok := leadingLevel(rest); ok {
			line := parsed{level: level, message: strings.TrimLeft(message, separators)}
			if len(logger) > 0 {
				line.fields = []Field{{"logger", strings.Join(logger, " ")}}
			}
			return line, true
		}
		var word string
		word, rest = cutSpace(rest)
		if word = strings.Trim(word, separators); word != "" {
			logger = append(logger, word)
		}
		rest = strings.TrimLeft(rest, " \t")
	}
	return parsed{}, false
}

// separators stand between the parts of a plain line.
const separators = " \t-:|[]"

// leadingLevel takes a level from the start of s. To tell a level from a word
// of a sentence, it has to be in capitals, in brackets, or followed by a colon.
func leadingLevel(s string) (level, rest string, ok bool) {
	open := strings.HasPrefix(s, "[") || strings.HasPrefix(s, "<") || strings.HasPrefix(s, "(")
	if open {
		s = s[1:]
	}
	end := 0
	for end < len(s) && isLetter(s[end]) {
		end++
	}
	name, rest := s[:end], s[end:]
	if len(name) < 3 || levelOf(name) == "" {
		return "", "", false
	}
	closed := open && rest != "" && strings.IndexByte("]>)", rest[0]) >= 0
	switch {
	case closed:
		rest = rest[1:]
	case open:
		return "", "", false
	case strings.HasPrefix(rest, ":"):
	case name != strings.ToUpper(name):
		return "", "", false
	case rest != "" && strings.IndexByte(" \t|", rest[0]) < 0:
		return "", "", false
	}
	return levelOf(name), rest, true
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// calendar are the words of a written time that do not begin with a digit.
var calendar = []string{
	"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
	"UTC", "GMT", "CET", "CEST", "AM", "PM",
}

// isTime tells whether a word can be part of a written time.
func isTime(word string) bool {
	word = strings.Trim(word, "[](),")
	if word == "" {
		return false
	}
	if slices.Contains(calendar, word) {
		return true
	}
	digits := 0
	for _, c := range []byte(word) {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case strings.IndexByte(":-/.,+TZ", c) < 0:
			return false
		}
	}
	return digits > 0
}
