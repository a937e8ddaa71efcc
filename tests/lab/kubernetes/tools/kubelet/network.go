// Copyright (c) 2026, the container.schedulers authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
)

const kubeletPort = "10250"

// Network is the cluster's network as the API server sees it: a proxy that takes CONNECT for any address. Port 10250
// of any node is the kubelet here; everything else is the lab's to answer.
type Network struct {
	kubelets chan net.Conn
	pods     *Kubelet
}

func (n *Network) listen(socket string) error {
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go n.serve(connection)
	}
}

func (n *Network) serve(connection net.Conn) {
	reader := bufio.NewReader(connection)
	request, err := http.ReadRequest(reader)
	if err != nil || request.Method != http.MethodConnect {
		connection.Close()
		return
	}
	_, port, err := net.SplitHostPort(request.Host)
	if err != nil {
		fmt.Fprint(connection, "HTTP/1.1 400 Bad Request\r\n\r\n")
		connection.Close()
		return
	}
	fmt.Fprint(connection, "HTTP/1.1 200 Connection established\r\n\r\n")
	if port == kubeletPort {
		n.kubelets <- &buffered{connection, reader}
		return
	}
	defer connection.Close()
	if err := n.pods.connect(map[string]any{"address": request.Host}, &buffered{connection, reader}); err != nil {
		log.Printf("%s: %v", request.Host, err)
	}
}

// Accept hands the kubelet the connections that are for it.
func (n *Network) Accept() (net.Conn, error) { return <-n.kubelets, nil }

// Close is never called: the process ends with the cluster.
func (n *Network) Close() error { return nil }

// Addr says where the kubelet listens, for messages only.
func (n *Network) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "kubelet"} }

// buffered reads what came with the request for the connection first.
type buffered struct {
	net.Conn
	reader *bufio.Reader
}

func (b *buffered) Read(content []byte) (int, error) { return b.reader.Read(content) }
