package views

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// stepBook has a step of each kind.
const stepBook = `# Book

## High Error Rate

**Alert Name:** ` + "`HighErrorRate`" + `

**Severity:** Critical

### Investigation Steps

1. **Check the error logs:**
   ` + "```bash" + `
   kubectl logs -l app=erpgo-api --tail=100 | grep ERROR
   ` + "```" + `

2. **Check the cache hit rate:**
   ` + "```bash" + `
   # cache_hit_rate should be > 70%
   # Query Prometheus:
   # cache_hit_rate
   ` + "```" + `

3. **Identify slow endpoints:**
   ` + "```bash" + `
   # Or query Prometheus:
   # histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m])) by (endpoint)
   ` + "```" + `

4. **Check external dependencies:**
   - Verify the cache is reachable
   - Look at the status pages

5. **Find long-running queries:**
   ` + "```sql" + `
   SELECT pid, now() - query_start AS duration, query, state
   FROM pg_stat_activity
   WHERE state != 'idle'
   ORDER BY duration DESC
   LIMIT 10;
   ` + "```" + `

6. **Check the database container:**
   ` + "```bash" + `
   # Kubernetes
   kubectl get pods -l app=postgres

   # Docker Compose
   docker-compose ps postgres
   docker-compose logs postgres --tail=100
   ` + "```" + `

7. **Warm the cache:**
   ` + "```bash" + `
   ./scripts/warm-cache.sh
   ` + "```" + `

8. **Look who is in:**
   ` + "```bash" + `
   kubectl exec -it <postgres-pod> -- psql -U $DB_USER -d erpgo
   ` + "```" + `

9. **Log in as the administrator:**
   ` + "```bash" + `
   curl -u admin:<admin-password> https://erpgo.example/api/session
   ` + "```" + `

### Resolution Steps

1. **If caused by recent deployment:**
   ` + "```bash" + `
   # Immediate rollback to previous version
   kubectl rollout undo deployment/erpgo-api

   # Or rollback to specific revision
   kubectl rollout undo deployment/erpgo-api --to-revision=<revision-number>

   # Wait for rollback to complete
   kubectl rollout status deployment/erpgo-api
   ` + "```" + `

2. **If the database is corrupted:**
   ` + "```bash" + `
   kubectl delete pvc data-postgres-0
   ` + "```" + `

3. **Monitor for 10 minutes:**
   ` + "```bash" + `
   watch kubectl top pods -l app=erpgo-api
   kubectl logs -l app=erpgo-api -f
   kubectl get pods -l app=erpgo-api
   ` + "```" + `

4. **Verify the rollback**
   ` + "```bash" + `
   # Check metrics
   # - Error rate < 5%
   # - p99 latency < 2s
   # - All pods running
   ` + "```" + `

5. **Wait until it settles**

   Wait for 10 minutes before anything else is changed.

6. **Notify the team**
   ` + "```" + `
   Subject: URGENT - Production Rollback Initiated
   - Reason: [brief description]
   - Action: Rolled back to v[previous-version]
   - Status: [In Progress / Complete]
   - Impact: [description of user impact]
   - Next Steps: [investigation plan]
   ` + "```" + `

**Step 7: Release again**

**Option A: Blue-Green**

` + "```bash" + `
kubectl apply -f k8s/green.yaml
` + "```" + `

**Option B: Canary**

` + "```bash" + `
kubectl apply -f k8s/canary.yaml
kubectl scale deployment/erpgo-api-canary --replicas=1
` + "```" + `

## High Error Rate, the short version

**Alert Name:** ` + "`HighErrorRate`" + `

### Investigation Steps

1. **Look at the logs:**
   ` + "```bash" + `
   kubectl logs -l app=erpgo-api --tail=10
   ` + "```" + `
`

// steadyJournal is a journal in memory whose clock stands still at noon, so that
// a screen is the same whenever it is drawn.
type steadyJournal struct{ *incidents.Memory }

func (j steadyJournal) Append(ctx context.Context, incident string, actor incidents.Actor, fact incidents.Fact) (incidents.Event, error) {
	e, err := j.Memory.Append(ctx, incident, actor, fact)
	e.At = noon
	return e, err
}

func (j steadyJournal) AppendIf(ctx context.Context, head int64, incident string, actor incidents.Actor, fact incidents.Fact) (incidents.Event, error) {
	e, err := j.Memory.AppendIf(ctx, head, incident, actor, fact)
	e.At = noon
	return e, err
}

func (j steadyJournal) Events(ctx context.Context, incident string, after int64) ([]incidents.Event, error) {
	events, err := j.Memory.Events(ctx, incident, after)
	for i := range events {
		events[i].At = noon
	}
	return events, err
}

// recording plays what commands printed when they were run by hand, in the time
// they took then: the same screen each time. What commands really do is looked
// at in the tests of the executors, and end to end.
type recording []recorded

type recorded struct {
	words  string // of the script
	output string
	errors string
	result runbooks.Result
}

func (r recording) Execute(ctx context.Context, cmd runbooks.Bound, _ runbooks.Target, out func(runbooks.Chunk)) runbooks.Result {
	for _, known := range r {
		if !strings.Contains(cmd.Script, known.words) {
			continue
		}
		if known.output != "" {
			out(runbooks.Chunk{Stream: runbooks.Stdout, At: noon, Data: []byte(known.output)})
		}
		if known.errors != "" {
			out(runbooks.Chunk{Stream: runbooks.Stderr, At: noon, Data: []byte(known.errors)})
		}
		if cmd.Command.Endless {
			<-ctx.Done()
			known.result.Cancelled = true
		}
		return known.result
	}
	return runbooks.Result{Exit: 127, Duration: 10 * time.Millisecond}
}

var recordedRuns = recording{
	{
		words:  "logs -l app=erpgo-api --tail=100",
		errors: "Error from server (Forbidden): pods is forbidden: User \"op1\" cannot list resource \"pods\"\n",
		result: runbooks.Result{Exit: 1, Duration: 214 * time.Millisecond, Stages: []runbooks.Stage{{Name: "kubectl", Exit: 1}, {Name: "grep", Exit: 1}}},
	},
	{
		words: "pg_stat_activity",
		output: "  pid | duration        | query                                          | state\n" +
			"------+-----------------+------------------------------------------------+--------\n" +
			" 4411 | 00:04:11.218321 | select * from orders                           | active\n" +
			" 4502 | 00:01:11.004182 | update orders set state = 'paid' where id = 7 | active\n" +
			"(2 rows)\n",
		result: runbooks.Result{Duration: 12 * time.Millisecond},
	},
	{words: "rollout undo", output: "deployment.apps/erpgo-api rolled back\n", result: runbooks.Result{Duration: 131 * time.Millisecond}},
	{words: "top pods", output: "NAME                         CPU(cores)   MEMORY(bytes)\nerpgo-api-74777df64b-62v9v   212m         188Mi\n"},
	{words: "-f", output: "ERROR order create failed\nINFO login ok\nINFO login ok\nERROR order create failed\nINFO login ok\n"},
	{words: "get pods", output: "NAME         READY   STATUS    RESTARTS   AGE\npostgres-0   1/1     Running   0          41d\n", result: runbooks.Result{Duration: 84 * time.Millisecond}},
}

// workedCockpit is a cockpit on the incident of HighErrorRate with stepBook.
func workedCockpit(t *testing.T, width, height int) (*Cockpit, *incidentScreen) {
	t.Helper()
	c := cockpitOf(t, burning(t), stepBook, incidents.Options{
		Journal: steadyJournal{incidents.NewMemory()}, Target: runbooks.Target{Kubeconfig: "/tmp/kubeconfig", Context: "prod-eu", Namespace: "erpgo"},
		Executors: map[runbooks.Language]runbooks.Executor{runbooks.Bash: recordedRuns, runbooks.SQL: recordedRuns},
	})
	c.width, c.height = width, height
	pump(t, c, press(c, "enter"))
	s, ok := c.top().(*incidentScreen)
	if !ok {
		t.Fatal("enter on the alert did not open its incident")
	}
	s.step.obstacles = nil
	c.now = noon
	return c, s
}

// moveTo moves the cursor to the step with a title.
func (s *incidentScreen) moveTo(t *testing.T, title string) {
	t.Helper()
	for _, item := range s.list.items {
		if item.step != nil && strings.Contains(item.step.Title, title) {
			s.list.choose(item.step.ID)
			s.step.shown(item.step)
			s.step.obstacles = nil // what the machine of the test lacks is no part of the screen
			s.part = partChecklist
			return
		}
	}
	t.Fatalf("no step is called %q", title)
}

// pump runs what a key press asked for to its end, and hands the cockpit what
// comes of it. What waits for a change to settle is left alone.
func pump(t *testing.T, c *Cockpit, cmd tea.Cmd) {
	t.Helper()
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, one := range msg {
			pump(t, c, one)
		}
	case runBegan:
		_, marks := c.Update(msg)
		if marks != nil {
			pump(t, c, marks().(tea.BatchMsg)[0])
		}
		if !msg.run.Plan.Bound.Command.Endless {
			<-msg.run.Done()
		}
	default:
		if v := reflect.ValueOf(msg); v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[tea.Cmd]() {
			for i := range v.Len() { // a sequence
				pump(t, c, v.Index(i).Interface().(tea.Cmd))
			}
			return
		}
		_, next := c.Update(msg)
		pump(t, c, next)
	}
}

// quietIsOver is a dialog's quiet time that has passed.
var quietIsOver = ui.NewQuiet(time.Time{})
