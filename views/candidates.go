package views

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// live offers values for placeholders from what the board knows already.
type live struct {
	board      *probes.Board
	deployment string // the service's own, whose revisions are meant where a book names none
	now        func() time.Time
}

var _ runbooks.Candidates = live{}

// Candidates implements runbooks.Candidates.
func (l live) Candidates(p runbooks.Placeholder) []runbooks.Candidate {
	switch p.Kind {
	case runbooks.KindPod:
		return l.pods(p.Subject)
	case runbooks.KindDeployment:
		return l.deployments()
	case runbooks.KindRevision:
		return l.revisions(p.Subject)
	case runbooks.KindNode:
		return l.nodes()
	case runbooks.KindNamespace:
		return []runbooks.Candidate{{Value: l.board.Pods.Load().Value.Namespace, Detail: "the pinned namespace"}}
	case runbooks.KindAddress:
		return tallied(l.board.Logins.Load().Value.ByAddress)
	case runbooks.KindUser:
		return tallied(l.board.Logins.Load().Value.ByUser)
	case runbooks.KindBackend:
		return l.backends()
	}
	return nil
}

// pods are the pods of a subject ("postgres" of <postgres-pod>), or all where
// none is its.
func (l live) pods(subject string) []runbooks.Candidate {
	var mine, all []runbooks.Candidate
	for _, pod := range l.board.Pods.Load().Value.Pods {
		c := runbooks.Candidate{Value: pod.Name, Detail: pod.Status + ", " + ui.Age(l.now().Sub(pod.Created))}
		all = append(all, c)
		if subject != "" && (strings.HasPrefix(pod.Name, subject) || pod.Labels["app"] == subject) {
			mine = append(mine, c)
		}
	}
	if len(mine) > 0 {
		return mine
	}
	return all
}

func (l live) deployments() []runbooks.Candidate {
	var out []runbooks.Candidate
	for _, d := range l.board.Pods.Load().Value.Deployments {
		out = append(out, runbooks.Candidate{Value: d.Name, Detail: fmt.Sprintf("%d/%d ready, rev %d", d.Ready, d.Desired, d.Revision)})
	}
	return out
}

// revisions are those that a rollback could go to, newest first, without the
// one that runs.
func (l live) revisions(subject string) []runbooks.Candidate {
	if subject == "" {
		subject = l.deployment
	}
	var out []runbooks.Candidate
	for _, d := range l.board.Pods.Load().Value.Deployments {
		if d.Name != subject && d.Name != l.deployment {
			continue
		}
		for _, r := range d.Revisions {
			if r.Number == d.Revision {
				continue
			}
			detail := strings.Join(r.Images, " ") + ", " + ui.Age(l.now().Sub(r.Created)) + " old"
			if r.ChangeCause != "" {
				detail += ", " + r.ChangeCause
			}
			out = append(out, runbooks.Candidate{Value: strconv.Itoa(r.Number), Detail: detail})
		}
		if d.Name == subject {
			break
		}
	}
	return out
}

func (l live) nodes() []runbooks.Candidate {
	var out []runbooks.Candidate
	pods := make(map[string]int)
	for _, pod := range l.board.Pods.Load().Value.Pods {
		if pod.Node != "" {
			pods[pod.Node]++
		}
	}
	for _, node := range sortedKeys(pods) {
		out = append(out, runbooks.Candidate{Value: node, Detail: count(pods[node], "pod")})
	}
	return out
}

func (l live) backends() []runbooks.Candidate {
	d := l.board.Database.Load().Value
	var out []runbooks.Candidate
	seen := make(map[int]bool)
	add := func(b *probes.Backend, what string) {
		if b != nil && !seen[b.PID] {
			seen[b.PID] = true
			out = append(out, runbooks.Candidate{Value: strconv.Itoa(b.PID), Detail: what + " " + ui.Duration(b.Age) + ", " + b.User + ": " + oneLine(b.Query)})
		}
	}
	for i := range d.Roots {
		add(&d.Roots[i], "blocks others,")
	}
	add(d.Longest, "longest query,")
	add(d.OldestTx, "oldest transaction,")
	for i := range d.Blocked {
		add(&d.Blocked[i].Waiter, "waits")
	}
	return out
}

func tallied(tallies []probes.Tally) []runbooks.Candidate {
	var out []runbooks.Candidate
	for _, t := range tallies {
		out = append(out, runbooks.Candidate{Value: t.Name, Detail: count(t.Count, "failed login")})
	}
	return out
}
