package probes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"

	"github.com/erpgo/flightdeck/config"
)

// Cluster is the one Kubernetes namespace that the cockpit looks at and works
// on. It is resolved once, at start, as kubectl would resolve it then, and does
// not change with the user's kubeconfig afterwards.
type Cluster struct {
	Context   string // of the kubeconfig; "in-cluster" without one in a pod
	Namespace string
	Server    string // URL of the API server

	pinned *clientcmdapi.Config
	core   rest.Interface // pods and their logs
	apps   rest.Interface // deployments and replica sets
	heart  *heartbeat
	err    error // why it cannot be used
}

const (
	// requestsPerSecond and requestBurst bound what one cockpit may ask of an
	// API server. A start beside 5,000 pods with all log streams is some 80
	// requests; after that a watch asks for nothing.
	requestsPerSecond = 20
	requestBurst      = 100
)

// OpenCluster resolves the cluster, its context and its namespace. It does no
// network. Where there is no kubeconfig at all the error is ErrNotConfigured.
//
// The Cluster is never nil: together with an error it is one that cannot be
// used, whose probes publish that error, so that a broken kubeconfig takes away
// the cluster's panes and nothing else.
func OpenCluster(cfg config.Kubernetes) (*Cluster, error) {
	quietenClientGo()
	c := &Cluster{Context: cfg.Context, Namespace: cfg.Namespace}
	if c.err = c.open(cfg); c.err != nil && !errors.Is(c.err, ErrNotConfigured) {
		c.err = fmt.Errorf("kubernetes: %w", c.err)
	}
	return c, c.err
}

func (c *Cluster) open(cfg config.Kubernetes) error {
	pinned, err := loadKubeconfig(cfg)
	if err != nil {
		return err
	}
	settings, err := clientcmd.NewDefaultClientConfig(*pinned, nil).ClientConfig()
	if err != nil {
		return fmt.Errorf("context %q: %w", pinned.CurrentContext, err)
	}
	c.pinned = pinned
	c.Context = pinned.CurrentContext
	c.Namespace = pinned.Contexts[pinned.CurrentContext].Namespace
	c.Server = withoutUser(settings.Host)

	conns := newConns()
	settings.Dial = conns.dial
	settings.UserAgent = userAgent()
	settings.QPS, settings.Burst = requestsPerSecond, requestBurst
	settings.WarningHandler = rest.NoWarnings{}
	settings.ContentType = runtime.ContentTypeProtobuf
	settings.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	settings.NegotiatedSerializer = codecs.WithoutConversion()
	client, err := httpClient(settings)
	if err != nil {
		return fmt.Errorf("context %q: %w", c.Context, err)
	}
	if c.core, err = restClient(settings, client, "/api", corev1.SchemeGroupVersion); err != nil {
		return err
	}
	if c.apps, err = restClient(settings, client, "/apis", appsv1.SchemeGroupVersion); err != nil {
		return err
	}
	// The heartbeat shares the connection but not the rate limit: waiting for
	// one's own requests is no sign of a dead server.
	settings.QPS = -1
	pulse, err := restClient(settings, client, "/api", corev1.SchemeGroupVersion)
	if err != nil {
		return err
	}
	c.heart = newHeartbeat(func(ctx context.Context) error {
		return pulse.Get().AbsPath("/version").MaxRetries(0).Do(ctx).Error()
	}, conns)
	return nil
}

// withoutUser is a URL that can be shown.
func withoutUser(server string) string {
	parsed, err := url.Parse(server)
	if err != nil {
		return "" // it cannot be used either, and the error of that says so
	}
	parsed.User = nil
	return parsed.String()
}

// restClient is a client for one API group. client-go's clientset would be one
// for all of them, and link every type that Kubernetes has.
func restClient(settings *rest.Config, client *http.Client, path string, version schema.GroupVersion) (rest.Interface, error) {
	settings = rest.CopyConfig(settings)
	settings.APIPath, settings.GroupVersion = path, &version
	made, err := rest.RESTClientForConfigAndClient(settings, client)
	if err != nil {
		return nil, fmt.Errorf("client for %s: %w", version, err)
	}
	return made, nil
}

var (
	scheme         = newScheme()
	codecs         = serializer.NewCodecFactory(scheme)
	parameterCodec = runtime.NewParameterCodec(scheme)
)

// newScheme knows the kinds that are read here and no others.
func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	metav1.AddToGroupVersion(s, schema.GroupVersion{Version: "v1"})
	utilruntime.Must(corev1.AddToScheme(s))
	utilruntime.Must(appsv1.AddToScheme(s))
	return s
}

// quietenClientGo keeps client-go from writing to standard error, which is the
// screen, and from ending the process where it recovers from a panic.
var quietenClientGo = sync.OnceFunc(func() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	klog.SetLogger(logr.Discard())
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	utilruntime.ReallyCrash = false
})

// userAgent names the cockpit in the API server's audit log.
func userAgent() string {
	version := "devel"
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		version = build.Main.Version
	}
	return "flightdeck/" + version
}

// explain words an error of the API server for a pane: where, what, and what to
// do about it.
func (c *Cluster) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("kubernetes %s: %w", c.Server, c.cause(err))
}

func (c *Cluster) cause(err error) error {
	var (
		slow   noAnswer
		lookup *net.DNSError
		status *apierrors.StatusError
	)
	switch {
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the credentials of context %s are not accepted (401); log in again or renew them in the kubeconfig: %w", c.Context, err)
	case strings.Contains(err.Error(), "getting credentials: "): // client-go has no type for it
		return fmt.Errorf("%w; log in again: the credential plugin says: %s", root(err), pluginWords().last())
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%w; ask for the role view in namespace %s", err, c.Namespace)
	case apierrors.IsTooManyRequests(err):
		if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
			return fmt.Errorf("it is overloaded (429) and asks to wait %d s: %w", seconds, err)
		}
		return fmt.Errorf("it is overloaded (429): %w", err)
	case errors.As(err, &status) && status.ErrStatus.Code >= http.StatusInternalServerError:
		code := int(status.ErrStatus.Code)
		return fmt.Errorf("it answers %d %s: %w", code, http.StatusText(code), err)
	case errors.As(err, &slow):
		return slow
	case errors.As(err, &lookup):
		return fmt.Errorf("%w; check the server of context %s", lookup, c.Context)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w: nothing listens there; check that it runs, or set --context", syscall.ECONNREFUSED)
	case isTLS(err):
		return fmt.Errorf("TLS failed: %w; check the certificate authority of context %s", root(err), c.Context)
	case isLost(err), isTimeout(err):
		return root(err)
	}
	return err
}
