// client-go's own leader election on a Lease of our choice, with what it sees and does as JSON lines on stdout. It is the
// neighbour that somebody misconfigured onto our record, or the upstream beside which we run. SIGTERM cancels it, as a
// controller-manager is cancelled.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// What is told, and when. Holder and transitions are those of the record that was looked at or written.
type line struct {
	AtMs        int64  `json:"atMs"`
	Event       string `json:"event"`
	Holder      string `json:"holder"`
	Transitions int    `json:"transitions"`
}

var mutex sync.Mutex

func tell(event string, record resourcelock.LeaderElectionRecord) {
	mutex.Lock()
	defer mutex.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(line{time.Now().UnixMilli(), event, record.HolderIdentity, record.LeaderTransitions})
}

// The lock of client-go, unchanged, with every call told.
type toldLock struct{ resourcelock.Interface }

func (lock toldLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := lock.Interface.Get(ctx)
	if err == nil {
		tell("looked", *record)
	}
	return record, raw, err
}

func (lock toldLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	err := lock.Interface.Update(ctx, record)
	switch {
	case err != nil:
		tell("refused", record)
	case record.HolderIdentity == "":
		tell("released", record)
	default:
		tell("wrote", record)
	}
	return err
}

// Nothing is ever said on stdin: when it ends, the process that started us is gone.
func endWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}

func main() {
	server := flag.String("server", "", "of the API, plain HTTP")
	token := flag.String("token", "", "a bearer token")
	namespace := flag.String("namespace", "", "of the Lease")
	name := flag.String("name", "", "of the Lease")
	identity := flag.String("identity", "", "of this elector")
	releases := flag.Bool("release-on-cancel", false, "ReleaseOnCancel")
	again := flag.Bool("again", false, "elect again 2 s after a loss, instead of ending")
	leaseDuration := flag.Duration("lease-duration", 15*time.Second, "LeaseDuration")
	renewDeadline := flag.Duration("renew-deadline", 10*time.Second, "RenewDeadline")
	retryPeriod := flag.Duration("retry-period", 2*time.Second, "RetryPeriod")
	flag.Parse()

	config := &rest.Config{Host: *server, BearerToken: *token}
	config.ContentType = "application/json"
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	context.AfterFunc(ctx, func() { tell("cancelled", resourcelock.LeaderElectionRecord{HolderIdentity: *identity}) })
	go endWithParent()
	lock := toldLock{&resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: *namespace, Name: *name},
		Client:     coordinationv1.NewForConfigOrDie(config),
		LockConfig: resourcelock.ResourceLockConfig{Identity: *identity},
	}}
	election := leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   *leaseDuration,
		RenewDeadline:   *renewDeadline,
		RetryPeriod:     *retryPeriod,
		ReleaseOnCancel: *releases,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				tell("leading", resourcelock.LeaderElectionRecord{HolderIdentity: *identity})
			},
			OnStoppedLeading: func() { tell("stopped", resourcelock.LeaderElectionRecord{HolderIdentity: *identity}) },
			OnNewLeader: func(holder string) {
				tell("observed", resourcelock.LeaderElectionRecord{HolderIdentity: holder})
			},
		},
	}
	for {
		leaderelection.RunOrDie(ctx, election)
		if !*again {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(2 * time.Second):
		}
	}
}
