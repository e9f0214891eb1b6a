//go:build unix

package runbooks

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
)

// TestBookByHand goes over every command of the operators' book, bound with
// values from the environment. One that needs what is not there is told so
// beforehand, and fails by hand as well. Everything else is run by the executor
// and by hand, and brings the same: a read the same exit status and output, a
// change the same objects, in two namespaces that begin alike.
func TestBookByHand(t *testing.T) {
	book := parseOriginal(t)
	scripts, err := os.ReadFile("testdata/byhand.yaml")
	if err != nil {
		t.Fatal(err)
	}
	world := testenv.Shared(t).Exclusive(t)
	h := newByHand(t, world, string(scripts))
	eachStep(book, func(_ *Runbook, _ *Section, st *Step) {
		for _, c := range st.Commands {
			if c.Language == SQL {
				h.statement(c)
			} else {
				h.command(c)
			}
		}
	})
	_ = h.reads.Wait()
	t.Logf("%v", h.count)
	for what, least := range map[string]int{"missing": 20, "read": 60, "changed": 40, "endless": 9, "statement": 11} {
		if h.count[what] < least {
			t.Errorf("%d commands: %s, want at least %d", h.count[what], what, least)
		}
	}
}

// byHand runs commands twice.
type byHand struct {
	t      *testing.T
	world  *testenv.World
	env    []string
	values map[string]string
	db     *SQLExecutor
	count  map[string]int
	pair   [2]string      // namespaces for changes: the executor's, and the hand's
	reads  errgroup.Group // those that go on beside everything else
}

func newByHand(t *testing.T, world *testenv.World, manifest string) *byHand {
	t.Chdir(t.TempDir()) // scripts of the book that write a file write it here
	t.Setenv("PATH", strings.Join([]string{world.Bin, "/usr/local/bin", "/usr/bin", "/bin"}, string(os.PathListSeparator)))
	t.Setenv("TERM", "xterm")
	for _, name := range []string{"http_proxy", "https_proxy"} {
		t.Setenv(name, "http://127.0.0.1:1") // the book's own hosts are nobody's business
	}
	h := &byHand{
		t: t, world: world, db: NewSQLExecutor(config.Secret(world.AdminDatabaseURL)), count: map[string]int{},
		env: append(os.Environ(), "KUBECONFIG="+world.Kubeconfig, "DB_USER=erpgo", "DB_HOST=postgres-service"),
	}
	t.Cleanup(h.db.Close)
	h.reads.SetLimit(3)
	h.values = map[string]string{
		"postgres-pod": "postgres-0", "redis-pod": "redis-0", "DB_USER": "erpgo", "DB_HOST": "postgres-service", "user-id": "7",
		"attacking-ip": "203.0.113.66", "ip-set-id": "11111111-2222-3333-4444-555555555555", "backup-timestamp": "20260101-020304",
		"oldest-wal-to-keep": "000000010000000000000001", "slow-query": "SELECT 1",
		"erpgo-api-pod": h.kubectl(world.Namespace, "get", "pods", "-l", "app=erpgo-api", "-o", "jsonpath={.items[0].metadata.name}"),
	}
	mine := strings.ToLower(rand.Text()[:8]) // a namespace that is deleted is there for a while
	for i, name := range []string{"by-executor-" + mine, "by-hand-" + mine} {
		h.namespace(name, manifest)
		h.pair[i] = name
		h.pin(name)
	}
	h.pin(world.Namespace)
	return h
}

// namespace makes a namespace with what the book changes, two revisions of it.
func (h *byHand) namespace(name, manifest string) {
	h.kubectl("", "create", "namespace", name)
	h.t.Cleanup(func() {
		h.kubectl("", "delete", "namespace", name, "--wait=false")
	})
	deployments := []string{"erpgo-api", "erpgo-api-blue", "erpgo-api-canary", "erpgo-api-staging", "redis"}
	for _, d := range deployments {
		manifest += fmt.Sprintf("---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %[1]s}\nspec:\n  selector: {matchLabels: {app: %[1]s}}\n"+
			"  template:\n    metadata: {labels: {app: %[1]s}}\n    spec:\n      terminationGracePeriodSeconds: 0\n      containers: [{name: %[1]s, image: \"%[1]s:1\"}]\n", d)
	}
	h.pipe(manifest, name, "create", "-f", "-")
	h.settled(name)
	for _, d := range deployments {
		h.kubectl(name, "set", "image", "deployment/"+d, d+"="+d+":2")
	}
	h.settled(name)
}

func (h *byHand) kubectl(namespace string, args ...string) string {
	return h.pipe("", namespace, args...)
}

func (h *byHand) pipe(stdin, namespace string, args ...string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // a test's own ends before its clean-up
	defer cancel()
	if namespace != "" {
		args = append([]string{"-n", namespace}, args...)
	}
	c := exec.CommandContext(ctx, h.world.Kubectl(), args...)
	c.Env, c.Stdin = h.env, strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if err != nil {
		h.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// heldObject is what is compared of an object of the cluster.
type heldObject struct {
	Kind     string
	Metadata struct {
		Name       string
		Generation int64
	}
	Spec   map[string]any
	Status struct{ ObservedGeneration int64 }
}

// settled waits until the controllers have seen every Deployment of a namespace,
// and returns its objects, one a line.
func (h *byHand) settled(namespace string) string {
	h.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		var list struct{ Items []heldObject }
		if err := json.Unmarshal([]byte(h.kubectl(namespace, "get", "deployments,services,networkpolicies,pods", "-o", "json")), &list); err != nil {
			h.t.Fatal(err)
		}
		var lines []string
		behind := false
		for _, o := range list.Items {
			var spec any = o.Spec
			switch o.Kind {
			case "Deployment":
				behind = behind || o.Status.ObservedGeneration < o.Metadata.Generation
			case "Service":
				spec = o.Spec["selector"]
			case "Pod": // of a Deployment, or what is deleted
				if o.Metadata.Name != "postgres-0" {
					continue
				}
				spec = nil
			}
			text, err := json.Marshal(spec)
			if err != nil {
				h.t.Fatal(err)
			}
			lines = append(lines, o.Kind+" "+o.Metadata.Name+" "+string(text))
		}
		if !behind {
			slices.Sort(lines)
			return strings.Join(lines, "\n")
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("the controllers of %s are behind", namespace)
		}
	}
}

// outcome is how a script ended.
type outcome struct {
	exit   int
	stdout string
	stderr string
}

// hand runs a script as an operator would type it, in a namespace.
func (h *byHand) hand(script, namespace string) outcome {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "bash", "-c", script)
	c.Env = append(slices.Clone(h.env), "KUBECONFIG="+h.pinned(namespace))
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr, c.WaitDelay = &out, &errs, time.Second
	_ = c.Run() // its exit status is compared
	if ctx.Err() != nil {
		h.t.Errorf("by hand it does not end: %s", script)
	}
	return outcome{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

// executor runs a bound command as a step does.
func (h *byHand) executor(ctx context.Context, bound Bound, namespace string) (Result, outcome) {
	h.t.Helper()
	var out captured
	bound.Script = WithoutTTY(bound.Script)
	target := Target{Kubeconfig: h.pinned(namespace), Context: h.world.Context, Namespace: namespace}
	result := BashExecutor{}.Execute(ctx, bound, target, out.take)
	if result.Err != nil {
		h.t.Errorf("line %d: %v", bound.Command.Line, result.Err)
	}
	exit := result.Exit
	if n := len(result.Stages); n > 0 {
		exit = result.Stages[n-1].Exit // by hand there is no pipefail
	}
	return result, outcome{exit, out.stdout.String(), out.stderr.String()}
}

// pinned is a kubeconfig whose context is in a namespace, as the cockpit makes
// one.
func (h *byHand) pinned(namespace string) string { return "kubeconfig-" + namespace }

func (h *byHand) pin(namespace string) {
	text, err := os.ReadFile(h.world.Kubeconfig)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.pinned(namespace), text, 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.kubectl("", "--kubeconfig", h.pinned(namespace), "config", "set-context", "--current", "--namespace", namespace)
}

// command runs one shell command of the book both ways.
func (h *byHand) command(c Command) {
	h.t.Helper()
	if strings.Contains(c.Text, "<revision-number>") {
		history := strings.Fields(h.kubectl(h.pair[0], "rollout", "history", "deployment/erpgo-api"))
		h.values["revision-number"] = history[slices.Index(history, "CHANGE-CAUSE")+1] // the oldest
	}
	bound, err := Bind(c, h.values)
	if err != nil {
		h.t.Errorf("line %d: %s: %v", c.Line, c.Text, err)
		return
	}
	obstacles := Preflight(c, func(string) bool { return true })
	switch inPod := strings.Contains(c.Text, "kubectl exec"); {
	case len(obstacles) > 0:
		h.count["missing"]++
		if by := h.hand(bound.Script, h.pair[1]); by.exit == 0 && by.stderr == "" {
			h.t.Errorf("line %d: %s: told is %+v, and by hand it succeeds", c.Line, c.Text, obstacles)
		}
	case c.Interactive:
		h.count["interactive"]++ // it wants a terminal: TestAttach
	case c.Endless:
		h.endless(bound)
	case bound.Command.Risk == Reads:
		h.count["read"]++
		h.reads.Go(func() error { h.compare(bound); return nil })
	case inPod:
		h.count["changed"]++
		h.compare(bound)
	default:
		h.change(bound)
	}
}

// compare runs a command in the same place both ways, and compares what they say. What differs between two looks by hand as well is
// compared by whether there is anything.
func (h *byHand) compare(bound Bound) {
	h.t.Helper()
	before := h.hand(bound.Script, h.world.Namespace)
	result, got := h.executor(h.t.Context(), bound, h.world.Namespace)
	if alike(before, got) {
		return
	}
	after := h.hand(bound.Script, h.world.Namespace)
	looksAtItself := strings.Contains(bound.Script, "-- ps aux") // what runs it is among the processes
	if alike(after, got) || (looksAtItself || !alike(before, after)) && got.exit == after.exit && (got.stdout == "") == (after.stdout == "") {
		return
	}
	h.t.Errorf("line %d: %s\nby hand: %d\n%s%s\nby the executor: %d %+v\n%s%s", bound.Command.Line, bound.Script,
		after.exit, after.stdout, after.stderr, got.exit, result.Stages, got.stdout, got.stderr)
}

var (
	digitRuns = regexp.MustCompile(`[0-9]+`)
	blankRuns = regexp.MustCompile(`\s+`)
)

// alike compares two outcomes without their numbers: ages, times and counts go
// on.
func alike(a, b outcome) bool {
	plain := func(s string) string {
		return blankRuns.ReplaceAllString(digitRuns.ReplaceAllString(s, "#"), " ")
	}
	return a.exit == b.exit && plain(a.stdout) == plain(b.stdout)
}

// change lets the executor and the hand change a namespace each.
func (h *byHand) change(bound Bound) {
	h.t.Helper()
	h.count["changed"]++
	result, got := h.executor(h.t.Context(), bound, h.pair[0])
	by := h.hand(bound.Script, h.pair[1])
	got.stdout = strings.ReplaceAll(got.stdout, h.pair[0], h.pair[1])
	if !alike(by, got) {
		h.t.Errorf("line %d: %s\nby hand: %d\n%s%s\nby the executor: %d %+v\n%s%s", bound.Command.Line, bound.Script,
			by.exit, by.stdout, by.stderr, got.exit, result.Stages, got.stdout, got.stderr)
	}
	if diff := cmp.Diff(h.settled(h.pair[1]), h.settled(h.pair[0])); diff != "" {
		h.t.Errorf("line %d: %s: the objects differ (-by hand +by the executor):\n%s", bound.Command.Line, bound.Script, diff)
	}
}

// endless starts what does not end, and ends it once it has said something, or
// after a while: some of it says nothing when all is well.
func (h *byHand) endless(bound Bound) {
	h.t.Helper()
	h.count["endless"]++
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
	defer cancel()
	bound.Script = WithoutTTY(bound.Script)
	target := Target{Kubeconfig: h.pinned(h.world.Namespace), Context: h.world.Context, Namespace: h.world.Namespace}
	result := BashExecutor{}.Execute(ctx, bound, target, func(Chunk) { cancel() })
	if result.Err != nil || !result.Cancelled && result.Exit > 0 {
		h.t.Errorf("line %d: %s: %+v", bound.Command.Line, bound.Script, result)
	}
}

// rowCount is how both the executor and psql end a table.
var rowCount = regexp.MustCompile(`(?m)^\([0-9]+ rows?\)$`)

// undo takes back what a statement left, so that it can be run again.
var undo = map[string]string{
	"CREATE INDEX": "DROP INDEX CONCURRENTLY IF EXISTS idx_users_email",
	"ALTER SYSTEM": "ALTER SYSTEM RESET max_connections",
}

// statement runs one statement of the book on the database and by psql in its
// pod.
func (h *byHand) statement(c Command) {
	h.t.Helper()
	h.count["statement"]++
	bound, err := Bind(c, h.values)
	if err != nil {
		h.t.Errorf("line %d: %s: %v", c.Line, c.Text, err)
		return
	}
	clean := func() {
		for verb, statement := range undo {
			if strings.HasPrefix(c.Text, verb) {
				h.hand("kubectl exec postgres-0 -- psql -U postgres -d erpgo -c '"+statement+"'", h.world.Namespace)
			}
		}
	}
	byPSQL := func() outcome {
		defer clean()
		o := h.hand("kubectl exec postgres-0 -- psql -X -U postgres -d erpgo -c '"+strings.ReplaceAll(bound.Script, "'", `'\''`)+"'", h.world.Namespace)
		o.stdout = ending(o.stdout)
		return o
	}
	var out captured
	result := h.db.Execute(h.t.Context(), bound, Target{}, out.take)
	clean()
	got := outcome{result.Exit, ending(out.stdout.String()), out.stderr.String()}
	before := byPSQL()
	if result.Err == nil && got.exit == before.exit && got.stdout == before.stdout {
		return
	}
	if after := byPSQL(); result.Err != nil || got.exit != after.exit || got.stdout != after.stdout && before.stdout == after.stdout {
		h.t.Errorf("line %d: %s\nby hand: %+v\non the database: %v %+v", c.Line, bound.Script, after, result.Err, got)
	}
}

// ending is how an answer ends: the number of rows, or the command's tag.
func ending(text string) string {
	if rows := rowCount.FindAllString(text, -1); len(rows) > 0 {
		return rows[len(rows)-1]
	}
	return strings.TrimSpace(text)
}
