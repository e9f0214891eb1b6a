//go:build unix

package probes

import (
	"errors"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/erpgo/flightdeck/testenv"
)

func TestServicesOfTheNamespace(t *testing.T) {
	k := startKube(t, testenv.ControlPlaneOptions{APIServerOnly: true})
	k.write(t, k.admin.core.Post().Namespace("erpgo").Resource("services"), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "erpgo-api"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 8080}, {Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP}}},
	})
	k.write(t, k.admin.core.Post().Namespace("erpgo").Resource("services"), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "postgres"},
		Spec:       corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Ports: []corev1.ServicePort{{Port: 5432}}},
	})
	services, err := k.admin.Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(services) != 2 {
		t.Fatalf("%d services, want the namespace's 2: %v", len(services), services)
	}
	api, postgres := services[0], services[1]
	if api.Name != "erpgo-api" || api.Type != "ClusterIP" || !slices.Equal(api.Ports, []string{"8080/TCP", "53/UDP"}) || api.Created.IsZero() {
		t.Errorf("the first service is %+v", api)
	}
	if postgres.Name != "postgres" || postgres.Address != "None" {
		t.Errorf("the second service is %+v", postgres)
	}
}

func TestServicesWithoutACluster(t *testing.T) {
	broken := &Cluster{err: ErrNotConfigured}
	if _, err := broken.Services(t.Context()); !errors.Is(err, ErrNotConfigured) {
		t.Errorf("services of no cluster: %v", err)
	}
}
