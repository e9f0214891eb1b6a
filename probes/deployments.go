package probes

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The annotations that the deployment controller and kubectl keep.
const (
	revisionAnnotation    = "deployment.kubernetes.io/revision"
	reusedAnnotation      = "deployment.kubernetes.io/revision-history" // a revision that was rolled back to
	changeCauseAnnotation = "kubernetes.io/change-cause"
)

// Deployment is a Deployment with its current ReplicaSet.
type Deployment struct {
	Name     string
	Desired  int      // replicas that it should have
	Ready    int      // replicas that are ready, of any revision
	Updated  int      // replicas of the current revision
	Revision int      // annotation deployment.kubernetes.io/revision
	Images   []string // of the pod template, one a container
	// RolledOut is when the current revision began to roll out: the creation of
	// its ReplicaSet. A roll-back uses an old ReplicaSet again, whose creation
	// says nothing; then it is when the rollout last made progress, which is
	// its end once it is complete.
	RolledOut   time.Time
	Revisions   []Revision // newest first
	ChangeCause string     // annotation kubernetes.io/change-cause, empty without one
}

// Revision is one ReplicaSet of a Deployment's history.
type Revision struct {
	Number      int
	Images      []string // of its pod template, one a container
	Created     time.Time
	ChangeCause string
}

// rollout is what is kept of a Deployment object.
type rollout struct {
	uid        types.UID
	shown      Deployment
	progressed time.Time // when the rollout last made progress; zero when it has no deadline
}

// replicaSet is what is kept of a ReplicaSet object.
type replicaSet struct {
	uid      types.UID
	owner    types.UID // the Deployment that it belongs to, empty without one
	revision Revision
	reused   bool
}

func newRollout(d *appsv1.Deployment) rollout {
	r := rollout{uid: d.UID, shown: Deployment{
		Name:        d.Name,
		Desired:     1, // the API's default
		Ready:       int(d.Status.ReadyReplicas),
		Updated:     int(d.Status.UpdatedReplicas),
		Revision:    revisionOf(d.ObjectMeta),
		Images:      imagesOf(d.Spec.Template),
		ChangeCause: d.Annotations[changeCauseAnnotation],
	}}
	if d.Spec.Replicas != nil {
		r.shown.Desired = int(*d.Spec.Replicas)
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			r.progressed = c.LastUpdateTime.Time
		}
	}
	return r
}

func newReplicaSet(rs *appsv1.ReplicaSet) replicaSet {
	r := replicaSet{
		uid:    rs.UID,
		reused: rs.Annotations[reusedAnnotation] != "",
		revision: Revision{
			Number:      revisionOf(rs.ObjectMeta),
			Images:      imagesOf(rs.Spec.Template),
			Created:     rs.CreationTimestamp.Time,
			ChangeCause: rs.Annotations[changeCauseAnnotation],
		},
	}
	if owner := metav1.GetControllerOf(rs); owner != nil {
		r.owner = owner.UID
	}
	return r
}

// revisionOf is the revision that an object is annotated with; 0 when it has
// none yet.
func revisionOf(object metav1.ObjectMeta) int {
	number, _ := strconv.Atoi(object.Annotations[revisionAnnotation])
	return number
}

func imagesOf(template corev1.PodTemplateSpec) []string {
	images := make([]string, 0, len(template.Spec.Containers))
	for _, c := range template.Spec.Containers {
		images = append(images, c.Image)
	}
	return images
}

// deploymentsOf joins Deployments with their ReplicaSets, by name.
func deploymentsOf(rollouts map[types.UID]rollout, sets map[types.UID]replicaSet) []Deployment {
	owned := make(map[types.UID][]replicaSet, len(rollouts))
	for _, rs := range sets {
		if _, ok := rollouts[rs.owner]; ok {
			owned[rs.owner] = append(owned[rs.owner], rs)
		}
	}
	all := make([]Deployment, 0, len(rollouts))
	for uid, r := range rollouts {
		all = append(all, r.with(owned[uid]))
	}
	slices.SortFunc(all, func(a, b Deployment) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// with returns the Deployment with the history that its ReplicaSets are.
func (r rollout) with(sets []replicaSet) Deployment {
	slices.SortFunc(sets, func(a, b replicaSet) int {
		return cmp.Or(cmp.Compare(b.revision.Number, a.revision.Number), b.revision.Created.Compare(a.revision.Created))
	})
	d := r.shown
	for _, rs := range sets {
		d.Revisions = append(d.Revisions, rs.revision)
		if rs.revision.Number != d.Revision {
			continue
		}
		d.RolledOut = rs.revision.Created
		if rs.reused && !r.progressed.IsZero() {
			d.RolledOut = r.progressed
		}
	}
	return d
}
