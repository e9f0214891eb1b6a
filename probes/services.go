package probes

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Service is a Service of the cluster's namespace.
type Service struct {
	Name    string
	Type    string   // as the API has it: "ClusterIP", "NodePort"
	Address string   // its cluster address, "None" for a headless one
	Ports   []string // as kubectl prints them: "8080/TCP"
	Created time.Time
}

// maxServices bounds the list of services, which is read to choose one from.
const maxServices = 500

// Services reads the services of the namespace, at most 500 of them. No probe
// watches services: this is one request, made when somebody has to choose one.
func (c *Cluster) Services(ctx context.Context) ([]Service, error) {
	if c.err != nil {
		return nil, c.err
	}
	var list corev1.ServiceList
	err := c.core.Get().Namespace(c.Namespace).Resource("services").
		VersionedParams(&metav1.ListOptions{Limit: maxServices}, parameterCodec).MaxRetries(0).
		Do(ctx).Into(&list)
	if err != nil {
		return nil, c.explain(fmt.Errorf("list services: %w", err))
	}
	services := make([]Service, 0, len(list.Items))
	for _, s := range list.Items {
		services = append(services, newService(s))
	}
	return services, nil
}

func newService(s corev1.Service) Service {
	shown := Service{Name: s.Name, Type: string(s.Spec.Type), Address: s.Spec.ClusterIP, Created: s.CreationTimestamp.Time}
	for _, p := range s.Spec.Ports {
		shown.Ports = append(shown.Ports, strconv.Itoa(int(p.Port))+"/"+string(p.Protocol))
	}
	return shown
}
