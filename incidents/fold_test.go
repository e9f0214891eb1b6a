package incidents

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/erpgo/flightdeck/runbooks"
)

var (
	noon     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rollback = CommandRef{Runbook: "rb", Step: "resolution-1", Command: 0}
	check    = CommandRef{Runbook: "rb", Step: "investigation-2", Command: WholeStep}
)

// story makes events a minute apart from facts.
func story(actor Actor, facts ...Fact) []Event {
	events := make([]Event, len(facts))
	for i, f := range facts {
		events[i] = Event{Seq: int64(i + 1), Incident: "INC-1", At: noon.Add(time.Duration(i) * time.Minute), Actor: actor, Fact: f}
	}
	return events
}

func TestFoldOfAnIncident(t *testing.T) {
	events := story(ann,
		Opened{Title: "HighErrorRate", Alert: "HighErrorRate", Severity: "critical", Key: "k", Labels: map[string]string{"a": "1"}},
		RunbookOpened{Runbook: "rb"},
		StepStarted{Run: "r1", Ref: rollback, Script: "x", Values: map[string]string{"pod": "p-1", "password": Mask}},
		StepFinished{Run: "r1", Ref: rollback, Exit: 1},
		NoteTaken{Text: "hm"},
		StepStarted{Run: "r2", Ref: rollback},
		StepFinished{Run: "r1", Ref: rollback, OK: true}, // the end of an older run
		StepRefused{Ref: rollback, Reason: "no"},
		Ticked{Ref: check, Note: "seen"},
		Unrecognised{Kind: "written by a newer version"},
		StepFinished{Run: "r2", Ref: rollback, OK: true},
		Resolved{Reason: "rolled back"},
	)
	got := FoldAll(events)["INC-1"]
	want := Incident{
		ID: "INC-1", Type: FromAlert, Title: "HighErrorRate", Alert: "HighErrorRate", Severity: "critical", Key: "k",
		Labels: map[string]string{"a": "1"}, Runbook: "rb", OpenedAt: noon, OpenedBy: ann, Began: noon,
		Worked: noon.Add(2 * time.Minute), Mitigation: Mitigation{At: noon.Add(10 * time.Minute), By: ann, Run: "r2", Ref: rollback},
		Resolved: noon.Add(11 * time.Minute), ResolvedBy: ann, Outcome: "rolled back",
		Events: 12, Last: noon.Add(11 * time.Minute),
		Items: map[CommandRef]Item{
			rollback: {State: Done, Run: "r2", At: noon.Add(10 * time.Minute), By: ann, Result: &StepFinished{Run: "r2", Ref: rollback, OK: true}},
			check:    {State: Done, At: noon.Add(8 * time.Minute), By: ann, Reason: "seen"},
		},
		Values: map[string]string{"pod": "p-1"},
		Notes:  []Event{events[4]},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if got.Open() || got.Duration(noon.Add(time.Hour)) != 11*time.Minute {
		t.Errorf("open %v for %v", got.Open(), got.Duration(noon.Add(time.Hour)))
	}
}

func TestFoldOfOneItem(t *testing.T) {
	start, ok := StepStarted{Run: "r", Ref: rollback}, StepFinished{Run: "r", Ref: rollback, OK: true}
	for name, tc := range map[string]struct {
		facts []Fact
		want  ItemState
	}{
		"nothing":                {nil, ToDo},
		"started":                {[]Fact{start}, Running},
		"ended well":             {[]Fact{start, ok}, Done},
		"failed":                 {[]Fact{start, StepFinished{Run: "r", Ref: rollback, Exit: 2}}, Failed},
		"cancelled":              {[]Fact{start, StepFinished{Run: "r", Ref: rollback, Cancelled: true}}, Cancelled},
		"interrupted":            {[]Fact{start, StepFinished{Run: "r", Ref: rollback, Exit: -1, Interrupted: true}}, Interrupted},
		"refused":                {[]Fact{StepRefused{Ref: rollback}}, ToDo},
		"ruled out":              {[]Fact{RuledOut{Ref: rollback}}, Excluded},
		"skipped":                {[]Fact{StepSkipped{Ref: rollback}}, Skipped},
		"skipped and back":       {[]Fact{StepSkipped{Ref: rollback}, Unticked{Ref: rollback}}, ToDo},
		"approved":               {[]Fact{StepApproved{Ref: rollback}}, ToDo},
		"ruled out and back":     {[]Fact{RuledOut{Ref: rollback}, Unticked{Ref: rollback}}, ToDo},
		"ticked after a failure": {[]Fact{start, StepFinished{Run: "r", Ref: rollback, Exit: 2}, Ticked{Ref: rollback}}, Done},
		"and taken back": {
			[]Fact{start, StepFinished{Run: "r", Ref: rollback, Exit: 2}, Ticked{Ref: rollback}, Unticked{Ref: rollback}}, Failed,
		},
		"ruled out while it runs, and back": {[]Fact{start, RuledOut{Ref: rollback}, Unticked{Ref: rollback}}, Running},
		"the same, and it ends":             {[]Fact{start, RuledOut{Ref: rollback}, Unticked{Ref: rollback}, ok}, Done},
		"run after it was ruled":            {[]Fact{RuledOut{Ref: rollback}, start}, Running},
		"ruled out while it ran":            {[]Fact{start, RuledOut{Ref: rollback}, ok}, Excluded},
		"an end without a start":            {[]Fact{ok}, ToDo},
		"another one's end":                 {[]Fact{start, StepFinished{Run: "q", Ref: rollback, OK: true}}, Running},
	} {
		inc := FoldAll(story(ann, append([]Fact{Opened{}}, tc.facts...)...))["INC-1"]
		if got := inc.Item(rollback).State; got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// Applying one by one gives what folding all gives, and no value that was
// handed out changes afterwards.
func TestApplyLeavesOlderValuesAlone(t *testing.T) {
	events := story(ann, everyFact()...)
	var after []Incident
	var printed []string
	var inc Incident
	for _, e := range events {
		inc = Apply(inc, e)
		after = append(after, inc)
		printed = append(printed, fmt.Sprintf("%+v", inc))
	}
	for i := range after {
		if got := fmt.Sprintf("%+v", after[i]); got != printed[i] {
			t.Errorf("after event %d it was\n%s\nand now is\n%s", i+1, printed[i], got)
		}
		// Two futures of the same past do not meet.
		a, b := Apply(after[i], Event{Fact: NoteTaken{Text: "a"}}), Apply(after[i], Event{Fact: NoteTaken{Text: "b"}})
		if n := a.Notes[len(a.Notes)-1].Fact; n != (NoteTaken{Text: "a"}) || b.Notes[len(b.Notes)-1].Fact != (NoteTaken{Text: "b"}) {
			t.Errorf("one future has the other's note %v", n)
		}
	}
	if diff := cmp.Diff(FoldAll(events)["INC-1"], inc); diff != "" {
		t.Error(diff)
	}
}

func TestStepFollowsItsParts(t *testing.T) {
	command := func(alternative int) runbooks.Command { return runbooks.Command{Alternative: alternative} }
	step := func(id string, commands ...runbooks.Command) runbooks.Step {
		return runbooks.Step{ID: id, Kind: runbooks.StepCommand, Commands: commands}
	}
	run := func(step string, n int, state ItemState) []Fact {
		ref := CommandRef{Runbook: "rb", Step: step, Command: n}
		facts := []Fact{StepStarted{Run: step + fmt.Sprint(n), Ref: ref}}
		switch end := (StepFinished{Run: step + fmt.Sprint(n), Ref: ref}); state {
		case Done:
			end.OK = true
			facts = append(facts, end)
		case Failed:
			facts = append(facts, end)
		case Cancelled:
			end.Cancelled = true
			facts = append(facts, end)
		}
		return facts
	}
	two := step("s", command(0), command(0))
	alternatives := step("s", command(0), command(1), command(1))
	choice := runbooks.Step{ID: "c", Kind: runbooks.StepChoice, Steps: []runbooks.Step{step("a", command(0)), step("b", command(0))}}
	nested := runbooks.Step{ID: "n", Steps: []runbooks.Step{step("a", command(0)), {ID: "m", Kind: runbooks.StepManual}}}
	for name, tc := range map[string]struct {
		step  runbooks.Step
		facts [][]Fact
		want  ItemState
	}{
		"nothing done":                   {two, nil, ToDo},
		"one of two done":                {two, [][]Fact{run("s", 0, Done)}, ToDo},
		"both done":                      {two, [][]Fact{run("s", 0, Done), run("s", 1, Done)}, Done},
		"one runs":                       {two, [][]Fact{run("s", 0, Failed), run("s", 1, Running)}, Running},
		"one failed":                     {two, [][]Fact{run("s", 0, Done), run("s", 1, Failed)}, Failed},
		"one cancelled":                  {two, [][]Fact{run("s", 0, Cancelled)}, Cancelled},
		"the step itself was ticked":     {two, [][]Fact{run("s", 0, Failed), {Ticked{Ref: CommandRef{"rb", "s", WholeStep}}}}, Done},
		"the step itself was ruled out":  {two, [][]Fact{{RuledOut{Ref: CommandRef{"rb", "s", WholeStep}}}}, Excluded},
		"one of the alternatives done":   {alternatives, [][]Fact{run("s", 0, Done), run("s", 2, Done)}, Done},
		"only the alternative done":      {alternatives, [][]Fact{run("s", 1, Done)}, ToDo},
		"another alternative had failed": {alternatives, [][]Fact{run("s", 0, Done), run("s", 1, Failed), run("s", 2, Done)}, Done},
		"one option of the choice":       {choice, [][]Fact{run("b", 0, Done)}, Done},
		"no option of the choice":        {choice, nil, ToDo},
		"a nested step is left":          {nested, [][]Fact{run("a", 0, Done)}, ToDo},
		"all nested steps":               {nested, [][]Fact{run("a", 0, Done), {Ticked{Ref: CommandRef{"rb", "m", WholeStep}}}}, Done},
		"all parts ruled out": {two, [][]Fact{{
			RuledOut{Ref: CommandRef{"rb", "s", 0}}, RuledOut{Ref: CommandRef{"rb", "s", 1}},
		}}, Excluded},
		"one part skipped, one ruled out": {two, [][]Fact{{
			StepSkipped{Ref: CommandRef{"rb", "s", 0}}, RuledOut{Ref: CommandRef{"rb", "s", 1}},
		}}, Skipped},
		"the step itself was approved": {two, [][]Fact{run("s", 0, Failed), {StepApproved{Ref: CommandRef{"rb", "s", WholeStep}}}}, Failed},
		"a manual step":                {runbooks.Step{ID: "m", Kind: runbooks.StepManual}, nil, ToDo},
		"of another runbook":           {runbooks.Step{ID: "m"}, [][]Fact{{Ticked{Ref: CommandRef{"other", "m", WholeStep}}}}, ToDo},
	} {
		inc := FoldAll(story(ann, slices.Concat(tc.facts...)...))["INC-1"]
		if got := inc.Step("rb", tc.step).State; got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}

	rb := runbooks.Runbook{Name: "rb", Sections: []runbooks.Section{{Steps: []runbooks.Step{two, choice}}, {Steps: []runbooks.Step{nested}}}}
	inc := FoldAll(story(ann, slices.Concat(run("b", 0, Done), []Fact{RuledOut{Ref: CommandRef{"rb", "s", WholeStep}}})...))["INC-1"]
	if done, total := inc.Progress(rb); done != 2 || total != 5 {
		t.Errorf("%d of %d, want 2 of 5", done, total)
	}
}

// clone must copy whatever apply changes in place.
func TestCloneCopiesEveryMapAndSlice(t *testing.T) {
	shared := map[string]bool{"Labels": true} // replaced as a whole, never changed in place
	kind := reflect.TypeFor[Incident]()
	full := Incident{
		Items: map[CommandRef]Item{{}: {}}, Values: map[string]string{"a": "b"}, Notes: []Event{{}}, Messages: []Event{{}},
		Alerts: []AlertAttached{{}}, Tasks: []Task{{}},
		Roles: map[string]Actor{}, Gates: map[string]Gate{}, Clocks: map[string]Clock{}, Silences: map[string]Silence{},
	}
	copied := full.clone()
	for i := range kind.NumField() {
		f := kind.Field(i)
		if k := f.Type.Kind(); (k == reflect.Map || k == reflect.Slice) && !shared[f.Name] {
			if reflect.ValueOf(full).Field(i).IsNil() {
				t.Errorf("%s is not tested", f.Name)
			}
			if reflect.ValueOf(full).Field(i).Pointer() == reflect.ValueOf(copied).Field(i).Pointer() {
				t.Errorf("%s is shared by the copy", f.Name)
			}
		}
	}
}
