package lint

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/erpgo/flightdeck/runbooks"
)

func impossible(l *linter) {
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		for _, call := range runbooks.Calls(*c) {
			if call.Program != "kubectl" || !verb(call, "patch") {
				continue
			}
			patch, _ := call.Option("-p", "--patch")
			var object struct {
				Metadata struct{ Name string }
			}
			if json.Unmarshal([]byte(patch), &object) == nil && object.Metadata.Name != "" {
				l.find(c.Line, "%s: an object cannot be renamed", oneLine(c.Text))
			}
		}
	})
}

// verb tells whether a call's first operand is one of the words.
func verb(call runbooks.Call, words ...string) bool {
	operands := call.Operands()
	return len(operands) > 0 && slices.Contains(words, operands[0])
}

// needed are the parts without which a command only prints its usage.
var needed = []struct {
	program  string
	verbs    []string // its first operands
	options  []string
	operands int // at least so many, the verbs not counted
	what     string
}{
	{program: "aws", verbs: []string{"wafv2", "update-ip-set"}, options: []string{"--name", "--scope", "--id", "--addresses", "--lock-token"}},
	{program: "aws", verbs: []string{"wafv2", "get-ip-set"}, options: []string{"--name", "--scope", "--id"}},
	{program: "aws", verbs: []string{"ecs", "update-service"}, options: []string{"--service"}},
	{program: "aws", verbs: []string{"rds", "reboot-db-instance"}, options: []string{"--db-instance-identifier"}},
	{program: "aws", verbs: []string{"autoscaling", "set-desired-capacity"}, options: []string{"--auto-scaling-group-name", "--desired-capacity"}},
	{program: "pg_archivecleanup", operands: 2, what: "the oldest WAL file to keep"},
	{program: "kubectl", verbs: []string{"scale"}, options: []string{"--replicas"}},
	{program: "kubectl", verbs: []string{"patch"}, options: []string{"-p|--patch|--patch-file"}},
	{program: "kubectl", verbs: []string{"wait"}, options: []string{"--for"}},
	{program: "kubectl", verbs: []string{"autoscale"}, options: []string{"--max"}},
	{program: "kubectl", verbs: []string{"apply"}, options: []string{"-f|--filename|-k|--kustomize"}},
}

func incompleteCall(l *linter) {
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		for _, call := range runbooks.Calls(*c) {
			if slices.Contains(call.Args, "--help") || slices.Contains(call.Args, "…") {
				continue
			}
			for _, n := range needed {
				operands := call.Operands()
				if call.Program != n.program || len(operands) < len(n.verbs) || !slices.Equal(operands[:len(n.verbs)], n.verbs) || verb(call, "view-last-applied", "set-last-applied") {
					continue
				}
				var missing []string
				for _, o := range n.options {
					if _, given := call.Option(strings.Split(o, "|")...); !given {
						missing = append(missing, strings.ReplaceAll(o, "|", " or "))
					}
				}
				if len(operands)-len(n.verbs) < n.operands {
					missing = append(missing, n.what)
				}
				if len(missing) > 0 {
					l.find(c.Line, "%s lacks %s", oneLine(c.Text), strings.Join(missing, ", "))
				}
			}
		}
	})
}

var (
	upwards    = regexp.MustCompile(`(?i)\b(increase|raise|loosen|relax|extend|enlarge|enable|allow)`)
	downwards  = regexp.MustCompile(`(?i)\b(decrease|lower|tighten|reduce|shorten|restrict|disable|forbid)`)
	assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=.+$`)
)

// caption compares the comments above commands that make the same settings.
func caption(l *linter) {
	type made struct {
		line int
		up   bool
	}
	seen := map[string]made{}
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		up, down := upwards.MatchString(c.Caption), downwards.MatchString(c.Caption)
		if up == down {
			return
		}
		for _, call := range runbooks.Calls(*c) {
			for _, a := range call.Args {
				if !assignment.MatchString(a) {
					continue
				}
				if before, ok := seen[a]; ok && before.up != up {
					l.find(c.Line, "%q sets %s, which line %d sets to %s", oneLine(c.Caption), a, before.line, map[bool]string{true: "increase", false: "tighten"}[before.up])
					return
				}
				seen[a] = made{c.Line, up}
			}
		}
	})
}

var explains = regexp.MustCompile(`(?is)\bEXPLAIN\s+(\([^)]*\bANALY[ZS]E\b[^)]*\)|ANALY[ZS]E\b)`)

func explainAnalyze(l *linter) {
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		texts := []string{}
		if c.Language == runbooks.SQL {
			texts = append(texts, c.Text)
		}
		for _, call := range runbooks.Calls(*c) {
			if call.Program == "psql" {
				texts = append(texts, call.Args...)
			}
		}
		if slices.ContainsFunc(texts, explains.MatchString) {
			l.find(c.Line, "%s: EXPLAIN ANALYZE executes the statement; EXPLAIN alone shows the plan", oneLine(c.Text))
		}
	})
}

// blocking are commands of Redis that keep every client waiting, and what to
// use instead.
var blocking = map[string]string{
	"KEYS": "use redis-cli --scan --pattern", "SAVE": "use BGSAVE", "FLUSHALL": "use FLUSHALL ASYNC", "FLUSHDB": "use FLUSHDB ASYNC", "SMEMBERS": "use SSCAN", "HGETALL": "use HSCAN",
	"SORT": "sort where the answer is used", "DEBUG": "leave it out", "MONITOR": "it halves the throughput: use SLOWLOG, or stop it soon",
}

func redisBlocking(l *linter) {
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		for _, call := range runbooks.Calls(*c) {
			if call.Program != "redis-cli" && call.Program != "valkey-cli" {
				continue
			}
			operands := call.Operands()
			if len(operands) == 0 {
				continue
			}
			name := strings.ToUpper(operands[0])
			if instead, ok := blocking[name]; ok && !slices.ContainsFunc(operands, func(o string) bool { return strings.EqualFold(o, "async") }) {
				l.find(c.Line, "%s: %s blocks Redis; %s", oneLine(c.Text), name, instead)
			}
		}
	})
}

func selectorLogs(l *linter) {
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		for _, call := range runbooks.Calls(*c) {
			if call.Program != "kubectl" || !verb(call, "logs", "log") {
				continue
			}
			_, selects := call.Option("-l", "--selector")
			_, tail := call.Option("--tail")
			_, since := call.Option("--since", "--since-time")
			_, follows := call.Option("-f", "--follow")
			if selects && !tail && !since && !follows {
				l.find(c.Line, "%s: without --tail only the last 10 lines of each pod are read", oneLine(c.Text))
			}
		}
	})
}

func secretOutput(l *linter) {
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		for _, call := range runbooks.Calls(*c) {
			if call.Program != "kubectl" || !verb(call, "get") {
				continue
			}
			operands := call.Operands()
			if len(operands) < 2 || !secretKind(operands[1]) {
				continue
			}
			if output, ok := call.Option("-o", "--output", "--template"); ok && output != "name" && output != "wide" && !onlyLength.MatchString(output) {
				l.find(c.Line, "%s: prints from a secret; mask it, or let kubectl print only its length (| base64decode | len)", oneLine(c.Text))
			}
		}
	})
}

func secretKind(operand string) bool {
	kind, _, _ := strings.Cut(operand, "/")
	return kind == "secret" || kind == "secrets"
}

// onlyLength is a template of kubectl that prints nothing but lengths.
var onlyLength = regexp.MustCompile(`^(go-template=)?(\{\{[^{}|]*(\|\s*base64decode\s*)?\|\s*len\s*\}\}\s*)+$`)

var admitsStop = regexp.MustCompile(`(?i)\b(stop|stops|down|shut|outage|zero|0 replicas|remove|retire|drain)\b`)

func scaleToZero(l *linter) {
	l.file.commands(func(st *runbooks.Step, c *runbooks.Command) {
		for _, call := range runbooks.Calls(*c) {
			if call.Program != "kubectl" || !verb(call, "scale") {
				continue
			}
			if replicas, _ := call.Option("--replicas"); replicas == "0" && !admitsStop.MatchString(c.Caption) {
				l.find(c.Line, "%s: nothing runs afterwards%s", oneLine(c.Text), afterwards(st, c))
			}
		}
	})
}

// afterwards tells what the step goes on with, where that needs what was
// stopped.
func afterwards(st *runbooks.Step, c *runbooks.Command) string {
	for _, next := range st.Commands {
		if next.Line > c.Line {
			return fmt.Sprintf(", and line %d goes on", next.Line)
		}
	}
	return ""
}
