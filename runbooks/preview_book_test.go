//go:build unix

package runbooks

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
)

// eachCommand calls f with every command of a book, nested steps included.
func eachCommand(rb Runbook, f func(Command)) {
	var walk func([]Step)
	walk = func(steps []Step) {
		for _, step := range steps {
			for _, c := range step.Commands {
				f(c)
			}
			walk(step.Steps)
		}
	}
	for _, section := range rb.Sections {
		walk(section.Steps)
	}
}

// Every command of the original book that needs a script is told before it is
// tried, and every change of it to the cluster or the database is previewed.
func TestPreviewOfTheBook(t *testing.T) {
	const book = originalBook
	if _, err := os.Stat(book); err != nil {
		t.Skipf("the original book is not here: %v", err)
	}
	lib, err := Open([]string{book})
	if err != nil {
		t.Fatal(err)
	}
	env := testenv.Shared(t)
	t.Setenv("PATH", env.Bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	target := Target{Kubeconfig: env.Kubeconfig, Context: env.Context, Namespace: env.Namespace}
	db := NewSQLExecutor(config.Secret(env.DatabaseURL))
	defer db.Close()
	values := map[string]string{
		"postgres-pod": "postgres-0", "redis-pod": "redis-0", "erpgo-api-pod": "erpgo-api-0", "user-id": "7", "DB_USER": "erpgo",
	}
	previewed, scripts := 0, 0
	for _, head := range lib.All() {
		rb, ok := lib.ByName(head.Name)
		if !ok {
			t.Fatalf("%s is listed and not there", head.Name)
		}
		eachCommand(*rb, func(c Command) {
			missing := false
			for _, o := range Preflight(c, func(string) bool { return true }) {
				missing = missing || strings.HasPrefix(o.Why, "is not there")
			}
			if strings.Contains(c.Text, "./scripts/") {
				if scripts++; !missing {
					t.Errorf("line %d: %s: no obstacle is told", c.Line, c.Text)
				}
			}
			bound, err := Bind(c, values)
			if err != nil || !bound.Command.Risk.NeedsConfirmation() {
				return
			}
			p, err := PreviewOf(t.Context(), bound, target, db)
			switch {
			case errors.Is(err, ErrNoPreview):
				if strings.HasPrefix(c.Text, "kubectl set ") || strings.HasPrefix(c.Text, "kubectl scale ") || strings.HasPrefix(c.Text, "UPDATE") {
					t.Errorf("line %d: %s: %v", c.Line, c.Text, err)
				}
			case err != nil: // the book names what this cluster does not have
				if !strings.Contains(err.Error(), "not found") && !strings.Contains(err.Error(), "does not exist") {
					t.Errorf("line %d: %s: %v", c.Line, c.Text, err)
				}
			case len(p.Now) == 0 && len(p.Diff) == 0:
				t.Errorf("line %d: %s: nothing is told: %+v", c.Line, c.Text, p)
			default:
				previewed++
			}
		})
	}
	if previewed < 20 || scripts < 16 {
		t.Errorf("%d changes were previewed and %d scripts missed, want at least 20 and 16", previewed, scripts)
	}
}
