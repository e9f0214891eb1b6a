//go:build unix

package probes

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/erpgo/flightdeck/testenv"
)

// kubectlRow is a line of "kubectl get pods".
var kubectlRow = regexp.MustCompile(`^(\S+)\s+(\d+)/(\d+)\s+(\S+)\s+(\d+)( \(\S+ ago\))?\s+\S+`)

// shownRow is what an operator sees of a pod.
type shownRow struct {
	Ready, Containers int
	Status            string
	Restarts          int
	Dated             bool // the last restart has a time
}

// TestPodsReadAsKubectlPrintsThem puts every case of podCases into a real API
// server and compares what kubectl prints of it with what the board shows.
func TestPodsReadAsKubectlPrintsThem(t *testing.T) {
	k := startKube(t, testenv.ControlPlaneOptions{APIServerOnly: true})
	for _, test := range podCases() {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: test.name, Namespace: "erpgo", Labels: map[string]string{"app": "erpgo-api"}},
			Spec:       test.spec,
			Status:     test.status,
		}
		if test.deleted {
			pod.Finalizers = []string{"flightdeck.test/stays"} // or it would be gone at once
		}
		k.put(t, pod)
		if test.deleted {
			k.remove(t, test.name)
		}
	}
	pinned, err := k.admin.PinnedKubeconfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	k.Kubeconfig = pinned // which is what commands get
	want := make(map[string]shownRow)
	for line := range strings.Lines(k.kubectl(t, "get", "pods", "--no-headers")) {
		f := kubectlRow.FindStringSubmatch(line)
		if f == nil {
			t.Fatalf("kubectl printed %q", line)
		}
		number := func(s string) int { n, _ := strconv.Atoi(s); return n }
		want[f[1]] = shownRow{number(f[2]), number(f[3]), f[4], number(f[5]), f[6] != ""}
	}
	if len(want) != len(podCases()) {
		t.Fatalf("kubectl prints %d pods of %d", len(want), len(podCases()))
	}

	board := NewBoard(1)
	runProbe(t, NewPods(k.admin, "app=erpgo-api", board))
	r := awaitReading(t, &board.Pods, "all pods", func(r Reading[Pods]) bool { return len(r.Value.Pods) == len(want) })
	got := make(map[string]shownRow)
	for _, p := range r.Value.Pods {
		got[p.Name] = shownRow{p.Ready, p.Containers, p.Status, p.Restarts, p.Restarts > 0 && !p.LastRestart.IsZero()}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-kubectl +flightdeck\n%s", diff)
	}
	if r.Value.Context != k.admin.Context || r.Value.Namespace != "erpgo" {
		t.Errorf("context %q, namespace %q", r.Value.Context, r.Value.Namespace)
	}
}
