//go:build linux && !race

package probes

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
)

const (
	manyPodsCount = 5000
	// peakAllowed is the resident memory of a process that watches 5,000 pods
	// and does nothing else: a sixth of what k9s 0.50.16 takes.
	peakAllowed = 64 << 20
)

// watcherKubeconfig makes the test binary a process that only watches pods.
const watcherKubeconfig = "FLIGHTDECK_TEST_WATCHER"

// TestWatcherProcess is no test of its own: TestFiveThousandPods runs it in a
// process of its own.
func TestWatcherProcess(t *testing.T) {
	kubeconfig := os.Getenv(watcherKubeconfig)
	if kubeconfig == "" {
		t.Skip("it is run by TestFiveThousandPods")
	}
	c, err := OpenCluster(config.Kubernetes{Kubeconfig: kubeconfig})
	if err != nil {
		t.Fatal(err)
	}
	board := NewBoard(1)
	begun := time.Now()
	runProbe(t, NewPods(c, "", board))
	awaitReading(t, &board.Pods, "all pods", func(r Reading[Pods]) bool { return len(r.Value.Pods) == manyPodsCount })
	fmt.Printf("listed after %v\n", time.Since(begun).Round(time.Millisecond))
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s\n", status)
}

// TestFiveThousandPods measures what watching 5,000 pods of ordinary size costs.
func TestFiveThousandPods(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes 5,000 pods")
	}
	k := startKube(t, testenv.ControlPlaneOptions{APIServerOnly: true})
	hurried := unlimited(t, k.Kubeconfig)
	names := make(chan int)
	var making sync.WaitGroup
	for range 8 {
		making.Go(func() {
			for i := range names {
				if err := hurried.Post().Namespace("erpgo").Resource("pods").Body(ordinaryPod(i)).Do(t.Context()).Error(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range manyPodsCount {
		names <- i
	}
	close(names)
	making.Wait()

	watcher := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWatcherProcess$", "-test.v")
	watcher.Env = append(os.Environ(), watcherKubeconfig+"="+k.Kubeconfig)
	out, err := watcher.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(out)
	if peak == nil {
		t.Fatalf("no peak in %s", out)
	}
	kib, _ := strconv.Atoi(string(peak[1]))
	listed, _, _ := bytes.Cut(out[max(0, bytes.Index(out, []byte("listed"))):], []byte("\n"))
	t.Logf("peak resident memory %d MiB, %s", kib>>10, listed)
	if kib<<10 > peakAllowed {
		t.Errorf("peak resident memory %d MiB, at most %d are allowed", kib>>10, peakAllowed>>20)
	}
}

// unlimited is a client without the cockpit's restraint.
func unlimited(t *testing.T, kubeconfig string) rest.Interface {
	t.Helper()
	settings, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	settings.QPS = -1
	settings.ContentType = runtime.ContentTypeProtobuf
	settings.NegotiatedSerializer = codecs.WithoutConversion()
	client, err := rest.HTTPClientFor(settings)
	if err != nil {
		t.Fatal(err)
	}
	made, err := restClient(settings, client, "/api", corev1.SchemeGroupVersion)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// ordinaryPod is as large as pods usually are, some 8 KiB.
func ordinaryPod(i int) *corev1.Pod {
	container := corev1.Container{Name: "api", Image: "registry.example/erpgo/api@sha256:" + strings.Repeat("0123456789abcdef", 4)}
	for v := range 40 {
		container.Env = append(container.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", v), Value: strings.Repeat("value", 10)})
	}
	for v := range 8 {
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: fmt.Sprintf("v%d", v), MountPath: fmt.Sprintf("/etc/erpgo/%d", v)})
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("erpgo-api-74777df64b-%05d", i), Namespace: "erpgo",
			Labels:      map[string]string{"app": "erpgo-api", "pod-template-hash": "74777df64b", "team": "orders"},
			Annotations: map[string]string{"erpgo.example/config": strings.Repeat("checksum", 64)},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{container}},
	}
	for v := range 8 {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: fmt.Sprintf("v%d", v)})
	}
	return pod
}
