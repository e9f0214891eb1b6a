package views

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/ui/screentest"
)

// meaningBook has what the runbooks of prometheus-operator have.
const meaningBook = `# HighErrorRate

## Meaning

More than one request in twenty fails.

## Impact

Orders are lost.

## Diagnosis

` + "```console" + `
$ kubectl get pods
NAME         READY   STATUS
erpgo-api-1  0/1     CrashLoopBackOff
` + "```" + `

## Mitigation

Roll back. Then write down why.
`

func TestABookIsReadAsAWhole(t *testing.T) {
	for _, s := range sizes() {
		c := cockpitOf(t, burning(t), meaningBook, incidents.Options{Journal: steadyJournal{incidents.NewMemory()}})
		c.width, c.height = s[0], s[1]
		pump(t, c, press(c, "enter"))
		c.now = noon
		if screen := text(t, c); !strings.Contains(screen, "CrashLoopBackOff") {
			t.Errorf("%s: the output that the book shows is lost:\n%s", size(s), screen)
		}
		press(c, "B")
		screen := screentest.Render(t, c.draw(), s[0], s[1]).Text()
		for _, want := range []string{"Meaning", "More than one request in twenty fails.", "Impact", "Orders are lost.", "Mitigation", "Roll back. Then write down why."} {
			if !strings.Contains(screen, want) {
				t.Errorf("%s: %q cannot be read:\n%s", size(s), want, screen)
			}
		}
	}
}

func TestALongBookIsScrolledToItsEnd(t *testing.T) {
	var book strings.Builder
	book.WriteString("# HighErrorRate\n\n## Meaning\n\n")
	for i := range 100 {
		fmt.Fprintf(&book, "- line %d of the text\n", i)
	}
	book.WriteString("\n## Diagnosis\n\n1. `kubectl get pods`\n")
	c := cockpitOf(t, burning(t), book.String(), incidents.Options{Journal: incidents.NewMemory()})
	c.width, c.height = 80, 24
	pump(t, c, press(c, "enter"))
	press(c, "B")
	first := text(t, c)
	if !strings.Contains(first, "line 0 of") || strings.Contains(first, "line 99 of") || !strings.Contains(first, "more") {
		t.Fatalf("the beginning is not shown:\n%s", first)
	}
	for range 10 {
		press(c, "pgdown")
		text(t, c)
	}
	if last := text(t, c); !strings.Contains(last, "line 99 of") || strings.Contains(last, "more") {
		t.Errorf("the end is not reached:\n%s", last)
	}
	press(c, "esc")
	if c.dialogs.Top() != nil {
		t.Error("esc does not close the text")
	}
}

func TestParagraphsFlowAndListsDoNot(t *testing.T) {
	got := flowing([]string{
		"One paragraph", "in two lines.", "", "Another", "- a list", "  goes on", "- stands", "```", "code", "stays", "```", "After it", "it flows.",
	})
	want := []string{
		"One paragraph in two lines.", "", "Another", "- a list", "  goes on", "- stands", "```", "code", "stays", "```", "After it it flows.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
