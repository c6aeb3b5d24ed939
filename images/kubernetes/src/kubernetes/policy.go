package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"github.com/spf13/pflag"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// runNetworkPolicy is kube-router's controller of network policies and nothing else of it: its own command would link the
// other three, with a BGP speaker and the client of a cloud, which take a tenth of the compile and are never run.
func runNetworkPolicy() int {
	config, err := policyConfig(os.Args[1:])
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		err = enforcePolicies(ctx, config)
	}
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	return 0
}

// policyConfig reads kube-router's own flags with a flag set of its own: the process-wide one already has those of the
// other programs in it.
func policyConfig(arguments []string) (*options.KubeRouterConfig, error) {
	config := options.NewKubeRouterConfig()
	flags := pflag.NewFlagSet("kube-router", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	verbosity := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(verbosity)
	return config, verbosity.Set("v", config.VLevel)
}

// enforcePolicies keeps the node's firewall as the policies say until the context ends. It begins when namespaces, pods and
// policies are known, because a pod that is not known yet would be let through.
func enforcePolicies(ctx context.Context, config *options.KubeRouterConfig) error {
	access, err := clientcmd.BuildConfigFromFlags(config.Master, config.Kubeconfig)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(access)
	if err != nil {
		return fmt.Errorf("client of the API server: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods().Informer()
	namespaces := factory.Core().V1().Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	factory.Start(ctx.Done())
	waiting, cancel := context.WithTimeout(ctx, config.CacheSyncTimeout)
	defer cancel()
	for kind, known := range factory.WaitForCacheSync(waiting.Done()) {
		if !known {
			return fmt.Errorf("the API server did not tell its %v within %s", kind, config.CacheSyncTimeout)
		}
	}

	tables, sets, err := netpol.NewIPTablesHandlers(config)
	if err != nil {
		return fmt.Errorf("firewall: %w", err)
	}
	var mutex sync.Mutex
	controller, err := netpol.NewNetworkPolicyController(client, config, pods, policies, namespaces, &mutex, nil, tables, sets)
	if err != nil {
		return fmt.Errorf("network policies: %w", err)
	}
	if _, err = pods.AddEventHandler(controller.PodEventHandler); err != nil {
		return fmt.Errorf("pods: %w", err)
	}
	if _, err = namespaces.AddEventHandler(controller.NamespaceEventHandler); err != nil {
		return fmt.Errorf("namespaces: %w", err)
	}
	if _, err = policies.AddEventHandler(controller.NetworkPolicyEventHandler); err != nil {
		return fmt.Errorf("policies: %w", err)
	}

	// Nobody asks kube-router how it is: its supervisor sees whether it lives. The beats are taken so that none blocks it.
	beats := make(chan *healthcheck.ControllerHeartbeat, 10)
	go func() {
		for range beats {
		}
	}()
	var group sync.WaitGroup
	group.Add(1)
	controller.Run(beats, ctx.Done(), &group)
	group.Wait()
	return nil
}
