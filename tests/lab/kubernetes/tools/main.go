// Copyright (c) 2026, the container.schedulers authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The programs of the lab's Kubernetes in one binary: what they share is compiled and linked once, and which of them
// runs is said by the name by which the binary is called.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/apimachinery/pkg/util/wait"
	cloudprovider "k8s.io/cloud-provider"
	aws "k8s.io/cloud-provider-aws/pkg/providers/v1"
	cloud "k8s.io/cloud-provider/app"
	cloudconfig "k8s.io/cloud-provider/app/config"
	"k8s.io/cloud-provider/names"
	"k8s.io/cloud-provider/options"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/cli/flag"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/klog/v2"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

func main() {
	name := filepath.Base(os.Args[0])
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		run(apiserver.NewAPIServerCommand())
	case "kube-controller-manager":
		run(controllers.NewControllerManagerCommand())
	case "kube-scheduler":
		run(scheduler.NewSchedulerCommand())
	case "kubectl":
		run(kubectl.NewDefaultKubectlCommand())
	case "kwok":
		run(kwokCommand())
	case "aws-cloud-controller-manager":
		run(awsCommand())
	default:
		fmt.Fprintf(os.Stderr, "%s is none of the lab's Kubernetes programs\n", name)
		os.Exit(2)
	}
}

func run(command *cobra.Command) {
	os.Exit(cli.Run(command))
}

// kwokCommand is what the main of sigs.k8s.io/kwok/cmd/kwok does.
func kwokCommand() *cobra.Command {
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, _ := kwoklog.InitFlags(signals.SetupSignalContext(), flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err != nil {
		klog.Fatalf("kwok: %v", err)
	}
	command := kwok.NewCommand(ctx)
	command.SetContext(ctx)
	command.Version = "" // its flag is taken already, by the programs of Kubernetes
	command.PersistentFlags().AddFlagSet(flags)
	return command
}

// awsCommand is what the main of k8s.io/cloud-provider-aws does, without its optional tagging controller.
func awsCommand() *cobra.Command {
	opts, err := options.NewCloudControllerManagerOptions()
	if err != nil {
		klog.Fatalf("aws-cloud-controller-manager: %v", err)
	}
	return cloud.NewCloudControllerManagerCommand(opts, awsCloud, cloud.DefaultInitFuncConstructors,
		names.CCMControllerAliases(), flag.NamedFlagSets{}, wait.NeverStop)
}

func awsCloud(config *cloudconfig.CompletedConfig) cloudprovider.Interface {
	provider, err := cloudprovider.InitCloudProvider(aws.ProviderName, config.ComponentConfig.KubeCloudShared.CloudProvider.CloudConfigFile)
	if err != nil || provider == nil {
		klog.Fatalf("aws-cloud-controller-manager: %v", err)
	}
	if !provider.HasClusterID() {
		klog.Fatal("aws-cloud-controller-manager: no cluster id")
	}
	return provider
}
