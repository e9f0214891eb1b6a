package views

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
)

// poisonedBook has an evil text wherever a book can have one.
func poisonedBook(evil string) string {
	// What would end a line of the book stays out, and NUL: with one the file is no
	// text, and the library does not open it. All else stays as it is.
	line := strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ").Replace(evil)
	fence := func(tag string, lines ...string) string {
		return "   ```" + tag + "\n   " + strings.Join(lines, "\n   ") + "\n   ```\n\n"
	}
	return "# " + line + "\n\n## Runbook " + line + "\n\n**Alert Name:** `Nobody" + line + "`\n\n**Severity:** " + line + "\n\n### Steps " + line + "\n\n" +
		"1. **Read " + line + ":**\n" + fence("bash", "# caption "+line, "echo '"+line+"' | grep x") +
		"2. **Query " + line + ":**\n" + fence("bash", "# Query Prometheus:", `# up{job="`+line+`"}`, "# rate(up[5m]) by (job)") +
		"3. **Bind " + line + ":**\n" + fence("bash", "# Kubernetes", "kubectl describe pod <postgres-pod> '"+line+"'", "# Docker Compose", "docker-compose logs '"+line+"'") +
		"4. **Change " + line + ":**\n" + fence("bash", "# "+line, "kubectl rollout undo deployment/erpgo-api", "# Or "+line, "kubectl delete pod '"+line+"'") +
		"5. **Monitor for 10 minutes " + line + ":**\n" + fence("bash", "# "+line, "kubectl logs -f 'x"+line+"'") +
		"6. **Select " + line + ":**\n" + fence("sql", "-- "+line, "SELECT '"+strings.ReplaceAll(line, "'", "''")+"';") +
		"7. **Verify " + line + ":**\n" + fence("bash", "# Check metrics", "# - Error rate should decrease "+line, "# - error rate < 5% "+line) +
		"8. **Notify " + line + "**\n" + fence("", "Subject: "+line, "- Reason: [brief description]", "- Impact: [impact "+line+"]") +
		"9. **Manual " + line + "**\n   - look at " + line + "\n\n" +
		"10. **Sample " + line + "**\n" + fence("console", "$ kubectl get service <service-name>", line)
}

// TestNothingFromABookReachesTheTerminalRaw works every step of an evil book
// whose commands print evil, and opens everything that can be opened there.
func TestNothingFromABookReachesTheTerminalRaw(t *testing.T) {
	// What depends on the step is tried on each, all else on the first.
	keys := []string{"enter", "a", "u", "e", "b", "o", "m", "p", "t", "i"}
	once := []string{"B", "w", "v", "y", "space", "s", "x", "n", "]", "tab", "f", "f", "?"}
	for what, evil := range payloads {
		t.Run(what, func(t *testing.T) {
			prints := recording{{words: "", output: evil + "\n" + evil, errors: evil, result: runbooks.Result{
				Exit: 1, Stages: []runbooks.Stage{{Name: evil, Exit: 1}, {Name: evil}}, Note: evil, Err: errors.New(evil),
			}}}
			for _, s := range [][2]int{{100, 30}} {
				c := cockpitOf(t, poisoned(evil), poisonedBook(evil), incidents.Options{
					Journal: incidents.NewMemory(), Target: runbooks.Target{Kubeconfig: "/tmp/kubeconfig", Context: "prod", Namespace: "erpgo"},
					Executors: map[runbooks.Language]runbooks.Executor{runbooks.Bash: prints, runbooks.SQL: prints},
				})
				c.width, c.height = s[0], s[1]
				c.deps.Operator.Actor.Name = evil
				c.deps.Chart = func(context.Context, string, time.Time, time.Time, time.Duration) (probes.Chart, error) {
					return probes.Chart{
						Series:   []probes.Series{{Labels: map[string]string{evil: evil}, Points: []probes.Point{{At: noon, Value: 1}}}},
						Warnings: []string{evil},
					}, nil
				}
				c.deps.Explain = func(context.Context, runbooks.Bound) ([]string, error) { return []string{evil}, nil }
				c.deps.Preview = func(context.Context, runbooks.Bound) (runbooks.Preview, error) {
					return runbooks.Preview{Where: evil, Plan: []string{evil}, Now: []string{evil}, After: []string{evil}, Diff: []string{evil}, Checked: []string{evil}, Warnings: []string{evil}}, nil
				}
				c.deps.Services = func(context.Context) ([]probes.Service, error) {
					return []probes.Service{{Name: evil, Type: evil, Address: evil, Ports: []string{evil}}}, nil
				}
				c.deps.Permissions = func(context.Context, runbooks.Bound) []runbooks.Obstacle {
					return []runbooks.Obstacle{{What: evil, Why: evil, Do: evil}}
				}
				look := func(where string) {
					t.Helper()
					c.dirty = true
					if bad := foreign(c.draw()); bad != "" {
						t.Fatalf("%s at %s: %s reaches the terminal", where, size(s), bad)
					}
				}
				pump(t, c, press(c, "enter"))
				look("index")
				pump(t, c, press(c, "enter"))
				incident, ok := c.top().(*incidentScreen)
				if !ok {
					t.Fatal("the runbook did not open")
				}
				steps := 0
				for _, item := range incident.list.items {
					if item.step == nil {
						continue
					}
					steps++
					incident.list.choose(item.step.ID)
					incident.step.shown(item.step)
					incident.part = partChecklist
					look(item.step.Title)
					pressed := keys
					if steps == 1 {
						pressed = append(slices.Clone(keys), once...)
					}
					for _, key := range pressed {
						pump(t, c, press(c, key))
						look(key + " on " + item.step.Title)
						if c.prompt != nil {
							c.Update(tea.PasteMsg{Content: evil})
							pump(t, c, press(c, "enter"))
							look(key + " and enter on " + item.step.Title)
						}
						for range 3 {
							if c.dialogs.Top() == nil {
								break
							}
							c.Update(tea.PasteMsg{Content: evil})
							look(key + " and paste on " + item.step.Title)
							press(c, "esc")
						}
					}
				}
				if steps < 9 {
					t.Errorf("only %d steps were understood", steps)
				}
			}
		})
	}
}
