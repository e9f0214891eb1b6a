package views

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/probes"
)

// payloads are what a terminal must never be handed from outside: each would
// act on it, or hide what stands beside it.
var payloads = map[string]string{
	"erase the screen":         "\x1b[2J\x1b[H",
	"set the window title":     "\x1b]0;pwned\x07",
	"hyperlink":                "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
	"write the clipboard":      "\x1b]52;c;cm0gLXJmIC8=\x07",
	"unterminated OSC":         "\x1b]0;never ends",
	"device control string":    "\x1bPq#0;2;0;0;0\x1b\\",
	"application command":      "\x1b_Gf=100;AAAA\x1b\\",
	"privacy message":          "\x1b^secret\x1b\\",
	"conceal":                  "\x1b[8mhidden\x1b[0m",
	"C1 CSI":                   "\u009b2J",
	"C1 OSC":                   "\u009d0;pwned\u009c",
	"carriage return":          "safe\rEVIL",
	"backspaces":               "safe\b\b\b\bEVIL",
	"line feeds":               "one\ntwo\n\nthree",
	"bidirectional override":   "abc\u202egnp.exe",
	"zero width":               "ad\u200bmin\u2060",
	"tags":                     "a\U000e0061\U000e0062",
	"line separator":           "a\u2028b\u2029c",
	"invalid UTF-8":            "a\xff\xfe\xc3",
	"stack of combining marks": "z" + strings.Repeat("\u0301", 60),
	"NUL and DEL":              "a\x00b\x7fc",
	"alternate screen":         "\x1b[?1049l\x1bc",
	"cursor report":            "\x1b[6n\x1b[c",
}

// ours are the only sequences that a frame may hold: colours and attributes.
var ours = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// foreign is the first thing in a frame that acts on the terminal and is not
// ours, empty when there is none.
func foreign(frame string) string {
	for _, r := range ours.ReplaceAllString(frame, "") {
		switch {
		case r == '\n': // between the lines of the frame
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
			return fmt.Sprintf("%U", r)
		}
	}
	return ""
}

// poisoned is a board on which every text that comes from outside is evil.
func poisoned(evil string) *probes.Board {
	b := probes.NewBoard(100)
	now := time.Now()
	labels := map[string]string{"severity": evil, evil: evil, "alertname": evil}
	alert := probes.Alert{
		Name: evil, State: probes.Firing, Severity: evil, Labels: labels, Since: now,
		Annotations: map[string]string{"summary": evil}, Rule: probes.AlertRule{Name: evil, Query: "up > 1"},
		Silence: &probes.Silence{CreatedBy: evil, Comment: evil},
	}
	other := alert
	other.Labels = map[string]string{"alertname": evil, evil: "other" + evil}
	b.Alerts.Publish(probes.Alerts{Alerts: []probes.Alert{alert, other}}, now, time.Second)
	list := signals(func(int) float64 { return 1 })
	for i := range list {
		list[i].Title, list[i].Err = evil, errors.New(evil)
	}
	b.Signals.Publish(probes.Signals{Signals: list}, now, time.Second)
	b.Pods.Publish(probes.Pods{
		Context: evil, Namespace: evil,
		Pods:        []probes.Pod{{Name: evil, Status: evil, Node: evil, Labels: labels}, {Name: "b" + evil, Status: evil, Healthy: true}},
		Deployments: []probes.Deployment{{Name: evil, Images: []string{evil}, ChangeCause: evil}},
	}, now, 0)
	b.Pods.Fail(errors.New(evil), now)
	backend := probes.Backend{User: evil, Application: evil, State: evil, Wait: evil, Query: evil}
	b.Database.Publish(probes.Database{
		Version: evil, Name: evil, Max: 10, Longest: &backend, OldestTx: &backend,
		Blocked:       []probes.Block{{Waiter: backend, Blockers: []int{1}}},
		Statements:    []probes.Statement{{Query: evil}},
		StatementsErr: errors.New(evil), Replicas: []probes.Replica{{Name: evil, State: evil}},
	}, now, time.Second)
	b.Cache.Publish(probes.Cache{Version: evil, Role: evil, Policy: evil}, now, time.Second)
	b.Logins.Publish(probes.Logins{
		Total: 2, Pattern: probes.Pattern(evil), Why: evil,
		ByAddress: []probes.Tally{{Name: evil, Count: 1}}, ByUser: []probes.Tally{{Name: evil, Count: 1}},
		Sources: []probes.LoginSource{{Name: evil, Err: errors.New(evil)}},
	}, now, time.Second)
	b.Logs.Append(probes.Line{Pod: evil, Level: "ERROR", Message: evil, Raw: evil, Fields: []probes.Field{{Key: evil, Value: evil}}})
	b.Logs.Append(probes.Line{Pod: evil, Raw: evil})
	b.Logs.Describe(evil, []probes.PodTail{{Pod: evil, State: probes.TailFollowing}}, 0, nil)
	return b
}

// TestNothingFromOutsideReachesTheTerminalRaw draws every screen with every
// payload in every place that a text from outside can come from.
func TestNothingFromOutsideReachesTheTerminalRaw(t *testing.T) {
	for what, evil := range payloads {
		t.Run(what, func(t *testing.T) {
			for _, s := range append(sizes(), [2]int{60, 20}) {
				c := testCockpit(t, poisoned(evil))
				c.deps.Context, c.deps.Namespace = evil, evil
				c.width, c.height = s[0], s[1]
				look := func(where string) {
					t.Helper()
					c.dirty = true
					if bad := foreign(c.draw()); bad != "" {
						t.Errorf("%s at %s: %s reaches the terminal", where, size(s), bad)
					}
					if title := c.View().WindowTitle; foreign(title) != "" || strings.ContainsAny(title, "\n\x1b") {
						t.Errorf("%s: the window title is %q", where, title)
					}
				}
				home := c.top().(*home)
				look("home")
				for i := range home.panes {
					home.focus, home.full = i, true
					look("full pane " + home.title(i)[:1])
				}
				home.focus, home.full = 0, false
				for _, f := range []string{"/", ":"} {
					press(c, f)
					c.Update(tea.PasteMsg{Content: evil})
					look("prompt " + f)
					press(c, "esc")
				}
				c.Update(failed(errors.New(evil)))
				look("sentence")
				c.Update(press(c, "enter")()) // no runbook belongs to it: the index
				look("index")
				c.Update(press(c, "enter")())
				look("incident")
				press(c, "?")
				look("help")
				press(c, "esc")
				press(c, ":")
				typeIn(c, "severity "+evil)
				pump(t, c, press(c, "enter"))
				look("incident of an evil severity")
				for _, key := range []string{"W", "K"} {
					press(c, key)
					look("dialog " + key)
					press(c, "esc")
				}
				pump(t, c, press(c, "T"))
				look("timeline")
				press(c, "enter")
				look("event")
				press(c, "esc", "esc", "esc")
				c.screens = c.screens[:1]
				for _, key := range []string{"a", "S", "A"} {
					press(c, key)
					look("dialog " + key)
					c.dialogs.Close()
				}
				pump(t, c, press(c, "I"))
				look("incidents")
			}
		})
	}
}
