//go:build unix

package probes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/erpgo/flightdeck/testenv"
)

// runningKube is a whole cluster with one node: Deployments roll out, pods run
// and write logs, which the kubelet's own code serves.
type runningKube struct {
	*kube
	folder string // of the log files
}

// TestRunningCluster is about what happens in a cluster where pods run.
func TestRunningCluster(t *testing.T) {
	k := &runningKube{kube: startKube(t, testenv.ControlPlaneOptions{}), folder: t.TempDir()}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}
	k.write(t, k.admin.core.Post().Resource("nodes"), node)
	for _, part := range []struct {
		name string
		test func(*testing.T, *runningKube)
	}{
		{"rollouts", rollouts},
		{"100 reconnects", reconnects},
		{"pods come and go", comeAndGo},
		{"other selectors", otherSelectors},
		{"long lines", longLines},
		{"many pods", manyPods},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, k) })
	}
}

// rollouts rolls a Deployment out, and back to a revision that is reused.
func rollouts(t *testing.T, k *runningKube) {
	board := NewBoard(1)
	runProbe(t, NewPods(k.admin, "", board))
	awaitRevision := func(what string, ok func(Deployment) bool) Deployment {
		t.Helper()
		r := awaitReading(t, &board.Pods, what, func(r Reading[Pods]) bool {
			return r.Err == nil && len(r.Value.Deployments) == 1 && ok(r.Value.Deployments[0])
		})
		return r.Value.Deployments[0]
	}
	release := func(version string) {
		k.kubectl(t, "set", "image", "deployment/shop", "api=erpgo/api:"+version)
		k.kubectl(t, "annotate", "--overwrite", "deployment/shop", "kubernetes.io/change-cause=release "+version)
	}
	k.kubectl(t, "create", "deployment", "shop", "--image=erpgo/api:1.4.1", "--replicas=2")
	k.kubectl(t, "annotate", "deployment/shop", "kubernetes.io/change-cause=release 1.4.1")
	first := awaitRevision("the first release", func(d Deployment) bool {
		return d.Revision == 1 && d.Ready == 2 && d.ChangeCause != "" && len(d.Revisions) == 1 && d.Revisions[0].ChangeCause != ""
	})
	if first.Name != "shop" || first.Desired != 2 || first.Updated != 2 || !first.RolledOut.Equal(first.Revisions[0].Created) {
		t.Errorf("the first release is %+v", first)
	}
	release("1.4.2")
	second := awaitRevision("the second release", func(d Deployment) bool {
		return d.Revision == 2 && d.Ready == 2 && d.Updated == 2 && len(d.Revisions) == 2 && d.Revisions[0].ChangeCause == "release 1.4.2"
	})
	want := []Revision{
		{Number: 2, Images: []string{"erpgo/api:1.4.2"}, ChangeCause: "release 1.4.2", Created: second.RolledOut},
		{Number: 1, Images: []string{"erpgo/api:1.4.1"}, ChangeCause: "release 1.4.1", Created: first.RolledOut},
	}
	if diff := cmp.Diff(want, second.Revisions); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	// Times are in whole seconds: let the roll-back be in another than what it
	// goes back to.
	await(t, "the next second", func() bool { return time.Since(second.RolledOut) > 2*time.Second })
	undone := time.Now().Truncate(time.Second)
	k.kubectl(t, "rollout", "undo", "deployment/shop")
	back := awaitRevision("the roll-back", func(d Deployment) bool {
		return d.Revision == 3 && d.Ready == 2 && d.Updated == 2 && len(d.Revisions) == 2 && d.Revisions[0].Number == 3 &&
			!d.RolledOut.Before(undone) // the controller writes it last
	})
	if diff := cmp.Diff([]string{"erpgo/api:1.4.1"}, back.Images); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if !back.Revisions[0].Created.Equal(first.RolledOut) {
		t.Errorf("its replica set is of %v, want that of %v", back.Revisions[0].Created, first.RolledOut)
	}
	history := k.kubectl(t, "rollout", "history", "deployment/shop")
	for _, revision := range back.Revisions {
		if line := fmt.Sprintf("%-10d%s", revision.Number, revision.ChangeCause); !strings.Contains(history, line) {
			t.Errorf("kubectl's history has no line %q:\n%s", line, history)
		}
	}
}
