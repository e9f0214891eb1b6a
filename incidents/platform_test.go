package incidents

import (
	"testing"

	"github.com/erpgo/flightdeck/runbooks"
)

// TestAStepForTwoPlatformsWantsOne works a step that has the same look for
// Kubernetes and for Docker Compose.
func TestAStepForTwoPlatformsWantsOne(t *testing.T) {
	step := runbooks.Step{ID: "s", Commands: []runbooks.Command{
		{Platform: runbooks.Kubernetes}, {Platform: runbooks.Kubernetes}, {Platform: runbooks.Compose}, {},
	}}
	worked := func(done ...int) ItemState {
		inc := Incident{Items: map[CommandRef]Item{}}
		for _, n := range done {
			inc.Items[CommandRef{Runbook: "r", Step: "s", Command: n}] = Item{State: Done}
		}
		return inc.Step("r", step).State
	}
	for _, c := range []struct {
		done []int
		want ItemState
	}{
		{nil, ToDo},
		{[]int{0, 3}, ToDo},
		{[]int{0, 1}, ToDo},
		{[]int{0, 1, 3}, Done},
		{[]int{2, 3}, Done},
		{[]int{0, 2, 3}, ToDo},
	} {
		if got := worked(c.done...); got != c.want {
			t.Errorf("with %v done the step is %q, want %q", c.done, got, c.want)
		}
	}
}
