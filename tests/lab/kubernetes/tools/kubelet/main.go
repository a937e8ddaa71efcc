// Copyright (c) 2026, the container.schedulers authors
// SPDX-License-Identifier: GPL-3.0-or-later

// The part of a kubelet that streams: logs, exec and port-forward as the API server asks a node for them.
//
// It knows nothing of Kubernetes. What a container is was written into a folder by the lab's own kubelet: its log, and
// a program that enters it. Called by any other name it is a program inside a container or an instance which the lab
// answers itself (wp, mariadb, kubeadm): it hands its arguments to the lab's socket and prints what comes back.
package main

import (
	"os"
	"path/filepath"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case "lab-kubelet":
		serve()
	case "lab-forward":
		forward(os.Args[1:])
	default:
		os.Exit(ask())
	}
}
