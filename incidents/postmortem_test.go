package incidents

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/runbooks/lint"
)

// badRelease is an incident as it happens: a release fails, is rolled back, and
// the error rate falls.
func badRelease() (Incident, Evidence) {
	other := CommandRef{Runbook: "rb", Step: "resolution-2", Command: WholeStep}
	events := story(ann,
		Opened{Title: "HighErrorRate", Alert: "HighErrorRate", Severity: "critical", Key: "k", Since: noon.Add(-2 * time.Minute)},
		RunbookOpened{Runbook: "rb"},
		Acknowledged{Note: "on it"},
		RoleTaken{Role: "incident commander"},
		StepStarted{Run: "1", Ref: CommandRef{Runbook: "rb", Step: "investigation-1"}, Script: "kubectl logs deploy/erpgo-api | grep ERROR", Risk: runbooks.Reads, Context: "prod", Namespace: "erpgo"},
		StepOutput{Run: "1", Bytes: 3},
		StepFinished{
			Run: "1", Ref: CommandRef{Runbook: "rb", Step: "investigation-1"}, Exit: 1, Duration: 1200 * time.Millisecond,
			Bytes: 9000, SHA256: "9f86", Head: "ERROR one\n```\n| not a table |\n", Tail: "the end\n",
		},
		GateMeasured{Gate: "rb:3", Title: "error rate < 1%", Signal: "error_rate", Value: number64(0.062), Op: "<", Threshold: 0.01, Unit: "ratio", Breached: true, Since: noon.Add(6 * time.Minute), Rollback: true},
		RuledOut{Ref: check, Reason: "no deploy\nof the database"},
		StepSkipped{Ref: other, Reason: "no time"},
		SignalsMarked{Phase: Before, Run: "2", Ref: rollback, Signals: []SignalValue{{Name: "error_rate", Value: number64(0.062), Unit: "ratio"}}},
		StepStarted{
			Run: "2", Ref: rollback, Script: "kubectl rollout undo deployment/erpgo-api\nkubectl rollout status deployment/erpgo-api", Risk: runbooks.Changes,
			Context: "prod", Namespace: "erpgo", Confirmed: "erpgo-api", Approved: []Actor{bob},
		},
		StepFinished{Run: "2", Ref: rollback, OK: true, Duration: 40 * time.Second, Bytes: 12, SHA256: "2c26", Head: "rolled back\n"},
		SignalsMarked{Phase: After, Run: "2", Ref: rollback, Signals: []SignalValue{{Name: "error_rate", Value: number64(0.001), Unit: "ratio"}, {Name: "p99"}}},
		GateMeasured{Gate: "rb:3", Title: "error rate < 1%", Signal: "error_rate", Value: number64(0.001), Op: "<", Threshold: 0.01, Unit: "ratio", Rollback: true},
		NoteTaken{Text: "looks <b>calm</b> & *good*\nsecond line"},
		TaskAdded{Task: "1", Title: "write the post-mortem", Due: noon.Add(24 * time.Hour)},
		TaskAdded{Task: "2", Title: "tell the users"},
		TaskDone{Task: "2", Note: "sent"},
		Resolved{Reason: "rolled back"},
	)
	events[8].Actor = bob
	events[15].Happened = events[15].At.Add(-30 * time.Second)
	inc := FoldAll(events)["INC-1"]
	series := Series{Name: "error_rate", Title: "Error rate", Unit: "ratio", Warn: 0.01, Critical: 0.05}
	for m := -10; m <= 25; m++ {
		if m == 3 || m == 4 || m == 5 || m == 6 {
			continue // Prometheus was restarted
		}
		value := 0.001
		if m >= -3 && m < 12 {
			value = 0.06 + float64(m)/1000
		}
		series.Points = append(series.Points, Sample{noon.Add(time.Duration(m) * time.Minute), value})
	}
	return inc, Evidence{
		Events: events,
		Books: []*runbooks.Runbook{{Name: "rb", Sections: []runbooks.Section{{Steps: []runbooks.Step{
			{ID: "investigation-1", Title: "Look at the logs", Commands: []runbooks.Command{{Caption: "errors only"}}},
			{ID: "resolution-1", Title: "Roll back", Commands: []runbooks.Command{{}}},
			{ID: "resolution-2", Title: "Tell the team"},
			{ID: "investigation-2", Title: "Was the database deployed?"},
		}}}}},
		Findings:  []lint.Finding{{File: "rb.md", Line: 12, Rule: "no-tail", Severity: lint.Warning, Message: "`kubectl logs -l` reads 10 lines of a pod"}},
		Signals:   []Series{series, {Name: "p99", Title: "p99"}},
		Unknown:   "p99: no such series",
		WrittenAt: noon.Add(time.Hour),
	}
}

func TestPostMortem(t *testing.T) {
	pm := WritePostMortem(badRelease())
	for name, write := range map[string]func(io.Writer) error{
		"postmortem.md": pm.WriteMarkdown, "postmortem.html": pm.WriteHTML, "postmortem.json": pm.WriteJSON,
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(name, err)
		}
		golden(t, filepath.Join("testdata", name), out.Bytes())
	}
}

// What is said follows from what was measured.
func TestPostMortemImpact(t *testing.T) {
	pm := WritePostMortem(badRelease())
	if len(pm.Impact) != 1 || len(pm.Charts) != 1 {
		t.Fatalf("%d signals, %d charts; want the one that was measured", len(pm.Impact), len(pm.Charts))
	}
	i := pm.Impact[0]
	if i.Before == nil || *i.Before != 0.001 || i.Worst != 0.071 || !i.WorstAt.Equal(noon.Add(11*time.Minute)) || i.After != 0.001 {
		t.Errorf("%+v", i)
	}
	if *i.Threshold != 0.05 || i.Beyond != Took(15*time.Minute) {
		t.Errorf("beyond %v for %v, want 15 min beyond 0.05", *i.Threshold, i.Beyond)
	}
	low := impactOf(Series{Below: true, Warn: 10, Points: []Sample{{noon, 20}, {noon.Add(time.Minute), 4}, {noon.Add(3 * time.Minute), 15}}}, noon)
	if low.Worst != 4 || low.Before != nil || low.Beyond != Took(2*time.Minute) {
		t.Errorf("where low values are bad: %+v", low)
	}
	if pm.Figures != (Figures{
		Duration: Took(19 * time.Minute), Acknowledge: Took(4 * time.Minute), Mitigate: Took(14 * time.Minute), Recover: Took(21 * time.Minute),
	}) {
		t.Errorf("%+v", pm.Figures)
	}
}

// Text from outside stays text, whatever is in it.
func TestPostMortemOfAHostileIncident(t *testing.T) {
	evil := "<script>alert(1)</script> ](http://evil) |x| `y` ``` \x1b[31m \u202e"
	inc, evidence := badRelease()
	inc.Title, inc.Severity, inc.Outcome, inc.Alert = evil, evil, evil, evil
	for i, e := range evidence.Events {
		evidence.Events[i].Actor.Name = evil
		switch f := e.Fact.(type) {
		case NoteTaken:
			evidence.Events[i].Fact = NoteTaken{Text: evil}
		case StepStarted:
			f.Script, f.Context, f.Confirmed = evil, evil, evil
			evidence.Events[i].Fact = f
		case StepFinished:
			f.Head, f.Tail, f.Error = evil, evil, evil
			evidence.Events[i].Fact = f
		}
	}
	evidence.Signals[0].Title, evidence.Unknown = evil, evil
	evidence.Clean = func(s string) string { return strings.NewReplacer("\x1b", "^[", "\u202e", "<U+202E>").Replace(s) }
	pm := WritePostMortem(inc, evidence)
	var html, markdown, data bytes.Buffer
	for _, err := range []error{pm.WriteHTML(&html), pm.WriteMarkdown(&markdown), pm.WriteJSON(&data)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"HTML": html.String(), "Markdown": markdown.String()} {
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%s: something acts on a terminal", name)
		}
	}
	if strings.Contains(html.String(), "<script") {
		t.Error("HTML: a script")
	}
	if external := regexp.MustCompile(`(?i)(src|href)\s*=|url\(|@import`).FindString(html.String()); external != "" {
		t.Errorf("HTML: %s: something from elsewhere", external)
	}
	fence := ""
	for line := range strings.SplitSeq(markdown.String(), "\n") {
		if marks := line[:len(line)-len(strings.TrimLeft(line, "`"))]; len(marks) >= 3 && marks == line && (fence == "" || marks == fence) {
			if fence == "" {
				fence = marks
			} else {
				fence = ""
			}
			continue
		}
		if fence == "" && regexp.MustCompile(`(^|[^\\])<script|[^\\]\]\(http`).MatchString(line) {
			t.Errorf("Markdown: %s", line)
		}
	}
	if fence != "" {
		t.Error("Markdown: a block of code does not end")
	}
	if !json.Valid(data.Bytes()) {
		t.Error("JSON: not valid")
	}
}

// An incident in which nothing happened has a post-mortem too.
func TestPostMortemOfAlmostNothing(t *testing.T) {
	events := story(ann, Opened{Title: "t"})
	pm := WritePostMortem(FoldAll(events)["INC-1"], Evidence{Events: events, WrittenAt: noon, Unknown: "prometheus is not configured"})
	var html, markdown bytes.Buffer
	if err := pm.WriteHTML(&html); err != nil {
		t.Error(err)
	}
	if err := pm.WriteMarkdown(&markdown); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"prometheus is not configured", "None were measured", "Nothing failed"} {
		if !strings.Contains(html.String(), want) || !strings.Contains(markdown.String(), want) {
			t.Errorf("%q is not said", want)
		}
	}
}
