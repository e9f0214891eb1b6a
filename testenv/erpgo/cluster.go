package erpgo

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// Names of ERPGo in the cluster.
const (
	Namespace  = "erpgo"
	Deployment = "erpgo-api"
)

// Images of the Deployment: what it starts with, what it then runs, and a
// release that fails.
const (
	firstImage = "erpgo/api:1.4.1"
	goodImage  = "erpgo/api:1.4.2"
	badImage   = "erpgo/api:1.4.3"
)

//go:embed manifests.yaml
var manifests []byte

// cluster is ERPGo's side of the Kubernetes API: it makes what is in the
// manifests, rolls out releases, and follows the pods as they come and go.
type cluster struct {
	kubectl    string
	kubeconfig string
	client     kubernetes.Interface
	logs       *podLogs
	born       func(pod *corev1.Pod) // a pod has begun to run

	mu   sync.Mutex
	pods map[string]pod // those that run, by name
}

type pod struct {
	uid   types.UID
	app   string // label
	image string
}

func newCluster(kubectl, kubeconfig string, logs *podLogs, born func(*corev1.Pod)) (*cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 100, 200 // it polls while a release rolls out
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &cluster{
		kubectl: kubectl, kubeconfig: kubeconfig, client: client,
		logs: logs, born: born, pods: map[string]pod{},
	}, nil
}

// deploy makes what is in the manifests and rolls out a second release, so that there is
// a revision to go back to. It returns when all pods run.
//
// The pods are followed for longer than that, until running ends.
func (c *cluster) deploy(ctx, running context.Context) error {
	create := exec.CommandContext(ctx, c.kubectl, "--kubeconfig", c.kubeconfig, "create", "--validate=false", "-f", "-")
	create.Stdin = bytes.NewReader(manifests)
	if output, err := create.CombinedOutput(); err != nil {
		return fmt.Errorf("create what is in ERPGo's manifests: %w\n%s", err, output)
	}
	if err := c.watchPods(running); err != nil {
		return err
	}
	// A revision exists once the Deployment's controller has seen it.
	if err := c.rolledOut(ctx, firstImage); err != nil {
		return err
	}
	return c.release(ctx, goodImage, "release 1.4.2: faster order search")
}

// release rolls out an image as a new revision, and returns when its pods run
// and the old ones are gone.
func (c *cluster) release(ctx context.Context, image, cause string) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": map[string]string{"kubernetes.io/change-cause": cause}},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"containers": []any{map[string]string{"name": "api", "image": image}},
		}}},
	})
	if err != nil {
		return err
	}
	_, err = c.client.AppsV1().Deployments(Namespace).Patch(ctx, Deployment, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("roll out %s: %w", image, err)
	}
	return c.rolledOut(ctx, image)
}

func (c *cluster) rolledOut(ctx context.Context, image string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		deployment, err := c.client.AppsV1().Deployments(Namespace).Get(ctx, Deployment, metav1.GetOptions{})
		if err == nil && deployment.Spec.Template.Spec.Containers[0].Image == image && settled(deployment) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("roll out %s: it is not complete: %w", image, ctx.Err())
		}
	}
}

// settled reports what "kubectl rollout status" waits for.
func settled(d *appsv1.Deployment) bool {
	want := *d.Spec.Replicas
	return d.Status.ObservedGeneration >= d.Generation &&
		d.Status.UpdatedReplicas == want && d.Status.Replicas == want && d.Status.AvailableReplicas == want
}

// watchPods follows the pods until ctx ends; it returns when it has seen those
// that exist.
func (c *cluster) watchPods(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(c.client, 0, informers.WithNamespace(Namespace),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) {
			options.LabelSelector = "app in (erpgo-api, postgres, redis)" // others have no log
		}))
	informer := factory.Core().V1().Pods().Informer()
	see := func(object any) { c.see(ctx, object.(*corev1.Pod)) }
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    see,
		UpdateFunc: func(_, object any) { see(object) },
		DeleteFunc: func(object any) {
			if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = last.Obj
			}
			c.lose(object.(*corev1.Pod))
		},
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return fmt.Errorf("list ERPGo's pods: %w", ctx.Err())
	}
	return nil
}

func (c *cluster) see(ctx context.Context, p *corev1.Pod) {
	if p.Status.Phase != corev1.PodRunning || p.DeletionTimestamp != nil {
		c.lose(p)
		return
	}
	c.mu.Lock()
	known := c.pods[p.Name]
	c.pods[p.Name] = pod{uid: p.UID, app: p.Labels["app"], image: p.Spec.Containers[0].Image}
	c.mu.Unlock()
	if known.uid == p.UID {
		return
	}
	if err := c.openLog(ctx, p); ctx.Err() == nil {
		report(err)
	}
	c.born(p)
}

func (c *cluster) lose(p *corev1.Pod) {
	c.mu.Lock()
	known, ok := c.pods[p.Name]
	if ok = ok && known.uid == p.UID; ok {
		delete(c.pods, p.Name)
	}
	c.mu.Unlock()
	if ok {
		c.logs.close(p.Name)
	}
}

// openLog begins a pod's log and tells KWOK where it is. The object that tells
// it goes with the pod.
func (c *cluster) openLog(ctx context.Context, p *corev1.Pod) error {
	path, err := c.logs.open(p.Name)
	if err != nil {
		return err
	}
	object, err := json.Marshal(map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1",
		"kind":       "Logs",
		"metadata": map[string]any{
			"name": p.Name,
			"ownerReferences": []any{map[string]any{
				"apiVersion": "v1", "kind": "Pod", "name": p.Name, "uid": p.UID,
			}},
		},
		"spec": map[string]any{"logs": []any{map[string]any{"logsFile": path, "follow": true}}},
	})
	if err != nil {
		return err
	}
	path = "/apis/kwok.x-k8s.io/v1alpha1/namespaces/" + Namespace + "/logs/" + p.Name
	err = c.client.CoreV1().RESTClient().Patch(types.ApplyPatchType).AbsPath(path).
		Param("fieldManager", "testenv").Param("force", "true").Body(object).Do(ctx).Error()
	if err != nil {
		return fmt.Errorf("tell KWOK of the log of %s: %w", p.Name, err)
	}
	return nil
}

// running lists the pods of an application that run, by name.
func (c *cluster) running(app string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.pods)) {
		if c.pods[name].app == app {
			names = append(names, name)
		}
	}
	return names
}

// image is what a pod runs, and "" when it is gone.
func (c *cluster) image(pod string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pods[pod].image
}
